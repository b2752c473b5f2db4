"""A column whose values exist, or are missing, only together with one label, whatever the values say."""

from __future__ import annotations

from collections.abc import Iterator

from agents.autofeature.profile.leaks.asked import Asked
from agents.autofeature.profile.leaks.purity import Pure, purity
from agents.autofeature.profile.model import Severity, Suspect
from agents.autofeature.profile.readings import gaps

GROUPS = {0: "with a value", 1: "of null", 2: "of NaN", 3: "of empty text"}


def missing_knows(asked: Asked, columns: tuple[str, ...]) -> Iterator[Suspect]:
    for column in columns:
        kinds = gaps(asked.sample, column)
        present = [g for g in GROUPS if (kinds == g).any()]
        found = [(g, p) for g in present if len(present) > 1 and (p := purity(kinds == g, asked.labels, asked.z))]
        if found:
            group, pure = max(found, key=lambda one: one[1].covered)
            severity: Severity = "refuse" if pure.whole or _afterwards(group, pure) else "look"
            evidence = pure.said(GROUPS[group])
            yield asked.suspect(
                column, "missingness", severity, evidence[:1].upper() + evidence[1:], {"group": group, **pure.numbers}
            )


def _afterwards(group: int, pure: Pure) -> bool:
    """Whether values appear with positives and most positives have one: they are written down after the fact."""
    return group == 0 and pure.positive and pure.covered >= 0.5
