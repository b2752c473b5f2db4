"""Where agents ask what is remembered.

By default every grain and rare words are heard (`Router`). `bench.recall` measured it against plain search of the roots: no worse
on easy queries, better on hard ones taken together, on runs alone and with whole abstracts; on hard queries for papers alone the
gain is not beyond chance. The two-path search (`TwoPath`) was not better than plain search, alone or under the router, and took
several times as long: it is there, but nothing uses it unless told.
"""

from __future__ import annotations

from memory.narrowing import ANYTHING, Only
from memory.retrieval.answers import Found, Retriever
from memory.retrieval.ladders import Root
from memory.retrieval.router import Router
from memory.store import MemoryStore

DEFAULT: Retriever = Router()


def find(
    store: MemoryStore, text: str, root: Root, k: int = 5, only: Only = ANYTHING, retriever: Retriever = DEFAULT
) -> list[Found]:
    """The `k` papers or runs that `text` is about, the best first, none twice, each with the record that spoke most for it.

    `only` narrows what may speak: a root counts where it or a record below it meets all of it; a run that was found by its paper
    must meet it itself. Scores compare within one answer alone; `by.similarity` is a cosine and compares between answers.
    Raises `MemoryUnusable`.
    """
    return retriever(store, text, root, k, only) if k > 0 else []
