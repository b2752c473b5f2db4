"""Moves what the first version kept, records inside Chroma's own file, into the log."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from memory.alone import alone
from memory.errors import RecordRefused
from memory.log import RecordLog
from memory.records import AnyRecord
from memory.versions import read_record

FOLDER = "first-version"  # where the files of the first version go


def move_first_store(folder: Path, log: RecordLog) -> None:
    """Reads its records and moves its files into a folder of their own; does nothing where there is none."""
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


def _records(file: Path) -> list[AnyRecord]:
    with sqlite3.connect(file) as database:
        bodies = database.execute("SELECT string_value FROM embedding_metadata WHERE key = 'json' ORDER BY id").fetchall()
    found = []
    for (body,) in bodies:
        try:
            found.append(read_record(body, 1))
        except RecordRefused:
            continue
    return found
