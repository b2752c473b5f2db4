"""Trains the candidate and every baseline by the plan."""

from __future__ import annotations

from agents.autotrain.experiment import Experiment
from agents.autotrain.plan import ExperimentPlan
from agents.autotrain.results import ModelResult, Results, result_of
from agents.errors import Stopped
from sandboxes.jobs import ModelSource
from workflows.context import Context
from workflows.steps.candidate import Chosen, ReviewResult, keep_outcome, load_code, source_of


def train(ctx: Context, number: int) -> bool:
    """Runs everything the plan asks for; False when candidate `number` failed, which is noted with it.

    A baseline that fails is kept as failed: it makes its comparison impossible, not the run.
    Raises `BudgetExhausted` or `KeyboardInterrupt` when stopped, `SandboxUnavailable`.
    """
    plan, code = ctx.folder.load("plan", ExperimentPlan), load_code(ctx, number)
    sources = [source_of(code), *(ModelSource(name, reference=name) for name in plan.baselines)]
    runner = ctx.runner(code.composed)
    try:
        runs = experiment(ctx, composed=code.composed).run(sources)
    except Stopped:
        ctx.end()
    results = [result_of(r, "baseline" if i else "candidate") for i, r in enumerate(runs)]
    if results[0].failed:
        keep_outcome(ctx, number, failed_at="train", fault=results[0].failed.reason or results[0].failed.status)
        return False
    ctx.folder.write_text("model.py", code.text)
    ctx.folder.save("trained", Chosen(candidate=number))
    ctx.folder.save("review", ctx.folder.load(f"code/{number}/review", ReviewResult))
    ctx.folder.save("results", Results(sandbox=runner.sandbox.name, models=tuple(results)))
    _tell(ctx, results)
    return True


def experiment(ctx: Context, composed: bool) -> Experiment:
    """The plan's experiment in the sandbox that may run such code."""
    plan = ctx.folder.load("plan", ExperimentPlan)
    return Experiment(plan, ctx.prepared, ctx.runner(composed), parallel=ctx.settings.parallel, stop=ctx.stop, emit=ctx.emit)


def _tell(ctx: Context, results: list[ModelResult]) -> None:
    reused = sum(s.reused for m in results for s in (*m.trials, *m.seeds))
    total = sum(len(m.trials) + len(m.seeds) for m in results)
    if reused:
        ctx.say(f"{reused} of {total} training runs were found finished from before and reused")
    for m in results:
        if m.failed:
            ctx.say(f"{m.name} failed ({m.failed.status}): {m.failed.reason.strip().splitlines()[-1] if m.failed.reason else ''}")
