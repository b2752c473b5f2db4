"""What a data set known by name consists of, and how its official files are found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.source import Source

Kind = Literal["packaged", "synthetic", "files"]


@dataclass(frozen=True)
class DataSet:
    """A data set. `source` takes the folder that holds its official files (None for kinds that need none).

    It raises `DataError` when files are missing. `files` says in words which files belong into that folder. `download`, where
    the licence allows it, fetches them into a folder. `folder` names the folder of official files, where it is another set's.
    """

    name: str
    description: str
    licence: str
    kind: Kind
    source: Callable[[Path | None], Source]
    files: str = ""
    download: Callable[[Path], None] | None = None
    folder: str = ""


def find(folder: Path, *names: str) -> Path | None:
    """The first of `names` that is a file in `folder` or in one of its direct subfolders, plain or with .gz; None if none is."""
    for name in names:
        for pattern in (name, f"{name}.gz", f"*/{name}", f"*/{name}.gz"):
            found = sorted(p for p in folder.glob(pattern) if p.is_file())
            if found:
                return found[0]
    return None


def need(folder: Path | None, data_set: str, *names: str) -> Path:
    """The same, but raises `DataError` when there is none."""
    found = find(folder, *names) if folder is not None else None
    if found is None:
        raise DataError(f"{data_set}: {' or '.join(names)} is not in {folder}; put the official files there")
    return found
