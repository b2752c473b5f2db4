"""What every method keeps to that asks a trained model, and what each of them promises beside."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from planted_rows import SCHEMAS, PlantedRows, planted
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit import Batch, Schema
from sandboxes.kit.importance import METHODS, Answer, Asked, Importance, ImportanceConfig, answers, asked_of
from sandboxes.kit.importance.config import NAMES, UNITS
from sandboxes.kit.importance.fields import field_names
from sandboxes.kit.importance.mixing import mixed
from sandboxes.kit.metrics import auc
from sandboxes.kit.models import MODELS
from sandboxes.kit.schema import CategoricalField, NumericField
from sandboxes.kit.training import TrainConfig, build, fit, predictions

HYPER = {"embedding_dim": 8, "hidden_units": (32,)}
SMALL = ImportanceConfig(rows=800, repeats=3, orders=4)
MANY = 600  # values of a field that is noise
NOISY = Schema((*SCHEMAS["categorical"].categorical, CategoricalField("many", MANY + 2)), (NumericField("heavy"),))
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def rows_of(schema: Schema, n: int, seed: int) -> PlantedRows:
    """Planted rows: labels depend on the first two fields, and on the history; noise gets many values, or heavy tails."""
    made, random = planted(schema, n, seed).all, np.random.default_rng(seed + 99)
    if schema is NOISY:
        made.ids[:, 3] = torch.from_numpy(random.integers(2, MANY + 2, n))
        made.numeric[:, 0] = torch.from_numpy(random.standard_cauchy(n).clip(-50, 50).astype(np.float32))
    return PlantedRows(made)


@cache
def asked(model: str, shape: str, seed: int = 0, trained: bool = True) -> Asked:
    schema = NOISY if shape == "noisy" else SCHEMAS[shape]
    made, valid = build(MODELS[model], schema, HYPER, seed), rows_of(schema, 1000 if trained else 300, 100 + seed)
    if trained:
        fit(made, rows_of(schema, 4000, seed), valid, TrainConfig(seed, 1e-2, batch_size=128, max_epochs=5))
    return asked_of(made, schema, valid, SMALL, seed)


@every_method
@pytest.mark.parametrize("seed", range(3))
def test_what_is_useful_ranks_above_noise(method: Importance, seed: int) -> None:
    """Noise of 600 values, of heavy tails, and of twelve values, which all have the useful fields too."""
    scores = method(asked("deepfm", "noisy", seed)).scores
    assert min(scores[n] for n in ("user", "item")) > 3 * max(scores[n] for n in ("hour", "many", "heavy"))


@every_method
@pytest.mark.parametrize("model", ["deepfm", "din"])
def test_histories_and_outcomes_are_fields(method: Importance, model: str) -> None:
    """Planted: what came of past events of the target's kind. That says more than what the shops of them were."""
    answer = method(asked(model, "outcomes"))
    assert set(answer.scores) | set(answer.unscored) == {"user", "item", "shop", "seen", "shops", "results"}
    assert answer.scores["user"] > max(answer.scores["shops"], answer.scores["shop"])
    if model == "din":
        assert answer.scores["results"] > max(answer.scores["shop"], 0)


@every_method
@pytest.mark.parametrize("shape", [*SCHEMAS, "noisy"])
def test_every_field_of_every_shape_is_accounted_for(method: Importance, shape: str) -> None:
    of = asked("deepfm", shape, trained=False)
    answer = method(of)
    assert set(answer.scores) == set(field_names(of.schema)) and not answer.unscored
    assert np.isfinite(list(answer.scores.values())).all() and min(answer.errors.values(), default=0) >= 0


@every_method
@pytest.mark.parametrize("model", MODELS)
def test_every_model_of_the_kit_can_be_asked(method: Importance, model: str) -> None:
    """What cannot be mixed gradually is a field that a model chooses its parts by, or that it tells apart in other ways."""
    of = asked(model, "scenario", trained=model == "star")
    answer = method(of)
    assert set(answer.scores) | set(answer.unscored) == {"user", "item", "tab"}
    gradual = method in (METHODS["taylor"], METHODS["gates"])
    assert answer.unscored == ({"tab": "otherwise"} if gradual and model == "star" else {})


