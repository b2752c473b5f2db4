"""Records as JSON Lines: to keep, to move, to read by other programs. What is exported comes back the same, its history included.

A line is `{"version": 2, "record": {...}}`. Vectors are not exported: they are made again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from memory.errors import RecordRefused
from memory.log import RecordLog
from memory.records import AnyRecord
from memory.versions import read_record

STEP = 1000


def exported(log: RecordLog) -> Iterator[str]:
    """Every revision of every record in the order of writing, a line each, as they were written."""
    seq = 0
    while rows := log.written(seq, STEP):
        for row in rows:
            yield f'{{"version": {row.version}, "record": {row.body}}}'
        seq = rows[-1].seq


def imported(lines: Iterable[str]) -> Iterator[AnyRecord]:
    """The records of such lines; empty ones are passed over. Raises `RecordRefused`, which names the line."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
            version, record = found["version"], found["record"]
            yield read_record(json.dumps(record), int(version))
        except RecordRefused as refused:
            raise RecordRefused(f"line {number}: {refused}") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise RecordRefused(f'line {number} is not {{"version": ..., "record": ...}}') from None
