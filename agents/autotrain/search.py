"""Which candidate to write, change or train next: a small tree of drafts, greedy with a share of exploration.

A draft is a file written anew; a repair changes one that failed a rung of the cascade (policy, smoke, a sample of the data, all
of it); an improvement changes one that passed and is not faithful to the spec. Candidates are chosen by how far they came and by
fidelity, never by how well they score: a candidate that was picked among several by its score would have been tuned more than
the baselines were.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from agents.autotrain.engine import Rung
from agents.strict import Strict

Origin = Literal["draft", "repair", "improvement"]
RUNGS: tuple[Rung, ...] = get_args(Rung)
EXPLORED = 0.2  # of the choices between going on with the best and beginning anew


class Candidate(Strict):
    """One file that was written, and what came of it so far. `failed_at` is None where it has passed all it was put to."""

    number: int
    parent: int | None = None  # the candidate that it changes
    origin: Origin = "draft"
    failed_at: Rung | None = None
    fault: str = ""
    fidelity: float = 0.0  # the share of the rubric that it meets, in [0, 1]; 0 until it was reviewed

    @property
    def runs(self) -> bool:
        return self.failed_at is None

    @property
    def rank(self) -> tuple[int, float, int]:
        """Larger is better: how far it came, how faithful it is, and the earlier one of equals."""
        reached = RUNGS.index(self.failed_at) if self.failed_at else len(RUNGS)
        return reached, self.fidelity, -self.number


@dataclass(frozen=True)
class Bounds:
    """`drafts` written anew at most, `repairs` in a row of each, `improvements` of what runs; at least one draft."""

    drafts: int = 3
    repairs: int = 3
    improvements: int = 2


@dataclass(frozen=True)
class Draft:
    """Write a candidate anew."""


@dataclass(frozen=True)
class Change:
    """Repair or improve the candidate `of`."""

    of: int
    origin: Literal["repair", "improvement"]


@dataclass(frozen=True)
class Train:
    """Train the candidate on all the data."""

    number: int


@dataclass(frozen=True)
class GiveUp:
    """None runs, and there is nothing more to try; the reason in one sentence."""

    reason: str


Move = Draft | Change | Train | GiveUp


def next_move(tried: Sequence[Candidate], done_with: Collection[int], drafts_over: bool, bounds: Bounds, seed: str) -> Move:
    """The next move after those that led to `tried`; the same for the same arguments.

    The engine has no change to offer for candidates in `done_with`, and no other draft when `drafts_over`.
    """
    best = max((c for c in tried if c.runs), key=lambda c: c.rank, default=None)
    if best and best.fidelity == 1:
        return Train(best.number)
    heads = [c for c in tried if c.number not in done_with and not any(o.parent == c.number for o in tried)]
    lines = {c.number: _line(c, tried) for c in heads}
    open_ = [c for c in heads if _may_change(lines[c.number], tried, bounds) and (not best or best in lines[c.number])]
    may_draft = not drafts_over and sum(c.origin == "draft" for c in tried) < bounds.drafts
    explores = random.Random(f"{seed}/{len(tried)}/{len(done_with)}").random() < EXPLORED
    if may_draft and (explores or not (best or open_)):
        return Draft()
    if open_:
        chosen = max(open_, key=lambda c: c.rank)
        return Change(chosen.number, "improvement" if chosen.runs else "repair")
    return Train(best.number) if best else GiveUp(_why(tried))


def _may_change(line: Sequence[Candidate], tried: Sequence[Candidate], bounds: Bounds) -> bool:
    """Whether the newest of a `line` may be repaired or improved: a failure that came back after a repair ends its line."""
    newest = line[0]
    if newest.runs:
        return newest.fidelity < 1 and sum(c.origin == "improvement" for c in tried) < bounds.improvements
    in_a_row = next((i for i, c in enumerate(line) if c.origin != "repair"), len(line))
    return not _came_back(line) and in_a_row < bounds.repairs


def _came_back(line: Sequence[Candidate]) -> bool:
    return len(line) > 1 and (line[0].failed_at, line[0].fault) == (line[1].failed_at, line[1].fault)


def _line(candidate: Candidate, tried: Sequence[Candidate]) -> list[Candidate]:
    """The candidate and those that it came from, the newest first."""
    by_number, line = {c.number: c for c in tried}, [candidate]
    while line[-1].parent is not None:
        line.append(by_number[line[-1].parent])
    return line


def _why(tried: Sequence[Candidate]) -> str:
    last = tried[-1]
    if _came_back(_line(last, tried)):
        return f"the same {last.failed_at} failure came twice: {first_line(last.fault)}"
    return f"no model passed after {len(tried)} attempt{'s' if len(tried) != 1 else ''}: {first_line(last.fault)}"


def first_line(text: str) -> str:
    """What a fault says in one line: of a traceback, its last."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines and lines[0].startswith("Traceback") else (lines[0] if lines else "no reason was given")
