"""What training came to, as data a run folder keeps: settings, scores on valid, and the keys of finished jobs."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict

from agents.autotrain.experiment import ModelRuns, Trial, as_row
from agents.strict import Strict
from sandboxes.jobs import Finished
from sandboxes.protocol import Status
from sandboxes.reports import EpochRow

Role = Literal["candidate", "baseline", "ablation"]


class Row(Strict):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=True, ser_json_inf_nan="constants")


class JobRow(Row):
    """One finished training run. `job` is its key; "" when it left nothing that is kept."""

    job: str
    status: Status
    reason: str = ""
    seconds: float = 0.0
    reused: bool = False


class TrialRow(JobRow):
    setting: dict[str, float]
    valid: float  # the primary metric; NaN when the run failed


class SeedRow(JobRow):
    """A seed's run. `epochs` is what the sandbox said of its progress: for plots, not for verdicts."""

    seed: int
    epochs: tuple[EpochRow, ...] = ()
    best_epoch: int = 0
    samples_per_s: float = 0.0


class ModelResult(Row):
    """All runs of one model under the shared protocol."""

    name: str
    role: Role
    setting: dict[str, float]
    trials: tuple[TrialRow, ...]
    seeds: tuple[SeedRow, ...]
    parameters: int = 0
    device: str = ""

    @property
    def failed(self) -> SeedRow | None:
        """The first seed that did not finish, if one did not."""
        return next((s for s in self.seeds if s.status != "ok"), None)

    @property
    def seconds(self) -> float:
        return sum(r.seconds for r in (*self.trials, *self.seeds))


class Results(Row):
    """Everything that was trained for one reproduction, the candidate first."""

    sandbox: str
    models: tuple[ModelResult, ...]

    @property
    def candidate(self) -> ModelResult:
        return self.models[0]

    @property
    def baselines(self) -> tuple[ModelResult, ...]:
        return tuple(m for m in self.models if m.role == "baseline")


def result_of(runs: ModelRuns, role: Role) -> ModelResult:
    """The record of one model's runs."""
    reports = [f.train_report() for f in runs.seeds if f.run.ok]
    return ModelResult(
        name=runs.source.name,
        role=role,
        setting=as_row(runs.setting),
        trials=tuple(_trial(t) for t in runs.trials),
        seeds=tuple(_seed(f) for f in runs.seeds),
        parameters=reports[0].parameters if reports else 0,
        device=reports[0].device if reports else "",
    )


def _trial(trial: Trial) -> TrialRow:
    return TrialRow(setting=as_row(trial.setting), valid=trial.valid, **_job(trial.finished).model_dump())


def _seed(finished: Finished) -> SeedRow:
    seed = finished.job.config.seed
    if not finished.run.ok:
        return SeedRow(seed=seed, **_job(finished).model_dump())
    said = finished.train_report()
    return SeedRow(
        seed=seed,
        epochs=said.epochs,
        best_epoch=said.best_epoch,
        samples_per_s=said.samples_per_s,
        **_job(finished).model_dump(),
    )


def _job(finished: Finished) -> JobRow:
    run = finished.run
    return JobRow(
        job=finished.job.key if run.ok else "",
        status=run.status,
        reason=finished.fault,
        seconds=run.duration_s,
        reused=finished.reused,
    )
