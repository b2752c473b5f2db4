"""Where a memory keeps its vectors: in a folder, or at a real Chroma server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chroma_server import chroma_server

from memory import chroma
from memory.embeddings import WordEmbeddings
from memory.store import MemoryStore


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with chroma_server(tmp_path_factory.mktemp("chroma")) as address:
        yield address


@pytest.fixture(params=["folder", "server"])
def address(request: pytest.FixtureRequest) -> str:
    """Of the server, "" for a folder."""
    return str(request.getfixturevalue("server")) if request.param == "server" else ""


@pytest.fixture
def store(tmp_path: Path, address: str) -> Iterator[MemoryStore]:
    store = MemoryStore(tmp_path / "memory", WordEmbeddings(), address)
    yield store
    store.close()


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Iterator[None]:
    yield
    for folder in list(chroma._clients):
        chroma.close(folder)
