"""Chroma clients: in a folder or at a server, without telemetry and without a model of their own.

Chroma sends usage data unless told not to, and downloads an embedding model where a collection is made without saying which.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from memory.errors import MemoryUnusable

_clients: dict[Path, Any] = {}  # Chroma shares what is open in a folder within a process, so closing it must reach all who use it
_changing = threading.RLock()


def in_folder(folder: Path) -> Any:
    """The client of this process for that folder."""
    import chromadb  # 0.5 s: paid by those who remember, not by `--help`
    from chromadb.config import Settings

    with _changing:
        if folder not in _clients:
            folder.mkdir(parents=True, exist_ok=True)
            _clients[folder] = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
        return _clients[folder]


def close(folder: Path) -> None:
    """The next `in_folder` reads anew what lies in the folder."""
    with _changing:
        if client := _clients.pop(folder, None):
            client.close()


def at_server(address: str) -> Any:
    """A client of the Chroma server at `http(s)://host:port`. Raises `MemoryUnusable` where none answers."""
    import chromadb
    from chromadb.config import Settings

    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise MemoryUnusable(f"{address!r} is not the address of a Chroma server: give it as http://host:port")
    secure = parts.scheme == "https"
    try:
        return chromadb.HttpClient(
            parts.hostname,
            parts.port or (443 if secure else 8000),
            ssl=secure,
            settings=Settings(anonymized_telemetry=False),
        )
    except Exception as error:  # noqa: BLE001 - whatever its HTTP library raises, and a plain ValueError
        raise MemoryUnusable(
            f"no Chroma server answers at {address} ({type(error).__name__}): start it, or mend the setting"
        ) from None
