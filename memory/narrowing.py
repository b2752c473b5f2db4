"""By what recall and listings are narrowed: data set, task, agent, outcome, topic and time; kinds lie apart."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from memory.records import Record

EQUAL = ("dataset", "task", "agent", "outcome", "topic")


@dataclass(frozen=True)
class Only:
    """Records of which all that is set here holds; times are ISO 8601, `since` inclusive and `until` exclusive.

    Raises `ValueError` for what is no time.
    """

    dataset: str = ""
    task: str = ""
    agent: str = ""
    outcome: str = ""
    topic: str = ""
    since: str = ""
    until: str = ""

    def __post_init__(self) -> None:
        for time in filter(None, (self.since, self.until)):
            seconds(time)

    @property
    def anything(self) -> bool:
        return not any(asdict(self).values())

    @property
    def conditions(self) -> list[tuple[str, str, str | int]]:
        """Facet, comparison (`=`, `>=`, `<`) and value of each."""
        found: list[tuple[str, str, str | int]] = [(name, "=", wanted) for name, wanted in self._equal.items()]
        found += [("created", ">=", seconds(self.since))] if self.since else []
        return found + ([("created", "<", seconds(self.until))] if self.until else [])

    @property
    def _equal(self) -> dict[str, str]:
        return {name: plain(getattr(self, name)) for name in EQUAL if getattr(self, name)}


ANYTHING = Only()


def facets_of(record: Record) -> dict[str, str | int]:
    """What stands beside a record in the log, for `Only` to look at."""
    facets: dict[str, Any] = {name: getattr(record, name) for name in EQUAL}
    return facets | {"created": seconds(record.created)}


def plain(text: str) -> str:
    """The text without halves of characters, as a terminal can give them: no record holds any, and no library takes them."""
    return text.encode(errors="replace").decode()


def seconds(time: str) -> int:
    """Seconds since 1970 of an ISO 8601 time, UTC unless it says otherwise; raises `ValueError`."""
    read = datetime.fromisoformat(time)
    return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())
