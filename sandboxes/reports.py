"""What a sandbox says of its jobs, read by schema: for people, plots and the choice of a way to train; no verdict rests on it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sandboxes.kit.importance.config import SENTENCES, UNITS, Reason
from sandboxes.kit.training.config import Precision, Updates


class Read(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=True)


class EpochRow(Read):
    epoch: int
    stage: str
    train_loss: float
    valid: dict[str, float]  # by metric, the first the one that training is stopped by
    seconds: float


class TrainReport(Read):
    """What the sandbox says of a training run: for people and plots; no verdict rests on it."""

    device: str
    parameters: int
    epochs: tuple[EpochRow, ...]
    best_epoch: int
    samples_per_s: float
    seconds: float


class CheckRow(Read):
    name: str
    passed: bool
    detail: str


class SmokeReport(Read):
    checks: tuple[CheckRow, ...]
    parameters: int

    @property
    def passed(self) -> bool:
        return all(c.passed for c in self.checks)


class FieldRow(Read):
    """How useful a field was to a trained model; the error is None where the method has none."""

    field: str
    score: float = Field(allow_inf_nan=False)
    standard_error: float | None = Field(ge=0, allow_inf_nan=False)


class MethodRow(Read):
    """What one method says of a model's fields, and why it says nothing of others."""

    method: str
    fields: tuple[FieldRow, ...]
    unscored: dict[str, Reason]
    seconds: float

    @property
    def unit(self) -> str:
        return UNITS[self.method]

    @property
    def sentences(self) -> dict[str, str]:
        """Why other fields have no score, in words that are not the sandbox's."""
        return {name: SENTENCES[reason] for name, reason in self.unscored.items()}

    @model_validator(mode="after")
    def _each_field_once(self) -> MethodRow:
        names = [f.field for f in self.fields] + list(self.unscored)
        if len(set(names)) < len(names):
            raise ValueError(f"{self.method} speaks twice of a field")
        return self


class ImportanceReport(Read):
    """How useful each field was to the trained model, by each of the methods asked for, in their order. `auc` is the model's over
    the `rows` that were looked at. For choosing what to try: a sandbox's word, on which no verdict rests."""

    rows: int
    auc: float
    methods: tuple[MethodRow, ...]


class WayRow(Read):
    updates: Updates
    precision: Precision
    compiled: bool


class MeasuredRow(WayRow):
    """A way of training as measured; `step_s` is None where it could not be used, for the reason `fault`."""

    step_s: float | None
    set_up_s: float
    fault: str

    @property
    def in_words(self) -> str:
        rows = "touched rows" if self.updates == "touched" else "whole tables"
        return f"{rows}, {self.precision}, {'compiled' if self.compiled else 'eager'}"

    @property
    def ms(self) -> str:
        return "no" if self.step_s is None else f"{1000 * self.step_s:.0f} ms"


class CalibrationReport(Read):
    """What a calibration came to; `chosen` is one of those measured. For speed alone: it is believed as far as that goes."""

    chosen: WayRow
    measured: tuple[MeasuredRow, ...]
    steps: int

    @property
    def taken(self) -> MeasuredRow:
        """The measurement of the way that was chosen."""
        return self._of_chosen()[0]

    @model_validator(mode="after")
    def _chosen_was_measured(self) -> CalibrationReport:
        if not self._of_chosen():
            raise ValueError("the way chosen is none of those measured")
        return self

    def _of_chosen(self) -> list[MeasuredRow]:
        chosen = self.chosen.model_dump().items()
        return [m for m in self.measured if m.step_s is not None and chosen <= m.model_dump().items()]
