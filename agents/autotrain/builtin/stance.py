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
from agents.autotrain.builtin.wording import Hit, Phrases, Word
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

_PROPOSING = Phrases(
    """we propose; we present; we introduce; we develop; we design; we devise; we formulate; paper proposes; paper presents;
    paper introduces; work proposes; work presents; article proposes; study proposes; is proposed; are proposed; we study; we show;
    we put forward; we describe; the proposed; our proposed; we develop; we build; we construct; we establish; we adapt; we also propose;
    we further propose; we first propose; we then propose; we therefore propose; we extend; we also introduce; we further introduce;
    is designed to; are designed to; we then design; we argue that; a novel; novel module; is a novel""".replace("\n", " ").split(
        ";"
    )
)
_SELF = Phrases(
    """we propose; we present; we introduce; we develop; we design; we devise; we formulate; paper proposes; paper presents; paper introduces;
    we adopt; we use; we employ; we apply; we exploit; we utilize; we leverage; we incorporate; we integrate; we combine; we add; we feed;
    we stack; we model; we learn; we train; we replace; we compute; we obtain; we define; we let; we map; we project; we concatenate;
    we extend; we adapt; we generate; we initialize; we first; we then; we also; we further; we build; we construct; we represent;
    we randomly; we choose to; we set; we describe; we begin; we start; we collect; we jointly; we finally; we regularize; we blank;
    our; ours; the proposed; this paper; this work; in this paper; in this work; is then fed; are then fed; is fed; are fed; thismodel;
    is proposed; are proposed; to address; to tackle; to overcome; to this end; our model; it consists of; it comprises; we mask;
    we; us; to resolve; to fill""".replace("\n", " ").split(";")
)
_OTHERS = Phrases(
    """existing; previous work; previous study; previous method; previous model; previous approach; prior work; prior study; prior method;
    prior model; prior approach; prior art; traditional; traditionally; conventional; conventionally; recent work; recent study;
    recent method; recent model; recent approach; recent years; recently; state-of-the-art; current method; current model;
    current approach; current system; most method; most model; most approach; most of the previous; most previous; many method; many approach;
    other method; other model; other work; other approach; various method; various model; various technique; various approach; prevailing; mainstream; baseline; competitor; competing method; classical; classic;
    widely used; has become the standard; have become the standard; has become standard; de facto standard; standard tool; has been used; have been used; has been applied; have been applied; have been proposed; has been proposed;
    was proposed; were proposed; was introduced; were introduced; has been studied; have been studied; has also been studied;
    became popular; et al; compared method; following method; researcher; literature; some work; some method;
    these method; these approach; those method; such method; these model; such approach; predecessor;
    related work; in the past; commonly; early work; early method; ranging from; several author; proposed by;
    common practice; the practice of; one could; it may be recalled; were reported to; was reported to; production model at the time; shown promise; shown great; methods struggle; can be categorized; can be divided; previous ctr;
    previous deep; existing deep; as instances of; state-of-the-arts; attracted; naive approach; naive method""".replace(
        "\n", " "
    ).split(";")
)
# "We" that speaks of others.
_MEASURED = Phrases(
    """we compare; compare our; compared against; we evaluate; we select baseline; we choose the following; we review; we survey; we summarize;
    we discuss; we recall; we re-evaluate; we reproduce; we analyze; we refer to; we observe; we note; we report the; we report auc; we report results; we report average;
    we report mean; we report our; we can see; we find that""".replace("\n", " ").split(";")
)
# Faults found with something: all that the sentence says without a turn to oneself is then about others.
_CRITICISM = Phrases(
    """suffer from; suffers from; fail to; fails to; cannot; limited by; limited to; restricted to; struggle; struggles; neglect; neglects;
    ignore; ignores; overlook; overlooks; prohibitive; costly; loses information; lose information; suboptimal; sub-optimal; drawback;
    shortcoming; hinder; hinders; impairs; unable to; lack of; lacks; inefficient; is not optimized; grows with the square; underperform;
    too expensive; at the expense of; unfortunately; remains a challenge; remain a challenge; remains challenging; remain challenging; remains unclear;
    remains unresolved; remain unresolved; remains largely; remain largely; waste; wastes; restrict themselves; restricts itself; not affordable;
    we could not afford; we could not bear; we consider too; too coarse; only in part; seesaw; see-saw; is sensitive to; are sensitive to;
    must be evaluated anew; must be recomputed; too slow for; too costly; is false; no more than; negative transfer; another idea from; known from the literature; has been shown to; have been shown to; was overfitting; were overfitting; quadratic in the number;
    were refused; was refused; limited expressive power""".replace("\n", " ").split(";")
)
# What opens a passage on other models: it goes on until the paper speaks of its own again.
_LISTING = Phrases(
    """baselines; baseline methods; baseline models; for comparison; compared methods; comparison methods; methods compared; methods for comparison;
    competitors; competing methods; rivals; reference methods; re-implemented; re-implement; re-run; rerun; reproduced; we re-evaluate;
    published architectures; published models; methods under comparison""".replace("\n", " ").split(";")
)
# Named as a possibility that was not taken.
_ONLY_THOUGHT_OF = Phrases(
    """would have been; would be possible; would be an option; obvious choice; obvious candidate; obvious option; natural choice; first idea;
    first thought; tempting; why not; might seem; may seem; seems natural; at first sight; at first glance; could have been; one might; one would;
    an alternative would; an alternative is; alternatives would; a simple solution would; a straightforward solution""".replace(
        "\n", " "
    ).split(";")
)
# Said of what this sentence or the one before spoke of: it was not taken either.
_REFUSED = Phrases(
    """decided against; was abandoned; were abandoned; did try it; did try them; did try this; we rejected; was rejected; were rejected; was dismissed; was discarded; were discarded; not adopted; not part of;
    not included; not considered; left aside; did not help; does not help; did not pay; did not cure; not worth; not justified; no benefit;
    no improvement; no gain; no significant gain; no significant difference; gave nothing; brought nothing; neither gave; neither of them;
    neither of the two; neither was; not better; no better; was worse; were worse; fared worse; fared still worse; turned out worse; made things worse; degraded; hurt;
    was ruled out; ruled out; rules it out; rule it out; broke our; was too slow; were too slow; too heavy; out of reach; proved fragile;
    without either; without any of; none of these; none of them; was considered for; were considered for; for us this was; for us it was; for us they were; is avoided; are avoided""".replace(
        "\n", " "
    ).split(";")
)
# Tried and given up, or not done at all: the paper speaks of itself, and proposes nothing by it.
_GIVEN_UP = Phrases(
    """we tried; we also tried; in a preliminary; in preliminary experiments; we removed; we abandoned; we discarded; we gave up; we give up;
    was left out; were left out; we refrain; we do not; we did not; out of the question; saw no advantage; dispense with; we experimented with;
    no longer use; are missing; we dropped; did not pursue; not pursue; our previous; our former; our old; our earlier; former practice; we first tried; we abandon; we thus abandon; we attempted to reproduce; put aside; product aside""".replace(
        "\n", " "
    ).split(";")
)
# What these govern ends at the next comma.
_ASIDE = Phrases(
    """unlike; instead of; rather than; in contrast to; compared to; compared with; in comparison with; in place of; different from;
    differently from; as opposed to; without; in lieu of; different to; contrary to; superior to; over the existing; outperforms;
    outperform; surpasses; surpassed; beats; than; no need of; except; although; though; while existing; whereas; beyond; gives way; to avoid that; to escape;
    while traditional; while previous; despite; over our""".replace("\n", " ").split(";")
)
_LATER = Phrases(
    """future work; we plan to; as future; we leave; could also be; in the future; future research; might be replaced; will explore; future
    directions""".replace("\n", " ").split(";")
)
_RESULTS = Phrases(
    """experiments on; experiments show; experiments demonstrate; extensive experiments; experimental results; comprehensive experiments;
    online experiments; online A/B; empirical results; experiments are conducted; offline experiments; we conduct; ablation study; points of auc; points of recall; points of ndcg; percentage points; loses 0; table 1; table 2; table 3; table 4; table 5""".replace(
        "\n", " "
    ).split(";")
)
_PASSIVE = Phrases(["is proposed", "are proposed"])
# Adjectives of what others made long ago; right after a turn to oneself they tell where it was taken from.
_OF_OLD = Phrases("classical; classic; conventional; traditional; widely used; state-of-the-art".split(";"))
SOON = 2  # sentences in which something may be refused that was spoken of
TAKEN_OVER = 4  # words between the turn and the adjective at most
_AUXILIARIES = frozenset("is are be been being was were then".split())
_POINTING = frozenset("this that these such it both they".split())
_NOT_ANY_MORE = frozenset("replace replaces replacing supplants superseding supersedes".split())  # whose object is given up
_VERBS = frozenset(  # of a model as a subject; not those that are nouns as well
    """is are does do has have can cannot could may might will would uses employs learns computes applies introduces adopts adds combines
    takes weighs assigns feeds stacks treats normalises normalizes encodes captures relies needs requires assumes shares trains extends
    builds generates aggregates sums concatenates reads averages pools multiplies keeps lets gives makes works suffers fails ignores
    runs models extracts compresses compares fits looks lacks performs attends passes propagates predicts separates splits truncates retrieves selects""".split()
)
_CARRIES = frozenset("they these such those their this".split())
_GROUP = frozenset("method model approach technique work system solution study framework paradigm practice bias".split())


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
        if passage.role not in found and passage.role in _AFTER_PROPOSAL and _PROPOSING.find(passage.words):
            found[passage.role] = i
    return found


