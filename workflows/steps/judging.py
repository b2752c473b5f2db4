"""From predictions to a verdict: scores, comparison, ablation. Here alone is test's truth looked at, by the host."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from agents.autotrain.experiment import Setting
from agents.autotrain.plan import ExperimentPlan
from agents.autotrain.results import ModelResult, Results, result_of
from agents.autotrain.spec import MethodSpec
from agents.compare import BadPredictions, Comparison, Scores, Trained, Truth, truth_of
from agents.compare import compare as judge
from agents.errors import Stopped
from agents.strict import Strict
from sandboxes.policy import violations
from workflows.context import Context
from workflows.steps.candidate import ReviewResult, load_code, source_of
from workflows.steps.training import experiment


class ModelScores(Strict):
    """A model's scores by seed, on test and of the primary metric on valid; `failure` says why some are missing."""

    name: str
    test: dict[int, Scores]
    valid: dict[int, float]
    failure: str = ""

    @property
    def mean_valid(self) -> float | None:
        return float(np.mean(list(self.valid.values()))) if self.valid else None

    @property
    def means(self) -> dict[str, float]:
        """The primary task's mean test scores over the seeds where they are defined, by metric."""
        found: dict[str, list[float]] = {}
        for scores in self.test.values():
            for metric, value in scores.primary.values.items():
                found.setdefault(metric, []).append(value)
        return {metric: sum(values) / len(values) for metric, values in found.items()}


class ScoreTable(Strict):
    models: tuple[ModelScores, ...]


class Ablation(Strict):
    """The model without its main mechanism, compared with the whole one; `note` says why there is none."""

    mechanism: str
    result: ModelResult | None = None
    scores: ModelScores | None = None
    comparison: Comparison | None = None
    note: str = ""


def score(ctx: Context) -> ScoreTable:
    """Scores every run's test predictions against the hidden truth."""
    results, truths = ctx.folder.load("results", Results), _truths(ctx)
    table = ScoreTable(models=tuple(_scores(ctx, m, truths) for m in results.models))
    ctx.folder.save("scores", table)
    return table


def compare(ctx: Context) -> str:
    """The verdict on the candidate; the comparison is kept."""
    table, plan = ctx.folder.load("scores", ScoreTable), ctx.folder.load("plan", ExperimentPlan)
    results = ctx.folder.load("results", Results)
    candidate, *baselines = (_trained(ctx, m, s) for m, s in zip(results.models, table.models, strict=True))
    comparison = judge(candidate, baselines, truth_of(ctx.prepared, "test"), plan.seeds)
    ctx.folder.save("comparison", comparison)
    ctx.folder.update_summary(verdict=comparison.verdict)
    ctx.say(comparison.sentence)
    return comparison.verdict


def ablate(ctx: Context, number: int) -> None:
    """What the main mechanism of candidate `number` is worth, where that was asked for and there is one."""
    main = ctx.folder.load(f"code/{number}/review", ReviewResult).main_mechanism
    if ctx.request.ablation and main:
        ctx.folder.save("ablation", _ablation(ctx, number, main))


def _ablation(ctx: Context, number: int, mechanism: str) -> Ablation:
    """Trains the model without the mechanism, by the whole model's setting and on the same seeds."""
    spec, code, plan = ctx.folder.load("spec", MethodSpec), load_code(ctx, number), ctx.folder.load("plan", ExperimentPlan)
    without = ctx.engine.ablate(spec, ctx.prepared.schema, code, mechanism)
    if without is None:
        return Ablation(mechanism=mechanism, note="nothing sensible remains without it")
    if violations(without.text):
        return Ablation(mechanism=mechanism, note="the code without it breaks the code policy")
    results, table = ctx.folder.load("results", Results), ctx.folder.load("scores", ScoreTable)
    ctx.folder.write_text("ablation.py", without.text)
    name = f"without {mechanism}"
    try:
        runs = experiment(ctx, without.composed).repeat(source_of(without, name), Setting(**results.candidate.setting))
    except Stopped:
        ctx.end()
    result = result_of(runs, "ablation")
    truths = _truths(ctx)
    scores = _scores(ctx, result, truths)
    whole = _trained(ctx, results.candidate, table.models[0])
    comparison = judge(_trained(ctx, result, scores), [whole], truths["test"], plan.seeds)
    ctx.say(f"{name}: {comparison.sentence}")
    return Ablation(mechanism=mechanism, result=result, scores=scores, comparison=comparison)


def _scores(ctx: Context, model: ModelResult, truths: Mapping[str, Truth]) -> ModelScores:
    test: dict[int, Scores] = {}
    valid: dict[int, float] = {}
    failure = f"seed {model.failed.seed} {model.failed.status}".replace("_", " ") if model.failed else ""
    for run in model.seeds:
        if run.status != "ok":
            continue
        try:
            on_valid = truths["valid"].primary(_predictions(ctx, run.job, "valid"))
            scores = truths["test"].score(_predictions(ctx, run.job, "test"))
        except BadPredictions as error:
            failure = failure or f"seed {run.seed}: {error}"
            continue
        test[run.seed] = scores
        valid[run.seed] = on_valid if np.isfinite(on_valid) else 0.0
    return ModelScores(name=model.name, test=test, valid=valid, failure=failure)


def _trained(ctx: Context, model: ModelResult, scores: ModelScores) -> Trained:
    return Trained(
        name=model.name,
        predictions={run.seed: _predictions(ctx, run.job, "test") for run in model.seeds if run.status == "ok"},
        valid=scores.mean_valid,
        failure=scores.failure,
        data_hash=ctx.prepared.data_hash,
    )


def _truths(ctx: Context) -> dict[str, Truth]:
    return {split: truth_of(ctx.prepared, split) for split in ("valid", "test")}


def _predictions(ctx: Context, job: str, split: str) -> np.ndarray:
    values: np.ndarray = np.load(ctx.jobs / job / f"{split}.npy", allow_pickle=False)
    return values
