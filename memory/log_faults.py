"""What SQLite says of the log's file, for a person."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from memory.errors import MemoryUnusable, RecordRefused


@contextmanager
def log_faults(path: Path) -> Iterator[None]:
    """Raises `MemoryUnusable`, or `RecordRefused` where what was to be written or asked for is not text."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise MemoryUnusable(f"the memory {path} cannot be used: {error}; {_remedy(str(error))}") from None
    except sqlite3.DatabaseError as error:
        raise MemoryUnusable(
            f"the memory {path} is damaged ({error}): move it away, and bring back an export with agenticrs memory import FILE"
        ) from None
    except OSError as error:
        raise MemoryUnusable(f"the memory {path} cannot be used: {error.strerror}") from None
    except UnicodeEncodeError:
        raise RecordRefused("a record's id is text, and this is none") from None


def _remedy(said: str) -> str:
    if "full" in said:
        return "free some space and repeat the command; what was written before is kept"
    if "fts5" in said:
        return "install a Python whose SQLite has FTS5"
    if "locked" in said:
        return "another process has been writing for a minute; repeat the command when it has ended"
    return "see that this user may read and write it and its folder"
