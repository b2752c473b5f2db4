"""The way of training that is fastest here, measured once for a data set on a plain model and then the same for every model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import get_args

from agents.errors import Stopped
from agents.strict import Strict
from sandboxes.jobs import Job, JobRunner, ModelSource
from sandboxes.kit.data import Prepared
from sandboxes.kit.schema import Predicts
from sandboxes.kit.training.config import Precision, TrainConfig, Updates
from sandboxes.reports import CalibrationReport

# Plain deep networks: what most models are besides their own idea. Reference models, so that every run here shares the choice.
MEASURED_ON: Mapping[Predicts, str] = MappingProxyType({"labels": "dnn", "items": "two_towers", "actions": "inverse_propensity"})
Fixed = Mapping[str, str | bool]

_WORDS: Mapping[str, tuple[str, str | bool]] = {
    **{name: ("updates", name) for name in get_args(Updates)},
    **{name: ("precision", name) for name in get_args(Precision)},
    "compiled": ("compiled", True),
    "eager": ("compiled", False),
}


class Way(Strict):
    """What of `TrainConfig` is about speed, and in words how it was found."""

    updates: Updates = "whole"
    precision: Precision = "fp32"
    compiled: bool = False
    said: str = "not measured"
    samples_per_s: float | None = None  # of the model that was measured, one run alone


def fixed_by(text: str) -> Fixed:
    """What a user fixed: "auto", or words such as "touched,fp32,eager"; what is not named stays free. Raises `ValueError`."""
    fixed: dict[str, str | bool] = {}
    for word in (w.strip() for w in text.split(",") if w.strip() not in ("", "auto")):
        if word not in _WORDS:
            raise ValueError(f"{word!r} is no way of training; there are auto, {', '.join(_WORDS)}")
        name, value = _WORDS[word]
        if fixed.get(name, value) != value:
            raise ValueError(f"{text!r} asks for two {name} at once; name one of them")
        fixed[name] = value
    return fixed


def find_way(
    prepared: Prepared,
    runner: JobRunner,
    config: TrainConfig,
    embedding_dim: int,
    fixed: Fixed,
    stop: Callable[[], bool] = lambda: False,
) -> Way:
    """Measures in the sandbox, or finds it measured before. If measuring fails, what is free stays plain. Raises `Stopped`."""
    hyper = {"embedding_dim": embedding_dim}
    name = measured_on(prepared.schema.predicts)
    source = ModelSource(name, reference=name)
    job = Job("calibrate", source, prepared.visible, prepared.data_hash, hyper, config, (), fixed=dict(fixed))
    finished = runner.run(job, cancelled=stop)
    if finished.run.status == "cancelled":
        raise Stopped  # not the plain way: who goes on must come to the same plan as who was not stopped
    if not finished.run.ok:
        why = finished.fault.strip().splitlines()[-1]
        return Way.model_validate({**fixed, "said": f"as fixed, else the plain way, since it could not be measured: {why}"})
    report = finished.calibration_report()
    rate = config.batch_size / report.taken.step_s if report.taken.step_s else None
    return Way(**report.chosen.model_dump(), said=_in_words(report, name), samples_per_s=rate)


def measured_on(predicts: Predicts) -> str:
    """The reference model on whose steps ways are measured."""
    return MEASURED_ON[predicts]


def _in_words(report: CalibrationReport, name: str) -> str:
    """Such as `touched rows, fp32, eager at 21 ms a step of dnn; whole tables, fp32, eager took 54 ms`."""
    own = f"{report.taken.in_words} at {report.taken.ms} a step of {name}"
    others = [f"{m.in_words} {m.fault or f'took {m.ms}'}" for m in report.measured if m != report.taken]
    return "; ".join([own, *others])
