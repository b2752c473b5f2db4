"""The search over candidates: it ends, keeps its bounds, never prefers what does not run, and repairs before it begins anew."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.autotrain.search import RUNGS, Bounds, Candidate, Change, Draft, GiveUp, Move, Train, next_move

BOUNDS = Bounds(drafts=3, repairs=2, improvements=2)
fate = st.one_of(
    st.tuples(st.sampled_from(RUNGS[:3]), st.sampled_from(["a", "b", "c"]), st.just(0.0)),
    st.tuples(st.none(), st.just(""), st.sampled_from([0.25, 0.5, 0.75, 1.0])),
)


def played(
    fates: list[tuple[str | None, str, float]], gives: list[bool], seed: str, bounds: Bounds
) -> tuple[list[Candidate], Move]:
    """All candidates and the last move of a search whose engine has something to offer as `gives` says, else always."""
    tried: list[Candidate] = []
    done_with: list[int] = []
    drafts_over = False
    for step in range(200):
        move = next_move(tried, done_with, drafts_over, bounds, seed)
        if isinstance(move, Train | GiveUp):
            return tried, move
        if step < len(gives) and not gives[step] and (tried or isinstance(move, Change)):
            drafts_over = drafts_over or isinstance(move, Draft)
            done_with += [move.of] if isinstance(move, Change) else []
            continue
        failed_at, fault, fidelity = fates[len(tried) % len(fates)]
        parent, origin = (None, "draft") if isinstance(move, Draft) else (move.of, move.origin)
        tried.append(
            Candidate.model_validate(
                {
                    "number": len(tried) + 1,
                    "parent": parent,
                    "origin": origin,
                    "failed_at": failed_at,
                    "fault": fault,
                    "fidelity": fidelity,
                }
            )
        )
    raise AssertionError("the search does not end")


@given(st.lists(fate, min_size=1, max_size=12), st.lists(st.booleans(), max_size=20), st.text(max_size=4))
def test_it_ends_within_its_bounds_and_trains_the_best_that_runs(
    fates: list[tuple[str | None, str, float]], gives: list[bool], seed: str
) -> None:
    tried, end = played(fates, gives, seed, BOUNDS)
    running = [c for c in tried if c.runs]
    assert isinstance(end, Train if running else GiveUp)
    if isinstance(end, Train):
        assert tried[end.number - 1].fidelity == max(c.fidelity for c in running)
    assert 1 <= sum(c.origin == "draft" for c in tried) <= BOUNDS.drafts
    assert sum(c.origin == "improvement" for c in tried) <= BOUNDS.improvements
    for c in tried:
        if c.origin != "draft":
            parent = tried[int(c.parent or 0) - 1]
            assert parent.runs == (c.origin == "improvement")


def test_a_candidate_that_does_not_run_never_outranks_one_that_does() -> None:
    poor = Candidate(number=9, fidelity=0.0)
    for rung in RUNGS:
        assert Candidate(number=1, failed_at=rung, fault="x", fidelity=1.0).rank < poor.rank


def test_the_first_draft_is_trained_when_it_is_faithful() -> None:
    tried, end = played([(None, "", 1.0)], [], "s", BOUNDS)
    assert len(tried) == 1 and end == Train(1)


def test_a_fault_is_repaired_and_one_that_comes_back_is_not_repaired_again() -> None:
    greedy = Bounds(drafts=1, repairs=5, improvements=0)
    tried, end = played([("smoke", "a", 0.0), ("smoke", "b", 0.0), ("smoke", "b", 0.0)], [], "s", greedy)
    assert [c.origin for c in tried] == ["draft", "repair", "repair"]
    assert isinstance(end, GiveUp) and end.reason == "the same smoke failure came twice: b"


def test_after_repairs_are_spent_it_begins_anew() -> None:
    tried, _ = played([("smoke", f, 0.0) for f in "abcdefghi"], [], "s", BOUNDS)
    assert [c.origin for c in tried].count("draft") == 3
    assert len(tried) <= 3 * (1 + BOUNDS.repairs)


def test_what_runs_is_improved_and_a_failed_training_is_repaired() -> None:
    tried, end = played([(None, "", 0.5), (None, "", 1.0)], [], "s", Bounds(drafts=1, repairs=1, improvements=1))
    assert [c.origin for c in tried] == ["draft", "improvement"] and end == Train(2)
    failed = [tried[0], tried[1].model_copy(update={"failed_at": "train", "fault": "ran out of memory"})]
    move = next_move(failed, [], True, Bounds(drafts=1, repairs=1, improvements=1), "s")
    assert move in (Change(2, "repair"), Train(1))


def test_exploring_has_its_share() -> None:
    stuck = [Candidate(number=1, failed_at="smoke", fault="x")]
    moves = [next_move(stuck, [], False, BOUNDS, str(seed)) for seed in range(400)]
    share = sum(isinstance(m, Draft) for m in moves) / len(moves)
    assert 0.13 < share < 0.27


@pytest.mark.parametrize("bounds", [Bounds(1, 0, 0), Bounds(2, 0, 0)])
def test_without_repairs_there_are_drafts_alone(bounds: Bounds) -> None:
    tried, end = played([("policy", "a", 0.0)], [], "s", bounds)
    assert [c.origin for c in tried] == ["draft"] * bounds.drafts
    assert isinstance(end, GiveUp)
