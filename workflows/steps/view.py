"""Puts together what the report shows from the files of the run's folder; a run that ended early has fewer of them."""

from __future__ import annotations

import hashlib
import platform
import shlex
from collections.abc import Sequence
from difflib import unified_diff
from importlib.metadata import version
from typing import TypeVar

from pydantic import BaseModel

from agents.autotrain.paper import Paper
from agents.autotrain.plan import ExperimentPlan
from agents.autotrain.recall import Recall
from agents.autotrain.report.view import (
    AblationView,
    AttemptView,
    CodeView,
    CostView,
    DataView,
    FidelityView,
    LeakCheck,
    ModelView,
    Paid,
    PaperView,
    ReportView,
    SmokeCheck,
)
from agents.autotrain.results import ModelResult, Results
from agents.autotrain.search import Candidate
from agents.autotrain.spec import MethodSpec
from agents.compare import Comparison, beside_claims
from agents.llm import Call, cost_of
from sandboxes.jobs import kit_hash
from workflows.context import Context
from workflows.steps.candidate import ReviewResult, chosen, load_code, tried, written_of
from workflows.steps.cascade import SampleResult, SmokeResult
from workflows.steps.judging import Ablation, ScoreTable

M = TypeVar("M", bound=BaseModel)


def report_view(ctx: Context, status: str, reason: str) -> ReportView:
    """The run as a report shows it."""
    spec, results = _load(ctx, "spec", MethodSpec), _load(ctx, "results", Results)
    table, comparison = _load(ctx, "scores", ScoreTable), _load(ctx, "comparison", Comparison)
    plan, review = _load(ctx, "plan", ExperimentPlan), _load(ctx, "review", ReviewResult) or ReviewResult()
    number = chosen(ctx)
    smoke = _load(ctx, f"code/{number}/smoke", SmokeResult)
    return ReportView(
        run_id=ctx.folder.run_id,
        created=ctx.folder.summary.created,
        outcome=status,
        reason=reason,
        engine=ctx.engine.name,
        paper=_paper(ctx),
        spec=spec,
        recall=_load(ctx, "recall", Recall),
        plan=plan,
        data=_data(ctx),
        attempts=tuple(_attempt(ctx, candidate) for candidate in tried(ctx)),
        code=_code(ctx, number),
        models=tuple(_models(results, table)),
        comparison=comparison,
        claims=beside_claims(spec.claims, comparison, {m.name: m.means for m in table.models}, plan.dataset, plan.synthetic)
        if spec and comparison and table and plan
        else (),
        fidelity=tuple(_fidelity(review, spec)),
        rubric=review.leaves,
        ablation=_ablation(ctx, spec),
        cost=_cost(ctx, results),
        sandbox=results.sandbox if results else (smoke.sandbox if smoke else ""),
        environment=_environment(ctx),
        command=_command(ctx),
    )


def _load(ctx: Context, name: str, model: type[M]) -> M | None:
    return ctx.folder.load(name, model) if ctx.folder.has(f"{name}.json") else None


def _paper(ctx: Context) -> PaperView:
    paper = ctx.folder.load("paper", Paper)
    return PaperView(
        title=paper.title,
        source=paper.source,
        format=paper.format,
        words=len(paper.text.split()),
        pages=paper.pages,
        sections=len(paper.sections),
        equations=len(paper.equations),
        tables=len(paper.tables),
        notes=paper.notes,
    )


def _data(ctx: Context) -> DataView | None:
    if not ctx.folder.has("prepared.txt"):
        return None
    prepared = ctx.prepared
    return DataView(
        name=prepared.name,
        synthetic=prepared.synthetic,
        data_hash=prepared.data_hash,
        sizes=prepared.sizes,
        facts={"provenance": prepared.provenance},
        leak_checks=tuple(LeakCheck(name=c.name, passed=c.passed, detail=c.detail) for c in prepared.leak_checks),
    )


def _attempt(ctx: Context, candidate: Candidate) -> AttemptView:
    place = f"code/{candidate.number}"
    smoke, sample = _load(ctx, f"{place}/smoke", SmokeResult), _load(ctx, f"{place}/sample", SampleResult)
    policy = ctx.folder.read_text(f"{place}/policy.txt") if ctx.folder.has(f"{place}/policy.txt") else ""
    return AttemptView(
        number=candidate.number,
        origin=candidate.origin,
        parent=candidate.parent,
        policy=tuple(policy.splitlines()),
        checks=tuple(SmokeCheck(name=c.name, passed=c.passed, detail=c.detail) for c in smoke.checks) if smoke else (),
        sample=sample.in_words if sample and not sample.fault else "",
        fidelity=candidate.fidelity if ctx.folder.has(f"{place}/review.json") else None,
        failed_at=candidate.failed_at or "",
        fault=candidate.fault,
        patch=_patch(ctx, candidate),
        cost=_paid(ctx.account.calls.calls[slice(*written_of(ctx, candidate.number).calls)]),
    )


