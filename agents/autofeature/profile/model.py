"""What a profile says, as data: it is kept as JSON and shown as a page. Numbers that do not exist are None, never NaN."""

from __future__ import annotations

from typing import Literal

from agents.strict import Strict

Kind = Literal["category", "number", "time", "id", "text", "list", "constant", "other"]
Role = Literal["label", "feature", "sequence", "user", "time", "item", "split", "arrival", "propensity", "unused"]
Reason = Literal["knows the label", "beats all others", "missingness", "later than its row", "order or id", "copy"]
Severity = Literal["refuse", "look"]
Level = Literal["none", "slight", "moderate", "large"]


class ValueShare(Strict):
    """`share` is of the rows that hold any value."""

    text: str
    rows: int
    share: float


class Numbers(Strict):
    """Of finite values; infinite ones are counted apart. Minimum to `std` are of all rows, `quantiles` (at `profile.levels`
    of `numbers`) and `skewness` of the sample."""

    minimum: float | None
    maximum: float | None
    mean: float | None
    std: float | None
    skewness: float | None
    quantiles: tuple[float, ...]
    infinite: int


class ColumnProfile(Strict):
    """One column. `null`, `nan` and `empty` (text of nothing but white space) count rows; `missing` is their share together.

    `distinct` counts values that are not missing; it is an estimate where not `exact`, and `top`, `entropy` (bits) and `once`
    are then of the sample. `once` is the share of rows whose value no other row has.
    """

    name: str
    dtype: str
    kind: Kind
    roles: tuple[Role, ...]
    null: int
    nan: int
    empty: int
    missing: float
    distinct: int
    exact: bool
    top: tuple[ValueShare, ...]
    entropy: float | None
    once: float | None
    numbers: Numbers | None
    earliest: str
    latest: str


class TaskProfile(Strict):
    """`rate` is the share of positives among observed rows; `problem` says why a label cannot be read."""

    name: str
    column: str
    observed: int
    positives: int
    rate: float | None
    problem: str


class Contradiction(Strict):
    """Rows alike in all described features whose labels of `task` differ, as a share of the observed rows."""

    task: str
    rows: int
    share: float


class Duplicates(Strict):
    """`rows` are exact copies of a row that stands before; `alike` the same by the described features alone."""

    rows: int
    share: float
    alike: int
    alike_share: float
    contradictions: tuple[Contradiction, ...]


class Window(Strict):
    """A stretch of rows in order; `rates` are the tasks' positive rates among its `observed` rows, None without any."""

    said: str
    rows: int
    observed: tuple[int, ...]
    rates: tuple[float | None, ...]


class ColumnDrift(Strict):
    """How one column's distribution moves. `psi` compares each window with the first (so that it begins with 0), `steps` each
    with the one before. `expected` is the stability index that sampling noise alone gives the last window on average, `p_value`
    that of the chi-square test over all windows, and `drifting` its judgement at the level that all columns share.
    `new` is the share of rows in each window whose value no earlier window shows; None for numbers."""

    column: str
    psi: tuple[float, ...]
    steps: tuple[float, ...]
    expected: float
    p_value: float
    drifting: bool
    level: Level
    new: tuple[float, ...] | None


class RateDrift(Strict):
    """Whether a task's positive rate moves between windows, by a chi-square test."""

    task: str
    p_value: float
    drifting: bool


class Drift(Strict):
    """`order` is what windows follow: a column's name, or "" with the `unavailable` reason."""

    order: str
    unavailable: str
    windows: tuple[Window, ...]
    columns: tuple[ColumnDrift, ...]
    rates: tuple[RateDrift, ...]


class Suspect(Strict):
    """A column that may hold what is not known when a model has to answer. `column` is "" for the order of the rows.

    `evidence` is one sentence with its numbers, `numbers` the same by name. `refuse`: it must not become a feature;
    `look`: somebody who knows where the column comes from has to say.
    """

    column: str
    task: str
    reason: Reason
    severity: Severity
    evidence: str
    numbers: dict[str, float]


class Tells(Strict):
    """How well one column alone orders held-out rows by a task's label; `low` is a lower bound that holds for all together."""

    column: str
    task: str
    auc: float
    low: float


class Redundant(Strict):
    """Columns that say the same: equal, or one to one."""

    columns: tuple[str, ...]
    equal: bool


class Profile(Strict):
    """`sample_rows` is how many rows drift, quantiles and suspects rest on; with as many as `rows`, on all."""

    name: str
    provenance: str
    synthetic: bool
    rows: int
    sample_rows: int
    tasks: tuple[TaskProfile, ...]
    columns: tuple[ColumnProfile, ...]
    suspects: tuple[Suspect, ...]
    tells: tuple[Tells, ...]
    redundant: tuple[Redundant, ...]
    duplicates: Duplicates
    drift: Drift
    notes: tuple[str, ...]

    def column(self, name: str) -> ColumnProfile:
        """Raises `KeyError` for a name that the table does not have."""
        found = next((c for c in self.columns if c.name == name), None)
        if found is None:
            raise KeyError(name)
        return found
