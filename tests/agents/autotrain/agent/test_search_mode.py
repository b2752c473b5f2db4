"""How search decides: by turns on the same data, from what was kept elsewhere, never the same again; and what it may decide."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from autotrain_worlds import SCHEMA, TWO_TASKS, Data, laboratory, store
from planted_rows import SCHEMAS, planted

from agents.autotrain.agent import SearchMode, TrainingState, search_agent
from agents.autotrain.agent.actions import declared, fitting_models, starting
from agents.autotrain.agent.recipe import in_words, recipe_of, same_again
from agents.autotrain.agent.search_mode import FROM_ELSEWHERE, STARTUP
from agents.autotrain.agent.state import PastTurn, task_of
from agents.autotrain.plan import PlanImpossible
from agents.declared_space import Choice, DeclaredSpace
from sandboxes.kit.models import ALL_MODELS
from sandboxes.kit.training import TrainConfig, build, predictions

optuna.logging.set_verbosity(optuna.logging.WARNING)
SPACE = declared(SCHEMA, 20_000, 3)
START = starting(SPACE, "dnn", 20_000, 3)


def past(values: Mapping[str, Any], reward: float | None, number: int = 0, dataset: str = "shop") -> PastTurn:
    quality = 0.7 + (reward or 0.0)
    figures = {"quality": quality, "incumbent_quality": 0.7, "seconds": 5.0, "incumbent_seconds": 5.0}
    return PastTurn(values, reward, (reward or 0) > 0, figures if reward is not None else {}, dataset, f"lesson-{number}")


def state(*turns: PastTurn, elsewhere: tuple[PastTurn, ...] = ()) -> TrainingState:
    return TrainingState("shop", "h1", "ctr", dict(START), turns, elsewhere)


def drawn(n: int, seed: int = 1) -> list[Mapping[str, Any]]:
    chance = random.Random(seed)
    return [SPACE.sample(chance) for _ in range(n)]


def by_rate(values: Mapping[str, Any]) -> float:
    """A world in which only the learning rate counts, the more the better, and failures hang on nothing."""
    return float(values["learning_rate"]) - 0.005


def test_what_was_tried_here_leads_where_it_went_well() -> None:
    """Over many searches, whose chance differs: those that learned that high rates are good go higher."""
    turns = [past(d, by_rate(d), i) for i, d in enumerate(drawn(24))]
    against = [past(d, -by_rate(d), i) for i, d in enumerate(drawn(24))]

    def mean_rate(known: list[PastTurn]) -> float:
        return sum(float(SearchMode(SPACE, seed).decide(state(*known)).decision["learning_rate"]) for seed in range(30)) / 30

    assert mean_rate(turns) > 2 * mean_rate(against)


def test_the_search_decides_about_some_actions_and_now_and_then_about_all() -> None:
    turns = [past(d, by_rate(d), i) for i, d in enumerate(drawn(12))]
    named = [SearchMode(SPACE, seed).decide(state(*turns)) for seed in range(40)]
    assert {p.by for p in named} == {"search"}
    kept = [sum(p.decision.get(name) == value for name, value in START.items()) / len(START) for p in named]
    assert sum(share > 0.6 for share in kept) > 15 and sum(share < 0.5 for share in kept) > 3


def test_a_few_turns_are_too_few_to_search_by() -> None:
    few = [past(d, by_rate(d), i) for i, d in enumerate(drawn(STARTUP - 1))]
    proposal = SearchMode(SPACE).decide(state(*few))
    assert proposal.relied_on == () and "near what stands" in proposal.rationale and proposal.by == "chance"
    enough = SearchMode(SPACE).decide(state(*few, past(drawn(1, 7)[0], 0.0, 99)))
    assert "lesson-99" in enough.relied_on and "8 turns" in enough.rationale


def test_until_then_points_are_near_what_stands_and_legal() -> None:
    """Of an incumbent's actions most are kept; where a file stands, which is no point here, points are drawn anywhere."""
    near = [SearchMode(SPACE, seed).decide(state()).decision for seed in range(40)]
    kept = sum(d.get(name) == value for d in near for name, value in START.items()) / (40 * len(START))
    assert 0.5 < kept < 0.85 and not any(SPACE.faults(d) for d in near)
    file = replace(state(), incumbent={"code": "class Model: pass", "composed": True, "blocks": "fm"})
    assert not SPACE.faults(SearchMode(SPACE).decide(file).decision)


