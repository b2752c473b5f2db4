"""A column that alone orders rows by the label almost perfectly: it is the label, or made from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agents.autofeature.profile.leaks.asked import Asked
from agents.autofeature.profile.model import Severity, Suspect
from agents.autofeature.profile.rates import Area
from agents.autofeature.profile.readings import Reading, sizes_of, values_of
from sandboxes.kit.data.leaks import DEFINITE_AUC, SUSPICIOUS_AUC


@dataclass(frozen=True)
class Alone:
    """How well one column alone tells the label, by the reading that tells it best."""

    column: str
    reading: Reading
    area: Area


def alone(asked: Asked, column: str) -> Alone:
    """Of the values, their ranges and their lengths the one with the highest lower bound."""
    size = sizes_of(asked.sample, column)
    readings = values_of(asked.sample, column) + ([size] if size else [])
    areas = [(reading, asked.area(reading)) for reading in readings]
    reading, best = max(areas, key=lambda found: found[1].low(asked.z))
    return Alone(column, reading, best)


def knowing(asked: Asked, found: dict[str, Alone]) -> Iterator[Suspect]:
    """`found` are all columns alone, by name."""
    for column, one in found.items():
        if one.area.auc <= SUSPICIOUS_AUC or one.area.low(asked.z) <= 0.5:
            continue
        severity: Severity = "refuse" if one.area.auc > DEFINITE_AUC else "look"
        sure = "tells the label" if severity == "refuse" else "almost tells the label"
        evidence = f"{one.reading.said} alone {sure}: AUC {one.area.auc:.4f} on rows that its rates were not taken from"
        yield asked.suspect(column, "knows the label", severity, _capital(evidence), {"auc": one.area.auc})


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
