"""From the answers of contenders to a table: medians, ratios within a round, and the goals as met or by how much missed.

A round runs every contender once on the same model and data; a ratio is taken within a round, so that what slows the machine for
a while slows both sides of it. Notation of an answer: the line of JSON described in `bench.contenders.protocol`.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Answer = Mapping[str, Any]

KIT = "kit"
LOOP = "loop"  # the names of all of its variants begin so


@dataclass(frozen=True)
class Run:
    """One contender in one round: its answer, or the last line of what it said when it failed."""

    contender: str
    round: int
    answer: Answer | None
    failure: str = ""


@dataclass(frozen=True)
class Goal:
    """`kit` at least `factor` times the fastest of the peers or of the loop's variants, on one model and data set."""

    factor: float
    rival: str  # "peer" or "loop"


def goals(model: str, data: str) -> tuple[Goal, ...]:
    """Those of the project for a model ("deepfm", "dcnv2") and a data set by the start of its name."""
    factors = {("deepfm", "criteo"): 5.0, ("dcnv2", "criteo"): 4.0, ("deepfm", "movielens"): 3.5}
    factor = factors.get((model, data.split("-")[0]))
    return (*((Goal(factor, "peer"),) if factor else ()), Goal(0.9, "loop"))


def rotated(contenders: Sequence[str], round: int) -> list[str]:
    """The order of a round: each contender is first in one of them, so that no place in the order favours it."""
    start = round % len(contenders)
    return [*contenders[start:], *contenders[:start]]


def median(runs: Iterable[Run], contender: str, figure: str) -> float | None:
    """The median of a figure over the rounds in which the contender answered, None without any."""
    values = [float(r.answer[figure]) for r in runs if r.contender == contender and r.answer]
    return statistics.median(values) if values else None


def ratio(runs: Iterable[Run], contender: str) -> float | None:
    """The median over rounds of the kit's samples/s by the contender's, over rounds in which both answered."""
    by_round: dict[int, dict[str, float]] = {}
    for r in runs:
        if r.answer:
            by_round.setdefault(r.round, {})[r.contender] = float(r.answer["samples_per_s"])
    ratios = [speeds[KIT] / speeds[contender] for speeds in by_round.values() if KIT in speeds and contender in speeds]
    return statistics.median(ratios) if ratios else None


def verdicts(runs: Sequence[Run], model: str, data: str) -> list[str]:
    """One line for each goal, against the fastest rival by the median ratio: the rival that the kit gains least on."""
    lines = []
    for goal in goals(model, data):
        rivals = {r.contender for r in runs if r.contender != KIT and r.contender.startswith(LOOP) == (goal.rival == "loop")}
        ratios = {name: value for name in sorted(rivals) if (value := ratio(runs, name)) is not None}
        wanted = f"{goal.factor:g} times the fastest {goal.rival}"
        if not ratios:
            lines.append(f"not measured: {wanted}")
            continue
        fastest = min(ratios, key=lambda name: ratios[name])
        seen = f"{ratios[fastest]:.2f} times {fastest}"
        if rivals - ratios.keys():
            seen += f", with no figure for {', '.join(sorted(rivals - ratios.keys()))}"
        met = ratios[fastest] >= goal.factor
        lines.append(f"met: {wanted}; {seen}" if met else f"missed by {1 - ratios[fastest] / goal.factor:.0%}: {wanted}; {seen}")
    return lines


def table(runs: Sequence[Run]) -> list[str]:
    """The rows in Markdown, fastest first, then those that never answered."""
    names = list(dict.fromkeys(r.contender for r in runs))
    rows = [
        "| contender | thousand samples/s | kit is faster by | train s | setup s | peak MB | AUC | log loss | runs | remarks |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    names.sort(key=lambda name: -(median(runs, name, "samples_per_s") or 0))
    return rows + [_row(runs, name) for name in names]


def _row(runs: Sequence[Run], name: str) -> str:
    own = [r for r in runs if r.contender == name]
    answers = [r.answer for r in own if r.answer]
    failures = [r.failure for r in own if not r.answer]
    remarks = [*dict.fromkeys(str(a["note"]) for a in answers if a["note"]), *dict.fromkeys(f"failed: {f}" for f in failures)]
    cells = [f"{name} {answers[0]['version']}" if answers and not name.startswith((KIT, LOOP)) else name]
    figures = (("samples_per_s", "{:.1f}", 1000), ("", "", 1), ("train_seconds", "{:.1f}", 1), ("setup_seconds", "{:.1f}", 1))
    figures += (("peak_memory_mb", "{:.0f}", 1), ("auc", "{:.4f}", 1), ("log_loss", "{:.4f}", 1))
    for figure, form, unit in figures:
        value = median(runs, name, figure) if figure else ratio(runs, name)
        cells.append("-" if value is None else (form or "{:.2f}").format(value / unit))
    cells += [f"{len(answers)} of {len(own)}", "; ".join(remarks).replace("|", "/")]
    return "| " + " | ".join(cells) + " |"
