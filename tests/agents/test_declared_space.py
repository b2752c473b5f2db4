"""Declared spaces: what they draw they accept, what they refuse is outside, and Optuna comes to the same decisions."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.declared_space import Action, Choice, DeclaredSpace, Float, Integer, Value, When

optuna.logging.set_verbosity(optuna.logging.WARNING)

values = st.one_of(st.integers(-9, 9), st.floats(-9, 9), st.sampled_from(["a", "b", "c"]))


@st.composite
def spaces(draw: st.DrawFn) -> DeclaredSpace:
    """Up to five actions, of which some hang on an earlier choice."""
    actions: list[Action] = []
    for number in range(draw(st.integers(1, 5))):
        choices = [a for a in actions if isinstance(a, Choice)]
        when = None
        if choices and draw(st.booleans()):
            on = draw(st.sampled_from(choices))
            when = When(on.name, tuple(draw(st.lists(st.sampled_from(on.options), max_size=len(on.options)))))
        actions.append(_action(draw, f"x{number}", when))
    return DeclaredSpace(tuple(actions))


def _action(draw: st.DrawFn, name: str, when: When | None) -> Action:
    kind = draw(st.sampled_from([Choice, Integer, Float]))
    if kind is Choice:
        return Choice(name, tuple(draw(st.lists(values, min_size=1, max_size=4, unique_by=repr))), when)
    log = draw(st.booleans())
    if kind is Integer:
        low = draw(st.integers(1 if log else -50, 50))
        return Integer(name, low, low + draw(st.integers(0, 200)), log, when)
    low = draw(st.floats(1e-6 if log else -50.0, 50.0))
    return Float(name, low, low + draw(st.floats(0, 200)), log, when)


@given(spaces(), st.integers())
@settings(deadline=None)
def test_what_is_drawn_is_legal(space: DeclaredSpace, seed: int) -> None:
    drawn = space.sample(random.Random(seed))
    assert space.faults(drawn) == []
    assert drawn == space.sample(random.Random(seed))


@given(spaces(), st.integers())
@settings(deadline=None)
def test_what_is_like_a_legal_decision_is_legal(space: DeclaredSpace, seed: int) -> None:
    drawn, chance = space.sample(random.Random(seed)), random.Random(seed + 1)
    assert space.vary(drawn, chance, 0.0) == drawn
    assert not any(space.faults(space.vary(drawn, chance, share)) for share in (0.3, 0.7, 1.0))


@given(spaces(), st.integers(), st.data())
@settings(deadline=None)
def test_a_decision_with_one_part_put_wrong_is_refused(space: DeclaredSpace, seed: int, data: st.DataObject) -> None:
    drawn = dict(space.sample(random.Random(seed)))
    name = data.draw(st.sampled_from(sorted(drawn)))
    wrong: Any = data.draw(
        st.sampled_from(["nothing like it", None, float("nan"), float("inf"), True, 1e9, 10**9, [1], -(10**9)])
    )
    assert space.faults({**drawn, name: wrong})
    assert space.faults({**drawn, "another": 1})
    assert space.faults({n: v for n, v in drawn.items() if n != name})


@given(spaces(), st.integers(0, 1000))
@settings(deadline=None, max_examples=50)
def test_optuna_takes_legal_decisions_and_is_told_of_them(space: DeclaredSpace, seed: int) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    asked = study.ask()
    decided = space.suggest(asked)
    assert space.faults(decided) == [] and asked.params == decided
    study.add_trial(optuna.trial.create_trial(value=0.0, params=dict(decided), distributions=space.distributions(decided)))
    drawn = space.sample(random.Random(seed))
    study.enqueue_trial(dict(drawn))
    assert space.suggest(study.ask()) == drawn
    asked = study.ask()
    assert space.suggest(asked, drawn) == drawn and asked.params == {}
    kept = {name: value for number, (name, value) in enumerate(drawn.items()) if number % 2}
    part = space.suggest(study.ask(), kept)
    assert space.faults(part) == [] and all(part[name] == kept[name] for name in kept.keys() & part.keys())


MODELS = Choice("model", ("lr", "dnn"))
DROPOUT = Float("dropout", 0.0, 0.5, when=When("model", ("dnn",)))
SPACE = DeclaredSpace((MODELS, DROPOUT, Integer("width", 1, 512, log=True), Float("rate", 1e-4, 1e-1, log=True)))


def test_every_value_may_come_and_orders_of_magnitude_come_alike() -> None:
    drawn = [SPACE.sample(random.Random(seed)) for seed in range(2000)]
    assert {d["model"] for d in drawn} == {"lr", "dnn"}
    assert {"dropout" in d for d in drawn if d["model"] == "dnn"} == {True}
    assert not any("dropout" in d for d in drawn if d["model"] == "lr")
    small = sum(float(d["rate"]) < 10**-2.5 for d in drawn) / len(drawn)
    assert 0.45 < small < 0.55
    assert 0.4 < sum(int(d["width"]) < 23 for d in drawn) / len(drawn) < 0.6


@pytest.mark.parametrize("log", [True, False])
def test_an_integer_takes_both_ends(log: bool) -> None:
    space = DeclaredSpace((Integer("n", 2, 4, log),))
    assert {space.sample(random.Random(s))["n"] for s in range(100)} == {2, 3, 4}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model": "lr"}, "dropout may not be decided where model is lr"),
        ({"dropout": 0.6}, "dropout may not be 0.6: it is a number from 0 to 0.5"),
        ({"dropout": 0}, "dropout may not be 0"),  # whole numbers are none of these, as Optuna has it
        ({"width": 8.0}, "width may not be 8.0: it is a whole number from 1 to 512"),
        ({"width": True}, "width may not be True"),
        ({"model": "bert"}, "model may not be 'bert': there are lr, dnn"),
    ],
)
def test_a_fault_says_what_is_wrong_and_what_there_is(changed: Mapping[str, Value], said: str) -> None:
    legal: dict[str, Value] = {"model": "dnn", "dropout": 0.1, "width": 8, "rate": 0.01}
    assert SPACE.faults(legal) == []
    assert SPACE.faults({**legal, **changed})[0].startswith(said)


def test_what_is_no_mapping_is_refused() -> None:
    assert SPACE.faults(["dnn"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        ((MODELS, MODELS), "declared twice"),
        ((DROPOUT, MODELS), "not declared before it"),
        ((MODELS, Float("x", 0, 1, when=When("model", ("bert",)))), "which that cannot be"),
        ((Choice("c", ()),), "no options"),
        ((Choice("c", (1, 2, 1)),), "one twice"),
        ((Integer("n", 3, 2),), "there is nothing"),
        ((Float("f", float("nan"), 2.0),), "there is nothing"),
        ((Float("f", 0.0, 1.0, log=True),), "above 0"),
        ((Integer("n", 0, 1, log=True),), "above 0"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(actions: tuple[Action, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        DeclaredSpace(actions)
