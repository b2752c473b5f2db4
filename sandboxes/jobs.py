"""Training jobs as the host sees them: a content key, a request for a sandbox, and what it leaves.

A finished job is kept under its key, so that the same job is never run twice: that is what makes steps idempotent,
resuming cheap and baselines shared between reproductions. Only jobs that ended "ok" are kept; what a failed one
left stands under failed/, for people to look at.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ValidationError

from sandboxes.equations import EquationProbe, EquationRow, as_asked, read_rows, reference_files
from sandboxes.kit.importance.config import ImportanceConfig
from sandboxes.kit.kernels import native
from sandboxes.kit.training.config import TrainConfig
from sandboxes.launch import job_argv
from sandboxes.meter import Meter
from sandboxes.protocol import Limits, RunRequest, RunResult, Sandbox
from sandboxes.reports import CalibrationReport, ImportanceReport, SmokeReport, TrainReport


@dataclass(frozen=True)
class ModelSource:
    """What a job trains: `code` is the text of a model.py; or `reference` names one of the kit's own models."""

    name: str
    code: str = ""
    reference: str = ""
    composed: bool = True  # holds nothing but the kit's own blocks


@dataclass(frozen=True)
class Job:
    """One smoke test, training run, calibration, ranking of fields by a model that is trained first, or check of the equations of
    `probes`, which alone needs no data.

    `hyper` goes to the model's constructor, `config` to the trainer. `fixed` names what a calibration may not choose (see
    `kit.training.calibration`). `importance` says how fields are ranked; what a training leaves is left too. The references of
    `probes` have to have passed `EquationProbe.violations`.
    """

    action: Literal["smoke", "train", "calibrate", "importance", "equation"]
    model: ModelSource
    data: Path | None = None  # the `visible/` folder of a prepared data set
    data_hash: str = ""
    hyper: Mapping[str, int | float | Sequence[int]] = field(default_factory=dict)
    config: TrainConfig = field(default_factory=TrainConfig)
    predict: tuple[str, ...] = ("valid",)
    keep_weights: bool = False
    fixed: Mapping[str, str | bool] = field(default_factory=dict)
    probes: tuple[EquationProbe, ...] = ()
    importance: ImportanceConfig = field(default_factory=ImportanceConfig)

    @property
    def key(self) -> str:
        """Equal for jobs that would do the same: model, data, settings, references and the kit's own code."""
        parts = [self._job_json(), self.model.code, self.data_hash, kit_hash(), *reference_files(self.probes).values()]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]

    def request(self, outputs: Path, limits: Limits) -> RunRequest:
        files = {"job.json": self._job_json()} | ({"model.py": self.model.code} if self.model.code else {})
        files |= reference_files(self.probes)
        return RunRequest(
            files,
            outputs,
            self.data,
            argv=job_argv(self.config.processes if self.action == "train" else 1),
            limits=limits,
            composed=self.model.composed and not self.probes,  # no engine composes references from the kit's blocks
            label=self.model.name,
        )

    def _job_json(self) -> str:
        model = {"reference": self.model.reference} if self.model.reference else {"file": "model.py"}
        asked: dict[str, object] = {"probes": as_asked(self.probes)} if self.action == "equation" else {}
        asked |= {"importance": asdict(self.importance)} if self.action == "importance" else {}
        return json.dumps(
            {
                "action": self.action,
                "model": model,
                "hyper": dict(sorted(self.hyper.items())),
                "config": asdict(self.config),
                "predict": self.predict,
                "keep_weights": self.keep_weights,
                "fixed": dict(self.fixed),
                **asked,
            },
            sort_keys=True,
        )


@dataclass(frozen=True)
class Finished:
    """A job's end. `folder` holds its outputs; `reused` says that an earlier run's outputs were found under the key."""

    job: Job
    run: RunResult
    folder: Path
    reused: bool = False

    @property
    def fault(self) -> str:
        """What went wrong, as text for a person or an engine; "" when nothing did."""
        if self.run.ok:
            return ""
        error = self.folder / "error.json"
        if self.run.status == "failed" and error.is_file():
            said = _json(error)
            return str(said.get("traceback") or said.get("message") or self.run.reason)
        return self.run.reason or self.run.stderr or self.run.status

    def train_report(self) -> TrainReport:
        return TrainReport.model_validate(_json(self.folder / "result.json"))

    def smoke_report(self) -> SmokeReport:
        return SmokeReport.model_validate(_json(self.folder / "smoke.json"))

    def calibration_report(self) -> CalibrationReport:
        return CalibrationReport.model_validate(_json(self.folder / "calibration.json"))

    def importance_report(self) -> ImportanceReport:
        """Raises `ValueError` where it does not answer what was asked: these methods, each about the same fields."""
        report = ImportanceReport.model_validate(_json(self.folder / "importance.json"))
        fields = [{f.field for f in m.fields} | set(m.unscored) for m in report.methods]
        if tuple(m.method for m in report.methods) != self.job.importance.methods or any(f != fields[0] for f in fields):
            raise ValueError("the report is not of the methods that were asked for, or not of the same fields by each")
        return report

    def equation_report(self) -> tuple[EquationRow, ...]:
        """A row for each of the job's probes, in their order."""
        return read_rows(self.folder / "equations.json", self.job.probes)

    def predictions(self, split: str) -> np.ndarray:
        """Probabilities (n, T) as the sandbox wrote them: unchecked numbers."""
        with _PARSING:
            values: np.ndarray = np.load(self.folder / f"{split}.npy", allow_pickle=False)
        return values


