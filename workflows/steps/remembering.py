"""What memory keeps of a run: what was read, what was decided and why, what was run, what came of it and what it teaches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from agents.autotrain.configuration import configuration
from agents.autotrain.paper import Paper
from agents.autotrain.plan import ExperimentPlan
from agents.autotrain.recall import abstract_of
from agents.autotrain.results import Results
from agents.autotrain.spec import MethodSpec
from agents.compare import Comparison
from memory.records import (
    AnyRecord,
    LessonRecord,
    MechanismRecord,
    MethodRecord,
    OutcomeRecord,
    PaperRecord,
    Polarity,
    RunRecord,
    SectionRecord,
)
from workflows.context import Context
from workflows.steps.deciding import decisions
from workflows.steps.judging import Ablation, ScoreTable

BEGINNING = 800  # characters of a section that are remembered
SECTIONS = 40  # of a paper that are remembered
POLARITY: dict[str, Polarity] = {"better": "positive", "worse": "negative", "tie": "neutral"}

ABLATED: dict[str, tuple[Polarity, str]] = {  # what the verdict on the model without it says of a mechanism
    "better": ("negative", "makes it worse"),
    "worse": ("positive", "helps"),
    "tie": ("neutral", "makes no difference that was shown"),
}


def remember(ctx: Context, status: str, reason: str, verdict: str) -> None:
    """Writes all records of the run; a repeated step leaves the same ones."""
    shared = {
        "agent": "AutoTrain",
        "created": ctx.folder.summary.created,
        "mlflow_run": ctx.folder.read_text("mlflow_run.txt"),
        "dataset": ctx.folder.summary.dataset,
        "task": ctx.folder.load("spec", MethodSpec).task,
    }
    ctx.memory.add(*_read(ctx, shared), *_done(ctx, status, reason, verdict, shared))


def _read(ctx: Context, shared: dict[str, Any]) -> Iterator[AnyRecord]:
    """The paper, its sections, its method and the mechanisms. They belong to no data set."""
    paper, spec = ctx.folder.load("paper", Paper), ctx.folder.load("spec", MethodSpec)
    shared = shared | {"dataset": "", "mlflow_run": ""}
    root, method = f"paper-{paper.id}", f"method-{paper.id}-{spec.read_by}"
    yield PaperRecord(id=root, title=paper.title, source=paper.source, abstract=abstract_of(paper), **shared)
    for number, section in enumerate(paper.sections[:SECTIONS], 1):
        if beginning := paper.body(section).strip()[:BEGINNING]:
            yield SectionRecord(
                id=f"{root}-section-{number}", parents=(root,), title=section.title, beginning=beginning, **shared
            )
    blocks = tuple(m.block for m in spec.mechanisms if m.block)
    unclear = tuple(e.quote for e in spec.unclear)
    yield MethodRecord(id=method, parents=(root,), name=spec.model_name, mechanisms=blocks, unclear=unclear, **shared)
    for m in spec.mechanisms:
        quote = m.evidence[0].quote if m.evidence else m.description
        yield MechanismRecord(id=f"{method}-{m.id}", parents=(method,), name=m.name, block=m.block or "", quote=quote, **shared)


def _done(ctx: Context, status: str, reason: str, verdict: str, shared: dict[str, Any]) -> Iterator[AnyRecord]:
    """The run, its decisions, its outcome and its lessons."""
    folder, root, run = ctx.folder, f"paper-{ctx.folder.load('paper', Paper).id}", f"run-{ctx.folder.run_id}"
    if folder.has("results.json"):
        yield _run_record(ctx, root, shared)
    yield from decisions(ctx, run, shared)
    yield OutcomeRecord(
        id=f"outcome-{folder.run_id}",
        parents=(root, run),
        status=status,
        verdict=verdict,
        reason=folder.load("comparison", Comparison).sentence if folder.has("comparison.json") else reason,
        metrics=_metrics(ctx),
        **shared,
    )
    if status in ("done", "no_candidate"):
        yield from _lessons(ctx, status, reason, shared | {"parents": (run,), "evidence": (run,)})


def _run_record(ctx: Context, root: str, shared: dict[str, Any]) -> RunRecord:
    plan, results = ctx.folder.load("plan", ExperimentPlan), ctx.folder.load("results", Results)
    rates = [s.samples_per_s for s in results.candidate.seeds if s.samples_per_s > 0]
    code = ctx.folder.read_text("model.py")
    return RunRecord(
        id=f"run-{ctx.folder.run_id}",
        parents=(root,),
        data_hash=plan.data_hash,
        code_hash=hashlib.sha256(code.encode()).hexdigest()[:16],
        configuration=configuration(code, plan),
        candidate=ctx.folder.load("spec", MethodSpec).model_name or "candidate",
        baselines=plan.baselines,
        seeds=len(plan.seeds),
        first_seed=plan.seeds[0],
        trials=plan.trials,
        sandbox=results.sandbox,
        samples_per_s=sum(rates) / len(rates) if rates else 0.0,
        **shared,
    )


def _metrics(ctx: Context) -> dict[str, float]:
    """The candidate's mean test metrics on the primary task."""
    if not ctx.folder.has("scores.json"):
        return {}
    return {f"test_{name}": mean for name, mean in ctx.folder.load("scores", ScoreTable).models[0].means.items()}


def _lessons(ctx: Context, status: str, reason: str, shared: dict[str, Any]) -> Iterator[LessonRecord]:
    """What the run teaches as far as it was shown: of the method, of its main mechanism, or of the failure."""
    folder, spec = ctx.folder, ctx.folder.load("spec", MethodSpec)
    name = f"lesson-{folder.run_id}"
    blocks = ", ".join(sorted({m.block for m in spec.mechanisms if m.block})) or "none of the kit's blocks"
    if folder.has("plan.json"):
        shared = shared | {"data_hash": folder.load("plan", ExperimentPlan).data_hash}
    if status == "no_candidate":
        subject = f"a method with {blocks}"
        claim = f"no trainable model came of {subject}"
        yield LessonRecord(id=f"{name}-code", subject=subject, claim=claim, polarity="negative", reason=reason, **shared)
    if not folder.has("comparison.json"):
        return
    comparison = folder.load("comparison", Comparison)
    if comparison.verdict in POLARITY:
        subject = f"a model with {blocks} against {comparison.strongest}"
        claim, polarity = f"{subject}: {comparison.verdict}", POLARITY[comparison.verdict]
        yield LessonRecord(id=name, subject=subject, claim=claim, polarity=polarity, reason=comparison.sentence, **shared)
    ablation = folder.load("ablation", Ablation) if folder.has("ablation.json") else None
    if ablation and ablation.comparison and ablation.comparison.verdict in POLARITY:
        without = ablation.comparison
        block = next((m.block or m.name for m in spec.mechanisms if m.id == ablation.mechanism), ablation.mechanism)
        subject = f"{block} in a model with {blocks}"
        polarity, said = ABLATED[without.verdict]
        claim, name = f"{subject}: it {said}", f"{name}-ablation"
        yield LessonRecord(id=name, subject=subject, claim=claim, polarity=polarity, reason=without.sentence, **shared)
