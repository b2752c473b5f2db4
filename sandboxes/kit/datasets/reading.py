"""Readers of the text formats in which public data sets come; all give text columns unless said otherwise."""

from __future__ import annotations

from pathlib import Path

import polars as pl


def delimited(file: Path, separator: str, names: tuple[str, ...] = ()) -> pl.LazyFrame:
    """A delimited text file, plain or .gz, without quoting. `names` are its columns; without them the first line is.

    An empty value is null.
    """
    frame = pl.scan_csv(
        file, separator=separator, has_header=not names, quote_char=None, infer_schema=False, encoding="utf8-lossy", glob=False
    )
    return frame.rename(dict(zip(frame.collect_schema().names(), names, strict=True))) if names else frame


def double_colon(file: Path, names: tuple[str, ...]) -> pl.LazyFrame:
    """A file whose values are separated by "::", as GroupLens writes them; Latin-1 letters may be lost."""
    lines = pl.scan_csv(
        file, separator="\x01", has_header=False, quote_char=None, infer_schema=False, encoding="utf8-lossy", new_columns=["line"]
    )
    parts = pl.col("line").str.split_exact("::", len(names) - 1).struct.rename_fields(list(names))
    return lines.select(parts.alias("parts")).unnest("parts")


def atomic(file: Path) -> pl.LazyFrame:
    """A file of the atomic format (.inter, .user, .item): tab-separated, the header being name:type."""
    frame = delimited(file, "\t")
    return frame.rename({name: name.partition(":")[0] for name in frame.collect_schema().names()})
