"""What memory knows before anything is proposed: similar papers, what came of them, lessons, and how fast runs were here."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from agents.autotrain.paper import Paper
from agents.autotrain.spec import MethodSpec
from agents.strict import Strict
from memory.beliefs import Belief, beliefs_near
from memory.narrowing import Only
from memory.records import AnyRecord, MethodRecord, OutcomeRecord, Polarity, RunRecord
from memory.retrieval import find
from memory.store import Hit, MemoryStore

NEAR = 0.35  # cosine similarity below which static word vectors say little more than "also about recommendation"
ABSTRACT_LENGTH = 1500
MODELS = 2  # of the past that a writer is shown
BELIEFS = 8
RUNS = 50  # of the newest on a data set, by which speed is judged


class SimilarPaper(Strict):
    """A paper read before, how near what speaks most for it is to this one, and how the runs on it ended."""

    title: str
    similarity: float
    outcomes: tuple[str, ...]


class PastModel(Strict):
    """A model that was trained here for a method like this one, by the run whose folder holds it."""

    run_id: str
    name: str  # the paper's own name for it, "" without one
    similarity: float
    outcome: str
    same_blocks: bool = False  # whether it was made of the very blocks that this method names


class Known(Strict):
    """A belief as it stood when it was recalled: what it says, the newest reason for it, and the ids of its lessons."""

    topic: str
    in_words: str
    polarity: Polarity
    reason: str
    lessons: tuple[str, ...]


class Recall(Strict):
    papers: tuple[SimilarPaper, ...] = ()
    lessons: tuple[Known, ...] = ()
    models: tuple[PastModel, ...] = ()
    samples_per_s: float | None = None  # the median of past runs on this data set, None without any

    @property
    def empty(self) -> bool:
        return not self.papers and not self.lessons

    @property
    def relied_on(self) -> tuple[str, ...]:
        """Ids of the lessons that a proposal made with this relies on."""
        return tuple(name for known in self.lessons for name in known.lessons)


def recall(memory: MemoryStore, paper: Paper, spec: MethodSpec, dataset: str) -> Recall:
    """Looks up what is near in meaning; lessons by what the method does, papers by what they say."""
    method = _method_in_words(spec)
    return Recall(
        papers=tuple(
            SimilarPaper(
                title=found.record.title,
                similarity=round(found.by.similarity, 3),
                outcomes=tuple(o.text() for o in _outcomes(memory, found.record.id)),
            )
            for found in find(memory, abstract_of(paper), "paper")
            if found.by.similarity >= NEAR and found.record.kind == "paper"
        ),
        lessons=tuple(_known(belief) for belief in beliefs_near(memory, method, BELIEFS, NEAR)),
        models=tuple(_models(memory, memory.similar(method, "method", k=8), blocks_of(spec))[:MODELS]),
        samples_per_s=_speed(memory.all("run", Only(dataset=dataset), RUNS)),
    )


def _known(belief: Belief) -> Known:
    return Known(
        topic=belief.topic,
        in_words=belief.in_words,
        polarity=belief.polarity,
        reason=belief.newest.reason,
        lessons=tuple(lesson.id for lesson in belief.lessons),
    )


def _outcomes(memory: MemoryStore, record_id: str) -> list[OutcomeRecord]:
    return [r for r in memory.children(record_id) if isinstance(r, OutcomeRecord)]


def _speed(runs: Sequence[AnyRecord]) -> float | None:
    rates = [r.samples_per_s for r in runs if isinstance(r, RunRecord) and r.samples_per_s > 0]
    return median(rates) if rates else None


def _models(memory: MemoryStore, near: Sequence[Hit], blocks: frozenset[str]) -> list[PastModel]:
    """The newest model that came to a verdict for each method that is near enough, nearest first."""
    found = {}
    for hit in near:
        if hit.similarity < NEAR or not isinstance(hit.record, MethodRecord):
            continue
        if done := [o for parent in hit.record.parents for o in _outcomes(memory, parent) if o.status == "done"]:
            run_id = done[-1].id.removeprefix("outcome-")
            found[run_id] = PastModel(
                run_id=run_id,
                name=hit.record.name,
                similarity=round(hit.similarity, 3),
                outcome=done[-1].reason,
                same_blocks=bool(blocks) and blocks == frozenset(hit.record.mechanisms),
            )
    return list(found.values())


def abstract_of(paper: Paper) -> str:
    """The abstract, or the beginning where no section is called so; at most `ABSTRACT_LENGTH` characters."""
    for section in paper.sections:
        if section.title.strip().lower() == "abstract":
            return paper.body(section).strip()[:ABSTRACT_LENGTH]
    return paper.text[:ABSTRACT_LENGTH]


def blocks_of(spec: MethodSpec) -> frozenset[str]:
    return frozenset(m.block for m in spec.mechanisms if m.block)


def _method_in_words(spec: MethodSpec) -> str:
    return f"{spec.task} model with " + ", ".join(m.block or m.name for m in spec.mechanisms)
