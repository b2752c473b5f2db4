"""Numeric checks of equations as the host sees them: what is asked, and what a sandbox says it found.

The rows are the sandbox's own word. Layer and reference run beside the check that judges them, so that code which got past the
policy could forge a row; nothing but a review rests on them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from sandboxes.kit.probe import Probe
from sandboxes.policy import Violation
from sandboxes.reference_policy import reference_violations

MOST_PROBES = 64
MOST_ID = 100  # characters


@dataclass(frozen=True)
class EquationProbe:
    """One check: `id` comes back with its row; `reference` is the text of a file that defines the function `reference`.

    Raises `ValueError` for an id that is empty or longer than `MOST_ID`.
    """

    id: str
    probe: Probe
    reference: str

    def __post_init__(self) -> None:
        if not 0 < len(self.id) <= MOST_ID:
            raise ValueError(f"an id has between 1 and {MOST_ID} characters, not {len(self.id)}")

    def violations(self) -> tuple[Violation, ...]:
        """Why the reference may not run, by line; () when it may. To be asked before a job is made of it."""
        return reference_violations(self.reference, self.probe.symbols)


class EquationRow(BaseModel):
    """What came of one check (see `kit.equation.Agreement`)."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    id: Annotated[str, Field(max_length=MOST_ID)]
    verdict: Literal["agrees", "differs", "undecided"]
    largest_difference: Annotated[float, Field(ge=0)]
    detail: Annotated[str, Field(max_length=2000)]


_ROWS = TypeAdapter(Annotated[tuple[EquationRow, ...], Field(max_length=MOST_PROBES)])


def as_asked(probes: Sequence[EquationProbe]) -> list[dict[str, Any]]:
    """The part of job.json that says what is to be checked. Raises `ValueError` for none, too many, or an id that comes twice."""
    if not 0 < len(probes) <= MOST_PROBES or len({p.id for p in probes}) < len(probes):
        raise ValueError(f"a job checks between 1 and {MOST_PROBES} equations, each under an id of its own")
    return [{"id": p.id, "probe": p.probe.as_data(), "reference": _file(number)} for number, p in enumerate(probes)]


def reference_files(probes: Sequence[EquationProbe]) -> dict[str, str]:
    """The references' texts under the names by which `as_asked` calls them."""
    return {_file(number): p.reference for number, p in enumerate(probes)}


def read_rows(path: Path, probes: Sequence[EquationProbe]) -> tuple[EquationRow, ...]:
    """The rows that a job left, in the order of `probes`. Raises `ValueError` unless there is one for each."""
    rows = _ROWS.validate_python(json.loads(path.read_text(encoding="utf-8")))
    if [row.id for row in rows] != [p.id for p in probes]:
        raise ValueError("the rows are not those of the equations that were asked about")
    return rows


def _file(number: int) -> str:
    return f"reference_{number}.py"
