"""Judges whether the platform can reproduce a paper, and says in one sentence why not.

Topics are weighed by the phrases of the passages that state them: the abstract first, then the introduction and the
conclusion, and little of the rest. What the paper says of itself counts more than what it says of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from agents.autotrain.builtin.passages import Passage
from agents.autotrain.builtin.stance import Stance
from agents.autotrain.builtin.topics import ANALYSIS, BENCHMARK, INSIDE, OUTSIDE, RECOMMENDATION, SURVEY, SYSTEM, Topic
from agents.autotrain.builtin.wording import Phrases
from agents.autotrain.paper import Paper
from agents.autotrain.reading.sections import Role
from agents.autotrain.spec import Evidence, Mechanism, Scope

_ROLE_WEIGHT: dict[Role, float] = {
    "abstract": 1.0,
    "introduction": 0.35,
    "conclusion": 0.5,
    "other": 0.5,
    "method": 0.12,
    "experiments": 0.06,
    "related": 0.02,
    "appendix": 0.02,
    "references": 0.0,
}
_VOICE_WEIGHT = {"own": 1.5, "neutral": 1.0, "others": 0.6}
_REPEATS = 3.0  # a phrase counts at most this often
ENOUGH = 5.0  # points below which a topic is not established
SURE = 0.55  # a mechanism this sure speaks for the paper being in scope


@dataclass(frozen=True)
class Weighed:
    points: float
    passages: tuple[int, ...]  # the most telling first
    own: float  # the share of points that the paper says of itself


@cache
def _phrases(topic: Topic) -> tuple[Phrases, tuple[float, ...]]:
    return Phrases([*topic.strong, *topic.weak]), (3.0,) * len(topic.strong) + (1.0,) * len(topic.weak)


@cache
def _recommendation() -> Phrases:
    return Phrases(RECOMMENDATION)


def weigh(topic: Topic, passages: Sequence[Passage], stances: Sequence[Stance]) -> Weighed:
    """A topic's points. Every phrase counts with diminishing returns, so that one repeated word does not decide."""
    phrases, weights = _phrases(topic)
    counts: dict[str, float] = {}
    value: dict[str, float] = {}
    by_passage: dict[int, float] = {}
    own = 0.0
    for i, (passage, stance) in enumerate(zip(passages, stances, strict=True)):
        factor = _ROLE_WEIGHT[passage.role] * _VOICE_WEIGHT[stance.voice]
        if factor == 0:
            continue
        for hit in phrases.find(passage.words):
            stem = " ".join(w.stem for w in passage.words[hit.first : hit.last + 1])
            counts[stem] = counts.get(stem, 0.0) + factor
            value[stem] = max(weights[hit.phrase], value.get(stem, 0.0))
            by_passage[i] = by_passage.get(i, 0.0) + factor * weights[hit.phrase]
            own += factor * weights[hit.phrase] if stance.voice == "own" else 0.0
    points = sum(value[s] * min(_REPEATS, n) ** 0.7 for s, n in counts.items())
    telling = sorted(by_passage, key=lambda i: (-by_passage[i], i))
    return Weighed(points, tuple(telling[:3]), own / max(1e-9, sum(by_passage.values())))


def fitting(passages: Sequence[Passage], stances: Sequence[Stance]) -> tuple[Weighed, Topic]:
    """Of the topics that the platform can reproduce, the one that most is said of; the first where nothing is said of any."""
    weighed = [(weigh(topic, passages, stances), topic) for topic in INSIDE]
    return max(weighed, key=lambda wt: wt[0].points)


def judge(
    paper: Paper, passages: Sequence[Passage], stances: Sequence[Stance], mechanisms: Sequence[Mechanism], fit: Weighed
) -> Scope:
    """The scope. `mechanisms` are those recognised; without any, a paper of the field is `no_mechanism`. `fit` is the weight of
    what speaks for the paper."""
    if not any(w.kind == "word" for p in passages for w in p.words):
        return Scope(kind="other_field", reason="the text holds nothing to read")
    proposes = sum(s.proposes for s in stances)
    bonus = sum(2.5 * m.confidence for m in mechanisms if m.confidence >= SURE)
    outside = sorted(((weigh(t, passages, stances), t) for t in OUTSIDE), key=lambda wt: -wt[0].points)
    kinds = {t.kind: weigh(t, passages, stances) for t in (SURVEY, BENCHMARK, SYSTEM, ANALYSIS)}
    for topic, least in ((SURVEY, 5.0), (BENCHMARK, 5.0)):
        weighed = kinds[topic.kind]
        if weighed.points >= least and (weighed.points > bonus + (2.0 if proposes else 0.0)):
            return _outside(topic, weighed, paper, passages)
    system = kinds["system"]
    if system.points >= 2 * ENOUGH and system.points > 1.2 * (bonus + 3.0):
        return _outside(SYSTEM, system, paper, passages)
    best, topic = outside[0]
    # What a recommender borrows from another field does not make it one of that field's.
    of_the_field = topic.kind == "other_field" and fit.points >= ENOUGH and bonus >= 2.0
    if best.points >= ENOUGH and best.points > fit.points + 0.5 * bonus and not of_the_field:
        analysis = kinds["analysis"]
        chosen = (ANALYSIS, analysis) if analysis.points > max(best.points, ENOUGH) else (topic, best)
        return _outside(*chosen, paper, passages)
    if kinds["analysis"].points > max(fit.points, ENOUGH) and not mechanisms:
        return _outside(ANALYSIS, kinds["analysis"], paper, passages)
    if fit.points < 2.5 and bonus < 2.0:
        return _elsewhere(paper, passages)
    if not mechanisms:
        return Scope(
            kind="no_mechanism",
            reason="it belongs to the field, but none of the mechanisms that the kit has blocks for was recognised in what it proposes",
            evidence=_evidence(paper, passages, fit.passages[:1]),
        )
    return Scope(kind="in_scope", evidence=_evidence(paper, passages, fit.passages[:1]))


def _outside(topic: Topic, weighed: Weighed, paper: Paper, passages: Sequence[Passage]) -> Scope:
    return Scope(kind=topic.kind, reason=topic.reason, evidence=_evidence(paper, passages, weighed.passages[:2]))


def _elsewhere(paper: Paper, passages: Sequence[Passage]) -> Scope:
    """No topic is established: about recommendation or not at all."""
    about = [i for i, p in enumerate(passages) if _recommendation().find(p.words)]
    if len(about) >= 2 or (about and len(passages) <= 4):
        return Scope(
            kind="unsupported_task",
            reason="it is about recommendation, but nothing in it says that clicks, conversions or the next item are predicted",
            evidence=_evidence(paper, passages, about[:1]),
        )
    return Scope(kind="other_field", reason="nothing in it speaks of recommendation, advertising or predicting clicks")


def _evidence(paper: Paper, passages: Sequence[Passage], chosen: Sequence[int]) -> tuple[Evidence, ...]:
    return tuple(passages[i].evidence(paper) for i in chosen)
