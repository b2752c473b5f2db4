"""Tells what a paper proposes from what it criticises, cites or compares with, word by word.

A sentence is read left to right: a turn to others ("existing methods", "unlike", a citation as the subject) makes what
follows theirs, a turn to oneself ("we", "our", the masked model name) makes it the paper's again. Where a sentence says
neither, its section decides: a plain description in the method section is the paper's, in related work it is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agents.autotrain.builtin.names import GENERIC
from agents.autotrain.builtin.passages import Passage
from agents.autotrain.builtin.turns_of_phrase import (
    ASIDE,
    AUXILIARIES,
    CARRIES,
    CRITICISM,
    GIVEN_UP,
    LATER,
    LISTING,
    MEASURED,
    NOT_ANY_MORE,
    OF_OLD,
    ONLY_THOUGHT_OF,
    OTHERS,
    PARTS,
    PASSIVE,
    POINTING,
    PROPOSING,
    REFUSED,
    RESULTS,
    SELF,
    VERBS,
)
from agents.autotrain.builtin.wording import Hit, Word
from agents.autotrain.reading.sections import Role

Voice = Literal["own", "others", "neutral"]
_GENERIC_NAMES = frozenset(name.upper() for name in GENERIC)


@dataclass(frozen=True)
class Stance:
    """`value` in [0, 1]: how surely the sentence speaks of the paper's own method. `own[i]` tells whether word i does."""

    value: float
    voice: Voice
    own: tuple[bool, ...]
    proposes: bool  # says outright that something is proposed


# How far a plain description counts as the paper's own, by section.
_PLAIN: dict[Role, float] = {
    "abstract": 0.5,
    "introduction": 0.2,
    "related": 0.05,
    "method": 0.8,
    "experiments": 0.1,
    "conclusion": 0.3,
    "references": 0.0,
    "appendix": 0.3,
    "other": 0.35,
}
# The same for a sentence with a turn to oneself.
_OWN: dict[Role, float] = {
    "abstract": 1.0,
    "introduction": 0.85,
    "related": 0.3,
    "method": 1.0,
    "experiments": 0.35,
    "conclusion": 0.8,
    "references": 0.0,
    "appendix": 0.6,
    "other": 0.8,
}
# In the abstract and introduction plain sentences after the first proposal go on about it.
_AFTER_PROPOSAL: dict[Role, float] = {"abstract": 0.8, "introduction": 0.45, "other": 0.6}
_BEFORE_PROPOSAL: dict[Role, float] = {"abstract": 0.15, "introduction": 0.1, "other": 0.2}


SOON = 2  # sentences in which something may be refused that was spoken of
TAKEN_OVER = 4  # words between the turn and the adjective at most


def stances_of(passages: Sequence[Passage]) -> tuple[Stance, ...]:
    """One stance per passage. Order matters: neighbours and what was proposed earlier in the section are taken into account."""
    first_proposal = _first_proposals(passages)
    has_name = any(w.kind == "name" for p in passages for w in p.words)
    out: list[Stance] = []
    before: Stance | None = None
    listing = False
    for i, passage in enumerate(passages):
        listing = _lists_others(passage, listing and i > 0 and passages[i - 1].section == passage.section)
        after = [p.words for p in passages[i + 1 : i + 1 + SOON] if p.section == passage.section]
        stance = (
            _of_others(passage) if listing else _stance(passage, before, after, i, first_proposal.get(passage.role), has_name)
        )
        out.append(stance)
        before = stance if len(passage.words) > 3 or stance.voice == "others" else before
    return tuple(out)


def _first_proposals(passages: Sequence[Passage]) -> dict[Role, int]:
    """For each role the first passage that proposes something outright."""
    found: dict[Role, int] = {}
    for i, passage in enumerate(passages):
        if passage.role not in found and passage.role in _AFTER_PROPOSAL and PROPOSING.find(passage.words):
            found[passage.role] = i
    return found


