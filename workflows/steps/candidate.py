"""The candidate's code: written, checked, smoke-tested, repaired. Attempt n lies under code/n/ in the run's folder."""

from __future__ import annotations

from typing import Literal

from agents.autotrain.engine import Code, Failure
from agents.autotrain.plan import ExperimentPlan
from agents.autotrain.spec import MethodSpec, Strict
from sandboxes.jobs import CheckRow, Finished, Job, ModelSource
from sandboxes.kit.training.config import TrainConfig
from sandboxes.policy import violations
from sandboxes.protocol import Status
from workflows.context import Context

CANDIDATE = "candidate"


class Attempt(Strict):
    """An attempt's code beside its text: whether it holds only the kit's own blocks, and what was left out."""

    composed: bool
    notes: tuple[str, ...] = ()


class SmokeResult(Strict):
    """What the smoke run said. `fault` is "" when every check passed."""

    sandbox: str
    status: Status
    checks: tuple[CheckRow, ...] = ()
    parameters: int = 0
    fault: str = ""


def write(ctx: Context) -> Code:
    spec = ctx.folder.load("spec", MethodSpec)
    code = ctx.engine.write(spec, ctx.prepared.schema)
    _keep(ctx, 1, code)
    for note in code.notes:
        ctx.say(note)
    return code


def check(ctx: Context, attempt: int) -> str:
    """The code policy's violations as text, "" when there are none."""
    found = violations(load_code(ctx, attempt).text)
    fault = "\n".join(f"line {v.line}: {v.message}" for v in found)
    ctx.folder.write_text(f"code/{attempt}/policy.txt", fault)
    return fault


def smoke(ctx: Context, attempt: int) -> str:
    """What the cheap tests in the sandbox found, as text, "" when all passed. Raises `SandboxUnavailable`."""
    code, plan = load_code(ctx, attempt), ctx.folder.load("plan", ExperimentPlan)
    hyper = {"embedding_dim": plan.embedding_dim}
    job = Job("smoke", source_of(code), ctx.prepared.visible, ctx.prepared.data_hash, hyper, TrainConfig(), predict=())
    finished = ctx.runner(code.composed).run(job, cancelled=ctx.stop)
    ctx.end_if_stopped(finished.run)
    result = _smoke_result(finished)
    ctx.folder.save(f"code/{attempt}/smoke", result)
    if not result.fault:
        ctx.say(f"{len(result.checks)} smoke checks passed in the {result.sandbox} sandbox; {result.parameters:,} parameters")
    return result.fault


def repair(ctx: Context, attempt: int, stage: Literal["policy", "smoke", "train"], failure: str) -> bool:
    """Asks the engine for a changed candidate, kept as the next attempt; False when it has nothing more to offer."""
    spec = ctx.folder.load("spec", MethodSpec)
    changed = ctx.engine.repair(spec, ctx.prepared.schema, load_code(ctx, attempt), Failure(stage, failure))
    if changed is None:
        return False
    _keep(ctx, attempt + 1, changed)
    return True


def load_code(ctx: Context, attempt: int) -> Code:
    about = ctx.folder.load(f"code/{attempt}/attempt", Attempt)
    return Code(ctx.folder.read_text(f"code/{attempt}/model.py"), about.composed, about.notes)


def source_of(code: Code, name: str = CANDIDATE) -> ModelSource:
    return ModelSource(name, code=code.text, composed=code.composed)


def _keep(ctx: Context, attempt: int, code: Code) -> None:
    ctx.folder.write_text(f"code/{attempt}/model.py", code.text)
    ctx.folder.save(f"code/{attempt}/attempt", Attempt(composed=code.composed, notes=code.notes))


def _smoke_result(finished: Finished) -> SmokeResult:
    run = finished.run
    if not run.ok:
        return SmokeResult(sandbox=run.sandbox, status=run.status, fault=finished.fault)
    said = finished.smoke_report()
    fault = "\n".join(f"{c.name}: {c.detail}" for c in said.checks if not c.passed)
    return SmokeResult(sandbox=run.sandbox, status=run.status, checks=said.checks, parameters=said.parameters, fault=fault)
