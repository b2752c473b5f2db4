"""A space of declared actions: a decision names a value for every action that stands, and each value has its domain.

An action may stand only where an earlier one was decided in some way, as dropout only for models that take it. The same
declaration draws, refuses, and speaks Optuna's language; it knows nothing of what the actions mean.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

Value: TypeAlias = str | int | float
Decision: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True)
class When:
    """Where an action stands: where `action`, which was declared before it and stands itself, was decided as one of `among`."""

    action: str
    among: tuple[Value, ...]


@dataclass(frozen=True)
class Choice:
    """One of `options`, without an order."""

    name: str
    options: tuple[Value, ...]
    when: When | None = None

    def draw(self, random: random.Random) -> Value:
        return random.choice(self.options)

    def fault(self, value: object) -> str:
        legal = any(type(value) is type(option) and value == option for option in self.options)
        return "" if legal else f"there are {', '.join(map(str, self.options))}"

    @property
    def distribution(self) -> BaseDistribution:
        return CategoricalDistribution(self.options)


@dataclass(frozen=True)
class Integer:
    """A whole number from `low` to `high`, both included; by orders of magnitude where it is `log`."""

    name: str
    low: int
    high: int
    log: bool = False
    when: When | None = None

    def draw(self, random: random.Random) -> Value:
        if not self.log:
            return random.randint(self.low, self.high)
        drawn = math.exp(random.uniform(math.log(self.low - 0.5), math.log(self.high + 0.5)))
        return min(max(round(drawn), self.low), self.high)

    def fault(self, value: object) -> str:
        legal = type(value) is int and self.low <= value <= self.high
        return "" if legal else f"it is a whole number from {self.low} to {self.high}"

    @property
    def distribution(self) -> BaseDistribution:
        return IntDistribution(self.low, self.high, log=self.log)


@dataclass(frozen=True)
class Float:
    """A number from `low` to `high`, both included; by orders of magnitude where it is `log`."""

    name: str
    low: float
    high: float
    log: bool = False
    when: When | None = None

    def draw(self, random: random.Random) -> Value:
        if not self.log:
            return random.uniform(self.low, self.high)
        drawn = math.exp(random.uniform(math.log(self.low), math.log(self.high)))
        return min(max(drawn, self.low), self.high)

    def fault(self, value: object) -> str:
        legal = type(value) is float and self.low <= value <= self.high  # which NaN is not
        return "" if legal else f"it is a number from {self.low:g} to {self.high:g}"

    @property
    def distribution(self) -> BaseDistribution:
        return FloatDistribution(self.low, self.high, log=self.log)


Action: TypeAlias = Choice | Integer | Float


@dataclass(frozen=True)
class DeclaredSpace:
    """See `agents.contract.Space`. Raises `ValueError` for a declaration that makes no sense."""

    actions: tuple[Action, ...]

    def __post_init__(self) -> None:
        known: dict[str, Action] = {}
        for action in self.actions:
            if fault := _declared_badly(action, known):
                raise ValueError(f"the action {action.name}: {fault}")
            known[action.name] = action

    def sample(self, random: random.Random) -> Decision:
        decided: dict[str, Value] = {}
        for action in self.actions:
            if stands(action, decided):
                decided[action.name] = action.draw(random)
        return decided

    def vary(self, decision: Decision, random: random.Random, share: float) -> Decision:
        """A legal decision like a legal one, of which about such a share of actions is drawn anew."""
        decided: dict[str, Value] = {}
        for action in self.actions:
            if stands(action, decided):
                keeps = action.name in decision and random.random() >= share
                decided[action.name] = decision[action.name] if keeps else action.draw(random)
        return decided

    def faults(self, decision: Decision) -> Sequence[str]:
        if not isinstance(decision, Mapping):
            return [f"it is a value for each action, not {type(decision).__name__}"]
        return list(self._faults(decision))

    def suggest(self, trial: optuna.Trial, kept: Decision | None = None) -> Decision:
        """The decision that Optuna takes in `trial`, about all that is not decided in `kept` already, a part of a legal one."""
        decided: dict[str, Value] = {}
        for action in self.actions:
            if stands(action, decided):
                decided[action.name] = kept[action.name] if kept and action.name in kept else _suggested(trial, action)
        return decided

    def distributions(self, decision: Decision) -> dict[str, BaseDistribution]:
        """Those of the actions that stand in a legal decision, as a trial made elsewhere needs them."""
        return {action.name: action.distribution for action in self.actions if action.name in decision}

    def _faults(self, decision: Decision) -> Iterator[str]:
        for action in self.actions:
            if not stands(action, decision):
                if action.name in decision:
                    assert action.when is not None
                    yield f"{action.name} may not be decided where {action.when.action} is {decision.get(action.when.action)}"
            elif action.name not in decision:
                yield f"{action.name} is not decided"
            elif fault := action.fault(decision[action.name]):
                yield f"{action.name} may not be {decision[action.name]!r}: {fault}"
        names = {action.name for action in self.actions}
        yield from (f"there is no action {name}" for name in decision if name not in names)


def stands(action: Action, decision: Decision) -> bool:
    """Whether the action is to be decided, given what was decided before it."""
    return action.when is None or decision.get(action.when.action) in action.when.among


def _suggested(trial: optuna.Trial, action: Action) -> Value:
    suggested: Any
    if isinstance(action, Choice):
        suggested = trial.suggest_categorical(action.name, action.options)
    elif isinstance(action, Integer):
        suggested = trial.suggest_int(action.name, action.low, action.high, log=action.log)
    else:
        suggested = trial.suggest_float(action.name, action.low, action.high, log=action.log)
    value: Value = suggested
    return value


def _declared_badly(action: Action, known: Mapping[str, Action]) -> str:
    if action.name in known:
        return "it is declared twice"
    if action.when is not None:
        before = known.get(action.when.action)
        if before is None:
            return f"it hangs on {action.when.action}, which is not declared before it"
        if wrong := [v for v in action.when.among if before.fault(v)]:
            return f"it hangs on {before.name} being {wrong[0]!r}, which that cannot be"
    if isinstance(action, Choice):
        different = len(set(map(repr, action.options)))
        return "" if different == len(action.options) > 0 else "it has no options, or one twice"
    if not action.low <= action.high:
        return f"from {action.low} to {action.high} there is nothing"
    return "orders of magnitude begin above 0" if action.log and action.low <= 0 else ""
