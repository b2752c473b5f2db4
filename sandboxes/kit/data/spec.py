"""The description of a table: which columns are features, labels, user and time, and how rows are split.

Built by data sets in code, read from a schema file (`schema_file`), or guessed from a bare table (`guess`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.spec_faults import faults
from sandboxes.kit.features import AnyTransform, OfHistory
from sandboxes.kit.schema import Predicts, Records, Side

Transform = Literal["standardize", "log1p", "none"]
SplitBy = Literal["random", "time", "last", "given"]


@dataclass(frozen=True)
class Categorical:
    """A column of categories. Values seen fewer than `min_frequency` times in train share the unknown id; null is a value.

    With `hash_buckets`, no values are collected: an id is a hash of the text modulo that number, up to 2^31 - 3. One that
    `shares` has the ids of another categorical field of that name: what that field does not know is unknown here too.
    """

    name: str
    column: str = ""  # the table's column; "" is `name`
    min_frequency: int = 1
    side: Side = "context"
    hash_buckets: int = 0  # 0: a vocabulary is fitted
    shares: str = ""


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
    fields describe, with the probability that it had then in the column `propensity`, and the only task as its reward.

    `derived` are columns that are made of those of the table or of one another, in this order; a field that names one as its
    column is a derived feature."""

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
    derived: tuple[AnyTransform, ...] = ()

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
        for fault in faults(self):
            raise DataError(f"the description of {self.name}: {fault}")

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the table that is read, each once."""
        named = [f.column or f.name for f in self.features] + [t.column or t.name for t in self.tasks]
        named += [t.arrives for t in self.delayed_tasks] + [s.column for s in self.sequences if s.column]
        named += [c for c in (self.user, self.time, self.propensity, *self.split.key) if c]
        named += [self.split.column] if self.split.by == "given" else []
        named += [c for d in self.derived for c in d.inputs]
        made = {d.name for d in self.derived}
        return tuple(c for c in dict.fromkeys(named) if c not in made)

    @property
    def measures(self) -> tuple[OfHistory, ...]:
        """Those of the derived columns that are made of histories, and so of encoded rows."""
        return tuple(d for d in self.derived if isinstance(d, OfHistory))
