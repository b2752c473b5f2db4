"""What a description of features costs to serve: bytes, milliseconds and values, measured on the served model itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from agents.autofeature.trainer import Trained
from agents.strict import Strict
from sandboxes.kit.data.source import Source
from sandboxes.kit.serving import Served, keep

ROWS = 1000  # that are scored at once
ROUNDS = 11  # of all that are measured in turn; the fastest counts, since a busy machine only adds
MEGABYTE = 1e6


class Cost(Strict):
    """`bytes` of the served model (weights, vocabularies, what transforms have learned), `ms` to score 1,000 raw rows, `values`
    in its vocabularies. A difference of two may be negative."""

    bytes: int
    ms: float
    values: int

    def minus(self, other: Cost) -> Cost:
        return Cost(bytes=self.bytes - other.bytes, ms=self.ms - other.ms, values=self.values - other.values)

    @property
    def in_words(self) -> str:
        return f"{self.bytes / MEGABYTE:+.2f} MB, {self.ms:+.2f} ms per 1,000 rows, {self.values:+,} values"


class Prices(Strict):
    """What quality must be gained for what is spent, in AUC; what is saved may cost as much."""

    auc_per_mb: float = 1e-5
    auc_per_ms: float = 2e-5

    def of(self, cost: Cost) -> float:
        return self.auc_per_mb * cost.bytes / MEGABYTE + self.auc_per_ms * cost.ms


def measured(trained: Sequence[Trained], source: Source, folder: Path) -> list[Cost]:
    """The cost of each, measured in turn on the first rows of the table, so that a busy machine slows all alike.

    Each is served from a folder of its own under `folder`. Their models must be of the kit: they are loaded here.
    """
    served = [_served(t, folder / str(number)) for number, t in enumerate(trained)]
    models, rows = [Served.open(place) for place in served], _rows(source)
    seconds = np.array([[_seconds(model, rows) for model in models] for _ in range(ROUNDS)])
    milliseconds = 1000 * seconds.min(axis=0) * ROWS / max(rows.height, 1)
    return [
        Cost(bytes=_size(place), ms=float(ms), values=sum(f.cardinality for f in t.prepared.schema.categorical))
        for place, ms, t in zip(served, milliseconds, trained, strict=True)
    ]


def _served(trained: Trained, place: Path) -> Path:
    first = trained.finished[0]
    keep(place, trained.prepared.root, first.folder / "weights.safetensors", first.job.hyper, first.job.model.reference)
    return place


def _rows(source: Source) -> pl.DataFrame:
    return source.read().lazy().head(ROWS).collect()


def _seconds(model: Served, rows: pl.DataFrame) -> float:
    began = time.perf_counter()
    model.predict(rows)
    return time.perf_counter() - began


def _size(place: Path) -> int:
    return sum(f.stat().st_size for f in place.rglob("*") if f.is_file())
