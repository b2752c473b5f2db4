"""The default embedding of texts: static word vectors that a package carries, so recall needs no network and no key.

WordLlama 256-d (MIT, 16 MB inside its wheel). Any LangChain `Embeddings` can stand in its place; each has its own
collection in the store, so that two spaces are never mixed.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from langchain_core.embeddings import Embeddings


class WordEmbeddings(Embeddings):
    """Mean of static token vectors, scaled to unit length; loads on first use (about 0.1 s)."""

    name = "wordllama-256"

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = _model().embed(texts, norm=True).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


@cache
def _model() -> Any:
    import wordllama

    folder = Path(wordllama.__file__).parent
    return wordllama.WordLlama.load(cache_dir=folder, disable_download=True)
