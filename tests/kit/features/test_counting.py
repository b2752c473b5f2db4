"""Counts that train rows are given, against counting by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxes.kit.features.contract import Log
from sandboxes.kit.features.counting import FOLDS, held_out

ROW = st.tuples(st.sampled_from("abc"), st.sampled_from([0.0, 1.0, float("nan")]), st.integers(0, 4), st.booleans())


@settings(deadline=None)
@given(st.lists(ROW, min_size=1, max_size=30), st.booleans())
def test_against_counting_by_hand(rows: list[tuple[str, float, int, bool]], timed: bool) -> None:
    train, times = np.array([r[3] for r in rows]), np.array([float(r[2]) for r in rows])
    kept = [(k, w, t) for k, w, t, own in rows if own]
    if not kept:
        return
    log = Log(pl.DataFrame({"k": [r[0] for r in rows]}), train, times=times if timed else None)
    folds = log.folds(FOLDS)[train]
    found = held_out(log, pl.Series([k for k, _, _ in kept]), np.array([w for _, w, _ in kept]))
    for i, (key, _, time) in enumerate(kept):
        others = [(k, w) for j, (k, w, t) in enumerate(kept) if w == w and (t < time if timed else folds[j] != folds[i])]
        own = [w for k, w in others if k == key]
        assert (found.rows[i], found.weights[i]) == (len(own), sum(own))
        assert (found.all_rows[i], found.all_weights[i]) == (len(others), sum(w for _, w in others))
