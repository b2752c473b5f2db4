"""Trains candidate and baselines by one protocol: the same trials for each, then the same seeds for each.

Tuning looks at valid only, and only at valid predictions that the host scores, by the primary metric of what the data asks.
Test predictions are made in the seed runs, after selection, and are not looked at here.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace

import numpy as np
import optuna

from agents.autotrain.plan import TUNING_SEED, ExperimentPlan
from agents.compare import truth_of
from agents.compare.finished import valid_score
from agents.errors import Stopped
from agents.pool import results
from sandboxes.jobs import Finished, Job, JobRunner, ModelSource
from sandboxes.kit.data import Prepared

Emit = Callable[[dict[str, object]], None]


@dataclass(frozen=True)
class Setting:
    """One point of the search space that every model shares."""

    learning_rate: float = 2e-3
    embedding_l2: float = 0.0
    dropout: float | None = None  # None: as the model's constructor says


@dataclass(frozen=True)
class Trial:
    """A tuning trial. `valid` is the primary metric of the primary task, scored by the host; NaN when the run failed."""

    setting: Setting
    valid: float
    finished: Finished


@dataclass(frozen=True)
class ModelRuns:
    """All runs of one model: its trials, the chosen setting and one run a seed, in the order of the plan's seeds."""

    source: ModelSource
    trials: tuple[Trial, ...]
    setting: Setting
    seeds: tuple[Finished, ...]


class Experiment:
    """Runs a plan's trainings, `parallel` at a time. `stop` is polled; `emit` receives progress events."""

    def __init__(
        self,
        plan: ExperimentPlan,
        prepared: Prepared,
        runner: JobRunner,
        *,
        parallel: int,
        stop: Callable[[], bool] = lambda: False,
        emit: Emit = lambda event: None,
    ) -> None:
        self._plan, self._prepared, self._runner = plan, prepared, runner
        self._parallel, self._stop, self._emit = parallel, stop, emit
        self._valid = truth_of(prepared, "valid")
        self._lock = threading.Lock()

    def run(self, sources: Sequence[ModelSource]) -> list[ModelRuns]:
        """Tunes every model, then trains every model on every seed. Raises `Stopped`."""
        tuning = self._plan.trials if self._plan.trials > 1 else 0
        self._tell({"event": "runs_planned", "runs": len(sources) * (tuning + len(self._plan.seeds))})
        with ThreadPoolExecutor(self._parallel) as pool:
            tuned = results([pool.submit(self._tune, source) for source in sources])
            pairs = [
                (source, setting, seed) for source, (setting, _) in zip(sources, tuned, strict=True) for seed in self._plan.seeds
            ]
            runs = results([pool.submit(self._train, *pair) for pair in pairs])
        n = len(self._plan.seeds)
        return [
            ModelRuns(source, trials, setting, tuple(runs[i * n : (i + 1) * n]))
            for i, (source, (setting, trials)) in enumerate(zip(sources, tuned, strict=True))
        ]

    def repeat(self, source: ModelSource, setting: Setting) -> ModelRuns:
        """Trains one more model on every seed by a given setting, untuned (for ablations). Raises `Stopped`."""
        with ThreadPoolExecutor(self._parallel) as pool:
            runs = results([pool.submit(self._train, source, setting, seed) for seed in self._plan.seeds])
        return ModelRuns(source, (), setting, tuple(runs))

    def _tune(self, source: ModelSource) -> tuple[Setting, tuple[Trial, ...]]:
        """The best of `plan.trials` settings on valid. Every model is offered the same sequence of random points."""
        if self._plan.trials == 1:
            return Setting(), ()
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=TUNING_SEED))
        study.enqueue_trial({"learning_rate": 2e-3, "embedding_l2": 0.0})
        trials: list[Trial] = []
        for number in range(self._plan.trials):
            asked = study.ask()
            setting = _suggest(asked, default=number == 0)
            finished = self._job(source, setting, TUNING_SEED, ("valid",), f"trial {number + 1}/{self._plan.trials}")
            score = valid_score(finished, self._valid)
            trials.append(Trial(setting, score, finished))
            study.tell(asked, score if np.isfinite(score) else None, None if np.isfinite(score) else optuna.trial.TrialState.FAIL)
        best = max(trials, key=lambda t: t.valid if np.isfinite(t.valid) else -np.inf)
        return best.setting, tuple(trials)

    def _train(self, source: ModelSource, setting: Setting, seed: int) -> Finished:
        return self._job(source, setting, seed, ("valid", "test"), f"seed {seed}", keep_weights=seed == self._plan.seeds[0])

    def _job(
        self, source: ModelSource, setting: Setting, seed: int, predict: tuple[str, ...], what: str, keep_weights: bool = False
    ) -> Finished:
        if self._stop():
            raise Stopped
        hyper: dict[str, int | float] = {"embedding_dim": self._plan.embedding_dim}
        if setting.dropout is not None:
            hyper["dropout"] = setting.dropout
        config = replace(self._plan.config, seed=seed, learning_rate=setting.learning_rate, embedding_l2=setting.embedding_l2)
        job = Job(
            "train", source, self._prepared.visible, self._prepared.data_hash, hyper, config, predict, keep_weights=keep_weights
        )
        tell = {"model": source.name, "what": what}
        self._tell({"event": "run_started", **tell})
        finished = self._runner.run(job, lambda line: self._progress(line, tell), self._stop)
        if finished.run.status == "cancelled":
            raise Stopped
        self._tell(
            {
                "event": "run_finished",
                **tell,
                "status": finished.run.status,
                "reused": finished.reused,
                "seconds": round(finished.run.duration_s, 1),
                "valid": {self._valid.question.primary: round(valid_score(finished, self._valid), 5)},
            }
        )
        return finished

    def _progress(self, line: str, tell: Mapping[str, object]) -> None:
        """Passes on what the sandbox says of its progress, if it is of the known form; it is untrusted text."""
        try:
            event = json.loads(line)
            kind = {"step": "step", "epoch": "epoch"}[event["event"]]
            numbers = {k: float(event[k]) for k in ("epoch", "rows", "of", "rate", "train_loss") if k in event}
            valid = {k: float(event["valid"][k]) for k in self._valid.question.metrics if k in event.get("valid", ())}
        except (ValueError, TypeError, KeyError):
            return
        self._tell({**numbers, **({"valid": valid} if valid else {}), "event": kind, **tell})

    def _tell(self, event: dict[str, object]) -> None:
        with self._lock:
            self._emit(event)


def _suggest(trial: optuna.Trial, default: bool) -> Setting:
    """The shared search space (learning rate, L2 on embeddings, dropout); the default point leaves dropout to the model."""
    point = Setting(
        learning_rate=trial.suggest_float("learning_rate", 3e-4, 2e-2, log=True),
        embedding_l2=trial.suggest_categorical("embedding_l2", [0.0, 1e-6, 1e-5, 1e-4]),
    )
    return point if default else replace(point, dropout=trial.suggest_categorical("dropout", [0.0, 0.1, 0.2, 0.4]))


def as_row(setting: Setting) -> dict[str, float]:
    """The setting's named values, without what is left to the model."""
    return {name: value for name, value in asdict(setting).items() if value is not None}
