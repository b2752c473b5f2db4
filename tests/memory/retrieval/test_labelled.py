"""On real abstracts and labelled queries: recall does not fall, and the default embedding beats hashed words."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.recall import HashedWords, remember
from bench.recall_scores import answered, difference, of_cell
from bench.remembered import queries
from shared_data import need_shared

from memory.embeddings import NamedEmbeddings, WordEmbeddings
from memory.retrieval import DEFAULT, Retriever, RootsAlone
from memory.store import MemoryStore

QUERIES = queries()
FLOORS = {  # recall@5 and nDCG@10 over all queries, some below what was measured
    "papers, easy": (0.97, 0.97),
    "papers, hard": (0.45, 0.42),
    "runs, easy": (0.95, 0.95),
    "runs, hard": (0.54, 0.58),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("labelled")


def memory(folder: Path, embeddings: NamedEmbeddings) -> MemoryStore:
    return remember(folder / embeddings.name, embeddings, need_shared("papers/abstracts"))


def test_every_label_names_what_is_remembered(folder: Path) -> None:
    store = memory(folder, WordEmbeddings())
    known = {record.id for record in store.all("paper") + store.all("run")}
    assert all(q.relevant and q.relevant <= known for q in QUERIES)


def test_the_default_recalls_what_it_did(folder: Path) -> None:
    scores = answered(memory(folder, WordEmbeddings()), DEFAULT, QUERIES)
    for group, floors in FLOORS.items():
        assert (of_cell(group, QUERIES, scores).mean(axis=0) >= floors).all(), group


def test_the_default_is_no_worse_on_easy_and_better_on_hard_queries_than_plain_search(folder: Path) -> None:
    store = memory(folder, WordEmbeddings())
    ours, plain = answered(store, DEFAULT, QUERIES), answered(store, RootsAlone(), QUERIES)
    for measure in range(2):
        easy, hard = (
            difference(of_cell(cell, QUERIES, ours)[:, measure], of_cell(cell, QUERIES, plain)[:, measure])
            for cell in ("all easy", "all hard")
        )
        assert easy.low >= 0 and hard.low > 0


@pytest.mark.parametrize("retriever", [RootsAlone(), pytest.param(DEFAULT, marks=pytest.mark.slow)], ids=["plain", "default"])
def test_the_embedding_beats_hashed_words(folder: Path, retriever: Retriever) -> None:
    ours, theirs = (answered(memory(folder, e), retriever, QUERIES) for e in (WordEmbeddings(), HashedWords()))
    hard = difference(of_cell("all hard", QUERIES, ours)[:, 1], of_cell("all hard", QUERIES, theirs)[:, 1])
    easy = difference(of_cell("all easy", QUERIES, ours)[:, 1], of_cell("all easy", QUERIES, theirs)[:, 1])
    assert hard.low > 0
    assert easy.mean > -0.02
