"""Chroma clients: in a folder or at a server, without telemetry and without a model of their own.

Chroma sends usage data unless told not to, and downloads an embedding model where a collection is made without saying which.
"""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from memory.errors import MemoryUnusable

PORTS = {"http": 8000, "https": 443}  # where an address names none
FIRST_S, LATER_S = 10.0, 120.0  # how long a server may take to answer at first, and later

_clients: dict[Path, Any] = {}  # Chroma shares what is open in a folder within a process, so closing it must reach all who use it
_changing = threading.RLock()


def in_folder(folder: Path) -> Any:
    """The client of this process for that folder, which every caller is to spell the same."""
    import chromadb  # 0.5 s: paid by those who remember, not by `--help`
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings

    with _changing:
        if folder not in _clients:
            folder.mkdir(parents=True, exist_ok=True)
            try:
                _clients[folder] = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
            except BaseException:
                SharedSystemClient.clear_system_cache()  # else the next client would get what failed to start
                raise
        return _clients[folder]


def close(folder: Path) -> None:
    """The next `in_folder` reads anew what lies in the folder."""
    with _changing:
        if client := _clients.pop(folder, None):
            client.close()


Stamps = list[tuple[str, int, int]]


def stamps(folder: Path) -> Stamps:
    """The graphs' files in a folder, with their sizes and times: equal where nothing was written since."""
    found = ((path.relative_to(folder).as_posix(), path.stat()) for path in folder.glob("*/*"))
    return sorted((name, of.st_size, of.st_mtime_ns) for name, of in found)


def seal(folder: Path) -> str:
    """A digest of the graphs' files in a folder, "" where there are none. They change once in about a thousand vectors.

    The library that reads them checks nothing: a wrong number in them hides vectors, or ends the process.
    """
    digest, names = hashlib.sha256(), [name for name, *_ in stamps(folder)]
    for name in names:
        with (folder / name).open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{name} {content}\n".encode())
    return digest.hexdigest() if names else ""


def at_server(address: str) -> Any:
    """A client of the Chroma server at `http(s)://host:port`. Raises `MemoryUnusable` where none answers."""
    import chromadb
    import httpx
    from chromadb.config import Settings

    scheme, host, port = _parts(address)
    try:
        alive = httpx.get(f"{scheme}://{host}:{port}/api/v2/heartbeat", timeout=FIRST_S)
        alive.raise_for_status().json()["nanosecond heartbeat"]
        client: Any = chromadb.HttpClient(host, port, ssl=scheme == "https", settings=Settings(anonymized_telemetry=False))
    except Exception as error:  # noqa: BLE001 - whatever its HTTP library raises, and a plain ValueError
        raise MemoryUnusable(
            f"no Chroma server answers at {host}:{port} ({type(error).__name__}): start it, or mend the setting"
        ) from None
    client._server._session.timeout = LATER_S  # else it would wait for ever
    return client


def _parts(address: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises `MemoryUnusable`."""
    try:
        parts = urlsplit(address)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        if host and parts.scheme in PORTS:
            return parts.scheme, host, parts.port or PORTS[parts.scheme]
    except ValueError:
        pass
    raise MemoryUnusable(f"{address!r} is not the address of a Chroma server: give it as http://host:port")
