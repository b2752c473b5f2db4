"""Hashes of rows that stay the same on every machine and in every version of the libraries, for splits.

Not for security. Notation: n rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import polars as pl
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
NULL = np.uint64(0x9E3779B97F4A7C15)  # any constant: nulls are equal to each other


def row_hashes(columns: Iterable[pl.Series], seed: int = 0) -> Hashes:
    """One hash (n,) per row of the columns, which depends on their order, on values and on `seed`, on nothing else."""
    total: Hashes | None = None
    for column in columns:
        hashed = column_hashes(column)
        total = _mixed(hashed + np.uint64(seed)) if total is None else _mixed(total ^ hashed)
    if total is None:
        raise ValueError("no column to hash")
    return total


def column_hashes(column: pl.Series) -> Hashes:
    """One hash (n,) per value. Numbers hash by value, whatever their type (1 and 1.0 alike), other values by their text."""
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return _number_hashes(column)
    return _text_hashes(column.cast(pl.String))


def fraction_of(hashes: Hashes) -> NDArray[np.float64]:
    """Hashes as uniform numbers in [0, 1)."""
    return (hashes >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _number_hashes(column: pl.Series) -> Hashes:
    """Whole numbers by their 64 bits; others by the bits of the double. Whole doubles below 2^63 count as whole numbers."""
    if column.dtype.is_float():
        values = column.cast(pl.Float64).fill_null(np.nan).to_numpy() + 0.0  # -0.0 becomes 0.0
        whole = (np.floor(values) == values) & (np.abs(values) < 2.0**62)
        bits = np.where(whole, np.where(whole, values, 0).astype(np.int64).view(np.uint64), values.view(np.uint64))
        nulls = (column.is_null() | column.is_nan()).fill_null(True).to_numpy()
    else:
        bits = column.cast(pl.Int64, wrap_numerical=True).fill_null(0).to_numpy().view(np.uint64)
        nulls = column.is_null().to_numpy()
    return np.where(nulls, NULL, _mixed(bits))


def _text_hashes(column: pl.Series) -> Hashes:
    """Each distinct text is hashed once."""
    distinct = column.unique().drop_nulls()
    digests = [int.from_bytes(blake2b(v.encode(), digest_size=8).digest(), "little") for v in distinct.to_list()]
    table = pl.DataFrame({"value": distinct, "hash": pl.Series(digests, dtype=pl.UInt64)})
    joined = column.to_frame("value").join(table, on="value", how="left", maintain_order="left")
    return joined["hash"].fill_null(int(NULL)).to_numpy()


def _mixed(bits: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): every bit of the input moves every bit of the output."""
    with np.errstate(over="ignore"):
        z = bits + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(z ^ (z >> np.uint64(31)))
