"""Ranked lists: scores by hand, what makes them bad, what makes them no result, and the sentences of their verdicts."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from simulated_models import Queries, list_runs

from agents.compare import BadPredictions, Comparison, ListTruth, Rules, Scores, Trained, compare
from sandboxes.kit.ranking import LONGEST, NOTHING, Answers

RIGHT = Answers(np.array([0, 1, 3, 6]), np.array([2, 2, 3, 5, 6, 7], np.int32))  # {2}, {2, 3}, {5, 6, 7}
TRUTH = ListTruth(RIGHT, n_items=400)


def lists(*rows: dict[int, int]) -> NDArray[np.int32]:
    """Lists that hold the given items at the given places (from 1), and elsewhere items that are never right."""
    made = np.tile(np.arange(100, 100 + LONGEST, dtype=np.int32), (len(rows), 1))
    for row, places in zip(made, rows, strict=True):
        for place, item in places.items():
            row[place - 1] = item
    return made


GOOD = lists({1: 2}, {15: 3, 50: 2}, {3: 5, 12: 7})


def test_scores_by_hand() -> None:
    found = TRUTH.score(GOOD).primary.values
    gain = {place: 1 / math.log2(place + 1) for place in range(1, 21)}
    best_of_two, best_of_three = gain[1] + gain[2], gain[1] + gain[2] + gain[3]
    assert found == pytest.approx(
        {
            "ndcg": (1 + gain[15] / best_of_two + (gain[3] + gain[12]) / best_of_three) / 3,
            "recall": (1 + 1 / 2 + 2 / 3) / 3,
            "ndcg_at_10": (1 + 0 + gain[3] / best_of_three) / 3,
            "recall_at_10": (1 + 0 + 1 / 3) / 3,
            "recall_at_100": (1 + 1 + 2 / 3) / 3,
            "hit_rate": 1.0,
            "hit_rate_at_10": 2 / 3,
            "coverage": len({2, 3, 5, 7, *range(100, 120)}) / 398,
        }
    )
    assert TRUTH.primary(GOOD) == found["ndcg"]
    assert TRUTH.score(lists({1: 2}, {50: 2}, {15: 5})).primary.values["hit_rate"] == pytest.approx(2 / 3)


def test_empty_places_are_no_items() -> None:
    short = GOOD.copy()
    short[:, 15:] = NOTHING
    found = TRUTH.score(short).primary
    assert found.values["coverage"] == pytest.approx(len({2, 3, 5, 7, *range(100, 115)}) / 398)
    assert (found.values["recall_at_100"], found.collapse) == (found.values["recall"], "")


@given(st.integers(0, 1000))
def test_the_order_of_queries_and_of_items_that_are_wrong_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    queries = Queries.draw(rng, 30)
    (made,) = list_runs(rng, queries, 1).values()
    order = rng.permutation(30)
    answers = [queries.answers.items[a:b] for a, b in zip(queries.answers.offsets, queries.answers.offsets[1:], strict=False)]
    counts = queries.answers.counts[order]
    moved = Answers(np.r_[0, np.cumsum(counts)], np.concatenate([answers[q] for q in order]))
    names = np.r_[np.arange(4), 4 + rng.permutation(queries.n_items - 4)].astype(np.int32)  # the wrong ones under other names
    before = ListTruth(queries.answers, queries.n_items).score(made).primary.values
    after = ListTruth(moved, queries.n_items).score(names[made[order]]).primary.values
    assert {k: v for k, v in after.items() if k != "coverage"} == pytest.approx(
        {k: v for k, v in before.items() if k != "coverage"}
    )


def spoiled(change: Callable[[NDArray[np.int32]], object]) -> NDArray[np.int32]:
    made = GOOD.copy()
    change(made)
    return made


BAD = {
    "an item twice": (spoiled(lambda a: a.__setitem__((1, slice(7, 9)), 300)), "1 of 3 lists hold an item twice"),
    "every place the right item": (np.full((3, LONGEST), 2, np.int32), "3 of 3 lists hold an item twice"),
    "an id too high": (spoiled(lambda a: a.__setitem__((2, 5), 400)), r"1 of 300 places hold no item's id.*, for example 400"),
    "an id of no item": (
        spoiled(lambda a: a.__setitem__((2, slice(5, 7)), (0, 1))),
        r"2 of 300 places.* \[2, 400\), for example 0",
    ),
    "below nothing": (spoiled(lambda a: a.__setitem__((0, 0), -2)), "for example -2"),
    "floats": (GOOD.astype(np.float32), "lists are float32, not int32 ids"),
    "not a number": (np.full((3, LONGEST), np.nan), "lists are float64, not int32"),
    "wide integers": (GOOD.astype(np.int64), "lists are int64"),
    "words": (GOOD.astype(str), "lists are <U11"),
    "no array": ([[2]], "lists are list"),
    "probabilities": (np.full((3, 1), 0.5, np.float32), "lists are float32"),
    "too few places": (GOOD[:, :20], r"lists have shape \(3, 20\), not \(3, 100\)"),
    "too few queries": (GOOD[:2], r"lists have shape \(2, 100\), not \(3, 100\) for 3 queries and 100 places"),
    "too many queries": (np.repeat(GOOD, 2, 0), r"lists have shape \(6, 100\)"),
    "a vector": (GOOD[0], r"lists have shape \(100,\)"),
    "no number of dimensions": (np.array(3, np.int32), r"lists have shape \(\)"),
}


@pytest.mark.parametrize(("array", "why"), BAD.values(), ids=BAD.keys())
def test_bad_lists_are_refused_in_one_clause(array: NDArray[np.int32], why: str) -> None:
    for judged in (TRUTH.score, TRUTH.primary, TRUTH.check):
        with pytest.raises(BadPredictions, match=why) as caught:
            judged(array)
        assert "\n" not in str(caught.value) and not str(caught.value).endswith(".")


DRAWN = Queries.draw(np.random.default_rng(0), 3000)
SEEDS = (1, 2, 3)


def model(name: str, deeper: float = 0.0, **given: object) -> Trained:
    runs = list_runs(np.random.default_rng(len(name)), DRAWN, 3, own=0.1, per_seed=0.1, deeper=deeper)
    return Trained(name, runs, **{"valid": 0.1, **given})  # type: ignore[arg-type]


def against(*baselines: Trained, candidate: Trained | None = None, users: NDArray[np.int64] | None = None) -> Comparison:
    test = ListTruth(DRAWN.answers, DRAWN.n_items, "rating", users)
    return compare(candidate or model("candidate"), baselines, test, SEEDS)


def test_a_verdict_reads_well() -> None:
    found = against(model("two_towers", 0.3))
    effect, recall = found.rows[0].effects
    assert (effect.metric, recall.metric, effect.task) == ("ndcg", "recall", "rating")
    assert found.sentence == (
        f"better than two_towers: nDCG@20 {effect.estimate:+.4f} [{effect.low:+.4f}, {effect.high:+.4f}] over 3 seeds"
    )
    assert (found.test_rows, found.min_effect, found.predicts) == (3000, 0.002, "items")
    assert found.notes == (
        "users of test queries are unknown, so queries are taken as independent; intervals are too narrow if users repeat",
    )


def test_ties_read_well() -> None:
    same = model("candidate")
    equal = against(Trained("twin", same.predictions, valid=0.1), candidate=same)
    assert equal.sentence.startswith("equivalent to twin (any nDCG@20 difference is below 0.002): nDCG@20 +0.00000")
    wide = against(model("other"), candidate=same)
    assert (wide.verdict, wide.rows[0].tie) == ("tie", "undecided")
    assert wide.sentence.startswith("no difference from other shown (differences in nDCG@20 up to 0.0")
    lenient = compare(same, [model("two_towers", 0.3)], ListTruth(DRAWN.answers, DRAWN.n_items), SEEDS, Rules(min_ndcg=0.9))
    assert lenient.sentence.startswith("equivalent to two_towers (any nDCG@20 difference is below 0.9)")
    effect = lenient.rows[0].primary
    assert effect is not None
    between = (effect.estimate + effect.high) / 2
    shown = compare(same, [model("two_towers", 0.3)], ListTruth(DRAWN.answers, DRAWN.n_items), SEEDS, Rules(min_ndcg=between))
    assert shown.sentence.startswith("on a par with two_towers (an nDCG@20 difference is shown, smaller than the ")


def test_recall_that_disagrees_is_named() -> None:
    """The candidate has fewer answers among its first 20, and these at the top."""
    counts = DRAWN.answers.counts
    made = {}
    for kind, places in (("top", (1, 90)), ("low", (19, 20))):
        rows = [dict(zip(places[:n], (2, 3)[:n], strict=True)) for n in counts]
        made[kind] = Trained(kind, dict.fromkeys(SEEDS, lists(*rows)), valid=0.1)
    test = ListTruth(DRAWN.answers, 400)
    found = compare(made["top"], [made["low"]], test, SEEDS)
    assert found.verdict == "better" and "; recall@20 disagrees, worse in recall@20 -" in found.sentence


@pytest.mark.parametrize(("array", "why"), BAD.values(), ids=BAD.keys())
def test_bad_lists_are_not_comparable_and_say_why(array: NDArray[np.int32], why: str) -> None:
    test = ListTruth(RIGHT, 400)
    runs = {1: GOOD, 2: array, 3: GOOD}
    rules = Rules(min_rows=2)
    found = compare(Trained("candidate", dict.fromkeys(SEEDS, GOOD)), [Trained("b", runs)], test, SEEDS, rules)
    assert found.verdict == "not comparable"
    assert re.search(why, found.rows[0].reason) and found.rows[0].reason.startswith("b failed on seed 2: ")
    turned = compare(Trained("candidate", runs), [Trained("b", dict.fromkeys(SEEDS, GOOD))], test, SEEDS, rules)
    assert turned.verdict == "not comparable" and turned.sentence.startswith("not comparable: candidate failed on seed 2: ")


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (np.full((3000, LONGEST), NOTHING, np.int32), "b collapsed on seed 1: all its lists are empty"),
        (lists(*[{}] * 3000)[:, ::-1].copy(), "b collapsed on seed 1: no answer stands in the first 20 of any of its lists"),
        (lists(*[{21: 2, 22: 3}] * 3000), "b collapsed on seed 1: no answer stands in the first 20 of any of its lists"),
    ],
)
def test_what_learned_nothing_is_no_result(made: NDArray[np.int32], why: str) -> None:
    test = ListTruth(DRAWN.answers, 400)
    found = compare(model("candidate"), [Trained("b", dict.fromkeys(SEEDS, made))], test, SEEDS)
    assert (found.verdict, found.rows[0].reason) == ("not comparable", why)
    assert why.endswith(test.score(made).collapse or "-")


def test_the_same_list_for_every_query_is_a_result() -> None:
    popular = Trained("popularity", dict.fromkeys(SEEDS, lists(*[{7: 2, 30: 3}] * 3000)), valid=0.05)
    found = compare(model("candidate"), [popular], ListTruth(DRAWN.answers, 400), SEEDS)
    assert found.verdict in ("better", "worse", "tie") and found.strongest == "popularity"


def test_too_few_queries_are_not_comparable() -> None:
    found = compare(Trained("a", dict.fromkeys(SEEDS, GOOD)), [Trained("b", dict.fromkeys(SEEDS, GOOD))], TRUTH, SEEDS)
    assert found.sentence == "not comparable: only 3 test queries; at least 10 are needed"


def test_scores_and_comparison_survive_their_json() -> None:
    found, scores = against(model("b", 0.3), users=np.arange(3000) // 2), TRUTH.score(GOOD)
    assert Comparison.model_validate_json(found.model_dump_json()) == found
    assert Scores.model_validate_json(scores.model_dump_json()) == scores
    assert (found.clusters, found.notes) == (1500, ())
