"""Opens the memory of a site as its settings say."""

from __future__ import annotations

from collections.abc import Callable

from memory.embeddings import open_embeddings
from memory.store import MemoryStore
from workflows.settings import Settings

MANY = 1000  # records to embed from which on a person is told


def open_memory(settings: Settings, say: Callable[[str], None] = lambda text: None) -> MemoryStore:
    """Raises `MemoryUnusable`. `say` is told when many records have to be embedded, as after a change of the embedding."""
    embeddings = open_embeddings(settings.embeddings)

    def tell(done: int, of: int) -> None:
        if of >= MANY:
            say(f"memory: {done:,} of {of:,} records embedded by {embeddings.name}")

    return MemoryStore(settings.home / "memory", embeddings, settings.chroma_url, tell)
