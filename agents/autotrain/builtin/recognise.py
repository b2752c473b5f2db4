"""From matched passages to mechanisms: which blocks a paper's own method uses, how surely, and which passages say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from agents.autotrain.builtin.matching import Match, Matcher, own_words
from agents.autotrain.builtin.passages import Passage
from agents.autotrain.builtin.portraits import Floats, Portraits
from agents.autotrain.builtin.stance import Stance
from agents.autotrain.builtin.wiring import is_deep
from agents.autotrain.builtin.wording import Word
from agents.autotrain.reading.sections import Role
from sandboxes.kit.card import Card
from sandboxes.kit.ports import Slot

LEAST_STANCE = 0.4  # passages that are less surely the paper's own are no evidence
ACCEPT = 0.55  # confidence from which a mechanism is recognised
# Where a description without a cue is evidence.
NEAR_ROLES: frozenset[Role] = frozenset({"abstract", "introduction", "method", "other"})
NEAR_WORDS = 6  # telling words that a passage needs for that
TOGETHER = (2, 3)  # sentences that are read together
SHORT = 15  # passages up to which a text is an abstract, where a mechanism may be described only once
TOLD = 0.8  # nearness from which a passage is about a mechanism, whatever it mentions
EXPLAINED = 0.3  # what is left of nearness where the passage names another mechanism
KEPT = 4  # passages quoted for a mechanism

# How central a mechanism is to the paper, by where it is spoken of.
_CENTRAL: dict[Role, float] = {"abstract": 3.0, "introduction": 1.2, "conclusion": 1.5, "method": 1.0, "other": 1.0}


@dataclass
class Recognised:
    """A card with its evidence. `support` are (passage, surety) pairs, the surest first."""

    card: int
    confidence: float
    centrality: float
    cued: bool  # named by one of the card's phrases and not only described
    support: list[tuple[int, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Reading:
    """What recognition found: mechanisms, the most central first, and the matches of every passage."""

    mechanisms: tuple[Recognised, ...]
    matches: tuple[tuple[Match, ...], ...]


def read_mechanisms(passages: Sequence[Passage], stances: Sequence[Stance], matcher: Matcher) -> Reading:
    """Recognises the cards that the paper's own method uses."""
    own = [own_words(p.words, s) if _tells(p, s) else [] for p, s in zip(passages, stances, strict=True)]
    described = _described(passages, own, matcher.portraits)
    anywhere = described.max(0, initial=0.0)
    matches: list[tuple[Match, ...]] = []
    for i, words in enumerate(own):
        around = [w for p in passages[max(0, i - 2) : i + 3] for w in p.words] if words else []
        matches.append(matcher.matches(words, described[i], anywhere, around))
    found: dict[int, Recognised] = {}
    for i, of_passage in enumerate(matches):
        # Layers of hidden units are a part of many a mechanism: they explain no other, and may be explained by one.
        others = [m for m in of_passage if not is_deep(matcher.cards[m.card])]
        named = any(m.cue > 0 for m in others)
        told = max((m.near for m in others if m.cue > 0 or not named), default=0.0) >= TOLD
        nearest = _nearest_by_slot(of_passage, matcher.cards)
        for match in of_passage:
            card, surety = matcher.cards[match.card], surety_of(match, stances[i])
            if not match.cue:
                surety *= _near_weight(passages[i], named or nearest[card.slot] > match.near)
            elif told and is_deep(card):
                surety *= EXPLAINED
            entry = found.setdefault(match.card, Recognised(match.card, 0.0, 0.0, False))
            entry.support.append((i, surety))
            entry.cued = entry.cued or (match.cue > 0 and surety >= ACCEPT)
            boost = 2.0 if stances[i].proposes else 1.0
            entry.centrality += _CENTRAL.get(passages[i].role, 0.3) * boost * surety
    for entry in found.values():
        entry.support.sort(key=lambda s: (-s[1], s[0]))
        entry.confidence = _confidence([s for _, s in entry.support])
        if not entry.cued and len(passages) > SHORT and sum(s >= ACCEPT for _, s in entry.support) < 2:
            entry.confidence = 0.0  # a paper comes back to what it does
    kept = [r for r in found.values() if r.confidence >= ACCEPT]
    # Rounded, since of two about equally central ones neither should go first by a stray word.
    return Reading(tuple(sorted(kept, key=lambda r: (-round(r.centrality * r.confidence), r.card))), tuple(matches))


def _tells(passage: Passage, stance: Stance) -> bool:
    """Whether a passage can be evidence at all."""
    return stance.value >= LEAST_STANCE and not (passage.formula or passage.table or _is_caption(passage))


def _described(passages: Sequence[Passage], own: Sequence[Sequence[Word]], portraits: Portraits) -> Floats:
    """(passages, cards): how surely each passage describes a card, alone or with the sentences beside it.

    A mechanism is often explained over several sentences, none of which would do alone. What they say together is put down to
    the one that says most of it.
    """
    parts = [(i, i + 1, words) for i, words in enumerate(own) if words]
    parts += [
        (first, first + n, [w for words in own[first : first + n] for w in words])
        for n in TOGETHER
        for first in range(len(passages) - n + 1)
        if all(own[first : first + n]) and len({passages[i].section for i in range(first, first + n)}) == 1
    ]
    probabilities = portraits.probabilities([words for _, _, words in parts])
    described = np.zeros((len(passages), probabilities.shape[1]), np.float32)
    cards = np.arange(probabilities.shape[1])
    for (first, last, _), row in zip(parts, probabilities, strict=True):
        owners = first + described[first:last].argmax(0)  # (cards,)
        described[owners, cards] = np.maximum(described[owners, cards], row)
    return described


def _nearest_by_slot(matches: Sequence[Match], cards: Sequence[Card]) -> Mapping[Slot, float]:
    """How near a passage comes to any card of each slot: what is like one of them is somewhat like its variants."""
    nearest: dict[Slot, float] = {}
    for match in matches:
        slot = cards[match.card].slot
        nearest[slot] = max(match.near, nearest.get(slot, 0.0))
    return nearest


def _near_weight(passage: Passage, explained: bool) -> float:
    """How much nearness alone counts: not in passing remarks, and little where the passage is `explained` by another mechanism,
    which it names outright or is nearer to."""
    if passage.role not in NEAR_ROLES or sum(w.kind == "word" and len(w.low) > 3 for w in passage.words) < NEAR_WORDS:
        return 0.0
    return EXPLAINED if explained else 1.0


def _is_caption(passage: Passage) -> bool:
    """A caption ("Figure 3: ...") or a footnote whose mark is glued to its first word."""
    head = [w for w in passage.words[:2] if w.kind in ("word", "number")]
    if not head:
        return False
    numbered = len(head) > 1 and head[1].kind == "number" and head[0].low in ("figure", "fig", "table", "algorithm")
    return numbered or (head[0].low[0].isdigit() and head[0].kind == "word")


def surety_of(match: Match, stance: Stance) -> float:
    """How surely a passage shows that the paper's own method uses the card."""
    return float(match.strength * stance.value**0.5)


def _confidence(sureties: Sequence[float]) -> float:
    """The best passage decides; further ones close up to half of what is missing."""
    if not sureties:
        return 0.0
    rest = 1.0
    for surety in sureties[1:6]:
        rest *= 1 - 0.4 * surety
    return min(0.99, sureties[0] + (1 - sureties[0]) * 0.5 * (1 - rest))
