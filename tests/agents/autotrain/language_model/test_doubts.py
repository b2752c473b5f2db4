"""A second reading asks about what is missing or contradictory in the first, and about nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from agents.autotrain.language_model.doubts import SaidAnswers, doubts_of, in_words, settled
from agents.autotrain.language_model.reading import SaidMethod
from agents.autotrain.paper import Paper

TEXT = "We scale all pairs of fields by a gate g = s(W x). The embedding size is 10. On A the AUC is 0.81."
PAPER = Paper(title="A paper", source="a.md", format="markdown", text=TEXT)
GATE = {
    "name": "a gate",
    "quote": "We scale all pairs of fields by a gate",
    "equations": ["g = s(W x)"],
    "symbols": [{"symbol": "g", "meaning": "the gate", "shape": "(B, P)"}],
    "description": "A linear map of the mean embedding, through a sigmoid, scales every pair's product.",
}
SIZE = {"name": "embedding_dim", "value": 10, "quote": "The embedding size is 10"}
CLAIM = {"dataset": "A", "metric": "AUC", "value": 0.81, "quote": "On A the AUC is 0.81"}


def said(**changes: Any) -> SaidMethod:
    whole = {"scope": "in_scope", "mechanisms": [GATE], "hyper_parameters": [SIZE], "claims": [CLAIM]}
    return SaidMethod.model_validate(whole | changes)


def test_a_whole_reading_leaves_no_question() -> None:
    assert doubts_of(said(), PAPER, {"fm"}) == []


@pytest.mark.parametrize(
    ("changes", "part", "asks"),
    [
        ({"mechanisms": [GATE | {"quote": "gates are good"}]}, "quote", "letter by letter"),
        ({"mechanisms": [GATE | {"block": "gate_of_dreams"}]}, "block", "no block `gate_of_dreams`"),
        ({"mechanisms": [GATE | {"description": "a gate"}]}, "description", "How is “a gate” computed"),
        ({"mechanisms": [GATE | {"symbols": []}]}, "symbols", "each symbol"),
        ({"hyper_parameters": [SIZE, SIZE | {"value": 16}]}, "value", "10 and 16"),
        ({"hyper_parameters": [SIZE | {"quote": ""}]}, "quote", "`embedding_dim` = 10"),
        ({"claims": [CLAIM | {"quote": "The AUC is best"}]}, "quote", "AUC = 0.81 on A"),
    ],
)
def test_what_is_missing_or_contradictory_is_asked_about_alone(changes: dict[str, Any], part: str, asks: str) -> None:
    (doubt,) = doubts_of(said(**changes), PAPER, {"fm"})
    assert doubt.part == part
    assert asks in in_words([doubt])


def test_a_mechanism_that_a_block_does_needs_no_explanation() -> None:
    assert doubts_of(said(mechanisms=[GATE | {"block": "fm", "description": "", "symbols": []}]), PAPER, {"fm"}) == []


def test_a_paper_out_of_scope_leaves_no_question() -> None:
    assert doubts_of(said(scope="survey", mechanisms=[GATE | {"quote": "no"}]), PAPER, {"fm"}) == []


def test_answers_stand_in_place_of_what_was_doubted_and_of_nothing_else() -> None:
    first = said(mechanisms=[GATE | {"quote": "no"}], hyper_parameters=[SIZE, SIZE | {"value": 16}])
    doubts = doubts_of(first, PAPER, {"fm"})
    assert [d.part for d in doubts] == ["quote", "value"]
    answers = SaidAnswers.model_validate(
        {
            "answers": [
                {"question": 1, "quote": "We scale all pairs", "description": "not asked for"},
                {"question": 2, "value": 16},
                {"question": 9, "value": 3},
            ]
        }
    )
    second = settled(first, doubts, answers)
    assert second.mechanisms[0].quote == "We scale all pairs"
    assert second.mechanisms[0].description == GATE["description"]
    assert [h.value for h in second.hyper_parameters] == [16, 16]
    assert first.mechanisms[0].quote == "no"


def test_unanswered_doubts_change_nothing() -> None:
    first = said(mechanisms=[GATE | {"quote": "no"}])
    assert settled(first, doubts_of(first, PAPER, {"fm"}), SaidAnswers()) == first


def test_many_doubts_are_cut() -> None:
    many = said(hyper_parameters=[SIZE | {"name": f"n{i}", "quote": ""} for i in range(40)])
    assert len(doubts_of(many, PAPER, {"fm"})) == 12
