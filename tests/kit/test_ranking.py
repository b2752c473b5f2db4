"""Metrics of ranked lists: against a plain reckoning, and at their ends."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.kit.ranking import NOTHING, Answers, hits, ndcg_at, recall_at


@st.composite
def lists_and_answers(draw: st.DrawFn) -> tuple[list[list[int]], list[set[int]]]:
    items = st.integers(2, 12)
    length = draw(st.integers(1, 8))
    queries = draw(st.integers(1, 5))
    ranked = [draw(st.lists(items, max_size=length, unique=True)) for _ in range(queries)]
    answers = [draw(st.sets(items, min_size=1)) for _ in range(queries)]
    return [r + [NOTHING] * (length - len(r)) for r in ranked], answers


def answers_of(sets: list[set[int]]) -> Answers:
    offsets = np.cumsum([0, *map(len, sets)])
    return Answers(offsets.astype(np.int64), np.array([i for s in sets for i in sorted(s)], dtype=np.int32))


@given(lists_and_answers(), st.integers(1, 10))
def test_as_reckoned_by_hand(case: tuple[list[list[int]], list[set[int]]], k: int) -> None:
    ranked, right = case
    recall, ndcg = recall_at(np.array(ranked), answers_of(right), k), ndcg_at(np.array(ranked), answers_of(right), k)
    for q, (row, wanted) in enumerate(zip(ranked, right, strict=True)):
        found = [place for place, item in enumerate(row[:k]) if item in wanted]
        best = sum(1 / math.log2(place + 2) for place in range(min(k, len(wanted))))
        assert recall[q] == pytest.approx(len(found) / len(wanted))
        assert ndcg[q] == pytest.approx(sum(1 / math.log2(place + 2) for place in found) / best)


def test_the_best_list_has_a_gain_of_one_and_an_empty_one_none() -> None:
    right = answers_of([{5, 7}, {3}])
    assert ndcg_at(np.array([[7, 5, 2], [3, 2, 4]]), right, 3).tolist() == [1.0, 1.0]
    assert recall_at(np.full((2, 3), NOTHING), right, 3).tolist() == [0.0, 0.0]


def test_an_answer_of_another_query_is_no_hit() -> None:
    right = answers_of([{5}, {3}])
    assert hits(np.array([[3, 5], [5, 4]]), right).tolist() == [[False, True], [False, False]]


def test_lists_of_other_queries_are_refused() -> None:
    with pytest.raises(ValueError, match="do not belong"):
        recall_at(np.zeros((3, 2), dtype=np.int64), answers_of([{2}]))


def test_answers_are_kept_in_files(tmp_path: Path) -> None:
    answers_of([{5, 7}, {3}]).save(tmp_path, "valid.answers")
    kept = Answers.load(tmp_path, "valid.answers")
    assert kept.within(slice(1, 2)).items.tolist() == [3] and kept.within(slice(1, 2)).counts.tolist() == [1]
    assert len(kept) == 2 and kept.counts.tolist() == [2, 1] and kept.items.tolist() == [5, 7, 3]
    with pytest.raises(FileNotFoundError):
        Answers.load(tmp_path, "test.answers")
