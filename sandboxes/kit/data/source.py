"""A data set before it is prepared: its description, how to read it, and a hash of its content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.spec import TableSpec

BLOCK = 1 << 20


@dataclass(frozen=True)
class Source:
    """`read` gives the table (a lazy one may be larger than memory) and is called only when it has to be prepared.

    `content` is a hash of all that `read` depends on: files, or a generator's parameters.
    """

    spec: TableSpec
    read: Callable[[], pl.LazyFrame | pl.DataFrame]
    content: str
    provenance: str = ""
    licence: str = ""
    synthetic: bool = False


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