def test_memory_changes_the_first_proposals() -> None:
    """Of other data: what went well there is tried first, and no more of it than a few; then the search goes on."""
    kept = [past(d, 0.02, i, f"other{i}") for i, d in enumerate(drawn(5))]
    turns: list[PastTurn] = []
    for number in range(FROM_ELSEWHERE):
        proposal = SearchMode(SPACE).decide(state(*turns, elsewhere=tuple(kept)))
        assert proposal.decision == kept[number].values and proposal.by == "memory"
        assert proposal.relied_on == (kept[number].lesson,) and f"other{number}" in proposal.rationale
        turns.append(past(proposal.decision, -0.01))
    assert SearchMode(SPACE).decide(state(*turns, elsewhere=tuple(kept))).by == "chance"
    assert SearchMode(SPACE).decide(state(elsewhere=())).decision != kept[0].values


def test_turns_elsewhere_are_no_trials() -> None:
    """However many there are, the search draws as if there were none once the few were tried."""
    elsewhere = tuple(past(d, by_rate(d), i, "other") for i, d in enumerate(drawn(24)))
    tried = [past(t.values, -0.01) for t in elsewhere[:FROM_ELSEWHERE]]
    with_them, without = SearchMode(SPACE).decide(state(*tried, elsewhere=elsewhere)), SearchMode(SPACE).decide(state(*tried))
    assert with_them.decision == without.decision


def test_what_is_not_legal_here_is_not_begun_with() -> None:
    two = declared(TWO_TASKS, 20_000, 3)
    other = next(d for d in (two.sample(random.Random(s)) for s in range(99)) if d["model"] == "mmoe")
    assert SearchMode(SPACE).decide(state(past(other, 0.02), elsewhere=(past(other, 0.02),))).by == "chance"


def test_the_same_is_not_tried_again() -> None:
    mode, turns = SearchMode(SPACE), list[PastTurn]()
    for number in range(20):
        turns.append(past(mode.decide(state(*turns)).decision, 0.001 * number, number))
    assert len({same_again(t.values) for t in turns} | {same_again(START)}) == 21


def test_where_all_was_tried_chance_decides() -> None:
    tiny = DeclaredSpace((Choice("model", ("lr", "fm", "dnn")),))
    turns = [past({"model": m}, 0.0) for m in ("lr", "fm") * 5]
    begun = TrainingState("shop", "h1", "ctr", {"model": "lr"}, tuple(turns))
    first = SearchMode(tiny).decide(begun)
    assert first.decision == {"model": "dnn"} and first.by == "search"
    over = SearchMode(tiny).decide(replace(begun, past=(*turns, past({"model": "dnn"}, 0.0))))
    assert over.by == "chance" and not tiny.faults(over.decision)


def test_failures_are_no_scores_and_are_avoided() -> None:
    """Turns with high rates failed; nothing is known of a score. By chance 45 of 100 points would have such a rate."""
    low = [past(d, 0.0, i) for i, d in enumerate(d for d in drawn(40) if d["learning_rate"] < 0.003)]
    failed = [past(d, None, i) for i, d in enumerate(d for d in drawn(40) if d["learning_rate"] > 0.003)]
    decided = [SearchMode(SPACE, s).decide(state(*low, *failed)).decision for s in range(80)]
    named = [float(d["learning_rate"]) for d in decided if d["learning_rate"] != START["learning_rate"]]
    assert len(named) > 20 and sum(rate > 0.003 for rate in named) < 0.25 * len(named)


def test_turns_before_and_after_a_change_compare() -> None:
    """A reward against a weaker incumbent is not a better one: by quality, the turns' order is that of their rates."""
    turns = []
    for number, d in enumerate(drawn(24)):
        incumbent = 0.6 if number < 12 else 0.7  # the first half looks 0.1 better than it is
        quality = 0.7 + by_rate(d)
        figures = {"quality": quality, "incumbent_quality": incumbent, "seconds": 5.0, "incumbent_seconds": 5.0}
        turns.append(PastTurn(d, quality - incumbent, False, figures, "shop", f"lesson-{number}"))
    plain = [past(d, by_rate(d), i) for i, d in enumerate(drawn(24))]
    assert SearchMode(SPACE).decide(state(*turns)).decision == SearchMode(SPACE).decide(state(*plain)).decision


