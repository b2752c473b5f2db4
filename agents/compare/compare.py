"""Compares a candidate with baselines from predictions alone, and says in one sentence what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from agents.compare.comparison import BaselineRow, Comparison, Effect
from agents.compare.holm import holm_levels
from agents.compare.metric import MEASURES, Metric
from agents.compare.paired import Paired, Runs
from agents.compare.scores import BadPredictions
from agents.compare.truth import Predictions, Truth
from agents.compare.verdict import Rules, TieKind, Verdict, judge, tie_in_words


@dataclass(frozen=True)
class Trained:
    """One model's test predictions by seed, in the form that the truth wants them, or why there are none to compare.

    `valid` is the primary metric on valid, mean over seeds; `failure` is one clause for a person ("seed 2 ran out of memory");
    `data_hash` is that of the data it was trained on.
    """

    name: str
    predictions: Mapping[int, Predictions] = field(default_factory=dict)
    valid: float | None = None
    failure: str = ""
    data_hash: str = ""


def compare(
    candidate: Trained, baselines: Sequence[Trained], test: Truth, seeds: Sequence[int], rules: Rules | None = None
) -> Comparison:
    """The comparison over the plan's `seeds`, on the primary task and metric; other metrics and tasks stand beside them.

    Nothing raises for what a model did: a model that failed, collapsed, lacks a seed, left a bad array or saw other data
    is not comparable, and says why. Verdicts hold over all baselines together (Holm).
    """
    return _Comparing(candidate, test, tuple(seeds), rules or Rules()).against(baselines)


class _Comparing:
    """One comparison under way: the candidate's runs are ranked once and used against every baseline."""

    def __init__(self, candidate: Trained, test: Truth, seeds: tuple[int, ...], rules: Rules) -> None:
        self.candidate, self.test, self.seeds, self.rules = candidate, test, seeds, rules
        self.primary = test.question.primary
        self._reduced: dict[tuple[int, Metric], Runs] = {}

    def against(self, baselines: Sequence[Trained]) -> Comparison:
        fault = self.test.too_small(self.rules) or self._fault(self.candidate)
        if fault:
            return self._comparison("not comparable", f"not comparable: {fault}", [self._blocked(b, fault) for b in baselines])
        faults = {b.name: self._fault(b) for b in baselines}
        sound = [b for b in baselines if not faults[b.name]]
        if len(self.seeds) < self.rules.min_seeds:
            return self._smoke(baselines, faults)
        judged = self._judged(sound)
        rows = [judged.get(b.name) or self._blocked(b, faults[b.name]) for b in baselines]
        if not sound:
            return self._comparison("not comparable", "not comparable: no baseline finished on every seed", rows)
        strongest = max(sound, key=lambda b: b.valid if b.valid is not None else -np.inf)
        row = judged[strongest.name]
        called = f"{row.baseline} (the strongest baseline on valid)" if len(rows) > 1 else row.baseline
        sentence = self._sentence(called, row.verdict, row.tie, row.effects) + _besides(row, rows)
        return self._comparison(row.verdict, sentence, rows, strongest.name)

    def _fault(self, model: Trained) -> str:
        """Why a model cannot be compared, as one clause, or ""."""
        if model.failure:
            return f"{model.name} failed: {model.failure}"
        if model.data_hash != self.candidate.data_hash:
            hashes = f"{model.data_hash or 'unknown'}, not {self.candidate.data_hash or 'unknown'}"
            return f"{model.name} was trained on other data ({hashes})"
        missing = [str(s) for s in self.seeds if s not in model.predictions]
        if missing:
            return f"{model.name} has no predictions for seed {', '.join(missing)}"
        for seed in self.seeds:
            try:
                self.test.check(model.predictions[seed])
            except BadPredictions as error:
                return f"{model.name} failed on seed {seed}: {error}"
            if collapse := self.test.collapse(model.predictions[seed]):
                return f"{model.name} collapsed on seed {seed}: {collapse}"
        return ""

    def _judged(self, sound: Sequence[Trained]) -> dict[str, BaselineRow]:
        main = [self._paired(b, 0, self.primary) for b in sound]
        levels = holm_levels([p.p_value for p in main], self.rules.alpha)
        return {b.name: self._row(b, p, level) for b, p, level in zip(sound, main, levels, strict=True)}

    def _row(self, baseline: Trained, main: Paired, level: float) -> BaselineRow:
        primary = _effect(self.test.tasks[0], self.primary, main, level)
        others = [
            _effect(self.test.tasks[task], metric, self._paired(baseline, task, metric), self.rules.alpha)
            for task, metric in self.test.judged()
            if (task, metric) != (0, self.primary)
        ]
        effects = [primary, *others]
        least = self.rules.min_effect(self.primary)
        verdict, tie = judge(self.primary, primary.estimate, primary.low, primary.high, least)
        sentence = self._sentence(baseline.name, verdict, tie, effects)
        return BaselineRow(
            baseline=baseline.name,
            verdict=verdict,
            tie=tie,
            valid=baseline.valid,
            effects=tuple(effects),
            sentence=sentence,
        )

    def _sentence(self, baseline: str, verdict: Verdict, tie: TieKind, effects: Sequence[Effect]) -> str:
        primary = effects[0]
        what = f"{primary.in_words()} over {len(self.seeds)} seeds"
        if verdict == "tie":
            reach = max(abs(primary.low), abs(primary.high))
            text = f"{tie_in_words(tie, baseline, self.primary, self.rules.min_effect(self.primary), reach)}: {what}"
        else:
            text = f"{verdict} than {baseline}: {what}"
        return text + _disagreement(primary, [e for e in effects[1:] if e.task == primary.task])

    def _paired(self, baseline: Trained, task: int, metric: Metric) -> Paired:
        if (task, metric) not in self._reduced:
            self._reduced[task, metric] = self._reduce(self.candidate, task, metric)
        return self.test.paired(self._reduced[task, metric], self._reduce(baseline, task, metric), task, metric)

    def _reduce(self, model: Trained, task: int, metric: Metric) -> Runs:
        return self.test.reduce([model.predictions[s] for s in self.seeds], task, metric)

    def _blocked(self, baseline: Trained, fault: str) -> BaselineRow:
        return BaselineRow(
            baseline=baseline.name,
            verdict="not comparable",
            reason=fault,
            valid=baseline.valid,
            sentence=f"not comparable with {baseline.name}: {fault}",
        )

    def _smoke(self, baselines: Sequence[Trained], faults: Mapping[str, str]) -> Comparison:
        n, need = len(self.seeds), self.rules.min_seeds
        why = f"smoke run: {n} seed{'s' if n != 1 else ''} of at least {need}, so there is no verdict"
        rows = [
            self._blocked(b, faults[b.name])
            if faults[b.name]
            else BaselineRow(baseline=b.name, verdict="smoke", valid=b.valid, reason=why, sentence=why)
            for b in baselines
        ]
        return self._comparison("smoke", why, rows)

    def _comparison(self, verdict: Verdict, sentence: str, rows: Sequence[BaselineRow], strongest: str = "") -> Comparison:
        groups, unit, notes = self.test.groups, self.test.question.rows, []
        if groups is None:
            notes.append(
                f"users of test {unit} are unknown, so {unit} are taken as independent; intervals are too narrow if users repeat"
            )
        return Comparison(
            verdict=verdict,
            sentence=sentence,
            seeds=self.seeds,
            strongest=strongest,
            rows=tuple(rows),
            predicts=self.test.question.predicts,
            min_effect=self.rules.min_effect(self.primary),
            alpha=self.rules.alpha,
            test_rows=len(self.test),
            clusters=len(np.unique(groups)) if groups is not None else None,
            notes=tuple(notes),
        )


