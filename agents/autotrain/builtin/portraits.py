"""How surely a stretch of text describes a card's mechanism, learned from the cards' own descriptions alone.

Two linear classifiers (multinomial logistic regression) tell the cards apart, and all of them from what papers speak of besides:
one by the words of a text, one by the mean of their static vectors, for which synonyms are alike. What both see counts: a card's
probability is the geometric mean of theirs. Learning takes about two seconds, once a process.

Notation: N texts, V stems of the descriptions, E width of a word vector.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.autotrain.builtin.passages import sentences
from agents.autotrain.builtin.wording import Word, words_of
from memory.embeddings import WordEmbeddings
from sandboxes.kit.card import Card

Floats = npt.NDArray[np.float32]

ELSEWHERE = Path(__file__).with_name("elsewhere.txt")  # a line each: what such papers and others say that no card is about
LONG_CUE = 4  # cue phrases of so many words describe something
LONG_SENTENCE = 10  # a sentence of so many words says something without those around it
LOOSENESS = 10.0  # inverse strength of the L2 penalty of both classifiers
STEPS = 3000

# Words without subject matter.
_EMPTY = frozenset(
    """a an the of to in on by for with and or as at from into is are was were be been being it its this that these those which
    who whom whose what when where then than thus so such we our us they their them he she his her you your i thismodel""".split()
)


class Portraits:
    """Built once per set of cards."""

    def __init__(self, cards: Sequence[Card]) -> None:
        # scikit-learn takes a second or two to import, and only reading a paper needs it.
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        def learned(seen: object) -> LogisticRegression:
            return LogisticRegression(C=LOOSENESS, max_iter=STEPS).fit(seen, owners)

        self._n_cards = len(cards)
        taught = list(_lessons(cards))
        texts, owners = [words for _, words in taught], np.array([owner for owner, _ in taught])
        self._vectors = WordEmbeddings()
        self._counts = TfidfVectorizer(analyzer=_stems, sublinear_tf=True, norm=None).fit(texts)
        self._by_words, self._by_meaning = learned(self._weighed(texts)), learned(self._meanings(texts))

    def probabilities(self, texts: Sequence[Sequence[Word]]) -> Floats:
        """(N, number of cards)."""
        if not texts:
            return np.zeros((0, self._n_cards), np.float32)
        by_words = self._by_words.predict_proba(self._weighed(texts))
        by_meaning = self._by_meaning.predict_proba(self._meanings(texts))
        both: Floats = np.sqrt(by_words * by_meaning)[:, : self._n_cards].astype(np.float32)
        return both

    def _weighed(self, texts: Sequence[Sequence[Word]]) -> sparse.csr_matrix:
        """(N, V), each row of unit length together with its words that no description uses: these weigh like the rarest ones, so
        that a text of which little is understood says little."""
        known, rarest = self._counts.transform(texts), float(self._counts.idf_.max())
        strange = np.array([len(set(_stems(words)) - self._counts.vocabulary_.keys()) for words in texts])
        squared = np.asarray(known.multiply(known).sum(1)).ravel() + strange * rarest**2
        return sparse.csr_matrix(known.multiply(1 / np.sqrt(np.maximum(squared, 1e-9))[:, None]))

    def _meanings(self, texts: Sequence[Sequence[Word]]) -> Floats:
        """(N, E), of unit length."""
        written = [" ".join(w.low for w in words if w.kind in ("word", "number")) or "-" for words in texts]
        meanings: Floats = np.nan_to_num(np.array(self._vectors.embed_documents(written), dtype=np.float32))
        return meanings


def _lessons(cards: Sequence[Card]) -> Iterator[tuple[int, tuple[Word, ...]]]:
    """Owner and words of every description and of its longer sentences; the last owner, after all cards, is elsewhere."""
    for owner, card in enumerate(cards):
        for text in (*card.descriptions, card.summary, *(c for c in card.cues if len(c.split()) >= LONG_CUE)):
            yield owner, tuple(words_of(text))
            parts = [text[start:end] for start, end in sentences(text)]
            yield from ((owner, tuple(words_of(p))) for p in parts if len(parts) > 1 and len(p.split()) >= LONG_SENTENCE)
    yield from ((len(cards), tuple(words_of(text))) for text in ELSEWHERE.read_text(encoding="utf-8").splitlines())


def _stems(words: Sequence[Word]) -> list[str]:
    return [w.stem for w in words if w.kind == "word" and w.stem not in _EMPTY]
