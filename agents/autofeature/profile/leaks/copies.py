"""Columns that say the same as another one: equal, or one to one. Notation: S rows of the sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from agents.autofeature.profile.missing import comparable
from agents.autofeature.profile.model import Kind, Redundant, Role, Suspect
from agents.autofeature.profile.readings import Codes, coded, gaps
from agents.autofeature.profile.roles import AFTERWARDS, known_beforehand

FEWEST = 10  # rows outside the most frequent value: two rare values meet in one row by chance
REPEATED = 0.5  # of the rows, that may be distinct where columns are compared one to one: names of rows always are


def copies(sample: pl.DataFrame, kinds: Mapping[str, Kind]) -> tuple[Redundant, ...]:
    """Groups of two or more columns that say the same in all rows of the sample; constants are left out."""
    codes = {c: _codes(sample, c) for c in sample.columns if kinds[c] != "constant"}
    heads: list[str] = []
    groups: dict[str, list[str]] = {}
    for column, own in codes.items():
        head = next((h for h in heads if _same(sample, h, column, codes[h], own)), None)
        if head is None:
            heads.append(column)
        groups.setdefault(head or column, []).append(column)
    return tuple(
        Redundant(columns=tuple(g), equal=all(_equal(sample, g[0], other) for other in g[1:]))
        for g in groups.values()
        if len(g) > 1
    )


def _codes(sample: pl.DataFrame, column: str) -> Codes:
    """A number (S,) per distinct value, in the order in which values appear: columns that are one to one have equal codes."""
    values = coded(sample.select(comparable(column, sample.schema[column])).to_series())
    each = values + gaps(sample, column) * (len(values) + 1)
    _, first, inverse = np.unique(each, return_index=True, return_inverse=True)
    turn: Codes = np.argsort(np.argsort(first))[inverse].astype(np.int64)
    return turn


def _same(sample: pl.DataFrame, a: str, b: str, first: Codes, second: Codes) -> bool:
    if len(first) < FEWEST or not np.array_equal(first, second):
        return False
    counts = np.bincount(first)
    if len(first) - counts.max() < FEWEST:
        return False
    return len(counts) <= REPEATED * len(first) or _equal(sample, a, b)


def _equal(sample: pl.DataFrame, a: str, b: str) -> bool:
    """Whether the values are the same, numbers by value whatever their type."""
    first, second = (sample.select(comparable(c, sample.schema[c])).to_series() for c in (a, b))
    if first.dtype.is_numeric() and second.dtype.is_numeric():
        first, second = first.cast(pl.Float64), second.cast(pl.Float64)
    if first.dtype != second.dtype:
        return False
    return bool(first.eq_missing(second).all())


def copies_of_leaks(
    groups: tuple[Redundant, ...], roles: Mapping[str, tuple[Role, ...]], found: list[Suspect]
) -> Iterator[Suspect]:
    """Columns that are the copy of a label, of what came with one, or of a suspect."""
    suspects = {s.column: s for s in found if s.column}
    for group in groups:
        how = "equals" if group.equal else "is one to one with"
        known = next((c for c in group.columns if AFTERWARDS & set(roles[c])), None)
        bad = next((suspects[c] for c in group.columns if c in suspects), None)
        for column in (c for c in group.columns if known_beforehand(roles[c])):
            if known:
                what = "a label" if "label" in roles[known] else "when a label arrives"
                yield _copy(column, "", "refuse", f"{_capital(how)} the column {known!r}, which is {what}")
            elif bad and column not in suspects:
                yield _copy(column, bad.task, bad.severity, f"{_capital(how)} the column {bad.column!r}, itself a suspect")


def _copy(column: str, task: str, severity: str, evidence: str) -> Suspect:
    return Suspect.model_validate(
        {"column": column, "task": task, "reason": "copy", "severity": severity, "evidence": evidence, "numbers": {}}
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
