"""Hashes of rows that stay the same on every machine and in every version of the libraries, for splits and hashed ids.

Not for security. Notation: n rows.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
NULL = np.uint64(0x9E3779B97F4A7C15)  # any constant: nulls are equal to each other
WORD = 8  # bytes of text that are mixed in at a time
PIECE = 1 << 14  # values mixed at a time: they stay in the cache
MOST_WORDS = 32  # of every text in memory at once


def fold(total: Hashes, hashed: Hashes) -> None:
    """Takes one more column's hashes (n,) into those of the rows, in place; rows begin at zero."""
    for at in range(0, len(total), PIECE):
        piece = total[at : at + PIECE]
        piece ^= hashed[at : at + PIECE]
        _mix(piece)


def column_hashes(column: pl.Series) -> Hashes:
    """One hash (n,) per value. Numbers hash by value, whatever their type (1 and 1.0 alike), other values by their text, and
    lists by the texts of their values, with a sign between them that text does not use."""
    if hashes_by_value(column.dtype):
        return _number_hashes(column)
    if isinstance(column.dtype, pl.List):
        column = column.cast(pl.List(pl.String)).list.eval(pl.element().fill_null("\0")).list.join("\x1f")
    return text_hashes(column.cast(pl.String))


def hashes_by_value(dtype: pl.DataType) -> bool:
    """Whether a column of this type hashes by its numbers, not by its text."""
    return dtype.is_numeric() or dtype == pl.Boolean


def fraction_of(hashes: Hashes, seed: int = 0) -> NDArray[np.float64]:
    """Hashes as uniform numbers in [0, 1), other ones for every seed."""
    drawn = mixed(hashes ^ mixed(np.array([seed], dtype=np.int64).view(np.uint64))) if seed else hashes
    return (drawn >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _number_hashes(column: pl.Series) -> Hashes:
    """Whole numbers by their 64 bits; others by the bits of the double. Whole doubles below 2^62 count as whole numbers."""
    if column.dtype.is_float():
        values = column.cast(pl.Float64).fill_null(np.nan).to_numpy()
        hashes, nulls = np.empty(len(values), dtype=np.uint64), np.isnan(values)
        for at in range(0, len(values), PIECE):
            hashes[at : at + PIECE] = _bits_of_reals(values[at : at + PIECE])
    else:
        hashes = column.cast(pl.Int64, wrap_numerical=True).fill_null(0).to_numpy().view(np.uint64).copy()
        nulls = column.is_null().to_numpy()
    for at in range(0, len(hashes), PIECE):
        _mix(hashes[at : at + PIECE])
    hashes[nulls] = NULL
    return hashes


def _bits_of_reals(values: NDArray[np.float64]) -> Hashes:
    values = values + 0.0  # -0.0 becomes 0.0
    with np.errstate(invalid="ignore"):
        as_whole = np.where(np.abs(values) < 2.0**62, values, 0.0).astype(np.int64)
    return np.where(as_whole == values, as_whole.view(np.uint64), values.view(np.uint64))


def text_hashes(column: pl.Series) -> Hashes:
    """Hashes (n,) of a String column: the length in bytes, then each eight bytes of UTF-8 (little-endian, zeros at the end)
    are mixed in. Text of up to eight bytes never collides with other text of its length."""
    sizes = column.str.len_bytes().fill_null(0).to_numpy()
    hashes = mixed(sizes.astype(np.uint64))
    some = np.flatnonzero(sizes)
    hashes[some] = mixed(hashes[some] ^ _words(column.gather(some), 0, 1)[:, 0])
    longer = np.flatnonzero(sizes > WORD)
    if len(longer):
        hashes[longer] = _beyond_first_word(hashes[longer], column.gather(longer), sizes[longer])
    return np.where(column.is_null().to_numpy(), NULL, hashes)


def _beyond_first_word(hashes: Hashes, column: pl.Series, sizes: NDArray[np.uint32]) -> Hashes:
    """The hashes (n,) with all words but the first mixed in, a few words of all texts that are long enough at a time."""
    rows, start = np.arange(len(sizes)), WORD
    while len(rows):
        words = min(MOST_WORDS, -(-(int(sizes.max()) - start) // WORD))
        taken = _words(column, start, words)  # (rows, words)
        for w in range(words):
            on = np.flatnonzero(sizes > start + w * WORD)
            hashes[rows[on]] = mixed(hashes[rows[on]] ^ taken[on, w])
        start += words * WORD
        still = np.flatnonzero(sizes > start)
        rows, sizes, column = rows[still], sizes[still], column.gather(still)
    return hashes


def _words(column: pl.Series, start: int, words: int) -> Hashes:
    """So many words (n, words) of each text from the byte `start` on, zeros where it has ended."""
    size = words * WORD
    padded = column.cast(pl.Binary).bin.slice(start, size) + pl.Series([bytes(size - 1)])
    return padded.bin.slice(0, size).bin.reinterpret(dtype=pl.Array(pl.UInt64, words), endianness="little").to_numpy()


def mixed(bits: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): every bit of the input moves every bit of the output."""
    z = bits.copy()
    for at in range(0, len(z), PIECE):
        _mix(z[at : at + PIECE])
    return z


def _mix(z: Hashes) -> None:
    """`mixed`, in place."""
    with np.errstate(over="ignore"):
        z += np.uint64(0x9E3779B97F4A7C15)
        z ^= z >> np.uint64(30)
        z *= np.uint64(0xBF58476D1CE4E5B9)
        z ^= z >> np.uint64(27)
        z *= np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
