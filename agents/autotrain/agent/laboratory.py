"""Acting: trains a decision beside what stands, on the same seeds, and measures the difference on valid.

Test stays unseen: what several agents change together is confirmed on it later. Predictions are scored here, by hidden labels; of
what a job says of itself, only the number of parameters is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from scipy.special import stdtrit

from agents.autotrain.agent.recipe import Recipe
from agents.autotrain.plan import PlanImpossible
from agents.compare import MEASURES, BadPredictions, Rules, Truth, truth_of
from agents.contract import Measured, Outcome
from agents.errors import Stopped
from agents.pool import results
from sandboxes.jobs import Finished, JobRunner
from sandboxes.kit.data import Prepared

ALPHA = 0.05  # of each interval: one change in forty is kept by luck, of those that are worth nothing
LEAST_SEEDS = 2  # with one, nothing is known of what seeds alone do

Progress = Callable[[dict[str, object]], None]


@dataclass(frozen=True)
class Laboratory:
    """Where recipes are tried. `runner` gives the jobs of code that is composed of the kit's own blocks, or of other code.

    Raises `PlanImpossible` where no interval can come of the seeds or of the rows of valid.
    """

    prepared: Prepared
    runner: Callable[[bool], JobRunner]
    seeds: tuple[int, ...]
    parallel: int = 1
    stop: Callable[[], bool] = lambda: False
    tell: Progress = lambda event: None
    truth: Truth = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "truth", truth_of(self.prepared, "valid"))
        if len(set(self.seeds)) < LEAST_SEEDS:
            raise PlanImpossible(f"at least {LEAST_SEEDS} seeds are needed: with one, nothing is known of what chance alone does")
        if small := self.truth.too_small(Rules()):
            raise PlanImpossible(f"valid cannot tell two models apart: {small}".replace("test rows", "valid rows"))

    def smoke(self, candidate: Recipe) -> Outcome | None:
        """Why it cannot be trained, as an outcome; None where it passes the cheap tests. Raises `Stopped`."""
        finished = self.runner(candidate.source.composed).run(candidate.smoke_job(self.prepared), cancelled=self.stop)
        if (unfinished := _unfinished([finished], "the smoke tests")) is not None:
            return unfinished
        faults = [f"{check.name}: {check.detail}" for check in finished.smoke_report().checks if not check.passed]
        return _untrained("failed", f"the smoke tests: {'; '.join(faults)}", [finished]) if faults else None

    def compare(self, incumbent: Recipe, candidate: Recipe) -> Outcome:
        """The candidate beside the incumbent, whose trainings are found again where they were made before. Raises `Stopped`."""
        with ThreadPoolExecutor(self.parallel) as pool:
            old = [pool.submit(self._train, incumbent, seed) for seed in self.seeds]
            new = [pool.submit(self._train, candidate, seed) for seed in self.seeds]
            runs = results([*old, *new])
        before, now = runs[: len(old)], runs[len(old) :]
        if self._fault(before):  # of which the decision is innocent
            return _untrained("refused", f"what stands cannot be trained: {self._fault(before)}", before)
        if (unfinished := _unfinished(now, "training")) is not None:
            return unfinished
        if fault := self._fault(now):
            return _untrained("failed", fault, now)
        return Outcome("done", self._measures(before, now), _cost(before, now), _evidence([*before, *now]))

    def _train(self, recipe: Recipe, seed: int) -> Finished:
        if self.stop():
            raise Stopped
        finished = self.runner(recipe.source.composed).run(recipe.job(self.prepared, seed), cancelled=self.stop)
        if finished.run.status == "cancelled":
            raise Stopped
        self.tell({"event": "run_finished", "model": recipe.source.name, "seed": seed, "status": finished.run.status})
        return finished

    def _fault(self, runs: Sequence[Finished]) -> str:
        """Why runs cannot be compared, in a clause, or ""."""
        for finished in runs:
            if not finished.run.ok:
                return f"{finished.run.status}: {_last_line(finished.fault)}"
            try:
                predictions = finished.predictions("valid")
                self.truth.check(predictions)
            except (BadPredictions, OSError, ValueError) as error:
                return str(error)
            if collapsed := self.truth.collapse(predictions):
                return f"collapsed: {collapsed}"
        return ""

    def _measures(self, before: Sequence[Finished], now: Sequence[Finished]) -> dict[str, Measured]:
        """`gain` is in the primary metric, up being better; beside it the gains in the others, and the quality of both."""
        old, new = ([f.predictions("valid") for f in runs] for runs in (before, now))
        gains: dict[str, Measured] = {}
        for task, metric in self.truth.judged():
            paired = self.truth.paired(self.truth.reduce(new, task, metric), self.truth.reduce(old, task, metric), task, metric)
            low, high = paired.interval(ALPHA)
            signs = (paired.estimate, low, high) if MEASURES[metric].higher_is_better else (-paired.estimate, -high, -low)
            name = f"gain in {MEASURES[metric].words} of {self.truth.tasks[task]}" if gains else "gain"
            gains[name] = Measured(*map(float, signs))
        qualities = {
            name: _over_seeds([self.truth.primary(p) for p in predictions])
            for name, predictions in (("quality", new), ("incumbent_quality", old))
        }
        return gains | qualities


def _over_seeds(values: Sequence[float]) -> Measured:
    """The mean, and where that of more seeds would lie."""
    mean = float(np.mean(values))
    half = float(-stdtrit(len(values) - 1, ALPHA / 2) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return Measured(mean, mean - half, mean + half)


def _cost(before: Sequence[Finished], now: Sequence[Finished]) -> dict[str, float]:
    """Seconds of one training, as the host saw them, and parameters."""
    seconds, old = (float(np.mean([f.run.duration_s for f in runs])) for runs in (now, before))
    parameters, others = (float(runs[0].train_report().parameters) for runs in (now, before))
    return {"seconds": seconds, "incumbent_seconds": old, "parameters": parameters, "incumbent_parameters": others}


def _unfinished(runs: Sequence[Finished], what: str) -> Outcome | None:
    """What comes of runs of which one did not end well. A sandbox that is missing or will not run such code refuses."""
    for finished in runs:
        status = finished.run.status
        if status == "cancelled":
            raise Stopped
        if status != "ok":
            refused = status in ("refused", "unavailable")
            return _untrained(
                "refused" if refused else "failed", f"{what} {status.replace('_', ' ')}: {_last_line(finished.fault)}", runs
            )
    return None


def _untrained(status: str, reason: str, runs: Sequence[Finished]) -> Outcome:
    cost = {"seconds": float(sum(f.run.duration_s for f in runs))}
    return Outcome("refused" if status == "refused" else "failed", cost=cost, evidence=_evidence(runs), reason=reason)


def _evidence(runs: Sequence[Finished]) -> tuple[str, ...]:
    return tuple(f"job {finished.job.key}" for finished in runs)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no reason was given"