def _patch(ctx: Context, candidate: Candidate) -> str:
    """What a repair or improvement changed, as a unified diff; "" for a draft."""
    if candidate.parent is None:
        return ""
    old, new = (ctx.folder.read_text(f"code/{n}/model.py").splitlines() for n in (candidate.parent, candidate.number))
    names = f"candidate {candidate.parent}", f"candidate {candidate.number}"
    return "\n".join(unified_diff(old, new, *names, lineterm="", n=2))


def _code(ctx: Context, number: int) -> CodeView | None:
    if not number:
        return None
    code = load_code(ctx, number)
    digest = hashlib.sha256(code.text.encode()).hexdigest()[:16]
    return CodeView(text=code.text, composed=code.composed, code_hash=digest, notes=code.notes)


def _models(results: Results | None, table: ScoreTable | None) -> list[ModelView]:
    if results is None or table is None:
        return []
    pairs = zip(results.models, table.models, strict=True)
    return [ModelView(result=result, test=scores.test, valid=scores.valid) for result, scores in pairs]


def _fidelity(review: ReviewResult, spec: MethodSpec | None) -> list[FidelityView]:
    names = {m.id: m.name for m in spec.mechanisms} if spec else {}
    return [FidelityView(name=names.get(r.mechanism, r.mechanism), **r.model_dump()) for r in review.rows]


def _ablation(ctx: Context, spec: MethodSpec | None) -> AblationView | None:
    done = _load(ctx, "ablation", Ablation)
    if done is None or spec is None:
        return None
    name = next((m.name for m in spec.mechanisms if m.id == done.mechanism), done.mechanism)
    whole = ctx.folder.load("results", Results).candidate.parameters
    sizes = (done.result.parameters if done.result else 0, whole)
    return AblationView(mechanism=done.mechanism, name=name, comparison=done.comparison, note=done.note, parameters=sizes)


def _cost(ctx: Context, results: Results | None) -> CostView:
    models: tuple[ModelResult, ...] = results.models if results else ()
    jobs = [job for m in models for job in (*m.trials, *m.seeds)]
    calls = ctx.account.calls
    steps = dict.fromkeys(c.step for c in calls.calls)
    return CostView(
        seconds=round(ctx.folder.summary.seconds + ctx.account.seconds, 1),
        training_seconds=round(sum(j.seconds for j in jobs), 1),
        runs=len(jobs),
        reused_runs=sum(j.reused for j in jobs),
        sandbox_seconds=round(ctx.account.sandbox.seconds, 1),
        llm="" if ctx.engine.name == "builtin" else ctx.engine.name,
        llm_input_tokens=sum(c.input_tokens for c in calls.calls),
        llm_output_tokens=sum(c.output_tokens for c in calls.calls),
        llm_usd=calls.cost_usd,
        llm_steps={step: _paid([c for c in calls.calls if c.step == step]) for step in steps},
    )


def _paid(calls: Sequence[Call]) -> Paid:
    return Paid(
        calls=len(calls),
        input_tokens=sum(c.input_tokens for c in calls),
        output_tokens=sum(c.output_tokens for c in calls),
        usd=cost_of(calls),
        seconds=sum(c.seconds for c in calls),
    )


def _environment(ctx: Context) -> dict[str, str]:
    packages = {name: version(name) for name in ("agenticrs", "torch", "numpy", "polars", "langgraph")}
    machine = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    return machine | packages | {"kit": kit_hash(), "request": ctx.request.key}


def _command(ctx: Context) -> str:
    """The command that runs it again."""
    r = ctx.request
    words = ["agenticrs", "reproduce", r.paper, "--data", r.data, "--seeds", str(r.seeds), "--trials", str(r.trials)]
    words += ["--epochs", str(r.epochs), *(["--batch-size", str(r.batch_size)] if r.batch_size else []), "--again"]
    words += ["--baselines", ",".join(r.baselines)] if r.baselines else []
    words += ["--model", r.model] if r.model else []
    words += [] if r.ablation else ["--no-ablation"]
    return shlex.join(words)
