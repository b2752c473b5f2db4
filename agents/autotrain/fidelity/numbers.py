"""What numeric checks of equations say of the rubric's leaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agents.autotrain.engine import Judged, NumericCheck
from sandboxes.equations import EquationRow


def by_numbers(checks: Sequence[NumericCheck], rows: Sequence[EquationRow]) -> Iterator[Judged]:
    """A judgement for each leaf whose check came to a verdict: met where layer and reference agree, missing where they differ."""
    verdicts = {row.id: row for row in rows}
    for check in checks:
        row = verdicts.get(check.equation.id)
        if row is None or row.verdict == "undecided":
            continue
        agrees = row.verdict == "agrees"
        layer = check.equation.probe.layer
        note = f"`{layer}` {'agrees with' if agrees else 'differs from'} a naive reference of the equation: {row.detail}"
        yield from (Judged(leaf, "met" if agrees else "missing", None, note) for leaf in check.leaves)