@every_method
def test_the_seed_decides_and_the_model_stays_as_it_is(method: Importance) -> None:
    of = asked("deepfm", "noisy")
    before = {name: value.clone() for name, value in of.model.state_dict().items()}
    first = method(of)
    torch.rand(5)
    assert method(of) == first
    assert all(torch.equal(value, before[name]) for name, value in of.model.state_dict().items())
    if method is not METHODS["taylor"]:  # which draws nothing
        assert method(replace(of, seed=7)) != first


@every_method
def test_constant_columns_score_nothing(method: Importance) -> None:
    of = asked("deepfm", "tasks_and_history")
    rows = replace(of.rows, ids=of.rows.ids.clone(), numeric=torch.full_like(of.rows.numeric, 0.5))
    rows.ids[:, 1] = 4
    rows.history["seen"] = torch.zeros_like(rows.history["seen"])
    answer = method(replace(of, rows=rows))
    assert answer.scores["item"] == answer.scores["age"] == answer.scores["seen"] == 0 != answer.scores["user"]
    assert all(answer.errors.get(name, 0.0) == 0.0 for name in ("item", "age", "seen"))


@every_method
def test_a_field_that_the_model_does_not_use_scores_nothing(method: Importance) -> None:
    answer = method(replace(asked("deepfm", "categorical"), model=UsesOne(SCHEMAS["categorical"]).eval()))
    assert answer.scores["user"] == answer.scores["hour"] == 0 < answer.scores["item"]


class UsesOne(nn.Module):
    """Knows what is planted of the item, and by a table that is none of the kit's."""

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self.column, self.table = schema.index_of("item"), nn.Embedding(20, 1)
        with torch.no_grad():
            self.table.weight[:, 0] = 0.2 * (1 - 2 * (torch.arange(20) % 2))

    def forward(self, batch: Batch) -> Tensor:
        return self.table(batch.ids[:, self.column])


def test_permutation_is_the_auc_lost() -> None:
    of = asked("deepfm", "noisy")
    found, generator = METHODS["permutation"](of), of.generator()
    valid = PlantedRows(of.rows)
    whole = auc(of.truth, predictions(of.model, valid, 1)[:, 0])
    drops = []
    for _ in range(SMALL.repeats):
        shuffled = replace(of.rows, ids=of.rows.ids.clone())
        shuffled.ids[:, 1] = shuffled.ids[of.shuffle(generator), 1]
        drops.append(whole - auc(of.truth, predictions(of.model, PlantedRows(shuffled), 1)[:, 0]))
    assert found.scores["item"] == pytest.approx(np.mean(drops), abs=1e-9)
    assert found.errors["item"] == pytest.approx(np.std(drops, ddof=1) / 3**0.5, abs=1e-9)


