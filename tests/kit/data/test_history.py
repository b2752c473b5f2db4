"""Histories against a naive loop: strictly the past, never a row whose outcome is hidden."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.kit.data import history
from sandboxes.kit.data.history import histories

ROW = st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(2, 9), st.booleans(), st.integers(0, 2))


def naive(rows: list[tuple[int, int, int, bool, int]], length: int) -> list[list[int]]:
    found = []
    for user, time, _, _, split in rows:
        sources = (0,) if split == 0 else (0, 1)
        past = [
            (t, i, item) for i, (u, t, item, feeds, s) in enumerate(rows) if u == user and t < time and feeds and s in sources
        ]
        items = [item for _, _, item in sorted(past)][-length:]
        found.append([0] * (length - len(items)) + items)
    return found


@given(st.lists(ROW, max_size=40), st.integers(1, 5), st.integers(1, 7))
def test_history_is_the_strict_past_of_visible_outcomes(
    rows: list[tuple[int, int, int, bool, int]], length: int, chunk: int
) -> None:
    user, time, item, feeds, split = (np.array([r[k] for r in rows]) for k in range(5))
    before = history.CHUNK
    history.CHUNK = chunk  # so that several chunks are gathered
    try:
        got = histories(
            user.astype(np.int64), time.astype(float), item.astype(np.int32), feeds.astype(bool), split.astype(np.int8), length
        )
    finally:
        history.CHUNK = before
    assert got.tolist() == naive(rows, length)