def test_other_seeds_try_other_things() -> None:
    assert SearchMode(SPACE, 1).decide(state()).decision != SearchMode(SPACE, 2).decide(state()).decision
    assert SearchMode(SPACE, 1).decide(state()) == SearchMode(SPACE, 1).decide(state())


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_fits_a_data_set_can_be_built_on_it(name: str) -> None:
    """Every drawn configuration names a constructor's arguments, and a model comes of it."""
    schema, chance = SCHEMAS[name], random.Random(1)
    space = declared(schema, 20_000, 3)
    for model in fitting_models(schema):
        decision = next(d for d in iter(lambda: space.sample(chance), None) if d["model"] == model)
        recipe = recipe_of(decision, schema, TrainConfig())
        built = build(ALL_MODELS[model], schema, recipe.hyper, seed=0)
        assert np.isfinite(predictions(built, planted(schema, 3), len(schema.tasks))).all()


def test_models_are_for_data_that_has_what_they_are_for() -> None:
    assert not {"din", "mmoe", "star", "dkt", "delayed_feedback", "esmm", "sasrec"} & set(fitting_models(SCHEMA))
    assert {"lr", "fm", "dnn", "dcnv2"} <= set(fitting_models(SCHEMA))
    assert {"din", "mmoe"} <= set(fitting_models(TWO_TASKS)) and "esmm" not in fitting_models(TWO_TASKS)
    assert {"mmoe", "esmm"} <= set(fitting_models(SCHEMAS["tasks_and_history"]))


def test_actions_stand_only_where_they_mean_something() -> None:
    space, chance = declared(TWO_TASKS, 20_000, 3), random.Random(0)
    points = [space.sample(chance) for _ in range(600)]
    by_model = {m: [p for p in points if p["model"] == m] for m in {str(p["model"]) for p in points}}
    assert not any({"embedding_dim", "dropout", "depth", "width"} & p.keys() for p in by_model["lr"])
    assert all({"embedding_dim", "dropout", "depth", "width"} <= p.keys() for p in by_model["dnn"])
    assert all("weight of buy" in p and "weight of click" not in p for p in by_model["dnn"])
    assert not any("weight of buy" in p for p in by_model["dien"])  # whose loss is its own
    assert all(("updates" in p) == (p["embedding_l2"] == 0.0) for p in points)


def test_a_configuration_becomes_what_is_trained() -> None:
    values = {
        **START,
        "model": "mmoe",
        "depth": 3,
        "width": 32,
        "dropout": 0.25,
        "weight of buy": 0.5,
        "batch_size": 512,
        "epochs": 2,
        "patience": 2,
        "precision": "bf16",
        "updates": "touched",
    }
    recipe = recipe_of(values, TWO_TASKS, TrainConfig(threads=3))
    assert recipe.source.reference == "mmoe"
    assert recipe.hyper == {"embedding_dim": 16, "dropout": 0.25, "hidden_units": (32, 32, 32)}
    expected = TrainConfig(
        learning_rate=2e-3,
        batch_size=512,
        max_epochs=2,
        patience=2,
        precision="bf16",
        updates="touched",
        threads=3,
        task_weights=(1.0, 0.5),
    )
    assert recipe.config == expected
    assert "hidden_units" not in recipe_of({**START, "model": "esmm"}, TWO_TASKS, TrainConfig()).hyper
    assert recipe_of({**START, "model": "esmm"}, TWO_TASKS, TrainConfig()).hyper["tower_units"] == (400, 400)
    assert "weight of buy 0.5" in in_words(values) and in_words(values).startswith("mmoe, ")


def test_nearly_the_same_is_the_same() -> None:
    assert same_again(START) == same_again({**START, "learning_rate": 0.0020001})
    assert same_again(START) != same_again({**START, "learning_rate": 0.00202})
    assert same_again(dict(reversed(START.items()))) == same_again(START)


@pytest.mark.parametrize("name", SCHEMAS)
def test_where_a_search_begins_is_legal(name: str) -> None:
    space = declared(SCHEMAS[name], 300, 5)
    for model in fitting_models(SCHEMAS[name]):
        assert space.faults(starting(space, model, 300, 5)) == []


def test_an_unknown_beginning_names_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(PlanImpossible, match="no model named din fits this data; there are autoint"):
        search_agent(laboratory(tmp_path, Data()), store(tmp_path), incumbent="din")


@pytest.mark.parametrize(
    ("schema", "task"),
    [("categorical", "ctr"), ("history", "sequence"), ("scenario", "multi_scenario"), ("tasks", "entire_space")],
)
def test_the_task_of_a_data_set(schema: str, task: str) -> None:
    assert task_of(SCHEMAS[schema]) == task
    assert task_of(TWO_TASKS) == "multi_task"