def _stance(
    passage: Passage, before: Stance | None, after: Sequence[Sequence[Word]], index: int, proposal: int | None, has_name: bool
) -> Stance:
    words, role = passage.words, passage.role
    of_others = has_name or (before is not None and before.voice == "others") or (bool(after) and _turns_to_us(after[0]))
    named = _acting_names(words, present=of_others)
    voices = _voices(words, _opening(words, before, role), named)
    plain = _PLAIN[role]
    if proposal is not None:
        plain = _AFTER_PROPOSAL[role] if index > proposal else _BEFORE_PROPOSAL[role]
    no_proposal = not PROPOSING.find(words)
    refused = [*GIVEN_UP.find(words), *(REFUSED.find(words) if no_proposal else ())]
    rest = _after_refusal(words, refused)
    if LATER.find(words) or RESULTS.find(words) or ONLY_THOUGHT_OF.find(words) or (_refers_back(after) and no_proposal):
        rest = len(words)
    if rest == len(words):
        return Stance(min(0.1, plain), "neutral", (False,) * len(words), False)
    voices[:rest] = ["others"] * rest
    own = tuple(v != "others" for v in voices)
    if "own" in voices:
        return Stance(_OWN[role], "own", own, bool(PROPOSING.find(words)))
    if role != "method" and CRITICISM.find(words):
        return Stance(0.05, "others", (False,) * len(words), False)
    if "others" in voices and (role != "method" or sum(own) * 3 < len(own)):
        return Stance(0.05, "others", (False,) * len(words), False)
    return Stance(plain, "neutral", own, bool(PROPOSING.find(words)) and role not in ("related", "experiments"))


def _lists_others(passage: Passage, goes_on: bool) -> bool:
    """Whether a sentence lists what others have made: two of their models act in it, or it opens such a passage or `goes_on`
    with one."""
    words = passage.words
    if PROPOSING.find(words) or any(w.kind == "name" for w in words):
        return False
    return goes_on or bool(LISTING.find(words)) or len({words[i].low for i in _acting_names(words)}) > 1


def _of_others(passage: Passage) -> Stance:
    return Stance(0.05, "others", (False,) * len(passage.words), False)


def _after_refusal(words: Sequence[Word], refused: Sequence[Hit]) -> int:
    """Where a sentence goes on to what is done instead ("we do not ..., but ..."); its length where it does not, 0 where nothing
    was refused."""
    if not refused:
        return 0
    last = max(hit.last for hit in refused)
    turns = (i for i in range(last + 1, len(words)) if words[i].low in (";", "but", "instead"))
    return next(turns, len(words))


def _refers_back(after: Sequence[Sequence[Word]]) -> bool:
    """Whether a sentence soon after refuses what was spoken of, and not something of its own; or the next finds fault with it."""
    faulted = bool(after) and after[0][:1] and after[0][0].low in POINTING and bool(CRITICISM.find(after[0]))
    return bool(faulted) or any(REFUSED.find(words) and not GIVEN_UP.find(words) for words in after)


def _opening(words: Sequence[Word], before: Stance | None, role: Role) -> Voice:
    """Whose voice a sentence starts in: "They ...", "These methods ..." and "It ..." go on about whoever was spoken of."""
    head = [w for w in words[:6] if w.kind != "mark"]
    if not head:
        return "neutral"
    if before is not None and before.voice == "own" and (head[0].low == "it" or _points_at_a_part(head)):
        return "own"
    if head[0].low in ("it", "its") and before is not None and before.value <= 0.1:
        return "others"
    if head[0].low in CARRIES and before is not None and before.voice == "others" and role != "method":
        return "others"
    if (
        before is not None
        and before.voice == "others"
        and head[0].low in ("however", "moreover", "besides", "thus")
        and role != "method"
    ):
        return "others"
    return "neutral"


def _points_at_a_part(head: Sequence[Word]) -> bool:
    """ "This mechanism ..." and the like, about what was just proposed."""
    return head[0].low == "this" and len(head) > 1 and head[1].low in PARTS


