"""How near a passage comes to what the cards describe, by word vectors: synonyms count in part, exact words in full.

A card's sentence and a passage are aligned word by word, each word weighted by how few cards use it; the score is the
weighted harmonic mean of how much of the description the passage covers and how much of the passage it explains.

Notation: W words of the passage, U distinct stems of all cards.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agents.autotrain.builtin.wording import Word, words_of
from memory.embeddings import WordEmbeddings
from sandboxes.kit.card import Card

Floats = npt.NDArray[np.float32]

# Words without subject matter.
_EMPTY = frozenset(
    """a an the of to in on by for with and or as at from into is are was were be been being it its this that these those which who whom
    whose what when where then than thus so such we our us they their them he she his her you your i not no nor only also can may will
    would could should must do does did has have had each every all any both either one two some more most other another same via per
    between among over under after before during about up down out through if while because since both very much many few there here how
    e.g i.e etc et al cf own given called named paper propose proposed method novel new present introduce model approach thismodel""".split()
)
_FLOOR = 0.3  # cosines below this are chance
_UNKNOWN = 0.3  # weight of a word that no card uses
_COVER = 0.4  # share of the description's coverage in the mean


@dataclass(frozen=True)
class _Sentence:
    card: int
    first: int  # its words are positions first..last-1 of the concatenated descriptions
    last: int


class Nearness:
    """Scores passages against cards. Built once per set of cards; the vectors come from `memory.embeddings`."""

    def __init__(self, cards: Sequence[Card]) -> None:
        self._vectors = _Vectors()
        texts = [(i, text) for i, card in enumerate(cards) for text in (*card.descriptions, card.summary, *_long(card.cues))]
        stems = [_content(words_of(text)) for _, text in texts]
        self._weights = _weights(
            [{w.stem for k, (j, _) in enumerate(texts) if j == i for w in stems[k]} for i in range(len(cards))]
        )
        self._sentences: list[_Sentence] = []
        flat: list[Word] = []
        for (card, _), words in zip(texts, stems, strict=True):
            unique = list({w.stem: w for w in words}.values())
            if unique:
                self._sentences.append(_Sentence(card, len(flat), len(flat) + len(unique)))
                flat.extend(unique)
        index = {stem: k for k, stem in enumerate(dict.fromkeys(w.stem for w in flat))}
        self._stems = tuple(index)
        self._places = np.array([index[w.stem] for w in flat], dtype=np.int64)
        self._flat_weights = np.array([self._weight(w.stem) for w in flat], dtype=np.float32)
        self._firsts = np.array([s.first for s in self._sentences], dtype=np.int64)
        self._owner = np.array([s.card for s in self._sentences], dtype=np.int64)
        by_stem = {w.stem: w.low for w in flat}
        self._matrix = self._vectors.of([by_stem[s] for s in self._stems]) if flat else np.zeros((0, 1), np.float32)
        self._rows: dict[str, Floats] = {}
        self._n_cards = len(cards)

    def _weight(self, stem: str) -> float:
        return self._weights.get(stem, _UNKNOWN)

    def _row(self, word: Word) -> Floats:
        """Similarity of one word to each stem of the cards: (U,)."""
        row = self._rows.get(word.stem)
        if row is None:
            cosines = self._matrix @ self._vectors.of([word.low])[0]
            row = np.where(cosines > _FLOOR, (cosines - _FLOOR) / (1 - _FLOOR), 0.0).astype(np.float32)
            for k, stem in enumerate(self._stems):
                if stem == word.stem:
                    row[k] = 1.0
            self._rows[word.stem] = row
        return row

    def prepare(self, words: Sequence[Word]) -> None:
        """Embeds all words of a paper at once, which is faster than one by one."""
        fresh = {w.stem: w for w in _content(words) if w.stem not in self._rows}
        if not fresh or not self._stems:
            return
        cosines = self._vectors.of([w.low for w in fresh.values()]) @ self._matrix.T
        rows = np.where(cosines > _FLOOR, (cosines - _FLOOR) / (1 - _FLOOR), 0.0).astype(np.float32)
        index = {stem: k for k, stem in enumerate(self._stems)}
        for n, stem in enumerate(fresh):
            if stem in index:
                rows[n, index[stem]] = 1.0
            self._rows[stem] = rows[n]

    def scores(self, words: Sequence[Word]) -> Floats:
        """The best score of each card's sentences for the passage, in [0, 1]: (number of cards,)."""
        best = np.zeros(self._n_cards, dtype=np.float32)
        content = list({w.stem: w for w in _content(words)}.values())
        if len(content) < 3 or not self._sentences:
            return best
        table = np.stack([self._row(w) for w in content])[:, self._places]  # (W, positions)
        ours = np.array([self._weight(w.stem) for w in content], dtype=np.float32)
        covered = np.add.reduceat(table.max(axis=0) * self._flat_weights, self._firsts)
        total = np.add.reduceat(self._flat_weights, self._firsts)
        # A word is explained where any word of the description comes near it.
        explained = ours @ np.maximum.reduceat(table, self._firsts, axis=1)
        cover, explain = covered / total, explained / ours.sum()
        mean = cover * explain / np.maximum(_COVER * explain + (1 - _COVER) * cover, 1e-6)
        np.maximum.at(best, self._owner, mean.astype(np.float32))
        return best


class _Vectors:
    """Unit vectors of single words, kept."""

    def __init__(self) -> None:
        self._model = WordEmbeddings()
        self._known: dict[str, Floats] = {}

    def of(self, words: Sequence[str]) -> Floats:
        fresh = [w for w in dict.fromkeys(words) if w not in self._known]
        if fresh:
            for word, vector in zip(fresh, self._model.embed_documents(fresh), strict=True):
                self._known[word] = np.nan_to_num(np.array(vector, dtype=np.float32))
        return np.stack([self._known[w] for w in words])


def _long(cues: Sequence[str]) -> list[str]:
    """Cues of four words and more say enough to be compared as a sentence."""
    return [c for c in cues if len(c.split()) >= 4]


def _content(words: Sequence[Word]) -> list[Word]:
    return [w for w in words if w.kind == "word" and w.low not in _EMPTY and w.stem not in _EMPTY and len(w.low) > 1]


def _weights(by_card: Sequence[set[str]]) -> dict[str, float]:
    """How telling a stem is: 1 when one card uses it, near 0 when all do."""
    counts = Counter(stem for stems in by_card for stem in stems)
    n = max(2, len(by_card))
    return {stem: max(0.05, 1 - math.log(count) / math.log(n)) for stem, count in counts.items()}
