"""Raw text of Criteo's shape, of any number of rows, written block by block: a label, 13 counts and 26 categories of hex digits.

Cardinalities are those of `bench.criteo_shaped` (a million ids in all, power law), so that the vocabularies stop growing while
the rows go on. A count is missing in a tenth of the rows. The label depends on two fields, so that no leak check finds it.

Notation: B rows of a block.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from bench.criteo_shaped import cardinalities
from numpy.typing import NDArray

from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Split, TableSpec

COUNTS = tuple(f"I{i}" for i in range(1, 14))
CATEGORIES = tuple(f"C{i}" for i in range(1, 27))
BLOCK = 250_000
EXPONENT = 1.1  # of the power law of ids within a field
MISSING = 0.1
MIN_FREQUENCY = 2

Reals = NDArray[np.float64]


def write_raw(file: Path, rows: int, seed: int = 0) -> Path:
    """The CSV file with a header, made when it is not there yet. The same seed gives the same rows, whatever `rows` is."""
    if not file.exists():
        sizes = cardinalities()[len(COUNTS) :]
        names = [_names(size, field) for field, size in enumerate(sizes)]
        working = file.with_suffix(".part")
        with working.open("wb") as stream:
            for block, start in enumerate(range(0, rows, BLOCK)):
                table = _block(names, np.random.default_rng((seed, block)))
                table.head(rows - start).write_csv(stream, include_header=start == 0)
        working.rename(file)
    return file


def write_parts(folder: Path, rows: int) -> dict[str, Path]:
    """Files of train, valid and test rows, 8 : 1 : 1."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {"train": rows - 2 * (rows // 10), "valid": rows // 10, "test": rows // 10}
    return {split: write_raw(folder / f"{split}-{n}.csv", n, seed) for seed, (split, n) in enumerate(sizes.items())}


def source(files: Mapping[str, Path]) -> Source:
    """How the kit is told to prepare them: categories are text, seen twice at least; read lazily. One file has the key ""."""
    parts = [_read(file).with_columns(pl.lit(split).alias("split")) if split else _read(file) for split, file in files.items()]
    spec = TableSpec(
        name="raw-clicks",
        tasks=(Label("label"),),
        categorical=tuple(Categorical(name, min_frequency=MIN_FREQUENCY) for name in CATEGORIES),
        numeric=tuple(Numeric(name) for name in COUNTS),
        split=Split("random" if "" in files else "given"),
    )
    content = ";".join(f"{file.name}:{file.stat().st_size}" for file in files.values())
    return Source(spec, lambda: pl.concat(parts), content, provenance="made up", synthetic=True)


def _read(file: Path) -> pl.LazyFrame:
    types = dict.fromkeys(COUNTS, pl.Float64) | dict.fromkeys(CATEGORIES, pl.String) | {"label": pl.Int8}
    return pl.scan_csv(file, schema_overrides=types)


def _block(names: list[pl.Series], rng: np.random.Generator) -> pl.DataFrame:
    counts = {name: _counts(rng) for name in COUNTS}
    ranks = [_ranks(len(values), rng) for values in names]
    logit = -1.3 + 0.8 * np.cos(ranks[0]) + 0.8 * np.sin(ranks[1])
    label = (rng.random(BLOCK) < 1 / (1 + np.exp(-logit))).astype(np.int8)
    texts = {name: values.gather(r) for name, values, r in zip(CATEGORIES, names, ranks, strict=True)}
    return pl.DataFrame({"label": label} | counts | texts)


def _counts(rng: np.random.Generator) -> pl.Series:
    """Counts (B,) with a long tail, some of them missing."""
    counts = pl.Series(rng.lognormal(2.0, 1.5, BLOCK).astype(np.int64))
    return counts.set(pl.Series(rng.random(BLOCK) < MISSING), None)


def _ranks(size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Ranks (B,) in [0, size), the share of rank r falling as (r + 1) ** -EXPONENT: by inverting the integral."""
    power = 1 - EXPONENT
    real: Reals = (1 - rng.random(BLOCK) * (1 - float(size + 1) ** power)) ** (1 / power)  # in [1, size + 1)
    return np.minimum(real.astype(np.int64) - 1, size - 1)


def _names(size: int, field: int) -> pl.Series:
    """The text (size,) of each rank: eight hex digits that tell nothing of the rank."""
    codes = (np.arange(size, dtype=np.uint64) * np.uint64(2_654_435_761) + np.uint64(field * 97)) % np.uint64(2**32)
    return pl.Series([f"{code:08x}" for code in codes.tolist()])
