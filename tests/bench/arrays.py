"""The arrays that every contender of the benchmark reads: written once, then memory-mapped by each of them.

A data set is a folder: `train.ids.npy` (n, F) int32, `train.labels.npy` (n,) float32, the same for `test`, and `meta.json`. Ids
are local to a field and lie in [1, cardinality): most contenders keep 0 for padding, so no row uses it. It needs NumPy alone,
because the peers' environment reads it too.

Notation: n rows, F fields.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Labels = NDArray[np.float32]

TEST_SHARE = 0.1


@dataclass(frozen=True)
class Meta:
    """What the arrays do not say of themselves. `cardinalities` counts the unused id 0; `facts` is for people."""

    name: str
    fields: tuple[str, ...]
    cardinalities: tuple[int, ...]
    facts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Split:
    """Rows of one split."""

    ids: Ids  # (n, F)
    labels: Labels  # (n,)

    def __len__(self) -> int:
        return len(self.labels)


def bench_home() -> Path:
    """Where data and results of benchmarks lie: `bench/` in AGENTICRS_HOME, by default `agenticrs-home` in the work tree."""
    default = Path(__file__).resolve().parents[2] / "agenticrs-home"
    return Path(os.environ.get("AGENTICRS_HOME", default)) / "bench"


def write(folder: Path, meta: Meta, ids: Ids, labels: Labels, seed: int) -> Meta:
    """Splits the rows at random, nine to one, and writes the folder; meta.json last, since it says that all is there."""
    folder.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(seed).permutation(len(labels))
    held_out = round(TEST_SHARE * len(labels))
    for name, rows in (("test", order[:held_out]), ("train", order[held_out:])):
        np.save(folder / f"{name}.ids.npy", ids[rows])
        np.save(folder / f"{name}.labels.npy", labels[rows])
    (folder / "meta.json").write_text(json.dumps(asdict(meta), indent=1), encoding="utf-8")
    return meta


def read_meta(folder: Path) -> Meta:
    """Raises `FileNotFoundError` when the folder holds no complete data set."""
    raw = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    return Meta(raw["name"], tuple(raw["fields"]), tuple(raw["cardinalities"]), raw["facts"])


def read_split(folder: Path, name: str) -> Split:
    """The split "train" or "test", memory-mapped."""
    ids = np.load(folder / f"{name}.ids.npy", mmap_mode="r")
    return Split(ids, np.load(folder / f"{name}.labels.npy", mmap_mode="r"))
