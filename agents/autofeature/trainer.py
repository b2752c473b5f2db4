"""Trains one model on several descriptions of one table: the same rows, settings and seeds, so that only features differ."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from agents.compare import truth_of
from agents.compare.finished import valid_score
from agents.compare.truth import Predictions
from agents.errors import DoesNotTrain, Stopped
from agents.pool import results
from agents.strict import Strict
from sandboxes import SandboxUnavailable
from sandboxes.jobs import Finished, Job, JobRunner, ModelSource
from sandboxes.kit.data import Prepared
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import TableSpec
from sandboxes.kit.training.config import TrainConfig

Emit = Callable[[dict[str, object]], None]
TUNING_SEED = 0  # seeds of trials start at 1
RATES = (1e-3, 3e-3, 1e-2, 3e-2)  # learning rates that are tried for the incumbent, once


class Incumbent(Strict):
    """The model that features are judged by: one of the kit's, and how it is trained. It stays as it is while features change."""

    model: str
    embedding_dim: int = 16
    learning_rate: float = 3e-3
    batch_size: int = 1024
    max_epochs: int = 5
    threads: int = 1

    def config(self, seed: int, share: float = 1.0) -> TrainConfig:
        return TrainConfig(
            seed=seed,
            share=share,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            max_epochs=self.max_epochs,
            threads=self.threads,
        )


@dataclass(frozen=True)
class Trained:
    """The runs on one description, a seed each. `failure` says in a clause why one did not finish, "" where all did."""

    prepared: Prepared
    finished: tuple[Finished, ...]

    @property
    def failure(self) -> str:
        for f in self.finished:
            if not f.run.ok:
                said = f.fault.strip().splitlines()
                return f"seed {f.job.config.seed} {f.run.status.replace('_', ' ')}: {said[-1] if said else 'no reason was given'}"
        return ""

    def predictions(self, split: str) -> list[Predictions]:
        return [f.predictions(split) for f in self.finished]

    @property
    def jobs(self) -> tuple[str, ...]:
        return tuple(f.job.key for f in self.finished)

    @property
    def seconds(self) -> float:
        return sum(f.run.duration_s for f in self.finished)


class Trainer:
    """`parallel` preparations or trainings at a time; finished ones are found again. `stop` is polled, `emit` is told."""

    def __init__(
        self,
        source: Source,
        data: Path,
        runner: JobRunner,
        *,
        parallel: int = 1,
        stop: Callable[[], bool] = lambda: False,
        emit: Emit = lambda event: None,
    ) -> None:
        self.source = source
        self._data, self._runner, self.parallel, self._stop = data, runner, parallel, stop
        self._tell, self._lock = emit, threading.Lock()

    @property
    def sandbox(self) -> str:
        """The name of the one that models train in."""
        return self._runner.sandbox.name

    def _emit(self, event: dict[str, object]) -> None:
        with self._lock:
            self._tell(event)

    def prepared(self, spec: TableSpec) -> Prepared:
        """The table by that description. Raises `DataError`."""
        return prepare(replace(self.source, spec=spec), self._data)

    def train(
        self, specs: Mapping[str, TableSpec], incumbent: Incumbent, seeds: Sequence[int], predict: tuple[str, ...] = ("valid",)
    ) -> dict[str, Trained]:
        """The incumbent on every description, by a name, with every seed. The first seed's weights are kept.

        Raises `DataError`, `Stopped` and `SandboxUnavailable`.
        """
        self._emit({"event": "runs_planned", "runs": len(specs) * len(seeds)})
        with ThreadPoolExecutor(self.parallel) as pool:
            sets = dict(zip(specs, results([pool.submit(self.prepared, spec) for spec in specs.values()]), strict=True))
            runs = [
                pool.submit(self._trial, p, incumbent, incumbent.config(s), predict, s == seeds[0], f"{name} seed {s}")
                for name, p in sets.items()
                for s in seeds
            ]
            done = iter(results(runs))
        return {name: Trained(p, tuple(next(done) for _ in seeds)) for name, p in sets.items()}

    def tuned(self, spec: TableSpec, incumbent: Incumbent) -> Incumbent:
        """The incumbent with the learning rate that scores best on valid, if any run finishes. Raises as `train` does."""
        prepared = self.prepared(spec)
        tried = [incumbent.model_copy(update={"learning_rate": rate}) for rate in RATES]
        with ThreadPoolExecutor(self.parallel) as pool:
            runs = [
                pool.submit(self._trial, prepared, one, one.config(TUNING_SEED), ("valid",), False, f"rate {one.learning_rate:g}")
                for one in tried
            ]
            done = results(runs)
        scores = np.nan_to_num([valid_score(f, truth_of(prepared, "valid")) for f in done], nan=-np.inf)
        return tried[int(scores.argmax())] if np.isfinite(scores).any() else incumbent

    def half_seen(self, spec: TableSpec, incumbent: Incumbent) -> Finished:
        """The incumbent trained on half of the train rows, with its predictions of all of them.

        Raises `DoesNotTrain`, and what `train` does.
        """
        config = incumbent.config(TUNING_SEED, share=0.5)
        half = self._trial(self.prepared(spec), incumbent, config, ("train", "valid"), False, "half of the rows")
        if not half.run.ok:
            last = half.fault.strip().splitlines()[-1:] or [half.run.status]
            raise DoesNotTrain(
                f"{incumbent.model} does not train on {self.source.spec.name}, so that no feature can be judged: {last[0]}"
            )
        return half

    def run(self, job: Job) -> Finished:
        """A job of one's own, in the same sandbox. Raises `Stopped` and `SandboxUnavailable`."""
        return self._run(job)

    def _trial(
        self,
        prepared: Prepared,
        incumbent: Incumbent,
        config: TrainConfig,
        predict: tuple[str, ...],
        keep_weights: bool,
        what: str,
    ) -> Finished:
        model, hyper = ModelSource(incumbent.model, reference=incumbent.model), {"embedding_dim": incumbent.embedding_dim}
        tell = {"model": incumbent.model, "what": what}
        self._emit({"event": "run_started", **tell})
        finished = self._run(
            Job("train", model, prepared.visible, prepared.data_hash, hyper, config, predict=predict, keep_weights=keep_weights)
        )
        said = {"status": finished.run.status, "reused": finished.reused, "seconds": round(finished.run.duration_s, 1)}
        self._emit(
            {
                "event": "run_finished",
                **tell,
                **said,
                "valid": {"auc": round(valid_score(finished, truth_of(prepared, "valid")), 5)},
            }
        )
        return finished

    def _run(self, job: Job) -> Finished:
        if self._stop():
            raise Stopped
        finished = self._runner.run(job, cancelled=self._stop)
        if finished.run.status == "cancelled":
            raise Stopped
        if finished.run.status == "unavailable":
            raise SandboxUnavailable(finished.run.reason)
        return finished
