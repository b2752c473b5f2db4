"""What a block may need of the data it stands on, and how each need is met and spoken of: the one table of needs.

A need is met by a schema and by a table's description alike, since both name the same columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, Protocol

NeedName = Literal[
    "history",
    "scenario",
    "several_tasks",
    "numeric",
    "several_fields",
    "category_pairs",
    "target_item",
    "entire_space",
    "outcomes",
    "labels",
    "items",
    "answers",
    "actions",
    "user",
    "delays",
    "time",
    "vectors",
]


class DescribedTask(Protocol):
    @property
    def given(self) -> str | None: ...
    @property
    def delayed(self) -> bool: ...


class DescribedField(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def side(self) -> str: ...


class DescribedVectors(Protocol):
    @property
    def of(self) -> str: ...


class Described(Protocol):
    """What `Schema` and `TableSpec` both say of their columns."""

    @property
    def categorical(self) -> Sequence[DescribedField]: ...
    @property
    def numeric(self) -> Sequence[DescribedField]: ...
    @property
    def sequences(self) -> Sequence[object]: ...
    @property
    def vectors(self) -> Sequence[DescribedVectors]: ...
    @property
    def target_item(self) -> str | None: ...
    @property
    def tasks(self) -> Sequence[DescribedTask]: ...
    @property
    def scenario(self) -> str | None: ...
    @property
    def user(self) -> str | None: ...
    @property
    def has_outcomes(self) -> bool: ...
    @property
    def predicts(self) -> str: ...
    @property
    def timed(self) -> bool: ...


@dataclass(frozen=True)
class Need:
    """`met` tells whether data has `words`, "" where that goes without saying; `unmet` says in a clause what is lacking."""

    words: str
    unmet: str
    met: Callable[[Described], bool]


NEEDS: Mapping[NeedName, Need] = MappingProxyType(
    {
        "history": Need("behaviour histories", "the data has no behaviour histories", lambda d: bool(d.sequences)),
        # The target of a history is the row's own value of the field that it is a history of.
        "target_item": Need(
            "behaviour histories", "the data has no behaviour histories to hold a candidate against", lambda d: bool(d.sequences)
        ),
        "scenario": Need("scenarios", "the data names no scenario field", lambda d: d.scenario is not None),
        "several_tasks": Need("several tasks", "the data has one task only", lambda d: len(d.tasks) > 1),
        "entire_space": Need(
            "a task that depends on another", "no task of the data depends on another", lambda d: any(t.given for t in d.tasks)
        ),
        "numeric": Need("numeric fields", "the data has no numeric fields", lambda d: bool(d.numeric)),
        "several_fields": Need("", "the data has one field to look at", lambda d: _fields_looked_at(d) > 1),
        "category_pairs": Need(
            "several categorical fields", "the data has no two categorical fields", lambda d: len(d.categorical) > 1
        ),
        "outcomes": Need("outcomes of past events", "the data does not say what came of past events", lambda d: d.has_outcomes),
        "vectors": Need(
            "vectors made elsewhere", "the data has no vectors of images, texts or the like", lambda d: bool(d.vectors)
        ),
        "labels": Need("", "the data asks which item, not what comes of a row", lambda d: d.predicts == "labels"),
        "items": Need(
            "a choice among all items", "the data asks what comes of a row, not which item", lambda d: d.predicts != "labels"
        ),
        "answers": Need("items that were right", "no item of the data is known to be right", lambda d: d.predicts == "items"),
        "actions": Need(
            "logged decisions with their propensities",
            "the data has no logged decisions that say how likely each was",
            lambda d: d.predicts == "actions",
        ),
        "user": Need("known users", "the data does not say which user a row is of", lambda d: d.user is not None),
        "delays": Need(
            "labels that arrive late",
            "the data does not say when its labels became known",
            lambda d: any(t.delayed for t in d.tasks),
        ),
        "time": Need("times of rows", "the data does not say when its rows were", lambda d: d.timed),
    }
)


def _fields_looked_at(data: Described) -> int:
    """Fields and histories of a row; where the item is what is asked for, without those that speak of it."""
    asked = data.predicts != "labels"
    of_item = {f.name for f in data.categorical if asked and (f.side == "item" or f.name == data.target_item)}
    categorical = len(data.categorical) - len(of_item)
    numeric = sum(not (asked and f.side == "item") for f in data.numeric)
    return categorical + numeric + sum(v.of not in of_item for v in data.vectors) + len(data.sequences)


def offered(data: Described) -> frozenset[NeedName]:
    """The needs that `data` meets."""
    return frozenset(name for name, need in NEEDS.items() if need.met(data))


def in_words(needs: Iterable[NeedName]) -> tuple[str, ...]:
    """What the needs ask for beyond what goes without saying, each thing once."""
    return tuple(dict.fromkeys(NEEDS[n].words for n in needs if NEEDS[n].words))
