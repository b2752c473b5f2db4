"""What memory knows before anything is proposed: similar papers, what came of them, lessons, and how fast runs were here."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from agents.autotrain.paper import Paper
from agents.autotrain.spec import MethodSpec, Strict
from memory.records import LessonRecord, MethodRecord, OutcomeRecord, RunRecord
from memory.store import Hit, MemoryStore

NEAR = 0.35  # cosine similarity below which static word vectors say little more than "also about recommendation"
ABSTRACT_LENGTH = 1500
MODELS = 2  # of the past that a writer is shown


class SimilarPaper(Strict):
    """A paper read before, its nearness to this one, and how the runs on it ended."""

    title: str
    similarity: float
    outcomes: tuple[str, ...]


class PastModel(Strict):
    """A model that was trained here for a method like this one, by the run whose folder holds it."""

    run_id: str
    name: str  # the paper's own name for it, "" without one
    similarity: float
    outcome: str


class Recall(Strict):
    papers: tuple[SimilarPaper, ...] = ()
    lessons: tuple[LessonRecord, ...] = ()
    models: tuple[PastModel, ...] = ()
    samples_per_s: float | None = None  # the median of past runs on this data set, None without any

    @property
    def empty(self) -> bool:
        return not self.papers and not self.lessons


def recall(memory: MemoryStore, paper: Paper, spec: MethodSpec, dataset: str) -> Recall:
    """Looks up what is near in meaning; lessons by what the method does, papers by what they say."""
    runs = [r for r in memory.all("run") if isinstance(r, RunRecord)]
    outcomes = [r for r in memory.all("outcome") if isinstance(r, OutcomeRecord)]
    method = _method_in_words(spec)
    rates = [r.samples_per_s for r in runs if r.dataset == dataset and r.samples_per_s > 0]
    return Recall(
        papers=tuple(
            SimilarPaper(
                title=hit.record.title,
                similarity=round(hit.similarity, 3),
                outcomes=tuple(o.text() for o in outcomes if hit.record.id in o.parents),
            )
            for hit in memory.similar(abstract_of(paper), "paper")
            if hit.similarity >= NEAR and hit.record.kind == "paper"
        ),
        lessons=tuple(
            hit.record for hit in memory.similar(method, "lesson", k=8) if hit.similarity >= NEAR and hit.record.kind == "lesson"
        ),
        models=tuple(_models(memory.similar(method, "method", k=8), outcomes)[:MODELS]),
        samples_per_s=median(rates) if rates else None,
    )


def _models(near: Sequence[Hit], outcomes: Sequence[OutcomeRecord]) -> list[PastModel]:
    """The newest model that came to a verdict for each method that is near enough, nearest first."""
    found = {}
    for hit in near:
        done = [o for o in outcomes if o.status == "done" and set(o.parents) & set(hit.record.parents)]
        if done and hit.similarity >= NEAR and isinstance(hit.record, MethodRecord):
            run_id = done[-1].id.removeprefix("outcome-")
            found[run_id] = PastModel(
                run_id=run_id, name=hit.record.name, similarity=round(hit.similarity, 3), outcome=done[-1].reason
            )
    return list(found.values())


def abstract_of(paper: Paper) -> str:
    """The abstract, or the beginning where no section is called so; at most `ABSTRACT_LENGTH` characters."""
    for section in paper.sections:
        if section.title.strip().lower() == "abstract":
            return paper.body(section).strip()[:ABSTRACT_LENGTH]
    return paper.text[:ABSTRACT_LENGTH]


def _method_in_words(spec: MethodSpec) -> str:
    return f"{spec.task} model with " + ", ".join(m.block or m.name for m in spec.mechanisms)
