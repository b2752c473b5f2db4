"""What is known already, and what will be run."""

from __future__ import annotations

from functools import partial

from agents.autotrain.data_choice import AUTO, fitting_data
from agents.autotrain.paper import Paper
from agents.autotrain.plan import ExperimentPlan, make_plan
from agents.autotrain.recall import Recall
from agents.autotrain.recall import recall as look_back
from agents.autotrain.spec import MethodSpec
from agents.autotrain.way import find_way, fixed_by
from agents.errors import Stopped
from sandboxes.kit.data import Prepared
from sandboxes.kit.datasets import DATASETS, resolve_data
from sandboxes.kit.layers import CARDS
from sandboxes.kit.models import models_of
from workflows.context import Context
from workflows.steps.known import first_fresh_seed


def recall(ctx: Context) -> Recall:
    paper, spec = ctx.folder.load("paper", Paper), ctx.folder.load("spec", MethodSpec)
    found = look_back(ctx.memory, paper, spec, _data(ctx, spec)[0])
    ctx.folder.save("recall", found)
    if not found.empty:
        ctx.say(f"memory holds {len(found.papers)} similar papers and {len(found.lessons)} lessons")
    for past in found.models:
        if past.same_blocks:
            ctx.say(f"run {past.run_id} tried a model of the same blocks: {past.outcome}")
    return found


def plan(ctx: Context) -> ExperimentPlan:
    """Prepares the data and fixes the protocol. Raises `PlanImpossible`, the data's own errors, and what `ctx.end` raises."""
    spec = ctx.folder.load("spec", MethodSpec)
    name, why = _data(ctx, spec)
    if why:
        ctx.say(f"data: {why}")
    prepared = resolve_data(name, ctx.settings.home / "data", raw=ctx.settings.data_folder)
    ctx.folder.write_text("prepared.txt", prepared.root.name)
    ctx.say(
        f"data {prepared.name}{' (synthetic)' if prepared.synthetic else ''}" + (": prepared before" if prepared.reused else "")
    )
    try:
        made = _made(ctx, spec, prepared)
    except Stopped:
        ctx.end()
    ctx.say(f"way of training: {made.way.said}")
    ctx.folder.save("plan", made)
    ctx.folder.update_summary(dataset=prepared.name)
    ctx.say(plan_in_words(ctx))
    return made


def _made(ctx: Context, spec: MethodSpec, prepared: Prepared) -> ExperimentPlan:
    request = ctx.request
    return make_plan(
        spec,
        prepared,
        tuple(models_of(prepared.schema.predicts)),
        baselines=request.baselines,
        seeds=request.seeds,
        first_seed=first_fresh_seed(ctx, prepared.name, prepared.data_hash) if request.fresh_seeds else 1,
        trials=request.trials,
        max_epochs=request.epochs,
        batch_size=request.batch_size,
        parallel=ctx.settings.parallel,
        processes=ctx.settings.processes,
        past_samples_per_s=ctx.folder.load("recall", Recall).samples_per_s,
        find_way=partial(find_way, prepared, ctx.runner(composed=True), fixed=fixed_by(request.way), stop=ctx.stop),
    )


def _data(ctx: Context, spec: MethodSpec) -> tuple[str, str]:
    """What the user named, or the packaged set that suits the method; and why that one, "" where the user chose."""
    return (ctx.request.data, "") if ctx.request.data != AUTO else fitting_data(spec, CARDS, DATASETS)


def plan_in_words(ctx: Context) -> str:
    """The plan in one sentence: what a person approves."""
    p = ctx.folder.load("plan", ExperimentPlan)
    size = f"{p.rows['train']:,} {p.question.rows}"
    return (
        f"train the paper's model and {', '.join(p.baselines)} on {p.dataset} ({size}): {p.trials} settings "
        f"tried and {len(p.seeds)} seeds for each, about {p.estimated_minutes:g} minutes ({p.estimate_basis})"
    )