# The header of an array is parsed as Python, which before CPython 3.13 must not happen in two threads at once
# (python/cpython issue 106905: "AST constructor recursion depth mismatch").
_PARSING = threading.Lock()


class JobRunner:
    """Runs jobs in a sandbox and keeps what finished, under `root/<key>/`. May be used from several threads.

    Seconds in the sandbox are counted by `meter`; once its limit is passed, jobs that are not kept end "cancelled".
    """

    def __init__(self, sandbox: Sandbox, root: Path, limits: Limits, meter: Meter | None = None) -> None:
        self.sandbox, self._root, self._limits, self._meter = sandbox, root, limits, meter or Meter()
        native.library()  # compiled here, beside the kit: sandboxes see it there and may not write
        root.mkdir(parents=True, exist_ok=True)

    def run(
        self,
        job: Job,
        progress: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Finished:
        """The kept outputs of an equal job, or a run now. Never raises for what the code does."""
        kept = self._root / job.key
        if (kept / "run.json").is_file():
            said = _json(kept / "run.json")
            run = RunResult("ok", str(said["sandbox"]), 0, float(str(said["duration_s"])))
            return Finished(job, run, kept, reused=True)
        if self._meter.spent:
            spent = RunResult("cancelled", self.sandbox.name, reason="the time in sandboxes is spent")
            return Finished(job, spent, self._root / "failed" / job.key)
        fresh = self._root / f".{job.key}.{os.getpid()}.{threading.get_ident()}"
        shutil.rmtree(fresh, ignore_errors=True)
        result = self._meter.count(job.key, job.action, lambda spent: self._sandboxed(job, fresh, progress, spent, cancelled))
        fault = _unreadable(job, fresh) if result.ok else None
        if fault:
            result = RunResult("bad_output", result.sandbox, result.exit_code, result.duration_s, reason=fault)
        if not result.ok:
            return Finished(job, result, _replace(fresh, self._root / "failed" / job.key))
        (fresh / "run.json").write_text(json.dumps({"sandbox": result.sandbox, "duration_s": result.duration_s}))
        if kept.is_dir() and not (kept / "run.json").is_file():  # half of something, which nobody may take for a result
            shutil.rmtree(kept, ignore_errors=True)
        try:
            fresh.rename(kept)
        except OSError:  # another worker kept an equal job first; theirs is as good
            shutil.rmtree(fresh, ignore_errors=True)
        return Finished(job, result, kept)

    def _sandboxed(
        self,
        job: Job,
        outputs: Path,
        progress: Callable[[str], None] | None,
        spent: Callable[[], bool],
        cancelled: Callable[[], bool] | None,
    ) -> RunResult:
        stop = spent if cancelled is None else lambda: spent() or cancelled()
        return self.sandbox.run(job.request(outputs, self._limits), progress, stop)


def _replace(folder: Path, place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(exist_ok=True)
    folder.mkdir(exist_ok=True)
    return folder.rename(place)


def _unreadable(job: Job, folder: Path) -> str | None:
    """Why the outputs are not what the job must leave, or None."""
    finished = Finished(job, RunResult("ok", ""), folder)
    read: Mapping[str, Callable[[], object]] = {
        "smoke": finished.smoke_report,
        "calibrate": finished.calibration_report,
        "importance": finished.importance_report,
        "equation": finished.equation_report,
    }
    try:
        if job.action != "train":
            read[job.action]()
        if job.action not in ("train", "importance"):
            return None
        finished.train_report()
        for split in job.predict:
            finished.predictions(split)
    except (OSError, ValueError, ValidationError) as error:
        return f"the run left unusable outputs: {str(error).splitlines()[0]}"
    return None


def _json(path: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return content


@cache
def kit_hash() -> str:
    """The hash of the kit's sources: a changed kit makes new jobs."""
    kit = Path(__file__).parent / "kit"
    digest = hashlib.sha256()
    for path in sorted(p for p in kit.rglob("*") if p.suffix in (".py", ".cpp")):
        digest.update(path.relative_to(kit).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