def _stance(
    passage: Passage, before: Stance | None, after: Sequence[Sequence[Word]], index: int, proposal: int | None, has_name: bool
) -> Stance:
    words, role = passage.words, passage.role
    of_others = has_name or (before is not None and before.voice == "others") or (bool(after) and _turns_to_us(after[0]))
    named = _named_subjects(words, of_others)
    voices = _voices(words, _opening(words, before, role), named)
    plain = _PLAIN[role]
    if proposal is not None:
        plain = _AFTER_PROPOSAL[role] if index > proposal else _BEFORE_PROPOSAL[role]
    no_proposal = not _PROPOSING.find(words)
    refused = [*_GIVEN_UP.find(words), *(_REFUSED.find(words) if no_proposal else ())]
    rest = _after_refusal(words, refused)
    if _LATER.find(words) or _RESULTS.find(words) or _ONLY_THOUGHT_OF.find(words) or (_refers_back(after) and no_proposal):
        rest = len(words)
    if rest == len(words):
        return Stance(min(0.1, plain), "neutral", (False,) * len(words), False)
    voices[:rest] = ["others"] * rest
    own = tuple(v != "others" for v in voices)
    if "own" in voices:
        return Stance(_OWN[role], "own", own, bool(_PROPOSING.find(words)))
    if role != "method" and _CRITICISM.find(words):
        return Stance(0.05, "others", (False,) * len(words), False)
    if "others" in voices and (role != "method" or sum(own) * 3 < len(own)):
        return Stance(0.05, "others", (False,) * len(words), False)
    return Stance(plain, "neutral", own, bool(_PROPOSING.find(words)) and role not in ("related", "experiments"))


