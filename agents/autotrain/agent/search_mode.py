"""Search mode: a configuration of declared actions, by Optuna's tree of Parzen estimators, which begins with what memory knows.

Turns on the same data are trials of the search. What went well on other data of the same task is no trial, since another model
may be best here; it is a point to start from. Most points are near what stands, since anywhere else most settings hardly train
a model: at first some of its actions are drawn anew, later the search decides about some, and now and then about all. A turn
that failed has no score: it ranks below all that finished.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from agents.autotrain.agent.judging import compute_of, per_compute
from agents.autotrain.agent.mode import chance_of, seed_of
from agents.autotrain.agent.recipe import Values, same_again
from agents.autotrain.agent.state import PastTurn, TrainingState
from agents.contract import Proposal
from agents.declared_space import Decision, DeclaredSpace

STARTUP = 8  # turns until the search begins: among fewer there is hardly a best tenth, which it looks for
CHANGED = 0.3  # of what stands, in a point near it: a few actions at once, so that most of them are tried by then
EVERYWHERE = 0.25  # of the points that the search names, decided from nothing, so that no point is out of reach
FROM_ELSEWHERE = 3  # points of other data sets that are tried first, at most
ASKED = 30  # points the search may name that were tried before, until chance decides
LESSONS = 20  # that a decision is said to rely on, the newest


@dataclass(frozen=True)
class SearchMode:
    """See `Mode`. `seed` tells searches apart that shall not try the same."""

    declared: DeclaredSpace
    seed: int = 0

    @property
    def smokes(self) -> bool:
        return False  # reference models have passed long ago

    def space(self, state: TrainingState) -> DeclaredSpace:
        return self.declared

    def decide(self, state: TrainingState) -> Proposal[Decision]:
        study, trials = self._study(state)
        tried = {same_again(values) for values in (state.incumbent, *(turn.values for turn in state.past))}
        for start in self._starts(state, tried):
            rationale = f"it went well on {start.dataset}, and nothing like it was tried here"
            return Proposal(dict(start.values), rationale, "memory", (start.lesson,))
        if trials < STARTUP:
            return Proposal(self._near(state, tried), f"drawn near what stands, turn {trials + 1} of {STARTUP}", "chance")
        for decision in self._named(study, state):
            if same_again(decision) not in tried:
                relied = tuple(turn.lesson for turn in state.past[-LESSONS:])
                return Proposal(decision, f"named by the search after {trials} turns", "search", relied)
        return Proposal(self._near(state, tried), "drawn near what stands, since the search names only what was tried", "chance")

    def values(self, decision: Decision) -> Values:
        return dict(decision)

    def _study(self, state: TrainingState) -> tuple[optuna.Study, int]:
        """The search as it stands after the turns on this data, and how many of them it knows."""
        # Each action by itself: jointly, only those that stand in all trials could be searched.
        sampler = optuna.samplers.TPESampler(seed=seed_of(self.seed, state), n_startup_trials=STARTUP, multivariate=False)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        trials = list(self._trials(state))
        study.add_trials(trials)
        return study, len(trials)

    def _trials(self, state: TrainingState) -> Iterator[FrozenTrial]:
        """What of the past is legal today, each turn against one and the same incumbent."""
        measured = [turn for turn in state.past if turn.reward is not None]
        reference = measured[-1] if measured else None
        for turn in state.past:
            if self.declared.faults(turn.values):
                continue
            params, distributions = dict(turn.values), self.declared.distributions(turn.values)
            if turn.reward is None or reference is None:
                yield create_trial(state=TrialState.PRUNED, params=params, distributions=distributions)
            else:
                yield create_trial(value=_against(turn, reference), params=params, distributions=distributions)

    def _starts(self, state: TrainingState, tried: set[str]) -> Sequence[PastTurn]:
        """Points of other data that are still to be tried, of the best so many."""
        legal = [turn for turn in state.elsewhere if not self.declared.faults(turn.values)]
        different = {same_again(turn.values): turn for turn in reversed(legal)}  # of equal ones, that which went best
        best = list(reversed(different.items()))[:FROM_ELSEWHERE]
        return [turn for name, turn in best if name not in tried]

    def _named(self, study: optuna.Study, state: TrainingState) -> Iterator[Decision]:
        chance = chance_of(self.seed, state)
        anywhere = chance.random() < EVERYWHERE or bool(self.declared.faults(state.incumbent))
        for _ in range(ASKED):
            kept = {} if anywhere else {n: v for n, v in state.incumbent.items() if chance.random() >= CHANGED}
            trial = study.ask()
            yield self.declared.suggest(trial, kept)
            study.tell(trial, state=TrialState.FAIL)

    def _near(self, state: TrainingState, tried: set[str]) -> Decision:
        """A point near what stands, where that is one at all, that was not tried if some draws find any."""
        chance = chance_of(self.seed, state)
        if self.declared.faults(state.incumbent):
            drawn = [self.declared.sample(chance) for _ in range(ASKED)]
        else:
            drawn = [self.declared.vary(state.incumbent, chance, CHANGED) for _ in range(ASKED)]
        return next((d for d in drawn if same_again(d) not in tried), drawn[0])


def _against(turn: PastTurn, reference: PastTurn) -> float:
    """The reward as it would be against the incumbent of `reference`, so that turns before and after a change compare."""
    assert turn.reward is not None
    figures, other = turn.figures, reference.figures
    if not {"quality", "incumbent_quality"} <= figures.keys() & other.keys():
        return turn.reward
    cost = {"seconds": figures.get("seconds", 0.0), "incumbent_seconds": other.get("incumbent_seconds", 0.0)}
    return per_compute(figures["quality"] - other["incumbent_quality"], compute_of(cost))
