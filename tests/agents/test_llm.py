"""The one door to language models: answers checked, kept, paid for, retried and capped. Replies are scripted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.exceptions import ModelAuthenticationError, ModelInvalidRequestError, ModelRateLimitError
from pydantic import BaseModel
from scripted_chat import Scripted

from agents.errors import BudgetExhausted, ModelAnswerInvalid, ModelUnavailable
from agents.llm import LanguageModel, Ledger, StatedPrice, json_object


def door(tmp_path: Path, chat: Scripted, **options: Any) -> LanguageModel:
    pauses: list[float] = options.pop("pauses", [])
    return LanguageModel(
        "scripted:x",
        cache=tmp_path / "answers",
        ledger=Ledger(tmp_path / "calls.jsonl"),
        chat=chat,
        sleep=pauses.append,
        **options,
    )


class Colour(BaseModel):
    name: str
    share: float


def test_an_answer_in_a_fence_is_read_as_data(tmp_path: Path) -> None:
    chat = Scripted('Here it is:\n```json\n{"name": "red", "share": 0.5}\n```')
    assert door(tmp_path, chat).ask_for(Colour, "parse", "s", "u") == Colour(name="red", share=0.5)


def test_the_same_question_costs_nothing_twice(tmp_path: Path) -> None:
    first = door(tmp_path, Scripted("yes"))
    assert first.ask("write", "s", "u") == "yes"
    second = door(tmp_path, Scripted())  # would fail if it were asked
    assert second.ask("write", "s", "u") == "yes"
    assert len(second.ledger.calls) == 1


def test_a_misfit_is_asked_for_again_with_the_fault_named(tmp_path: Path) -> None:
    chat = Scripted('{"name": "red"}', '{"name": "red", "share": 1}')
    assert door(tmp_path, chat).ask_for(Colour, "parse", "s", "u").share == 1
    assert "share: Field required" in chat.asked[1][-1].text


def test_two_misfits_end_the_step_and_are_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ModelAnswerInvalid, match="twice"):
        door(tmp_path, Scripted("no", "no")).ask_for(Colour, "parse", "s", "u")
    assert door(tmp_path, Scripted('{"name": "a", "share": 0}')).ask_for(Colour, "parse", "s", "u").name == "a"


def test_what_may_pass_is_tried_again_with_growing_pauses(tmp_path: Path) -> None:
    pauses: list[float] = []
    chat = Scripted(ModelRateLimitError("slow down"), ModelRateLimitError("slow down"), "yes")
    assert door(tmp_path, chat, pauses=pauses).ask("write", "s", "u") == "yes"
    assert len(pauses) == 2
    assert 0.5 <= pauses[0] <= 1.5
    assert 1.0 <= pauses[1] <= 3.0


@pytest.mark.parametrize(
    ("error", "said"),
    [(ModelAuthenticationError("bad"), "refuses the key"), (ModelInvalidRequestError("bad"), "does not answer: bad")],
)
def test_what_will_not_pass_is_not_tried_again(tmp_path: Path, error: Exception, said: str) -> None:
    chat = Scripted(error, "never")
    with pytest.raises(ModelUnavailable, match=said):
        door(tmp_path, chat).ask("write", "s", "u")
    assert len(chat.asked) == 1


def test_retries_end(tmp_path: Path) -> None:
    chat = Scripted(*[ModelRateLimitError("slow down")] * 9)
    with pytest.raises(ModelUnavailable, match="slow down"):
        door(tmp_path, chat, retries=2).ask("write", "s", "u")
    assert len(chat.asked) == 3


def test_the_cap_holds_across_processes(tmp_path: Path) -> None:
    price = StatedPrice(input_usd=10, output_usd=1)  # a call as scripted costs $0.0101, at worst about $0.016
    first = door(tmp_path, Scripted("a", "b"), price=price, budget_usd=0.03)
    first.ask("write", "s", "1")
    assert first.ledger.cost_usd == pytest.approx(0.0101)
    again = door(tmp_path, Scripted("b", "c"), price=price, budget_usd=0.03)
    with pytest.raises(BudgetExhausted, match="larger --budget-usd"):
        for question in "23":
            again.ask("write", "s", question)
    assert again.ledger.cost_usd <= 0.03


def test_a_budget_without_a_price_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="AGENTICRS_USD_PER_MILLION_INPUT"):
        door(tmp_path, Scripted(), budget_usd=1.0)


@pytest.mark.parametrize("name", ["gpt", "nobody:model"])
def test_a_wrong_name_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        LanguageModel(name, cache=tmp_path, ledger=Ledger(tmp_path / "c"))
    assert "\n" not in str(caught.value)


@given(st.text(alphabet="abc}\n` ", max_size=30), st.dictionaries(st.text(max_size=5), st.integers()), st.text(max_size=30))
def test_the_object_is_found_among_words(before: str, content: dict[str, int], after: str) -> None:
    import json

    assert json.loads(json_object(before + json.dumps(content) + after)) == content
