"""The schema of a prepared data set: which columns a model sees and which tasks it predicts.

Ids are local to a field: 0 is padding (only in histories), 1 is unknown or rare, 2 and up are values seen in training. A history
of outcomes has ids of its own: 0 is padding, 1 not observed, 2 negative, 3 positive.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

PADDING_ID = 0
UNKNOWN_ID = 1
FIRST_ID = UNKNOWN_ID + 1  # of the values seen in training
NOT_OBSERVED_ID, NEGATIVE_ID, POSITIVE_ID = 1, 2, 3  # what came of a past event
MOST_BUCKETS = 2**31 - 1 - FIRST_ID  # that a hash may make of a field's values, so that every id fits int32
N_OUTCOMES = 4  # ids of a history of outcomes, padding among them

Side = Literal["user", "item", "context"]
# What comes of a row; which of all items belongs to it; or which action to take, where rows are logged decisions.
Predicts = Literal["labels", "items", "actions"]
Records = Literal["values", "outcomes"]


@dataclass(frozen=True)
class CategoricalField:
    """A column of ids. `cardinality` counts padding and unknown, so ids lie in [0, cardinality).

    One that `shares` has its ids in common with the field of that name, such as two columns of countries: an id stands for the
    same value in both, and embeddings have one vector for it.
    """

    name: str
    cardinality: int
    side: Side = "context"
    shares: str = ""


@dataclass(frozen=True)
class NumericField:
    """A column of floats, already transformed to about zero mean and unit variance on the training rows."""

    name: str
    side: Side = "context"


@dataclass(frozen=True)
class VectorField:
    """Vectors made elsewhere, such as of images or texts, one for each value of the categorical field `of`, known or not.

    `width` counts one number beyond those of the file: 1 where there is a vector. A value without one has zeros throughout.
    The rows of its table are the ids of `of`; after them come the values that train did not teach.
    """

    name: str
    of: str
    width: int


@dataclass(frozen=True)
class SequenceField:
    """A user's past events, oldest first, padded on the left with 0 to `length`: their values of the categorical field `of`, or,
    where it `records` outcomes, what came of the task `of`.

    Sequences of one length that were built from the same `events` are aligned: what stands at one place in them is of one event.
    A sequence without `events` is aligned with no other.
    """

    name: str
    of: str
    length: int
    records: Records = "values"
    events: str = ""


@dataclass(frozen=True)
class EventLog:
    """Aligned sequences: what a user's past events were about (`values`), and what came of them (`outcomes`).

    A log of outcomes alone has them for its values.
    """

    values: tuple[SequenceField, ...]
    outcomes: tuple[SequenceField, ...] = ()


@dataclass(frozen=True)
class Task:
    """A binary label. `given` names the task that must be positive before this one can be (conversion given click).

    Positives of a `delayed` task become known some time after their rows: in training, one that is still to come shows as 0.
    """

    name: str
    given: str | None = None
    delayed: bool = False


@dataclass(frozen=True)
class Schema:
    """What a model is built from. `tasks[0]` is the primary task, the one a verdict is about.

    `scenario` names the categorical field that tells business domains apart, if there is one.
    `target_item` names the categorical field that holds the candidate item, if there is one, `user` the one that holds the user.
    The data is `timed` where it knows the order of its training rows in time.

    Where a model `predicts` items, a row is a query: its item-side fields are empty (padding), and the answer is one or more of
    the ids of `target_item`. There is then one task, which names the event that the answer came of.

    Where it predicts actions, a row is a logged decision: its item-side fields are empty too, since they are those of the action
    that was taken, an id of `target_item`. There is then one task, the reward.
    """

    categorical: tuple[CategoricalField, ...]
    numeric: tuple[NumericField, ...] = ()
    sequences: tuple[SequenceField, ...] = ()
    tasks: tuple[Task, ...] = field(default=(Task("label"),))
    scenario: str | None = None
    target_item: str | None = None
    user: str | None = None
    predicts: Predicts = "labels"
    timed: bool = False
    vectors: tuple[VectorField, ...] = ()

    def __post_init__(self) -> None:
        names = [*(f.name for f in self.categorical), *(f.name for f in self.numeric), *(f.name for f in self.sequences)]
        names += [v.name for v in self.vectors]
        if len(set(names)) != len(names):
            raise ValueError(f"field names must differ: {sorted(n for n in names if names.count(n) > 1)}")
        categorical = {f.name for f in self.categorical}
        references = {s.of for s in self.sequences if s.records == "values"}
        references |= {v.of for v in self.vectors}
        references |= {n for n in (self.scenario, self.target_item, self.user) if n}
        if references - categorical:
            raise ValueError(f"not a categorical field: {sorted(references - categorical)}")
        judged = {s.of for s in self.sequences if s.records == "outcomes"} - {t.name for t in self.tasks}
        if judged:
            raise ValueError(f"not a task, so that no outcomes of it can be recorded: {sorted(judged)}")
        own = {f.name: f.cardinality for f in self.categorical if not f.shares}
        for f in self.categorical:
            if f.shares and own.get(f.shares) != f.cardinality:
                raise ValueError(f"{f.name} shares the ids of {f.shares}, which has not as many of its own")
        if not self.tasks:
            raise ValueError("a schema needs at least one task")
        if self.scores_items and (self.target_item is None or len(self.tasks) > 1):
            raise ValueError(f"a schema that predicts {self.predicts} needs a target_item and one task")
        if not self.categorical and not self.numeric:
            raise ValueError("a schema needs at least one categorical or numeric field")

    @property
    def n_fields(self) -> int:
        """The `F` of the interaction layers: categorical fields, numeric ones after them, vector fields last."""
        return len(self.sides)

    @property
    def sides(self) -> tuple[Side, ...]:
        """What each of the `F` fields speaks of; vectors of what the field does that they are of."""
        by_name = {f.name: f.side for f in self.categorical}
        return (*by_name.values(), *(f.side for f in self.numeric), *(by_name[v.of] for v in self.vectors))

    @property
    def has_outcomes(self) -> bool:
        """Whether any history says what came of past events."""
        return any(s.records == "outcomes" for s in self.sequences)

    @property
    def scores_items(self) -> bool:
        """Whether a model gives a score to every id of the target item, be they items or actions; rows say nothing of it then."""
        return self.predicts != "labels"

    @property
    def delayed_tasks(self) -> list[int]:
        """The columns of `Batch.labels` whose positives arrive late: `T'` tasks."""
        return [i for i, t in enumerate(self.tasks) if t.delayed]

    @property
    def n_items(self) -> int:
        """Ids of the target item, padding and unknown among them: `I` of what is said of all items."""
        assert self.target_item is not None
        return self.categorical[self.index_of(self.target_item)].cardinality

    @property
    def item_columns(self) -> tuple[list[int], list[int]]:
        """The columns of `Batch.ids` and of `Batch.numeric` that say something of the item."""
        ids = [i for i, f in enumerate(self.categorical) if f.side == "item" or f.name == self.target_item]
        return ids, [i for i, f in enumerate(self.numeric) if f.side == "item"]

    @property
    def item_vectors(self) -> list[int]:
        """The vector fields that say something of the item, in their own order."""
        of_item = {self.categorical[i].name for i in self.item_columns[0]}
        return [i for i, v in enumerate(self.vectors) if v.of in of_item]

    @property
    def item_fields(self) -> list[int]:
        """Which of the `F` fields these are, categorical before numeric before vectors."""
        ids, numeric = self.item_columns
        before = len(self.categorical), len(self.categorical) + len(self.numeric)
        return [*ids, *(before[0] + i for i in numeric), *(before[1] + i for i in self.item_vectors)]

    @property
    def query_fields(self) -> list[int]:
        """The other fields: what is known before an item is chosen."""
        of_item = set(self.item_fields)
        return [i for i in range(self.n_fields) if i not in of_item]

    def index_of(self, name: str) -> int:
        """The column of the categorical field `name` in `Batch.ids`. Raises `KeyError` when there is none."""
        for i, f in enumerate(self.categorical):
            if f.name == name:
                return i
        raise KeyError(name)

    def cardinality_of(self, sequence: SequenceField) -> int:
        """The ids in `sequence` lie in [0, this)."""
        return N_OUTCOMES if sequence.records == "outcomes" else self.categorical[self.index_of(sequence.of)].cardinality

    def outcomes_along(self, name: str) -> tuple[SequenceField, ...]:
        """The histories of outcomes that are aligned with the history `name` of values."""
        return next((log.outcomes for log in self.event_logs if any(s.name == name for s in log.values)), ())

    @property
    def event_logs(self) -> tuple[EventLog, ...]:
        """All sequences, those that are aligned together, in the order in which the schema has the first of each."""
        logs: dict[tuple[str, int, str], list[SequenceField]] = {}
        for s in self.sequences:
            logs.setdefault((s.events, s.length, "" if s.events else s.name), []).append(s)
        return tuple(_event_log(aligned) for aligned in logs.values())

    def vectors_of(self, name: str) -> tuple[VectorField, ...]:
        """The vector fields of the categorical field `name`."""
        return tuple(v for v in self.vectors if v.of == name)

    def to_json(self) -> str:
        raw = asdict(self)
        if not self.vectors:  # the hash of data without vectors stays what it was before there were any
            del raw["vectors"]
        for said in raw["categorical"]:
            if not said["shares"]:  # likewise
                del said["shares"]
        return json.dumps(raw, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Schema:
        raw = json.loads(text)
        return cls(
            categorical=tuple(CategoricalField(**f) for f in raw["categorical"]),
            numeric=tuple(NumericField(**f) for f in raw["numeric"]),
            sequences=tuple(SequenceField(**f) for f in raw["sequences"]),
            tasks=tuple(Task(**t) for t in raw["tasks"]),
            scenario=raw["scenario"],
            target_item=raw["target_item"],
            user=raw.get("user"),
            predicts=raw.get("predicts", "labels"),
            timed=raw.get("timed", False),
            vectors=tuple(VectorField(**v) for v in raw.get("vectors", ())),
        )

    @classmethod
    def load(cls, path: Path) -> Schema:
        return cls.from_json(path.read_text(encoding="utf-8"))


def _event_log(aligned: Sequence[SequenceField]) -> EventLog:
    values = tuple(s for s in aligned if s.records == "values")
    outcomes = tuple(s for s in aligned if s.records == "outcomes")
    return EventLog(values, outcomes) if values else EventLog(outcomes)
