"""How well memory is searched: `PYTHONPATH=tests python -m bench.recall` prints recall@5 and nDCG@10 of every way to search it.

A memory in a temporary folder holds the shared abstracts and how their runs ended; labelled queries ask for papers and for runs,
easy ones in the words of what they look for, hard ones in others. Parameters are chosen on one half of the queries, by both
measures' mean over the four groups, and the tables tell of the other half, with the differences from plain search.
The last group asks with whole abstracts, as agents do; that long texts' words weigh no less was decided with it in view.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from itertools import product
from pathlib import Path

from bench.recall_scores import CELLS, GROUPS, MEASURES, Scores, answered, difference, halves, of_cell
from bench.remembered import Query, abstracts_as_queries, queries, records
from shared_data import shared
from sklearn.feature_extraction.text import HashingVectorizer

from memory.embeddings import NamedEmbeddings, WordEmbeddings
from memory.narrowing import Only
from memory.records import Kind
from memory.retrieval import DEFAULT, Found, Ladder, Retriever, Root, RootsAlone, Router, TwoPath
from memory.retrieval.answers import hits_of
from memory.store import MemoryStore

PLAIN = "plain"
TEMPERATURES = (0.02, 0.05, 0.1)
WORDS = (0.5, 1.0, 2.0, 4.0)
GRAINS: tuple[tuple[Kind, Kind], ...] = tuple(product(("paper", "section", "mechanism"), ("run", "outcome", "lesson", "paper")))


class HashedWords:
    """Words hashed into many dimensions, grammar left out: what an embedding must beat."""

    name = "hashed-words"

    def __init__(self) -> None:
        self._vectorizer = HashingVectorizer(n_features=2048, stop_words="english")

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._vectorizer.transform(texts).toarray().tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


class WordsAlone:
    """Roots by rare words alone."""

    def __call__(self, store: MemoryStore, text: str, root: Root, k: int, only: Only) -> list[Found]:
        worded = store.log.worded(text, (root,), k, only)
        hits = hits_of(store, store.vector(text), {name: kind for name, kind, _ in worded})
        return [Found(hits[name].record, share, hits[name]) for name, _, share in worded if name in hits]


@dataclass(frozen=True)
class Way:
    """A way to search, with the settings to choose from."""

    name: str
    settings: Sequence[Retriever]
    hashed: bool = False

    def chosen(self, store: MemoryStore, first: Sequence[Query]) -> Retriever:
        if len(self.settings) == 1:
            return self.settings[0]
        return max(self.settings, key=lambda retriever: _mean(first, answered(store, retriever, first)))


def _mean(asked: Sequence[Query], scores: Scores) -> float:
    """Over the groups of queries and both measures."""
    return sum(float(of_cell(group, asked, scores).mean()) for group in GROUPS) / len(GROUPS)


def ways() -> list[Way]:
    two_path = [
        TwoPath(surely=surely, peaked=peaked, kept=kept, rounds=rounds, fuse=fuse)
        for (surely, peaked), kept, rounds, fuse in product(
            ((0.35, 0.5), (0.25, 0.8)), (0.5, 0.7, 0.85), (1, 2), ("best", "mean")
        )
    ]
    return [
        Way("hashed words", [RootsAlone()], hashed=True),
        Way(PLAIN, [RootsAlone()]),
        Way("plain, in the one best grain", [Router(words=0, ladders=_one_grain(*grains)) for grains in GRAINS]),
        Way("two-path", [RootsAlone(search) for search in two_path]),
        Way("router", [Router(words=0, temperature=t) for t in TEMPERATURES]),
        Way("router + two-path", [Router(search, words=0) for search in two_path[::4]]),
        Way("words alone", [WordsAlone()]),
        Way("plain + words", [Router(words=w, ladders=_one_grain("paper", "run")) for w in WORDS]),
        Way("router + words", [Router(words=w, temperature=t) for w, t in product(WORDS, TEMPERATURES)]),
    ]


def _one_grain(of_papers: Kind, of_runs: Kind) -> dict[Root, Ladder]:
    """Ladders of one rung for papers and one for runs."""
    above = of_runs == "paper"
    runs = Ladder("run", () if above else (of_runs,), "paper", ("paper",) if above else ())
    return {"paper": Ladder("paper", (of_papers,), "paper"), "run": runs}


@dataclass(frozen=True)
class Row:
    name: str
    retriever: Retriever
    scores: Scores
    per_s: float


def measure(way: Way, store: MemoryStore, first: Sequence[Query], reported: Sequence[Query]) -> Row:
    retriever = way.chosen(store, first)
    start = time.perf_counter()
    scores = answered(store, retriever, reported)
    return Row(way.name, retriever, scores, len(reported) / (time.perf_counter() - start))


def remember(folder: Path, embeddings: NamedEmbeddings, abstracts: Path) -> MemoryStore:
    store = MemoryStore(folder, embeddings)
    store.add(*records(abstracts))
    return store


def table(rows: Sequence[Row], reported: Sequence[Query], measure: int, against: str) -> Iterable[str]:
    theirs = next(row for row in rows if row.name == against).scores
    sizes = {cell: len(of_cell(cell, reported, theirs)) for cell in CELLS}
    yield f"| {MEASURES[measure]} | {' | '.join(f'{cell} ({n})' for cell, n in sizes.items())} | queries/s |"
    yield f"| --- |{' ---: |' * (len(CELLS) + 1)}"
    for row in rows:
        cells = []
        for cell in CELLS:
            ours, others = (of_cell(cell, reported, scores)[:, measure] for scores in (row.scores, theirs))
            d = difference(ours, others)
            beside = f" ({d.mean:+.3f} [{d.low:+.3f}, {d.high:+.3f}])" if row.name != against else ""
            cells.append(f"{ours.mean():.3f}{beside}")
        yield f"| {row.name} | {' | '.join(cells)} | {row.per_s:,.0f} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--against", default=PLAIN, help="the way from which differences are taken")
    given = parser.parse_args()
    abstracts = shared("papers/abstracts")
    if abstracts is None:
        print("no shared/papers/abstracts beside the checkout", file=sys.stderr)
        return 1
    first, second = halves(queries())
    with tempfile.TemporaryDirectory() as folder:
        store = remember(Path(folder) / "words", WordEmbeddings(), abstracts)
        hashed = remember(Path(folder) / "hashed", HashedWords(), abstracts)
        reported = second + abstracts_as_queries(store.all("paper"))
        rows = [measure(way, hashed if way.hashed else store, first, reported) for way in ways()]
        size = len(store)
    print(
        f"{date.today()}: {size} records. Parameters were chosen on {len(first)} queries; these are the other {len(second)}, "
        f"with differences from {given.against} and their 95% intervals (bootstrap over queries)."
    )
    for number in range(len(MEASURES)):
        print("", *table(rows, reported, number, given.against), sep="\n")
    print("", *(f"{row.name}: {_settings(row.retriever)}" for row in rows), f"default of `find`: {_settings(DEFAULT)}", sep="\n")
    return 0


def _settings(part: object) -> str:
    """A retriever or search in words."""
    if not is_dataclass(part):
        return getattr(part, "__name__", type(part).__name__)
    values = {f.name: getattr(part, f.name) for f in fields(part)}
    told = {name: value if isinstance(value, int | float | str) else _settings(value) for name, value in values.items()}
    return f"{type(part).__name__}({', '.join(f'{name} {value}' for name, value in told.items())})"


if __name__ == "__main__":
    sys.exit(main())
