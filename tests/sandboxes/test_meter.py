"""Seconds in sandboxes: added up over jobs side by side, kept across processes, and held against a limit while jobs run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.json_lines import read_rows
from sandboxes.meter import NOTE_S, Meter, Spell
from sandboxes.protocol import RunResult


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def ended(status: str) -> RunResult:
    return RunResult(status, "fake")  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.floats(0, 100), st.sampled_from(["ok", "failed", "timed_out"])), max_size=5))
def test_all_jobs_count_however_they_end(jobs: list[tuple[float, str]]) -> None:
    clock = Clock()
    meter = Meter(clock=clock)
    for seconds, status in jobs:

        def run(stop: Callable[[], bool], seconds: float = seconds, status: str = status) -> RunResult:
            clock.now += seconds
            return ended(status)

        meter.count("job", "train", run)
        clock.now += 1000  # between jobs nothing is spent
    assert meter.seconds == pytest.approx(sum(seconds for seconds, _ in jobs))
    assert [s.status for s in meter.spells] == [status for _, status in jobs]


def test_jobs_side_by_side_spend_the_limit_together_and_all_end() -> None:
    clock, begun, polls = Clock(), threading.Barrier(3), threading.Barrier(3)
    meter = Meter(limit_s=10.0, clock=clock)

    def run(stop: Callable[[], bool]) -> RunResult:
        begun.wait(10)
        assert not stop()
        polls.wait(10)
        begun.wait(10)
        return ended("cancelled" if stop() else "ok")

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(meter.count, name, "train", run) for name in "ab"]
        begun.wait(10)
        clock.now += 4.0  # twice four seconds are less than ten
        polls.wait(10)
        clock.now += 1.5  # twice five and a half are more
        begun.wait(10)
        assert [f.result().status for f in both] == ["cancelled", "cancelled"]
    assert meter.seconds == pytest.approx(11.0) and meter.spent


def test_seconds_are_kept_and_a_host_that_dies_forgets_few(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "sandbox.jsonl"
    dying = Meter(file, clock=clock)

    def long(stop: Callable[[], bool]) -> RunResult:
        for _ in range(35):
            clock.now += 1.0
            stop()
        left = Meter(file).seconds  # what another process finds while this one still runs, or was killed
        assert 35 - NOTE_S <= left <= 35
        return ended("ok")

    dying.count("job", "train", long)
    assert Meter(file, limit_s=34.0).spent and not Meter(file, limit_s=36.0).spent
    assert [s.status for s in read_rows(file, Spell)] == ["running"] * 3 + ["ok"]


def test_an_exception_ends_the_count_too(tmp_path: Path) -> None:
    clock = Clock()
    meter = Meter(tmp_path / "s", clock=clock)

    def interrupted(stop: Callable[[], bool]) -> RunResult:
        clock.now += 2.0
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        meter.count("job", "smoke", interrupted)
    clock.now += 5.0
    assert (meter.seconds, meter.spells[0].status) == (2.0, "cancelled")
