"""Sampled negatives and the split by a user's last events, against loops."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.kit.datasets.next_item import with_negatives

EVENT = st.tuples(st.integers(0, 4), st.sampled_from("abcdefgh"), st.integers(0, 5))


@given(st.lists(EVENT, min_size=1, max_size=40), st.integers(0, 3))
def test_rows_are_events_and_things_never_done(events: list[tuple[int, str, int]], seed: int) -> None:
    frame = pl.DataFrame(events, schema={"user": pl.Int64, "item": pl.String, "time": pl.Int64}, orient="row")
    rows = with_negatives(frame, seed).rows(named=True)
    done = {(u, i) for u, i, _ in events}
    positives = [r for r in rows if r["label"] == 1]
    assert sorted((r["user"], r["item"], r["time"]) for r in positives) == sorted(events)
    assert all((r["user"], r["item"]) not in done for r in rows if r["label"] == 0)
    assert {r["item"] for r in rows} == {i for _, i, _ in events}
    for user in {u for u, _, _ in events}:
        own = [r["split"] for r in positives if r["user"] == user]
        wanted = ["train"] * (len(own) - 2) + ["valid", "test"] if len(own) >= 3 else ["train"] * len(own)
        assert own == wanted
        times = [r["time"] for r in rows if r["user"] == user]
        assert times == sorted(times)


def test_a_user_who_met_everything_has_no_negatives() -> None:
    frame = pl.DataFrame({"user": [1, 1, 2], "item": ["a", "b", "a"], "time": [1, 2, 3]})
    rows = with_negatives(frame)
    assert rows.filter(pl.col("label") == 0).select("user", "item").rows() == [(2, "b")]
    assert rows.equals(with_negatives(frame))
