"""The decisions of a run as records: which data, which candidate next, which one was trained, and what they relied on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agents.autotrain.data_choice import AUTO
from agents.autotrain.plan import ExperimentPlan
from agents.autotrain.recall import Recall
from agents.autotrain.search import Candidate, first_line
from memory.records import DecisionRecord
from sandboxes.kit.datasets import DATASETS
from workflows.context import Context
from workflows.steps.candidate import Chosen, lessons_are_told, tried


def decisions(ctx: Context, run: str, shared: dict[str, Any]) -> Iterator[DecisionRecord]:
    """In the order in which they were taken; `run` is the id of the run's record, `shared` what all its records say."""
    told = ctx.folder.load("recall", Recall).relied_on if lessons_are_told(ctx.request) else ()
    name, shared = run.replace("run-", "decision-", 1), shared | {"parents": (run,)}
    if ctx.request.data == AUTO and ctx.folder.has("plan.json"):
        plan = ctx.folder.load("plan", ExperimentPlan)
        yield DecisionRecord(
            id=f"{name}-data",
            state="which data to train on",
            alternatives=tuple(d.name for d in DATASETS if d.name != plan.dataset),
            choice=plan.dataset,
            rationale="it is packaged and suits the method",
            **shared,
        )
    candidates = tried(ctx)
    for c in candidates:
        yield DecisionRecord(
            id=f"{name}-candidate-{c.number}",
            state=f"what to write next after {c.number - 1} candidate{'s' if c.number != 2 else ''}",
            alternatives=_alternatives(candidates[: c.number - 1]),
            choice=f"{c.origin} of candidate {c.parent}" if c.parent else "a draft",
            rationale=_why(c, candidates),
            relied_on=told if c.origin == "draft" else (),
            **shared,
        )
    if ctx.folder.has("trained.json"):
        number = ctx.folder.load("trained", Chosen).candidate
        yield DecisionRecord(
            id=f"{name}-trained",
            state="which candidate to train on all the data",
            alternatives=tuple(f"candidate {c.number}" for c in candidates if c.runs and c.number != number),
            choice=f"candidate {number}",
            rationale=f"it came furthest and is the most faithful ({candidates[number - 1].fidelity:.0%} of the rubric)",
            **shared,
        )


def _alternatives(before: list[Candidate]) -> tuple[str, ...]:
    return ("a draft", *(f"{'improvement' if c.runs else 'repair'} of candidate {c.number}" for c in before)) if before else ()


def _why(candidate: Candidate, candidates: list[Candidate]) -> str:
    if candidate.parent is None:
        return "nothing that was written could be mended, or another way was worth a try" if candidate.number > 1 else "the first"
    parent = candidates[candidate.parent - 1]
    if candidate.origin == "improvement":
        return f"it runs and meets {parent.fidelity:.0%} of the rubric"
    return f"it failed at {parent.failed_at}: {first_line(parent.fault)}"
