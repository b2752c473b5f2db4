"""Matches single passages with the cards: by cue phrases, and by what the cards' portraits say of the text around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.autotrain.builtin.portraits import Floats, Portraits
from agents.autotrain.builtin.stance import Stance
from agents.autotrain.builtin.wording import Hit, Phrases, Word, listed, stems_of
from sandboxes.kit.card import Card

# What a passage must speak of for a card that needs it; the words are the field's, not any card's.
_CONTEXT: dict[str, Phrases] = {
    "history": Phrases(
        listed(
            """behavior; behavioral; history; historical; sequence; sequential; click sequence; past; clicked; browsed; browsing;
        purchased; interest; session; visited; formerly; previously; purchase"""
        )
    ),
    "scenario": Phrases(listed("scenario; domain; surface; page; market; channel; business; segment; cross-domain; region")),
    "several_tasks": Phrases(
        listed(
            """task; objective; multitask; conversion; cvr; purchase; both targets; multi-objective; label; target; several goals
"""
        )
    ),
    "numeric": Phrases(
        listed(
            """numerical; numeric; continuous; real-valued; number; price; age; bin; bucket; discretize; discretization
"""
        )
    ),
    "target_item": Phrases(listed("candidate; target; ad; advertisement; item; product")),
    "items": Phrases(
        listed(
            """item; candidate; catalogue; catalog; corpus; retrieval; retrieve; recommendation; recommend; product; song; video;
        movie; article; app; game; hotel; restaurant; place; destination; next"""
        )
    ),
    "user": Phrases(listed("user; customer; listener; reader; player; viewer; visitor; guest; people; client; member")),
    "entire_space": Phrases(
        listed(
            """conversion; cvr; purchase; post-click; impression; buy; bought; exposure; exposed; cart; order
"""
        )
    ),
    "vectors": Phrases(
        listed(
            """image; visual; vision; picture; photo; photograph; text; textual; language model; sentence encoder; audio;
            acoustic; sound; video; modality; multimodal; content; pre-trained; description; descriptor"""
        )
    ),
}
_FIELDS = Phrases(listed("field; feature; column; embedding; input; attribute"))

NEAR_POWER = 0.46  # among so many cards a probability of 0.27 is telling; this brings it to recognition's threshold
LONG_CUE, SHORT_CUE = 0.9, 0.72  # of several words, of one
OUT_OF_CONTEXT = 0.35


@dataclass(frozen=True)
class Match:
    """`strength` in [0, 1]: how surely the passage describes the card's mechanism, whoever's it is."""

    card: int
    strength: float
    cue: float
    near: float


class Matcher:
    """All cards, prepared once."""

    def __init__(self, cards: Sequence[Card]) -> None:
        self.cards = tuple(cards)
        pairs = [(i, cue) for i, card in enumerate(cards) for cue in card.cues]
        self._owner = [i for i, _ in pairs]
        self._words = [len(stems_of(cue)) for _, cue in pairs]
        self._cues = Phrases([cue for _, cue in pairs])
        self.portraits = Portraits(cards)

    def matches(self, own: Sequence[Word], described: Floats, anywhere: Floats, around: Sequence[Word] = ()) -> tuple[Match, ...]:
        """What the `own_words` of a passage match. `described` (number of cards,) are the probabilities that it, with sentences
        beside it, describes each card, and `anywhere` the highest ones of the paper; `around` are the neighbouring passages'
        words, for context only."""
        if sum(w.kind == "word" for w in own) < 4:
            return ()
        cues = {i: cue * self._fit(self.cards[i], own, around) for i, cue in self._cue_strengths(own, anywhere).items()}
        near = described**NEAR_POWER
        out: list[Match] = []
        for i in range(len(self.cards)):
            cue = cues.get(i, 0.0)
            strength = 1 - (1 - cue) * (1 - float(near[i]))
            if strength > 0.1:
                out.append(Match(i, strength, cue, float(near[i])))
        return tuple(sorted(out, key=lambda m: (-m.strength, m.card)))

    def _cue_strengths(self, own: Sequence[Word], anywhere: Floats) -> dict[int, float]:
        """The strongest cue of each card; a cue inside a longer cue of another card says nothing by itself, and one that several
        cards have speaks for the one that the paper describes."""
        hits = self._cues.find(own)
        found: dict[int, float] = {}
        for hit in hits:
            card = self._owner[hit.phrase]
            if any(self._swallows(other, hit) for other in hits):
                continue
            alike = [self._owner[h.phrase] for h in hits if (h.first, h.last) == (hit.first, hit.last)]
            if card != max(alike, key=lambda i: (anywhere[i], -i)):
                continue
            strength = LONG_CUE if self._words[hit.phrase] > 1 else SHORT_CUE
            found[card] = (
                max(strength, found.get(card, 0.0)) if card not in found else 1 - (1 - found[card]) * (1 - strength * 0.6)
            )
        return found

    def _swallows(self, other: Hit, hit: Hit) -> bool:
        covers = other.first <= hit.first and hit.last <= other.last
        longer = other.last - other.first > hit.last - hit.first
        return covers and longer and self._owner[other.phrase] != self._owner[hit.phrase]

    def _fit(self, card: Card, own: Sequence[Word], around: Sequence[Word]) -> float:
        """Whether the passage speaks of what the card needs; 1 where it does, less where only its surroundings do or none."""
        fit = 1.0
        for need in card.needs:
            context = _CONTEXT.get(need)
            if context is not None and not context.find(own):
                fit *= 0.8 if around and context.find(around) else OUT_OF_CONTEXT
        if card.slot in ("interaction", "feature") and "history" not in card.needs:
            about_history = len(_CONTEXT["history"].find(own))
            if about_history >= 2 and not _FIELDS.find(own):
                fit *= 0.7
        return fit


def own_words(words: Sequence[Word], stance: Stance) -> list[Word]:
    """Those in which the paper speaks of itself."""
    return [w for w, mine in zip(words, stance.own, strict=True) if mine]