def _lists_others(passage: Passage, goes_on: bool) -> bool:
    """Whether a sentence lists what others have made: two of their models act in it, or it opens such a passage or `goes_on`
    with one."""
    words = passage.words
    if _PROPOSING.find(words) or any(w.kind == "name" for w in words):
        return False
    return goes_on or bool(_LISTING.find(words)) or len({words[i].low for i in _acting_names(words)}) > 1


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
    faulted = bool(after) and after[0][:1] and after[0][0].low in _POINTING and bool(_CRITICISM.find(after[0]))
    return bool(faulted) or any(_REFUSED.find(words) and not _GIVEN_UP.find(words) for words in after)


def _opening(words: Sequence[Word], before: Stance | None, role: Role) -> Voice:
    """Whose voice a sentence starts in: "They ..." and "These methods ..." go on about whoever was spoken of."""
    head = [w for w in words[:6] if w.kind != "mark"]
    if not head:
        return "neutral"
    if head[0].low in ("it", "its") and before is not None and before.value <= 0.1:
        return "others"
    if head[0].low in _CARRIES and before is not None and before.voice == "others" and role != "method":
        return "others"
    if (
        before is not None
        and before.voice == "others"
        and head[0].low in ("however", "moreover", "besides", "thus")
        and role != "method"
    ):
        return "others"
    return "neutral"


def _voices(words: Sequence[Word], opening: Voice, named: Iterable[int]) -> list[Voice]:
    """A voice for every word. At `named` stand the names of others' models as subjects."""
    turns: dict[int, Voice] = {hit.first: "own" for hit in _SELF.find(words)}
    passive = {hit.first for hit in _PASSIVE.find(words)}
    taken_over = {hit.first for hit in _OF_OLD.find(words) if _just_said(words, hit.first, turns)}
    for first in [*(h.first for h in _OTHERS.find(words)), *_citation_subjects(words), *named]:
        if first not in taken_over:
            turns.setdefault(first, "others")
    for hit in _MEASURED.find(words):
        turns[hit.first] = "others"
    # What is compared with something by the model is no aside.
    asides = {h.first for h in _ASIDE.find(words) if h.first == 0 or words[h.first - 1].low not in _AUXILIARIES}
    given_up = {i for i, w in enumerate(words) if w.low in _NOT_ANY_MORE}
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
    for hit in _CRITICISM.find(words):
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


def _named_subjects(words: Sequence[Word], of_others: bool) -> Iterator[int]:
    """Where the name of a model that is not the paper's own is a subject, as in "MMoE did not cure". A name with a verb in the
    present may be the paper's own that went unnoticed, unless `of_others` says that this is none or others are spoken of."""
    return _acting_names(words, present=of_others)


def _acting_names(words: Sequence[Word], present: bool = True) -> Iterator[int]:
    """Names of models with a verb after them, in the past or, with `present`, in any tense."""
    for i, word in enumerate(words[:-1]):
        mine = i > 0 and words[i - 1].low in ("our", "proposed")
        if not word.capitals or mine or word.low.upper() in _GENERIC_NAMES:
            continue
        verb = next((w for w in words[i + 1 : i + 3] if w.kind == "word" and not w.low.endswith("ly")), None)
        if verb is None or any(w.kind == "mark" for w in words[i + 1 : i + 2]):
            continue
        if verb.low in ("did", "was", "were", "had") or (present and (verb.low in _VERBS or verb.low.endswith("ed"))):
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
