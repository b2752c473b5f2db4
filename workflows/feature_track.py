"""Writes a run of AutoFeature into MLflow: one parent, a child for each trial, and the model with what was kept."""

from __future__ import annotations

from pathlib import Path

from agents.autofeature.agent import AutoFeature
from agents.autofeature.changes import changed, together_in_words
from agents.autofeature.propose import Proposer
from agents.autofeature.report import FeatureView
from agents.autofeature.trials import Trial
from agents.autofeature.verdicts import Judged
from memory.served_model import ServedModel
from memory.tracking import Tracker
from workflows.context import RunContext
from workflows.feature_request import FeatureRequest

ARTIFACTS: tuple[str, ...] = (
    "report.html",
    "report.md",
    "profile.html",
    "profile.json",
    "observation.json",
    "proposals.json",
    "shortlist.json",
)
ARTIFACTS += ("shortlist.json", "tried.json", "verdicts.json", "confirmation.json", "request.json")
LONGEST = 250  # characters of a tag


def track(ctx: RunContext[FeatureRequest, Proposer | None], agent: AutoFeature, view: FeatureView) -> str:
    """Logs everything there is; returns the parent run's id. Doing it twice leaves the same runs."""
    tracker, folder = ctx.tracker, ctx.folder
    parent = tracker.run(folder.run_id, f"features of {view.seen.dataset}", tags=_tags(ctx, view))
    incumbent = view.offered.incumbent
    tracker.log(parent, incumbent.model_dump() | {"data_hash": view.seen.data_hash, "seeds": view.request.seeds})
    tracker.log(parent, metrics={"sandbox_seconds": ctx.account.sandbox.seconds, "proposals": float(len(view.offered.rows))})
    verdicts = {v.name: v for v in view.verdicts}
    for trial in view.tried.trials if view.tried else ():
        _trial(tracker, parent, folder.run_id, trial, verdicts[trial.name])
    if view.last and view.last.gain:
        gain = view.last.gain
        found = {"test_auc_gain": gain.value, "test_auc_gain_low": gain.low, "test_auc_gain_high": gain.high}
        known = {"test_auc_before": view.last.auc_before, "test_auc_after": view.last.auc_after}
        tracker.log(parent, metrics=found | {name: value for name, value in known.items() if value is not None})
    if view.last and view.last.verdict == "adopted":
        tracker.log_model(parent, _served(ctx, agent, view))
    for name in ARTIFACTS:
        if folder.has(name):
            tracker.artifact(parent, folder.root / name)
    tracker.finish(parent)
    return parent


def _tags(ctx: RunContext[FeatureRequest, Proposer | None], view: FeatureView) -> dict[str, str]:
    found = {
        "run": ctx.folder.run_id,
        "role": "features",
        "status": view.status,
        "data": view.seen.dataset,
        "judge": view.request.model,
        "memory": f"outcome-{ctx.folder.run_id}",  # the record of what came of it, which points back here
        "sandbox": view.sandbox,
    }
    if view.last:
        found |= {"verdict": view.last.verdict, "reason": view.last.reason, "mlflow.note.content": view.last.reason}
        found["changes"] = together_in_words(view.last.changes)[:LONGEST]
    return found


def _trial(tracker: Tracker, parent: str, run: str, trial: Trial, verdict: Judged) -> None:
    tags = {"role": "trial", "aim": trial.aim, "kept": str(verdict.kept), "reason": verdict.reason[:LONGEST]}
    child = tracker.run(f"{run}/{trial.name}", trial.name, parent, tags)
    tracker.log(child, {"changes": together_in_words(trial.changes), "jobs": " ".join(trial.jobs)})
    metrics = {"p": trial.p, "worth": trial.worth, "seconds": trial.seconds}
    if trial.gain:
        metrics |= {
            "valid_auc_gain": trial.gain.value,
            "valid_auc_gain_low": trial.gain.low,
            "valid_auc_gain_high": trial.gain.high,
        }
    if trial.cost:
        metrics |= {"bytes_more": float(trial.cost.bytes), "ms_per_1000_rows_more": trial.cost.ms}
    tracker.log(child, metrics=metrics)
    tracker.finish(child, ok=not trial.failure)


def _served(ctx: RunContext[FeatureRequest, Proposer | None], agent: AutoFeature, view: FeatureView) -> ServedModel:
    """The model of the first fresh seed with what was adopted, transforms included."""
    assert view.last is not None
    prepared = agent.trainer.prepared(changed(agent.description(view.seen), view.last.changes))
    first = view.last.jobs[len(view.last.jobs) // 2]  # jobs of the model as it was come first
    hyper = {"embedding_dim": view.offered.incumbent.embedding_dim}
    weights: Path = ctx.jobs / first / "weights.safetensors"
    return ServedModel(view.request.model, prepared.root, weights, hyper, composed=True)
