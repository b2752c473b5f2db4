"""The description of a table: which columns are features, labels, user and time, and how rows are split.

Built by data sets in code, read from a schema file (`schema_file`), or guessed from a bare table (`guess`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.schema import Predicts, Records, Side

Transform = Literal["standardize", "log1p", "none"]
SplitBy = Literal["random", "time", "last", "given"]
MOST_BUCKETS = 2**31 - 3  # with padding and unknown, the cardinality and so every id fits int32


@dataclass(frozen=True)
class Categorical:
    """A column of categories. Values seen fewer than `min_frequency` times in train share the unknown id; null is a value.

    With `hash_buckets`, no values are collected: an id is a hash of the text modulo that number, up to 2^31 - 3.
    """

    name: str
    column: str = ""  # the table's column; "" is `name`
    min_frequency: int = 1
    side: Side = "context"
    hash_buckets: int = 0  # 0: a vocabulary is fitted


@dataclass(frozen=True)
class Numeric:
    """A column of numbers. `log1p` is sign(x) log(1 + |x|), then standardised. A null becomes the mean of train."""

    name: str
    column: str = ""
    transform: Transform = "standardize"
    side: Side = "context"


@dataclass(frozen=True)
class Sequence:
    """The user's past values of the categorical field `of`, oldest first, the last `length` of them. Where `of` names a task and
    no such field, the past outcomes of that task: positive, negative or not observed.

    With `column`, the table holds them as text separated by `separator`, or as a list. Without, they are built from the
    table itself: values in rows of the same user that are strictly earlier in time; with `where`, only in rows where that
    task is positive. Rows of valid and test labels never feed a history that could reveal them (see `history`). Histories
    that are built with the same `where` and `length` are aligned: at each place they speak of the same row.
    """

    name: str
    of: str
    length: int = 50
    column: str = ""
    separator: str = "|"
    where: str = ""


@dataclass(frozen=True)
class Vectors:
    """Vectors made elsewhere, such as of images or texts: one for each value of the categorical field `of`, in a file of its own.

    The file's column `key` holds the raw values as the table has them ("" is the name of the field's column there), `column`
    lists of equal lengths, or each of `columns` a number; without either, the only column of lists, else all numbers beside the
    key. A .npz file has arrays `keys` and `vectors`. Values that train does not show keep their vectors, too.
    """

    name: str
    of: str
    key: str = ""
    column: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Label:
    """A task's column. Positive: `equals` the text, or at least `at_least`. `unobserved` is the text that means not observed.

    Null is not observed either. With `given`, the label holds over the entire space: it is 0, not unobserved, where the task
    `given` is 0, since what cannot have happened did not (a conversion without a click), and it is unobserved only where
    `given` is positive and this label is missing. With `present`, every row is positive whose column holds anything.

    `arrives` names the column of when a positive became known, in the unit of the table's time; it is empty where none ever did.
    The split is by time then, and training happens at the last moment of train: a positive of a train row that arrives later
    is a 0 in training, while labels of valid and test are those that rows have in the end.
    """

    name: str
    column: str = ""
    at_least: float = 1.0
    equals: str | None = None
    unobserved: str | None = None
    given: str | None = None
    present: bool = False
    arrives: str = ""

    @property
    def delayed(self) -> bool:
        return bool(self.arrives)


@dataclass(frozen=True)
class Split:
    """How rows are divided.

    - random: by a hash of the columns `key` (all columns when empty) and `seed`: a row keeps its split whatever the order
      of rows and whatever other rows there are, and equal rows fall together.
    - time: the earliest rows train, the latest test; rows of one instant stay together.
    - last: each user's `last` latest rows test, as many before them validate, and earlier ones train; of rows of one instant
      the earlier row of the table counts as earlier. A user with too few rows for a train row of their own trains only.
    - given: by the column `column` with the values train, valid, test. Without valid rows, a share of `valid` / (`train` +
      `valid`) of the train rows is taken, by hash.
    """

    by: SplitBy = "random"
    key: tuple[str, ...] = ()
    column: str = "split"
    train: float = 0.8
    valid: float = 0.1
    test: float = 0.1
    seed: int = 0
    last: int = 1


Field = Categorical | Numeric


@dataclass(frozen=True)
class TableSpec:
    """A table's description. `user`, `time`, `scenario` and `target_item` are optional; `user` and `time` are columns,
    the other two categorical fields. `allow` lists features that may predict a label almost alone.

    Where models are to predict `items`, each row in which the only task is positive is an event: the `target_item` that was taken
    in the situation that the other fields describe.

    Where they are to predict `actions`, each row is a decision: the `target_item` that was chosen in the situation that the other
    fields describe, with the probability that it had then in the column `propensity`, and the only task as its reward."""

    name: str
    tasks: tuple[Label, ...]
    categorical: tuple[Categorical, ...] = ()
    numeric: tuple[Numeric, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    user: str | None = None
    time: str | None = None
    scenario: str | None = None
    target_item: str | None = None
    split: Split = field(default_factory=Split)
    allow: tuple[str, ...] = ()
    predicts: Predicts = "labels"
    propensity: str | None = None
    vectors: tuple[Vectors, ...] = ()

    def column_of(self, name: str) -> str:
        """The table's column of the categorical field `name`."""
        return next(c.column or c.name for c in self.categorical if c.name == name)

    def records(self, sequence: Sequence) -> Records:
        """Whether a sequence is of a field's values or of a task's outcomes. A field comes before a task of its name."""
        return "values" if sequence.of in {c.name for c in self.categorical} else "outcomes"

    @property
    def has_outcomes(self) -> bool:
        """Whether any sequence says what came of past events."""
        return any(self.records(s) == "outcomes" for s in self.sequences)

    @property
    def timed(self) -> bool:
        """Whether rows have an order in time."""
        return self.time is not None

    @property
    def delayed_tasks(self) -> tuple[Label, ...]:
        """Those whose positives arrive late, `T'` of them."""
        return tuple(t for t in self.tasks if t.delayed)

    def task_index(self, name: str) -> int:
        """The column of the task `name` in labels (n, T)."""
        return [t.name for t in self.tasks].index(name)

    @property
    def features(self) -> tuple[Field, ...]:
        """Categorical fields, then numeric ones: the order of the schema."""
        return (*self.categorical, *self.numeric)

    def __post_init__(self) -> None:
        for fault in _faults(self):
            raise DataError(f"the description of {self.name}: {fault}")

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the table that is read, each once."""
        named = [f.column or f.name for f in self.features] + [t.column or t.name for t in self.tasks]
        named += [t.arrives for t in self.delayed_tasks] + [s.column for s in self.sequences if s.column]
        named += [c for c in (self.user, self.time, self.propensity, *self.split.key) if c]
        named += [self.split.column] if self.split.by == "given" else []
        return tuple(dict.fromkeys(named))


def _faults(spec: TableSpec) -> Iterator[str]:
    """What contradicts itself, one sentence each, with the remedy."""
    names = [f.name for f in spec.features] + [s.name for s in spec.sequences] + [v.name for v in spec.vectors]
    tasks, fields = [t.name for t in spec.tasks], {c.name for c in spec.categorical}
    if not tasks:
        yield "there is no task; name the label's column"
    if not spec.categorical and not spec.numeric:
        yield "there is no feature; name at least one categorical or numeric column"
    for name in sorted({n for n in names if names.count(n) > 1} | {t for t in tasks if tasks.count(t) > 1}):
        yield f"{name!r} is named twice; every field and task needs a name of its own"
    # That something is present says nothing of what it is, so that the column of an event may be a feature too.
    labels = {t.column or t.name for t in spec.tasks if not (t.present and spec.predicts == "items")}
    for f in spec.features:
        if (f.column or f.name) in labels:
            yield f"the label column {f.column or f.name!r} is also a feature; remove it from the features"
    for s in spec.sequences:
        if not re.fullmatch(r"[\w-]+", s.name):
            yield f"the sequence name {s.name!r} names a file too and may hold letters, digits, _ and - only"
        if s.of not in fields and s.of not in tasks:
            yield f"the sequence {s.name!r} is of {s.of!r}, which is no categorical field and no task"
        if s.length < 1:
            yield f"the sequence {s.name!r} needs a length of at least 1"
        if not s.column and not (spec.user and spec.time):
            yield f"the sequence {s.name!r} names no column, and building it from the table needs a user and a time column"
        if s.where and s.where not in tasks:
            yield f"the sequence {s.name!r} is of rows where {s.where!r}, which is no task"
    for what, named in (("scenario", spec.scenario), ("target_item", spec.target_item)):
        if named and named not in fields:
            yield f"{what} is {named!r}, which is no categorical field"
    for i, t in enumerate(spec.tasks):
        if t.given and t.given not in tasks[:i]:
            yield f"the task {t.name!r} is given {t.given!r}, which is no earlier task"
    for c in spec.categorical:
        if c.min_frequency < 1:
            yield f"min_frequency of {c.name!r} must be at least 1"
        if not 0 <= c.hash_buckets <= MOST_BUCKETS:
            yield f"hash_buckets of {c.name!r} must lie between 1 and {MOST_BUCKETS:,}, or be left out"
        if c.hash_buckets and c.min_frequency != 1:
            yield f"{c.name!r} has hash_buckets, which knows no frequencies; leave min_frequency out"
    yield from _vector_faults(spec)
    yield from _split_faults(spec)
    yield from _delay_faults(spec)
    if spec.predicts != "labels":
        yield from _item_faults(spec)
    yield from _decision_faults(spec)


def _vector_faults(spec: TableSpec) -> Iterator[str]:
    fields = {c.name: c for c in spec.categorical}
    for v in spec.vectors:
        if not re.fullmatch(r"[\w-]+", v.name):
            yield f"the name {v.name!r} of vectors names a file too and may hold letters, digits, _ and - only"
        if v.of not in fields:
            yield f"the vectors {v.name!r} are of {v.of!r}, which is no categorical field"
        elif fields[v.of].hash_buckets:
            yield f"{v.of!r} has hash_buckets, whose ids stand for no single value that has a vector; leave hash_buckets out"
        if v.column and v.columns:
            yield f"the vectors {v.name!r} name a column of lists and columns of numbers; leave one out"


def _split_faults(spec: TableSpec) -> Iterator[str]:
    split = spec.split
    if min(split.train, split.valid, split.test) <= 0 or abs(split.train + split.valid + split.test - 1) > 1e-6:
        yield f"the shares {split.train:g}, {split.valid:g} and {split.test:g} must be positive and add up to 1"
    if split.by == "time" and not spec.time:
        yield "a split by time needs a time column"
    if split.by == "last" and not (spec.user and spec.time):
        yield "a split by each user's last rows needs a user and a time column"
    if split.last < 1:
        yield f"last must be at least 1 row of each user, not {split.last}"


def _delay_faults(spec: TableSpec) -> Iterator[str]:
    late = {t.name for t in spec.delayed_tasks}
    if late and spec.split.by != "time":
        yield 'labels that arrive late need a split by time, which says when training happens; write by = "time" under [split]'
    for f in spec.features:
        if (f.column or f.name) in {t.arrives for t in spec.delayed_tasks}:
            yield f"{f.column or f.name!r} says when a label arrives and is also a feature; remove it from the features"
    for s in spec.sequences:
        if not s.column and (s.where in late or (s.of in late and spec.records(s) == "outcomes")):
            yield f"the sequence {s.name!r} would be built of labels that arrive after its rows; give it a column of the table"
    for t in spec.tasks:
        if t.given in late and not t.delayed:
            yield f"the task {t.name!r} is given {t.given!r}, whose positives arrive late; say when its own arrive"


def _item_faults(spec: TableSpec) -> Iterator[str]:
    if spec.delayed_tasks:
        yield "events from which items are predicted do not arrive late; leave arrives out"
    if len(spec.tasks) != 1:
        kind = "one kind of event" if spec.predicts == "items" else "one reward"
        yield f"{spec.predicts} are predicted from {kind}, and there are {len(spec.tasks)} tasks; name one"
    target = next((c for c in spec.categorical if c.name == spec.target_item), None)
    if target is None:
        yield f"to predict {spec.predicts}, name the categorical field that holds them as target_item"
    elif not spec.sequences and all(f.side == "item" or f is target for f in spec.features):
        yield "nothing says who asks or when; name a field of the user or the context, or a sequence"
    elif target.hash_buckets:
        yield f"{target.name!r} has hash_buckets, which cannot be told apart as {spec.predicts}; leave hash_buckets out"


def _decision_faults(spec: TableSpec) -> Iterator[str]:
    if spec.predicts != "actions":
        if spec.propensity:
            yield f'the propensity {spec.propensity!r} is of no use unless actions are predicted; write predicts = "actions"'
        return
    if not spec.propensity:
        yield "to learn from logged decisions, name the column with the probability of what was chosen as propensity"
    elif spec.propensity in {f.column or f.name for f in spec.features}:
        yield f"the propensity {spec.propensity!r} is also a feature; it is not known before something is chosen"
    target = next((c for c in spec.categorical if c.name == spec.target_item), None)
    if target is not None and target.min_frequency > 1:
        yield f"{target.name!r} has a min_frequency, which would make one action of the rare ones; leave min_frequency out"
