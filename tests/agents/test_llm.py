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
from agents.llm import Call, LanguageModel, Ledger, StatedPrice, json_object
from agents.llm.providers import MAX_TOKENS


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


def test_before_each_paid_call_it_is_said_what_that_may_come_to(tmp_path: Path) -> None:
    told: list[tuple[float | None, int]] = []
    priced = door(tmp_path, Scripted("a"), price=StatedPrice(input_usd=0, output_usd=1), afford=lambda *worst: told.append(worst))
    priced.ask("write", "s" * 200, "u" * 100)
    priced.ask("write", "s" * 200, "u" * 100)  # kept: nothing is paid
    assert told == [(pytest.approx(MAX_TOKENS / 1e6), 100 + MAX_TOKENS)]
    door(tmp_path, Scripted("b"), afford=lambda *worst: told.append(worst)).ask("write", "", "another")
    assert told[1][0] is None


def test_what_cannot_be_afforded_is_not_asked(tmp_path: Path) -> None:
    def refuse(usd: float | None, tokens: int) -> None:
        raise BudgetExhausted("no")

    model = door(tmp_path, chat := Scripted("a"), afford=refuse)
    with pytest.raises(BudgetExhausted):
        model.ask("write", "s", "u")
    assert (chat.asked, model.ledger.calls) == ([], [])


def test_a_corrected_misfit_costs_nothing_twice_wherever_a_run_ended(tmp_path: Path) -> None:
    first = door(tmp_path, Scripted('{"name": "red"}', ModelInvalidRequestError("no second answer came")))
    with pytest.raises(ModelUnavailable):
        first.ask_for(Colour, "parse", "s", "u")
    chat = Scripted('{"name": "red", "share": 1}')  # to the fault named
    assert door(tmp_path, chat).ask_for(Colour, "parse", "s", "u").share == 1
    assert "share: Field required" in chat.asked[0][-1].text
    again = door(tmp_path, Scripted())
    assert again.ask_for(Colour, "parse", "s", "u").share == 1
    assert len(again.ledger.calls) == 2


def test_an_unknown_price_is_not_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "calls.jsonl")
    assert ledger.cost_usd == 0.0
    for cost in (0.5, None):
        ledger.add(Call(step="write", input_tokens=1_000_000, output_tokens=100_000, cost_usd=cost, seconds=1.0))
    again = Ledger(tmp_path / "calls.jsonl")
    assert (again.cost_usd, again.tokens) == (None, 2_200_000)
    again.count_at(StatedPrice(input_usd=2, output_usd=10))
    assert again.cost_usd == pytest.approx(0.5 + 3.0)


def test_a_line_that_a_crash_cut_off_is_no_call(tmp_path: Path) -> None:
    ledger, call = Ledger(tmp_path / "c"), Call(step="a", input_tokens=1, output_tokens=1, cost_usd=None, seconds=1.0)
    ledger.add(call)
    whole = (tmp_path / "c").read_bytes()
    (tmp_path / "c").write_bytes(whole + whole[:20])
    torn = Ledger(tmp_path / "c")
    assert torn.calls == [call]
    torn.add(call)
    assert (tmp_path / "c").read_bytes() == whole * 2


@pytest.mark.parametrize("name", ["gpt", "nobody:model"])
def test_a_wrong_name_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        LanguageModel(name, cache=tmp_path, ledger=Ledger(tmp_path / "c"))
    assert "\n" not in str(caught.value)


@given(st.text(alphabet="abc}\n` ", max_size=30), st.dictionaries(st.text(max_size=5), st.integers()), st.text(max_size=30))
def test_the_object_is_found_among_words(before: str, content: dict[str, int], after: str) -> None:
    import json

    assert json.loads(json_object(before + json.dumps(content) + after)) == content
