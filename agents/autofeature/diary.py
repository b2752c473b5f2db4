"""Learning: what a run of AutoFeature leaves in memory: features and their states, the decision, its reward, and lessons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agents.autofeature.changes import Add, Change, Drop, counted_in_words, derivation, identity, together_in_words
from agents.autofeature.confirmation import Confirmation
from agents.autofeature.effects import Gain
from agents.autofeature.registry import AGENT, change_of, features, made_of, record_id, state_of
from agents.autofeature.shortlist import ProposedRow
from agents.autofeature.trials import Trial, Tried
from agents.autofeature.verdicts import Judged
from agents.contract import Measured
from memory.records import (
    AnyRecord,
    DecisionRecord,
    FeatureRecord,
    FeatureState,
    LessonRecord,
    OutcomeRecord,
    Polarity,
    RewardRecord,
    RunRecord,
    now,
)
from memory.store import MemoryStore


@dataclass(frozen=True)
class Diary:
    """What is written of one run: its name, its data, the model that features were judged by, and where it is tracked."""

    memory: MemoryStore
    run: str
    dataset: str
    data_hash: str
    model: str
    sandbox: str = ""
    task: str = "ctr"
    created: str = ""
    mlflow_run: str = ""

    def note(self, rows: Sequence[ProposedRow], state: FeatureState) -> None:
        """Keeps proposals in a state of theirs; one that is active or was retired already, and is not tried again, stays so."""
        known = {r.id for r in self._known} if state == "proposed" else set()
        by_id = {record_id(self.dataset, row.change): row for row in rows}
        self.memory.add(*(self._feature(row.change, state, row.why) for name, row in by_id.items() if name not in known))

    def write(self, tried: Tried, verdicts: Sequence[Judged], last: Confirmation, reward: Measured | None, measure: str) -> None:
        """Keeps the run as a whole; writing it again changes nothing."""
        self.memory.add(self._run(tried, last), *self._records(tried.trials, verdicts, last, reward, measure))

    def _run(self, tried: Tried, last: Confirmation) -> RunRecord:
        return RunRecord(
            id=f"run-{self.run}",
            data_hash=self.data_hash,
            code_hash="",
            candidate=f"{self.model}, {counted_in_words(last.changes)}",
            baselines=(self.model,),
            seeds=2 * len(tried.seeds),
            first_seed=min(tried.seeds, default=1),
            trials=len(tried.trials),
            sandbox=self.sandbox,
            **self._shared,
        )

    def _records(
        self, tried: Sequence[Trial], verdicts: Sequence[Judged], last: Confirmation, reward: Measured | None, measure: str
    ) -> Iterator[AnyRecord]:
        adopted = last.changes if last.verdict == "adopted" else ()
        said = together_in_words(last.changes) or "nothing"
        yield DecisionRecord(
            id=f"decision-{self.run}",
            state=f"which features of {self.dataset} {self.model} should have",
            alternatives=tuple(t.name for t in tried),
            choice=said,
            rationale=last.reason,
            parents=(f"run-{self.run}",),
            **self._shared,
        )
        yield RewardRecord(
            id=f"reward-{self.run}",
            parents=(f"decision-{self.run}",),
            measure=measure,
            **({"value": reward.value, "low": reward.low, "high": reward.high} if reward else {}),
            accepted=bool(adopted),
            reason=last.reason,
            decision={f"change {i}": c.model_dump_json() for i, c in enumerate(last.changes, 1)},
            figures=_figures(last),
            data_hash=self.data_hash,
            **self._shared,
        )
        yield OutcomeRecord(
            id=f"outcome-{self.run}",
            parents=(f"run-{self.run}",),
            status="done",
            verdict=last.verdict,
            reason=last.reason,
            metrics=_figures(last),
            **self._shared,
        )
        yield from self._features(tried, verdicts, adopted, last)
        yield from self._lessons(tried)

    def _features(
        self, tried: Sequence[Trial], verdicts: Sequence[Judged], adopted: Sequence[Change], last: Confirmation
    ) -> Iterator[FeatureRecord]:
        why, own, together = (
            {v.name: v.reason for v in verdicts},
            {identity(c) for c in adopted},
            {identity(c) for c in last.changes},
        )
        by_change = {identity(c): (c, t) for t in sorted(tried, key=lambda t: -len(t.changes)) for c in t.changes}
        for key, (change, trial) in by_change.items():
            reason = f"{why[trial.name]}; all that was kept together, {last.reason}" if key in together else why[trial.name]
            yield self._feature(change, state_of(change, key in own), reason, trial.gain)
        dropped = {c.name for c in adopted if isinstance(c, Drop)}
        for record in self._known:  # what was added once and no longer pays
            change = change_of(record)
            if record.state == "active" and isinstance(change, Add) and change.name in dropped:
                yield self._feature(change, "retired", f"it no longer pays: {last.reason}")

    def _feature(self, change: Change, state: FeatureState, reason: str, gain: Gain | None = None) -> FeatureRecord:
        name = record_id(self.dataset, change)
        first = next((r.created for r in self._known if r.id == name), self.created or now())
        measured = {"gain": gain.value, "low": gain.low, "high": gain.high} if gain else {}
        return FeatureRecord(
            id=name,
            parents=(f"decision-{self.run}", *made_of(change, self._known)),
            name=change.name,
            change=change.model_dump_json(),
            state=state,
            reason=reason,
            model=self.model,
            data_hash=self.data_hash,
            **measured,
            **(self._shared | {"created": first}),
        )

    def _lessons(self, tried: Sequence[Trial]) -> Iterator[LessonRecord]:
        """What each trial of one change said for or against its kind of feature."""
        for t in tried:
            if t.gain is None or len(t.changes) != 1:
                continue
            change, polarity = t.changes[0], _polarity(t.gain)
            what = derivation(change) if isinstance(change, Add) else change.in_words
            said = {"positive": "it helps", "negative": "it harms", "neutral": "no difference shown"}[polarity]
            yield LessonRecord(
                id=f"lesson-{self.run}-{identity(change)}",
                parents=(f"reward-{self.run}", record_id(self.dataset, change)),
                subject=f"{what} for {self.model}",
                claim=f"{what} for {self.model}: {said}",
                polarity=polarity,
                reason=f"{t.gain.in_words} on valid over {t.gain.seeds} seeds",
                evidence=(f"run-{self.run}",),
                data_hash=self.data_hash,
                **self._shared,
            )

    @cached_property
    def _known(self) -> list[FeatureRecord]:
        """What the registry held of the data set before this run's part was written."""
        return features(self.memory, self.dataset)

    @property
    def _shared(self) -> dict[str, Any]:
        found = {"agent": AGENT, "dataset": self.dataset, "task": self.task, "mlflow_run": self.mlflow_run}
        return found | ({"created": self.created} if self.created else {})


def _polarity(gain: Gain) -> Polarity:
    return "positive" if gain.low > 0 else "negative" if gain.high < 0 else "neutral"


def _figures(last: Confirmation) -> dict[str, float]:
    found = {"test_auc_before": last.auc_before, "test_auc_after": last.auc_after}
    figures = {name: value for name, value in found.items() if value is not None}
    if last.gain:
        figures["test_auc_gain"] = last.gain.value
    if last.cost:
        figures |= {
            "bytes_more": float(last.cost.bytes),
            "ms_per_1000_rows_more": last.cost.ms,
            "values_more": float(last.cost.values),
        }
    return figures
