"""A data set before it is prepared: its description, how to read it, and a hash of its content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.spec import TableSpec

BLOCK = 1 << 20


@dataclass(frozen=True)
class GivenVectors:
    """Vectors made elsewhere, as they come: raw `values` (K,) of a field, and the vector of each, (K, W) float32."""

    values: pl.Series
    vectors: NDArray[np.float32]


@dataclass(frozen=True)
class Source:
    """`read` gives the table (a lazy one may be larger than memory) and is called only when it has to be prepared; so do
    `vectors` what the description's entries of these names speak of.

    `content` is a hash of all that these depend on: files, or a generator's parameters.
    """

    spec: TableSpec
    read: Callable[[], pl.LazyFrame | pl.DataFrame]
    content: str
    provenance: str = ""
    licence: str = ""
    synthetic: bool = False
    vectors: Mapping[str, Callable[[], GivenVectors]] = field(default_factory=dict)


def content_of(files: Iterable[Path]) -> str:
    """A hash of the files' contents, in the order given; names and places do not count. Raises `DataError`."""
    total = hashlib.sha256()
    for file in files:
        try:
            total.update(_digest(file))
        except OSError as error:
            raise DataError(f"{file} cannot be read ({error.strerror}); correct its place or its permissions") from None
    return total.hexdigest()


def _digest(file: Path) -> bytes:
    one = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(BLOCK):
            one.update(block)
    return one.digest()
