"""Writes a run into MLflow: one parent a reproduction, one child a model and seed, tags that make the UI's columns useful."""

from __future__ import annotations

from agents.autotrain.paper import Paper
from agents.autotrain.plan import ExperimentPlan
from agents.autotrain.results import ModelResult, Results, SeedRow
from agents.compare import Comparison, Question, Scores
from memory.served_model import ServedModel
from memory.tracking import MetricSeries
from workflows.context import Context
from workflows.steps.candidate import chosen, load_code
from workflows.steps.judging import Ablation, ModelScores, ScoreTable

ARTIFACTS: tuple[str, ...] = (
    "report.html",
    "report.md",
    "model.py",
    "ablation.py",
    "paper.json",
    "spec.json",
    "plan.json",
    "results.json",
)
ARTIFACTS += ("scores.json", "comparison.json", "review.json", "ablation.json", "recall.json", "request.json")


def track(ctx: Context, status: str, reason: str) -> str:
    """Logs everything there is; returns the parent run's id. Doing it twice leaves the same runs."""
    tracker, folder = ctx.tracker, ctx.folder
    parent = tracker.run(folder.run_id, folder.load("paper", Paper).title[:120] or folder.run_id, tags=_tags(ctx, status, reason))
    tracker.log(parent, metrics=_spent(ctx))
    if folder.has("plan.json"):
        plan = folder.load("plan", ExperimentPlan)
        tracker.log(
            parent, plan.model_dump(include={"dataset", "data_hash", "baselines", "trials", "embedding_dim", "batch_size"})
        )
        tracker.log(parent, {"seeds": len(plan.seeds), "max_epochs": plan.max_epochs})
    if folder.has("comparison.json"):
        tracker.log(parent, metrics=_verdict_metrics(folder.load("comparison", Comparison)))
    if folder.has("scores.json"):
        _children(ctx, parent)
    if folder.has("comparison.json"):
        _log_winner(ctx, parent)
    for name in ARTIFACTS:
        if folder.has(name):
            tracker.artifact(parent, folder.root / name)
    tracker.finish(parent, ok=status in ("done", "known", "out_of_scope", "declined"))
    return parent


def _tags(ctx: Context, status: str, reason: str) -> dict[str, str]:
    summary = ctx.folder.summary
    tags = {
        "run": ctx.folder.run_id,
        "role": "reproduction",
        "status": status,
        "engine": ctx.engine.name,
        "paper": ctx.request.paper,
        "memory": f"outcome-{ctx.folder.run_id}",  # the record of what came of it, which points back here
    }
    if summary.dataset:
        tags["data"] = summary.dataset + (" (synthetic)" if ctx.prepared.synthetic else "")
    if summary.cost_in_words:
        tags["llm_cost"] = summary.cost_in_words
    if reason:
        tags["reason"] = reason
    if ctx.folder.has("comparison.json"):
        comparison = ctx.folder.load("comparison", Comparison)
        tags |= {"verdict": comparison.verdict, "mlflow.note.content": comparison.sentence}
    if ctx.folder.has("results.json"):
        tags["sandbox"] = ctx.folder.load("results", Results).sandbox
    return tags


def _spent(ctx: Context) -> dict[str, float]:
    """What the run took so far; no dollars where a price is not known."""
    calls, seconds = ctx.account.calls, ctx.account.sandbox.seconds
    spent = {"llm_tokens": float(calls.tokens), "sandbox_seconds": seconds}
    return spent if calls.cost_usd is None else spent | {"llm_cost_usd": calls.cost_usd}


def _verdict_metrics(comparison: Comparison) -> dict[str, float]:
    """The candidate's difference from the strongest baseline, with its interval."""
    row = comparison.row(comparison.strongest)
    found: dict[str, float] = {}
    for effect in row.effects if row else ():
        name = f"delta_{effect.metric}_{effect.task}"
        found |= {name: effect.estimate, f"{name}_low": effect.low, f"{name}_high": effect.high}
    return found


def _children(ctx: Context, parent: str) -> None:
    results, table = ctx.folder.load("results", Results), ctx.folder.load("scores", ScoreTable)
    pairs: list[tuple[ModelResult, ModelScores]] = list(zip(results.models, table.models, strict=True))
    if ctx.folder.has("ablation.json"):
        ablation = ctx.folder.load("ablation", Ablation)
        pairs += [(ablation.result, ablation.scores)] if ablation.result and ablation.scores else []
    question = ctx.folder.load("plan", ExperimentPlan).question
    for model, scores in pairs:
        for seed in model.seeds:
            _child(ctx, parent, question, model, seed, scores)


def _child(ctx: Context, parent: str, question: Question, model: ModelResult, seed: SeedRow, scores: ModelScores) -> None:
    tracker, key = ctx.tracker, f"{ctx.folder.run_id}/{model.name}/{seed.seed}"
    tags = {"run": ctx.folder.run_id, "role": model.role, "model": model.name, "seed": str(seed.seed), "status": seed.status}
    child = tracker.run(key, f"{model.name} seed {seed.seed}", parent, tags | {"job": seed.job})
    test = scores.test.get(seed.seed)
    metrics = {"parameters": float(model.parameters), "samples_per_s": seed.samples_per_s, "seconds": seed.seconds}
    metrics |= _test_metrics(test) if test else {}
    if seed.seed in scores.valid:
        metrics[f"valid_{question.primary}"] = scores.valid[seed.seed]
    tracker.log(child, {"model": model.name, "seed": seed.seed, **model.setting}, metrics, _series(question, seed))
    tracker.finish(child, ok=seed.status == "ok")


def _series(question: Question, seed: SeedRow) -> list[MetricSeries]:
    """What a run said of its epochs: the loss, and of metrics on valid those that are known here."""
    told = [MetricSeries("epoch_train_loss", [e.epoch for e in seed.epochs], [e.train_loss for e in seed.epochs])]
    for metric in question.metrics:
        points = [(e.epoch, e.valid[metric]) for e in seed.epochs if metric in e.valid]
        told.append(MetricSeries(f"epoch_valid_{metric}", [epoch for epoch, _ in points], [value for _, value in points]))
    return told


def _test_metrics(scores: Scores) -> dict[str, float]:
    """The primary task's metrics plainly named, those of other tasks with the task's name."""
    return {
        f"test_{name}" if i == 0 else f"test_{name}_{task.task}": value
        for i, task in enumerate(scores.tasks)
        for name, value in task.values.items()
    }


def _log_winner(ctx: Context, parent: str) -> None:
    """Logs the model to deploy: the candidate when it is better, else the strongest baseline; its first seed's weights."""
    comparison, results = ctx.folder.load("comparison", Comparison), ctx.folder.load("results", Results)
    name = results.candidate.name if comparison.verdict == "better" else (comparison.strongest or results.candidate.name)
    winner = next(m for m in results.models if m.name == name)
    if winner.failed:
        return
    weights = ctx.jobs / winner.seeds[0].job / "weights.safetensors"
    code = ctx.folder.root / "model.py" if winner.role == "candidate" else None
    composed = code is None or load_code(ctx, chosen(ctx)).composed
    ctx.tracker.log_model(parent, ServedModel(winner.name, ctx.prepared.root, weights, _hyper(ctx, winner), code, composed))


def _hyper(ctx: Context, model: ModelResult) -> dict[str, int | float]:
    """What the model's constructor got: the shared width, and dropout where tuning set it."""
    hyper: dict[str, int | float] = {"embedding_dim": ctx.folder.load("plan", ExperimentPlan).embedding_dim}
    return hyper | ({"dropout": model.setting["dropout"]} if "dropout" in model.setting else {})
