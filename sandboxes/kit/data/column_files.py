"""Columns and arrays that are written and read from top to bottom, so that rows beyond memory pass through it in blocks.

Notation: B rows of a block.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]


class ColumnFile:
    """Bare numbers of one type, appended and then read again. Whoever owns the folder removes the file."""

    def __init__(self, path: Path, dtype: DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self._path = path
        path.touch(exist_ok=False)

    def append(self, block: Array) -> None:
        """Adds the numbers (B,) at the end."""
        with self._path.open("ab") as stream:
            np.ascontiguousarray(block, self.dtype).tofile(stream)

    def blocks(self, sizes: Iterable[int]) -> Iterator[Array]:
        """From the beginning, the next `size` numbers for each of `sizes`."""
        with self._path.open("rb") as stream:
            for size in sizes:
                yield np.fromfile(stream, self.dtype, size)


class NpyWriter:
    """Writes a .npy file block by block. The file is whole after `close`, which raises `ValueError` when rows are missing."""

    def __init__(self, path: Path, dtype: DTypeLike, shape: Sequence[int]) -> None:
        self._dtype, self._shape, self._written = np.dtype(dtype), tuple(shape), 0
        self._stream = path.open("wb")
        header = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": self._shape}
        np.lib.format.write_array_header_1_0(self._stream, header)

    def append(self, block: Array) -> None:
        """The next rows (B, ...)."""
        if block.dtype != self._dtype or block.shape[1:] != self._shape[1:]:
            raise ValueError(f"a block {block.dtype} {block.shape} is no part of an array {self._dtype} {self._shape}")
        np.ascontiguousarray(block).tofile(self._stream)
        self._written += len(block)

    def close(self) -> None:
        self._stream.close()
        if self._written != self._shape[0]:
            raise ValueError(f"{self._written} of {self._shape[0]} rows were written")

    def __enter__(self) -> NpyWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self._stream.close()
