"""How texts become vectors: any LangChain embedding, by default static word vectors that a package carries.

The default is WordLlama, 256-d (MIT, 16 MB inside its wheel): it needs no network and no key. Every embedding has a name, and
vectors of one name are never compared with those of another.
"""

from __future__ import annotations

import logging
import re
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from langchain_core.embeddings import Embeddings

from memory.errors import MemoryUnusable, first_line
from memory.index import Vectors
from memory.narrowing import plain

LONGEST = 8000  # characters of a text that are embedded: models read no more
SHORTEST = 1e-12  # a vector has no direction below


class NamedEmbeddings(Protocol):
    """LangChain's interface, with a name that tells one vector space from another: letters, digits, `-` and `.`."""

    name: str

    def embed_documents(self, texts: list[str]) -> list[list[float]]: ...

    def embed_query(self, text: str) -> list[float]: ...


class WordEmbeddings(Embeddings):
    """Mean of static token vectors, scaled to unit length; loads on first use (about 0.1 s)."""

    name = "wordllama-256"

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        means = _model().embed(texts)
        vectors: list[list[float]] = (means / np.maximum(_lengths(means), SHORTEST)).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


class ProviderEmbeddings(Embeddings):
    """What LangChain's `init_embeddings` makes of `provider:model`. Raises `MemoryUnusable` where it cannot."""

    def __init__(self, model: str) -> None:
        from langchain.embeddings import init_embeddings

        self.name = re.sub(r"[^A-Za-z0-9.]+", "-", model).strip("-.")
        try:
            self._model: Embeddings = init_embeddings(model)
        except ImportError as error:
            raise MemoryUnusable(f"the embedding {model} needs a package: {first_line(error)}") from None
        except Exception as error:  # noqa: BLE001 - each provider has its own for a key that is missing
            raise MemoryUnusable(f"the embedding {model} cannot be used: {first_line(error)}") from None

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self._model.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        return self._model.embed_query(text)


def open_embeddings(model: str = "") -> NamedEmbeddings:
    """The embedding of that name, `provider:model`; "" is the default. Raises `MemoryUnusable`."""
    if model and ":" not in model:
        raise MemoryUnusable(f"the embedding {model!r} names no provider: write it as provider:model")
    return ProviderEmbeddings(model) if model else WordEmbeddings()


def vectors_of(embeddings: NamedEmbeddings, texts: list[str]) -> Vectors:
    """Unit vectors (n, d); a text without a known word gets the same vector in every direction. Raises `MemoryUnusable`."""
    try:
        raw = np.asarray(embeddings.embed_documents([plain(text)[:LONGEST] for text in texts]), np.float32)
        if raw.ndim != 2 or len(raw) != len(texts) or not np.isfinite(raw).all():
            raise ValueError("it gave something else than a vector for each text")
    except Exception as error:  # providers raise what they like: network, key, quota
        raise MemoryUnusable(f"the embedding {embeddings.name} did not answer: {first_line(error)}") from error
    lengths = _lengths(raw)
    return np.where(lengths > SHORTEST, raw / np.maximum(lengths, SHORTEST), np.float32(1 / np.sqrt(raw.shape[1])))


def _lengths(vectors: Vectors) -> Vectors:
    """(n, 1)."""
    lengths: Vectors = np.linalg.norm(vectors, axis=1, keepdims=True)
    return lengths


@cache
def _model() -> Any:
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    import wordllama  # which has everything logged that any library says, unless it is kept from it

    root.setLevel(level)
    root.handlers[:] = handlers
    folder = Path(wordllama.__file__).parent
    return wordllama.WordLlama.load(cache_dir=folder, disable_download=True)
