"""Moves what the first version kept, records inside Chroma's own file, into the log."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from memory.alone import alone
from memory.errors import MemoryUnusable, RecordRefused
from memory.log import RecordLog, body_of
from memory.records import AnyRecord
from memory.versions import read_record

FOLDER = "first-version"  # where the files of the first version go


def move_first_store(folder: Path, log: RecordLog) -> None:
    """Reads its records and moves its files into a folder of their own; does nothing where there is none.

    Raises `MemoryUnusable`.
    """
    file = folder / "chroma.sqlite3"
    if not file.exists():
        return
    with alone(folder / "index.lock"):
        if not file.exists():
            return
        log.append(_records(file))
        kept = folder / FOLDER
        kept.mkdir(exist_ok=True)
        for part in folder.iterdir():
            if part.is_dir() and (part / "header.bin").exists():
                part.rename(kept / part.name)
        file.rename(kept / file.name)


def forget_first_store(folder: Path) -> None:
    """Throws away the files of the first version, since what is forgotten may lie in them."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def _records(file: Path) -> Iterator[AnyRecord]:
    try:
        with closing(sqlite3.connect(file)) as database:
            bodies = database.execute("SELECT string_value FROM embedding_metadata WHERE key = 'json' ORDER BY id").fetchall()
    except sqlite3.Error as error:
        raise MemoryUnusable(f"{file}, a memory of the first version, cannot be read ({error}): move it away") from None
    for (body,) in bodies:
        try:
            record = read_record(body, 1)
            body_of(record)
        except RecordRefused:
            continue  # it stays in the files that are kept
        yield record
