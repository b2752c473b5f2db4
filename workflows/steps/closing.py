"""How a run closes: its report, its MLflow runs, and what memory keeps of it. Every run closes, however it ended."""

from __future__ import annotations

import hashlib

from agents.autotrain.compare import Comparison
from agents.autotrain.paper import Paper
from agents.autotrain.plan import ExperimentPlan
from agents.autotrain.recall import abstract_of
from agents.autotrain.report import write_report
from agents.autotrain.results import Results
from agents.autotrain.spec import MethodSpec
from memory.records import AnyRecord, LessonRecord, MethodRecord, OutcomeRecord, PaperRecord, RunRecord
from workflows.context import Context
from workflows.steps.judging import Ablation, ScoreTable
from workflows.steps.track import track
from workflows.steps.view import report_view


def report(ctx: Context, status: str, reason: str) -> None:
    """report.html and report.md in the run's folder, and everything in MLflow."""
    write_report(report_view(ctx, status, reason), ctx.folder.root)
    run_id = track(ctx, status, reason)
    ctx.folder.write_text("mlflow_run.txt", run_id)


def remember(ctx: Context, status: str, reason: str, verdict: str) -> None:
    """Records for the paper, its method, the run, its outcome and what it teaches; a repeated step leaves the same ones."""
    ctx.memory.add(*_records(ctx, status, reason, verdict))


def _records(ctx: Context, status: str, reason: str, verdict: str) -> list[AnyRecord]:
    folder, run_id = ctx.folder, ctx.folder.run_id
    created, mlflow_run = folder.summary.created, folder.read_text("mlflow_run.txt")
    paper, spec = folder.load("paper", Paper), folder.load("spec", MethodSpec)
    records: list[AnyRecord] = [
        PaperRecord(id=f"paper-{paper.id}", created=created, title=paper.title, source=paper.source, abstract=abstract_of(paper)),
        MethodRecord(
            id=f"method-{paper.id}-{spec.read_by}",
            created=created,
            parents=(f"paper-{paper.id}",),
            name=spec.model_name,
            task=spec.task,
            mechanisms=tuple(m.block for m in spec.mechanisms if m.block),
            unclear=tuple(e.quote for e in spec.unclear),
        ),
    ]
    outcome = OutcomeRecord(
        id=f"outcome-{run_id}",
        created=created,
        parents=(f"paper-{paper.id}", f"run-{run_id}"),
        mlflow_run=mlflow_run,
        status=status,
        verdict=verdict,
        reason=folder.load("comparison", Comparison).sentence if folder.has("comparison.json") else reason,
        metrics=_metrics(ctx),
    )
    if folder.has("results.json"):
        records.append(_run_record(ctx, paper, spec, created, mlflow_run))
    return [*records, outcome, *_lessons(ctx, status, reason, spec, created, mlflow_run)]


def _run_record(ctx: Context, paper: Paper, spec: MethodSpec, created: str, mlflow_run: str) -> RunRecord:
    plan, results = ctx.folder.load("plan", ExperimentPlan), ctx.folder.load("results", Results)
    rates = [s.samples_per_s for s in results.candidate.seeds if s.samples_per_s > 0]
    code = ctx.folder.read_text("model.py")
    return RunRecord(
        id=f"run-{ctx.folder.run_id}",
        created=created,
        parents=(f"paper-{paper.id}",),
        mlflow_run=mlflow_run,
        dataset=plan.dataset,
        data_hash=plan.data_hash,
        code_hash=hashlib.sha256(code.encode()).hexdigest()[:16],
        candidate=spec.model_name or "candidate",
        baselines=plan.baselines,
        seeds=len(plan.seeds),
        trials=plan.trials,
        sandbox=results.sandbox,
        samples_per_s=sum(rates) / len(rates) if rates else 0.0,
    )


def _metrics(ctx: Context) -> dict[str, float]:
    """The candidate's mean test metrics on the primary task."""
    if not ctx.folder.has("scores.json"):
        return {}
    return {f"test_{name}": mean for name, mean in ctx.folder.load("scores", ScoreTable).models[0].means.items()}


def _lessons(ctx: Context, status: str, reason: str, spec: MethodSpec, created: str, mlflow_run: str) -> list[LessonRecord]:
    """What the run teaches as far as it was shown: of the method, of its main mechanism, or of the failure."""
    folder, run_id = ctx.folder, ctx.folder.run_id
    blocks = ", ".join(m.block for m in spec.mechanisms if m.block) or "none of the kit's blocks"
    common = {"created": created, "parents": (f"run-{run_id}",), "mlflow_run": mlflow_run, "evidence": (f"run-{run_id}",)}
    if status == "no_candidate":
        claim = f"no trainable model came of a method with {blocks}"
        return [
            LessonRecord(id=f"lesson-{run_id}-code", claim=claim, polarity="negative", scope=spec.task, reason=reason, **common)
        ]
    if not folder.has("comparison.json"):
        return []
    comparison, scope = folder.load("comparison", Comparison), f"{folder.summary.dataset}, {spec.task}"
    polarity = {"better": "positive", "worse": "negative", "tie": "neutral"}.get(comparison.verdict)
    lessons = []
    if polarity:
        claim = f"a model with {blocks} against {comparison.strongest}: {comparison.verdict}"
        lessons.append(
            LessonRecord(id=f"lesson-{run_id}", claim=claim, polarity=polarity, scope=scope, reason=comparison.sentence, **common)
        )
    ablation = folder.load("ablation", Ablation) if folder.has("ablation.json") else None
    if ablation and ablation.comparison and ablation.comparison.verdict in ("better", "worse", "tie"):
        block = next((m.block or m.name for m in spec.mechanisms if m.id == ablation.mechanism), ablation.mechanism)
        without = ablation.comparison
        lessons.append(
            LessonRecord(
                id=f"lesson-{run_id}-ablation",
                claim=f"without {block} the model was {'no different' if without.verdict == 'tie' else without.verdict}",
                polarity={"better": "negative", "worse": "positive", "tie": "neutral"}[without.verdict],
                scope=scope,
                reason=without.sentence,
                **common,
            )
        )
    return lessons