def _effect(task: str, metric: Metric, paired: Paired, level: float) -> Effect:
    low, high = paired.interval(level)
    total = paired.seed_variance + paired.row_variance
    return Effect(
        task=task,
        metric=metric,
        estimate=paired.estimate,
        low=low,
        high=high,
        confidence=1 - level,
        p_value=paired.p_value,
        seed_share=paired.seed_variance / total if total > 0 else 0.0,
        per_seed=paired.per_seed,
    )


def _disagreement(primary: Effect, others: Sequence[Effect]) -> str:
    """Named when another metric of the same task is shown to move the other way, or to move where the primary one does not."""
    for other in others:
        if other.helps is None or other.helps == primary.helps:
            continue
        way = f"{'better' if other.helps else 'worse'} in {other.in_words()}"
        return f"; but {way}" if primary.helps is None else f"; {MEASURES[other.metric].words} disagrees, {way}"
    return ""


def _besides(row: BaselineRow, rows: Sequence[BaselineRow]) -> str:
    """What the other baselines' rows must add to the overall sentence."""
    worse = [r.baseline for r in rows if r is not row and r.verdict == "worse"]
    absent = [r.baseline for r in rows if r.verdict == "not comparable"]
    text = f"; yet worse than {', '.join(worse)}" if worse and row.verdict != "worse" else ""
    return text + (f"; not comparable with {', '.join(absent)}" if absent else "")
