"""The cascade that every candidate climbs before it is trained on all the data: policy, smoke, a sample of the data, review.

Each step says whether the candidate passed and keeps why not; what a rung costs grows with its height.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np

from agents.autotrain.engine import Code, NumericCheck, Rung
from agents.autotrain.fidelity import as_run, by_numbers, faithful, leaf_rows, mechanism_rows, rubric
from agents.autotrain.plan import ExperimentPlan
from agents.autotrain.spec import MethodSpec
from agents.compare import BadPredictions, truth_of
from agents.strict import Strict
from sandboxes.equations import EquationRow
from sandboxes.jobs import Finished, Job
from sandboxes.kit.training.config import TrainConfig
from sandboxes.policy import violations
from sandboxes.protocol import Status
from sandboxes.reports import CheckRow
from workflows.context import Context
from workflows.steps.candidate import ReviewResult, keep_outcome, load_code, source_of

SAMPLE = 0.01  # of the training rows
LEAST_STEPS = 4  # that a sample leaves to train, where the data has so many rows


class SmokeResult(Strict):
    """What the smoke run said. `fault` is "" when every check passed."""

    sandbox: str
    status: Status
    checks: tuple[CheckRow, ...] = ()
    parameters: int = 0
    fault: str = ""


class Equations(Strict):
    """What came of numeric checks; `fault` says why there are none."""

    rows: tuple[EquationRow, ...]
    fault: str = ""


class SampleResult(Strict):
    """What training on a sample came to: the primary metric on valid, as the host scores it; `fault` is "" when it held."""

    share: float
    metric: str
    valid: float | None = None
    seconds: float = 0.0
    fault: str = ""

    @property
    def in_words(self) -> str:
        scored = "" if self.valid is None else f", {self.metric} on valid {self.valid:.4f}"
        return f"trained on {self.share:.1%} of the data in {self.seconds:.0f} s{scored}"


def check(ctx: Context, number: int) -> bool:
    """Whether the code policy finds nothing against the code."""
    found = violations(load_code(ctx, number).text)
    fault = "\n".join(f"line {v.line}: {v.message}" for v in found)
    ctx.folder.write_text(f"code/{number}/policy.txt", fault)
    return _passed(ctx, number, "policy", fault)


def smoke(ctx: Context, number: int) -> bool:
    """Whether the cheap tests in the sandbox pass. Raises `SandboxUnavailable`."""
    code, plan = load_code(ctx, number), ctx.folder.load("plan", ExperimentPlan)
    result = _smoke_result(_run(ctx, code.composed, _job(ctx, "smoke", code, plan, TrainConfig())))
    ctx.folder.save(f"code/{number}/smoke", result)
    if not result.fault:
        ctx.say(f"{len(result.checks)} smoke checks passed in the {result.sandbox} sandbox; {result.parameters:,} parameters")
    return _passed(ctx, number, "smoke", result.fault)


def sample(ctx: Context, number: int) -> bool:
    """Whether one epoch on a share of the data leaves predictions that can be scored and are not all the same.

    Code that holds nothing but the kit's own blocks needs no such trial.
    """
    code, plan = load_code(ctx, number), ctx.folder.load("plan", ExperimentPlan)
    if code.composed:
        return True
    share = min(1.0, max(SAMPLE, LEAST_STEPS * plan.batch_size / plan.rows["train"]))
    config = TrainConfig(batch_size=plan.batch_size, max_epochs=1, threads=plan.threads, share=share)
    finished = _run(ctx, code.composed, _job(ctx, "train", code, plan, config, predict=("valid",)))
    result = _sample_result(ctx, finished, SampleResult(share=share, metric=plan.question.measure.words))
    ctx.folder.save(f"code/{number}/sample", result)
    if not result.fault:
        ctx.say(result.in_words)
    return _passed(ctx, number, "sample", result.fault)


def review(ctx: Context, number: int) -> None:
    """How faithful the code is, leaf by leaf of the rubric."""
    spec, code, plan = ctx.folder.load("spec", MethodSpec), load_code(ctx, number), ctx.folder.load("plan", ExperimentPlan)
    found = ctx.engine.review(spec, code)
    numbers = by_numbers(found.checks, _equations(ctx, number, code, found.checks))
    leaves = leaf_rows(rubric(spec), found.judged, [*as_run(spec, plan, code.text)], [*numbers])
    rows = mechanism_rows(spec, leaves)
    ctx.folder.save(f"code/{number}/review", ReviewResult(leaves=leaves, rows=rows, main_mechanism=found.main_mechanism))
    keep_outcome(ctx, number, fidelity=faithful(leaves))
    counts = {status: sum(r.status == status for r in rows) for status in ("implemented", "simplified", "missing")}
    ctx.say(", ".join(f"{n} {status}" for status, n in counts.items() if n) + " of the paper's mechanisms")


def _equations(ctx: Context, number: int, code: Code, checks: Sequence[NumericCheck]) -> tuple[EquationRow, ...]:
    """What came of the checks, as the sandbox says; none where they could not be run. A reference is untrusted as a model is."""
    probes = tuple(c.equation for c in checks if not c.equation.violations())
    if not probes:
        return ()
    finished = _run(ctx, False, Job("equation", source_of(code), probes=probes))
    rows = finished.equation_report() if finished.run.ok else ()
    ctx.folder.save(f"code/{number}/equations", Equations(rows=rows, fault=finished.fault))
    seen = Counter(row.verdict for row in rows)
    ctx.say("equations beside naive references: " + (", ".join(f"{n} {v}" for v, n in seen.items()) or finished.fault))
    return rows


def _job(
    ctx: Context,
    action: Literal["smoke", "train"],
    code: Code,
    plan: ExperimentPlan,
    config: TrainConfig,
    predict: tuple[str, ...] = (),
) -> Job:
    """Of a candidate on the plan's data."""
    hyper = {"embedding_dim": plan.embedding_dim}
    return Job(action, source_of(code), ctx.prepared.visible, ctx.prepared.data_hash, hyper, config, predict)


def _run(ctx: Context, composed: bool, job: Job) -> Finished:
    finished = ctx.runner(composed, ctx.settings.smoke_timeout_s).run(job, cancelled=ctx.stop)
    ctx.end_if_stopped(finished.run)
    return finished


def _passed(ctx: Context, number: int, rung: Rung, fault: str) -> bool:
    if fault:
        keep_outcome(ctx, number, failed_at=rung, fault=fault)
    return not fault


def _smoke_result(finished: Finished) -> SmokeResult:
    run = finished.run
    if not run.ok:
        return SmokeResult(sandbox=run.sandbox, status=run.status, fault=finished.fault)
    said = finished.smoke_report()
    fault = "\n".join(f"{c.name}: {c.detail}" for c in said.checks if not c.passed)
    return SmokeResult(sandbox=run.sandbox, status=run.status, checks=said.checks, parameters=said.parameters, fault=fault)


def _sample_result(ctx: Context, finished: Finished, so_far: SampleResult) -> SampleResult:
    result = so_far.model_copy(update={"seconds": finished.run.duration_s})
    if not finished.run.ok:
        return result.model_copy(update={"fault": finished.fault})
    predictions = finished.predictions("valid")
    try:
        valid = truth_of(ctx.prepared, "valid").primary(predictions)
    except BadPredictions as error:
        return result.model_copy(update={"fault": f"after training on a sample of the data: {error}"})
    if np.ptp(predictions, axis=0).max() == 0:
        return result.model_copy(update={"fault": "after training on a sample of the data, all rows get the same predictions"})
    return result.model_copy(update={"valid": float(valid) if np.isfinite(valid) else None})