def test_shapley_values_add_up_to_what_the_model_knows() -> None:
    """Efficiency: in every order, and so on the mean, what fields add leads from another row's AUC to that of the row itself."""
    of = asked("deepfm", "noisy")
    answer, generator, ends = METHODS["shapley"](of), of.generator(), []
    for _ in range(SMALL.orders // 2):
        torch.randperm(len(of.varied), generator=generator)
        ends.append(of.auc(of.rows[of.shuffle(generator)]))
    assert sum(answer.scores.values()) == pytest.approx(of.auc(of.rows) - np.mean(ends), abs=1e-9)


def test_fields_that_say_the_same_share_and_permutation_gives_them_less() -> None:
    """Two copies of a field, of which the model takes the mean; alone, either is half of it, and together they are all."""
    schema, valid = SCHEMAS["categorical"], rows_of(SCHEMAS["categorical"], 4000, 5)
    ids = valid.all.ids
    ids[:, 2] = ids[:, 1]
    model, config = UsesTwo(schema), ImportanceConfig(rows=4000, repeats=2, orders=20)
    of = asked_of(model, schema, valid, config, 0)
    answer = METHODS["shapley"](of)
    assert answer.scores["item"] == pytest.approx(answer.scores["hour"], abs=0.01)
    assert answer.scores["item"] + answer.scores["hour"] > 1.2 * sum(METHODS["permutation"](of).scores.values()) / 2


class UsesTwo(UsesOne):
    def forward(self, batch: Batch) -> Tensor:
        return self.table(batch.ids[:, 1]) + self.table(batch.ids[:, 2])


def test_one_pair_of_orders_has_no_error() -> None:
    of = asked("deepfm", "noisy")
    assert not METHODS["shapley"](replace(of, config=replace(SMALL, orders=2))).errors


@pytest.mark.parametrize("shape", ["mixed", "tasks_and_history", "vectors"])
def test_first_order_is_exact_where_the_model_is_linear(shape: str) -> None:
    """Logistic regression, with what a field adds to each logit replaced by its mean."""
    of = asked("lr", shape)
    answer = METHODS["taylor"](of)
    with torch.no_grad():
        logits, order = of.model(of.rows)[:, 0], torch.arange(len(of.rows))
        for name in of.fields:
            others = [mixed(of.rows, of.rows[torch.roll(order, by)], {name}, of.schema) for by in order[1:].tolist()]
            added = torch.stack([logits - of.model(other)[:, 0] for other in others])
            without = logits - added.sum(0) / len(logits)  # the mean over all rows, its own among them
            loss = [functional.binary_cross_entropy_with_logits(x, of.labels, reduction="none") for x in (without, logits)]
            gain = (loss[0] - loss[1]).double()
            assert answer.scores[name] == pytest.approx(gain.mean().item(), abs=1e-5)
            assert answer.errors[name] == pytest.approx(gain.std().item() / len(gain) ** 0.5, rel=1e-3, abs=1e-6)


def test_gates_stay_open_the_longer_the_more_a_field_is_worth() -> None:
    answer = METHODS["gates"](asked("deepfm", "noisy"))
    assert max(answer.scores.values()) > 0.6 and all(0 <= score <= 1 for score in answer.scores.values())
    assert max(answer.scores[n] for n in ("hour", "many", "heavy")) < 0.2 and not answer.errors


def test_tasks_are_meant_by_number_and_rows_without_the_label_left_out() -> None:
    schema, valid = SCHEMAS["tasks"], rows_of(SCHEMAS["tasks"], 500, 1)
    made = build(MODELS["mmoe"], schema, {"embedding_dim": 4}, 0)
    of = [asked_of(made, schema, valid, replace(SMALL, task=task), 0) for task in range(3)]
    assert [len(one.rows) for one in of] == [500, 500, 300]
    assert not torch.isnan(of[2].labels).any() and valid.labels is not None
    found = predictions(made, PlantedRows(of[1].rows), 3)[:, 1]
    assert of[1].auc(of[1].rows) == pytest.approx(auc(valid.labels[:, 1], found))
    assert len({tuple(METHODS["permutation"](one).scores.values()) for one in of}) == 3


def test_rows_are_drawn_evenly() -> None:
    of = asked_of(nn.Identity(), SCHEMAS["categorical"], rows_of(SCHEMAS["categorical"], 500, 1), replace(SMALL, rows=50), 0)
    wanted = rows_of(SCHEMAS["categorical"], 500, 1).all.ids[np.linspace(0, 499, 50).astype(int)]
    assert torch.equal(of.rows.ids, wanted)


@pytest.mark.parametrize("wrong", [{"task": 1}, {"schema": SCHEMAS["tasks"], "task": 3}, {"one_class": True}])
def test_what_cannot_be_ranked_is_refused(wrong: dict[str, object]) -> None:
    schema = wrong.get("schema", SCHEMAS["categorical"])
    assert isinstance(schema, Schema)
    valid = rows_of(schema, 50, 1)
    if "one_class" in wrong and valid.all.labels is not None:
        valid.all.labels[:] = 1
    with pytest.raises(ValueError, match="fields"):
        asked_of(nn.Identity(), schema, valid, replace(SMALL, task=int(str(wrong.get("task", 0)))), 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": 0},
        {"repeats": 1},
        {"orders": 0},
        {"orders": 3},
        {"task": -1},
        {"methods": ()},
        {"methods": ("taylor", "taylor")},
        {"methods": ("lime",)},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"settings of importance|methods are some of"):
        ImportanceConfig(**wrong)  # type: ignore[arg-type]


def test_only_the_methods_that_are_asked_for_answer() -> None:
    of = asked("deepfm", "noisy")
    found = list(answers(replace(of, config=replace(SMALL, methods=("taylor", "permutation")))))
    assert [one["method"] for one in found] == ["taylor", "permutation"]
    answer = METHODS["permutation"](of)
    wanted = [{"field": f, "score": answer.scores[f], "standard_error": answer.errors[f]} for f in of.fields]
    assert found[1]["fields"] == wanted and found[1]["unscored"] == {}


def test_names_and_units_are_those_of_the_registry() -> None:
    assert tuple(METHODS) == NAMES == tuple(UNITS) and isinstance(METHODS["taylor"](asked("deepfm", "noisy")), Answer)
