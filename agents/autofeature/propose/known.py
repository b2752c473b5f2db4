"""What a proposer knows: the description, the table's columns, and what the incumbent has not understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from agents.autofeature.changes import AnyChange
from agents.autofeature.residuals import Residuals
from agents.autofeature.space import FeatureSpace
from agents.strict import Strict
from sandboxes.kit.data import Prepared
from sandboxes.kit.data.spec import TableSpec
from sandboxes.kit.features.times import Unit

Kind = Literal["category", "number", "time", "other"]


class ColumnFacts(Strict):
    """Of a column of the table: what it holds, how many different values, of times the unit, and whether it was a feature that
    was dropped."""

    kind: Kind
    values: int
    unit: Unit = "s"
    dropped: bool = False


@dataclass(frozen=True)
class Proposed:
    """A change, why, and the ids of lessons it was made with."""

    change: AnyChange
    why: str
    relied_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """`columns` are those of the table that may be used; `residuals` those of the incumbent on `prepared`, None before it ran.

    `task` is the primary one.
    """

    spec: TableSpec
    space: FeatureSpace
    columns: Mapping[str, ColumnFacts] = field(default_factory=dict)
    prepared: Prepared | None = None
    residuals: Residuals | None = None
    lessons: tuple[str, ...] = ()  # what memory believes of such features, a sentence each
    relied_on: tuple[str, ...] = ()  # ids of the lessons behind them

    @property
    def rows(self) -> int:
        """Of train."""
        return self.prepared.sizes["train"] if self.prepared else 0

    def unexplained(self) -> dict[str, float]:
        """By the table's column, how much of the incumbent's residuals its field explains: z."""
        if self.residuals is None:
            return {}
        columns = {f.name: f.column or f.name for f in self.spec.features}
        return {columns[n]: self.residuals.explained_by(c).z for n, c in self.codes().items() if n in columns}

    @property
    def task(self) -> str:
        return self.spec.tasks[0].name

    @property
    def learns(self) -> str:
        """The task that statistics may learn from; "" where its positives arrive late."""
        return "" if self.spec.tasks[0].delayed else self.task

    def cardinality(self, name: str) -> int:
        """Ids of a categorical field in the prepared data; 0 without any."""
        fields = self.prepared.schema.categorical if self.prepared else ()
        return next((f.cardinality for f in fields if f.name == name), 0)

    def vocabularies(self) -> dict[str, set[str]]:
        """The known values of categorical fields that have ids of their own, as text."""
        file = self.prepared.root / "vocabularies.parquet" if self.prepared else None
        if file is None or not file.is_file():
            return {}
        own = [c.name for c in self.spec.categorical if not (c.hash_buckets or c.shares)]
        table = pl.read_parquet(file).drop_nulls().filter(pl.col("field").is_in(own))
        return {str(name): set(rows["value"]) for (name,), rows in table.group_by("field")}

    def codes(self) -> dict[str, NDArray[np.int64]]:
        """Of the rows of the residuals, the ids of each categorical field and the bins of each numeric one, each (n,)."""
        assert self.prepared is not None and self.residuals is not None
        return field_codes(self.prepared, self.residuals.rows)


BINS = 16


def field_codes(prepared: Prepared, rows: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Of train rows (n,) by number, whole numbers from 0 for every field: ids, and of numbers bins of equal frequency."""
    ids = np.load(prepared.visible / "train.ids.npy", mmap_mode="r")[rows]
    numeric = np.load(prepared.visible / "train.numeric.npy", mmap_mode="r")[rows]
    found = {f.name: ids[:, i].astype(np.int64) for i, f in enumerate(prepared.schema.categorical)}
    return found | {f.name: binned(numeric[:, i]) for i, f in enumerate(prepared.schema.numeric)}


def binned(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Bins (n,) of equal frequency."""
    cuts = np.unique(np.quantile(values, np.arange(1, BINS) / BINS))
    return np.asarray(np.searchsorted(cuts, values, side="right"), dtype=np.int64)


class Proposer(Protocol):
    """Somebody who proposes besides the families of rules. `name` is "provider:model"."""

    @property
    def name(self) -> str: ...

    def propose(self, known: Known) -> list[Proposed]:
        """Changes that may be worth a trial; the space says which are legal. Raises what derives from `AgentError`."""
        ...
