"""The one door against servers that speak OpenAI's protocol: a scripted one on loopback, a real one if a variable names it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, chat_server
from pydantic import BaseModel

from agents.errors import BudgetExhausted, ModelAnswerInvalid, ModelUnavailable
from agents.llm import LanguageModel, Ledger, StatedPrice, providers
from workflows.budget import Account, Budget
from workflows.run_folder import RunFolder


class Colour(BaseModel):
    name: str
    share: float


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    with chat_server() as found:
        monkeypatch.setenv("OPENAI_BASE_URL", found.url)
        monkeypatch.setenv("OPENAI_API_KEY", "the-key")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield found


def door(folder: Path, **options: Any) -> LanguageModel:
    pauses: list[float] = options.pop("pauses", [])
    return LanguageModel(
        "openai:test-model", cache=folder / "answers", ledger=Ledger(folder / "calls.jsonl"), sleep=pauses.append, **options
    )


def test_an_answer_its_key_its_tokens_and_its_price(server: ChatServer, tmp_path: Path) -> None:
    server.replies = ["hello"]
    model = door(tmp_path, price=StatedPrice(input_usd=2, output_usd=10))
    assert model.ask("write", "be brief", "say hello") == "hello"
    asked = server.asked[0]
    assert [(m["role"], m["content"]) for m in asked["messages"]] == [("system", "be brief"), ("user", "say hello")]
    assert (asked["model"], server.keys) == ("test-model", ["Bearer the-key"])
    assert providers.MAX_TOKENS in (asked.get("max_tokens"), asked.get("max_completion_tokens"))
    (call,) = model.ledger.calls
    assert (call.input_tokens, call.output_tokens, call.cost_usd) == (1000, 100, pytest.approx(0.003))


def test_the_same_question_is_not_sent_twice(server: ChatServer, tmp_path: Path) -> None:
    server.replies = ["once", "twice"]
    assert [door(tmp_path).ask("write", "s", "u") for _ in range(2)] == ["once", "once"]
    assert len(server.asked) == 1
    assert door(tmp_path).ask("write", "s", "another") == "twice"


def test_data_is_asked_for_again_when_it_does_not_fit(server: ChatServer, tmp_path: Path) -> None:
    server.replies = ["I would say red.", '```json\n{"name": "red", "share": 0.5}\n```']
    assert door(tmp_path).ask_for(Colour, "parse", "s", "u") == Colour(name="red", share=0.5)
    assert "no JSON object" in server.asked[1]["messages"][-1]["content"]


def test_the_cap_stops_before_the_call(server: ChatServer, tmp_path: Path) -> None:
    server.replies = ["a", "b"]
    account = Account(RunFolder(tmp_path / "r1"), Budget(usd=0.02))
    price = StatedPrice(input_usd=10, output_usd=1)  # 0.0101 a call, at worst 0.016
    model = LanguageModel("openai:m", cache=tmp_path, ledger=account.calls, price=price, afford=account.afford)
    model.ask("write", "s", "1")
    with pytest.raises(BudgetExhausted):
        model.ask("write", "s", "2")
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_asked_again(server: ChatServer, tmp_path: Path, status: int) -> None:
    pauses: list[float] = []
    server.replies = [(status, "not now"), (status, "not now"), "yes"]
    assert door(tmp_path, pauses=pauses).ask("write", "s", "u") == "yes"
    assert len(pauses) == 2


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (402, "refuses the question with status 402"),
        (401, "refuses the key; set"),
        (400, "does not answer: .*bad"),
        (403, "does not answer: .*bad"),
        (404, "OPENAI_BASE_URL"),
    ],
)
def test_what_will_not_pass_is_asked_once(server: ChatServer, tmp_path: Path, status: int, said: str) -> None:
    server.replies = [(status, "bad"), "never"]
    with pytest.raises(ModelUnavailable, match=said) as caught:
        door(tmp_path).ask("write", "s", "u")
    assert "\n" not in str(caught.value)
    assert len(server.asked) == 1


def test_a_server_that_hangs_is_left_and_asked_again(server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "TIMEOUT_S", 0.3)
    server.replies = [1.5, "yes"]
    began = time.monotonic()
    assert door(tmp_path).ask("write", "s", "u") == "yes"
    assert time.monotonic() - began < 1.4


@pytest.mark.parametrize("body", ["<html>a proxy's page</html>", "<"])
def test_a_page_that_is_no_chat_completion(server: ChatServer, tmp_path: Path, body: str) -> None:
    server.replies = [(200, body)] * 9
    with pytest.raises(ModelUnavailable) as caught:
        door(tmp_path, retries=1).ask("write", "s", "u")
    assert "\n" not in str(caught.value)


def test_an_answer_cut_off_is_neither_used_nor_kept(server: ChatServer, tmp_path: Path) -> None:
    server.replies, server.finish_reason = ["half of a fi"], "length"
    with pytest.raises(ModelAnswerInvalid, match="cut off in the step write after 100 tokens"):
        door(tmp_path).ask("write", "s", "u")
    server.replies, server.finish_reason = ["the whole"], "stop"
    assert door(tmp_path).ask("write", "s", "u") == "the whole"


def test_nobody_there(server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(ModelUnavailable, match="cannot be reached; check the network, and OPENAI_BASE_URL"):
        door(tmp_path, retries=1).ask("write", "s", "u")


def test_a_missing_key_names_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ModelUnavailable, match="OPENAI_API_KEY") as caught:
        door(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="langchain-mistralai"):
        LanguageModel("mistralai:m", cache=tmp_path, ledger=Ledger(tmp_path / "c"))


@pytest.mark.skipif(
    "AGENTICRS_TEST_OPENAI_URL" not in os.environ,
    reason="set AGENTICRS_TEST_OPENAI_URL (and AGENTICRS_TEST_OPENAI_MODEL) to the base URL of an OpenAI-compatible server",
)
def test_a_real_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", os.environ["AGENTICRS_TEST_OPENAI_URL"])
    monkeypatch.setenv("OPENAI_API_KEY", os.environ.get("OPENAI_API_KEY", "none"))
    name = os.environ.get("AGENTICRS_TEST_OPENAI_MODEL", "default")
    model = LanguageModel(f"openai:{name}", cache=tmp_path / "answers", ledger=Ledger(tmp_path / "calls.jsonl"))
    said = model.ask_for(Colour, "parse", "You name colours.", "The colour red, with a share of one half.")
    assert said.name.lower() == "red"
    assert model.ledger.calls[0].output_tokens > 0