def _voices(words: Sequence[Word], opening: Voice, named: Iterable[int]) -> list[Voice]:
    """A voice for every word. At `named` stand the names of others' models as subjects."""
    turns: dict[int, Voice] = {hit.first: "own" for hit in SELF.find(words)}
    if opening == "own":
        turns[0] = "own"
    passive = {hit.first for hit in PASSIVE.find(words)}
    taken_over = {hit.first for hit in OF_OLD.find(words) if _just_said(words, hit.first, turns)}
    for first in [*(h.first for h in OTHERS.find(words)), *_citation_subjects(words), *named]:
        if first not in taken_over:
            turns.setdefault(first, "others")
    for hit in MEASURED.find(words):
        turns[hit.first] = "others"
    # What is compared with something by the model is no aside.
    asides = {h.first for h in ASIDE.find(words) if h.first == 0 or words[h.first - 1].low not in AUXILIARIES}
    given_up = {i for i, w in enumerate(words) if w.low in NOT_ANY_MORE}
    voices: list[Voice] = []
    voice, resume = opening, opening
    in_aside = False
    for i, word in enumerate(words):
        if i in asides | given_up:
            resume, voice, in_aside = (voice if not in_aside else resume), "others", True
        elif in_aside and ((word.low in ("by", "with") and given_up) or (word.low in ",;:—.)" and not _goes_on(words, i))):
            voice, in_aside = resume, False
        by_them = i in passive and voice == "others"  # "various techniques are proposed"
        if i in turns and not by_them and not (in_aside and turns[i] == "own" and _possessive(words, i)):
            voice, in_aside = turns[i], False
        voices.append(voice)
    for hit in CRITICISM.find(words):
        _blame(voices, turns, hit)
    return voices


def _turns_to_us(words: Sequence[Word]) -> bool:
    """Whether a sentence begins by setting the paper's own way against what came before."""
    head = [w.low for w in words[:3]]
    return head[:1] in (["here"], ["instead"], ["our"], ["ours"]) or head[:2] in (
        ["in", "our"],
        ["by", "contrast"],
        ["in", "contrast"],
    )


def _acting_names(words: Sequence[Word], present: bool = True) -> Iterator[int]:
    """Where the name of a model that is not the paper's own is a subject, as in "MMoE did not cure": a verb follows, in the past
    or, with `present`, in any tense. With a verb in the present it may be the paper's own name that went unnoticed."""
    for i, word in enumerate(words[:-1]):
        mine = i > 0 and words[i - 1].low in ("our", "proposed")
        if not word.capitals or mine or word.low.upper() in _GENERIC_NAMES:
            continue
        verb = next((w for w in words[i + 1 : i + 3] if w.kind == "word" and not w.low.endswith("ly")), None)
        if verb is None or any(w.kind == "mark" for w in words[i + 1 : i + 2]):
            continue
        if verb.low in ("did", "was", "were", "had") or (present and (verb.low in VERBS or verb.low.endswith("ed"))):
            yield i


def _blame(voices: list[Voice], turns: Mapping[int, Voice], fault: Hit) -> None:
    """What a fault is found with is not the paper's: the words since the last turn, up to a turn to oneself after it."""
    start = max((t for t in turns if t < fault.first), default=0)
    if turns.get(start) == "own":
        return
    end = min((t for t, voice in turns.items() if t > fault.last and voice == "own"), default=len(voices))
    voices[start:end] = ["others"] * (end - start)


def _just_said(words: Sequence[Word], index: int, turns: Mapping[int, Voice]) -> bool:
    """Whether a turn to oneself governs the word at `index`: "we chose the classical ..." takes over what others made."""
    before = range(max(0, index - TAKEN_OVER), index)
    return any(i in turns for i in before) and not any(words[i].kind == "mark" for i in before)


def _goes_on(words: Sequence[Word], comma: int) -> bool:
    """ "unlike experts, which share ...," is one aside up to the second comma."""
    after = [w.low for w in words[comma + 1 : comma + 3]]
    return after[:1] in (["which"], ["who"], ["whose"], ["where"]) or after in (["with", "its"], ["with", "their"])


def _possessive(words: Sequence[Word], index: int) -> bool:
    """ "instead of our" does not turn back to oneself; "unlike them we" does."""
    return words[index].low != "we" and words[index].kind != "name"


def _citation_subjects(words: Sequence[Word]) -> Iterable[int]:
    """Where a cited work is the subject: a citation within the first words with a verb right after it, as in "X [7] replaces",
    or one that the sentence opens with, as in "In [7], the embeddings are trained first"."""
    if len(words) > 1 and words[0].low in ("in", "from", "by", "following", "like", "as") and words[1].kind == "cite":
        yield 0
    for i, word in enumerate(words[:14]):
        if word.kind != "cite":
            continue
        after = words[i + 1] if i + 1 < len(words) else None
        if (
            after is not None
            and after.kind == "word"
            and (after.low.endswith(("s", "ed")) or after.low in ("model", "use", "learn", "propose"))
        ):
            yield 0
        if after is not None and after.low == ":":
            yield 0
