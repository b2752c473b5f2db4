"""Rows kept in a file, one JSON line each: added at once, and read again by who goes on with the work."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)


def read_rows(file: Path, row: type[M]) -> list[M]:
    """The file's rows in their order; a last line that a crash cut off is none of them."""
    if not file.is_file():
        return []
    *whole, _ = file.read_text(encoding="utf-8").split("\n")
    return [row.model_validate_json(line) for line in whole if line.strip()]


def add_row(file: Path, row: BaseModel) -> None:
    """Adds the row in one write, and removes before it what a crash left of a line."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab+") as handle:
        handle.seek(max(0, handle.tell() - 1))
        if handle.read() not in (b"", b"\n"):
            handle.seek(0)
            handle.truncate(handle.read().rfind(b"\n") + 1)
        handle.write(row.model_dump_json().encode() + b"\n")
