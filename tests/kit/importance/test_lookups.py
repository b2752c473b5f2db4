"""Lookups are told apart by field whatever the model is made of; where they cannot be, that is said and nothing is guessed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from planted_rows import CARDINALITY, SCHEMAS, PlantedRows, planted
from torch import Tensor, nn

from sandboxes.kit import Batch, Schema
from sandboxes.kit.importance import METHODS, Asked, ImportanceConfig, asked_of
from sandboxes.kit.importance.config import Reason
from sandboxes.kit.importance.fields import field_names
from sandboxes.kit.importance.gates import _Gated
from sandboxes.kit.importance.lookups import recorded, task_logits
from sandboxes.kit.importance.means import means_of
from sandboxes.kit.importance.mixing import column, mixed
from sandboxes.kit.importance.places import differing, found_places
from sandboxes.kit.layers import FeatureEmbedding, MemorisedCrosses, SharedRareEmbedding
from sandboxes.kit.layers.table import Table
from sandboxes.kit.models import MODELS
from sandboxes.kit.training import build
from sandboxes.kit.training.model import predict

SCHEMA = SCHEMAS["tasks_and_history"]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


class Embedded(nn.Module):
    """Fields and histories, summed up."""

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = FeatureEmbedding(schema, 4)
        self.output = nn.Linear((schema.n_fields + len(schema.sequences)) * 4, len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        return self.output(self.embedding.with_histories(batch).flatten(1))


def asked(model: nn.Module, schema: Schema = SCHEMA, n: int = 300) -> Asked:
    return asked_of(model, schema, planted(schema, n), ImportanceConfig(rows=n), 0)


def test_places_are_found_field_by_field() -> None:
    places = found_places(asked(Embedded(SCHEMA)))
    assert not places.unreadable and set(places.of) == {"user", "item", "age", "seen"}
    assert {n: {k: where.tolist() for k, where in of.items()} for n, of in places.of.items()} == {
        "seen": {0: True},  # one place, the pooled history
        "user": {1: [True, False]},
        "item": {1: [False, True]},
        "age": {},
    }


def test_a_cross_is_of_both_its_fields() -> None:
    class Crosses(nn.Module):
        def __init__(self, schema: Schema) -> None:
            super().__init__()
            self.crosses = MemorisedCrosses(schema, 1)
            nn.init.normal_(self.crosses.table.weight)

        def forward(self, batch: Batch) -> Tensor:
            return self.crosses(batch)

    schema = SCHEMAS["categorical"]
    of = asked(Crosses(schema), schema)
    places = found_places(of)
    met = torch.stack([where for name in schema.categorical for where in places.of[name.name].values()]).int()
    assert not places.unreadable and (met.sum(0) == 2).all() and met.shape[0] == 3
    assert all(0 <= score <= 1 for score in METHODS["gates"](of).scores.values())
    factors = _Gated(of, places.of, means_of(of))._factors(torch.tensor([0.5, 0.4, 1.0]))
    assert sorted(torch.cat([f.flatten() for f in factors.values()]).tolist()) == pytest.approx([0.2, 0.4, 0.5])


def test_a_lookup_within_a_lookup_counts_once() -> None:
    class Derived(Embedded):
        def __init__(self, schema: Schema) -> None:
            super().__init__(schema)
            self.embedding = SharedRareEmbedding(schema, 4)

    made = Derived(SCHEMA).eval()
    shapes = [tuple(x.shape) for x in recorded(made, planted(SCHEMA, 5).all, 0)[1]]
    assert shapes == [(5, 4), (5, 2, 4)] and not found_places(asked(made)).unreadable


@pytest.mark.parametrize(("model", "shape"), [("deepfm", "vectors"), ("din", "outcomes"), ("esmm", "tasks"), ("dien", "history")])
def test_logits_are_those_of_the_predictions_and_nothing_is_left_behind(model: str, shape: str) -> None:
    schema = SCHEMAS[shape]
    made, rows = build(MODELS[model], schema, {"embedding_dim": 4}, 0), planted(schema, 40).all
    wanted = [predict(made, rows, len(schema.tasks))[:, t] for t in range(len(schema.tasks))]
    for task, probability in enumerate(wanted):
        found = task_logits(made, rows, task, lambda number, lookup: lookup)
        assert torch.allclose(torch.sigmoid(found), probability, atol=1e-6) and found.requires_grad
    tables = [m for m in made.modules() if isinstance(m, nn.Embedding)]
    assert tables and not any({"forward", "pooled"} & set(vars(t)) for t in tables)


def test_a_model_with_predictions_of_its_own_is_asked_for_them() -> None:
    class Squared(Embedded):
        def predict(self, batch: Batch) -> Tensor:
            return torch.sigmoid(self(batch)).square()

    made, rows = Squared(SCHEMA), planted(SCHEMA, 9).all
    assert torch.allclose(torch.sigmoid(task_logits(made, rows, 1)), torch.sigmoid(made(rows)[:, 1]).square(), atol=1e-6)


def test_tables_are_given_back_after_a_fault_too() -> None:
    made, rows = Embedded(SCHEMA), planted(SCHEMA, 5).all
    with pytest.raises(ZeroDivisionError):
        task_logits(made, rows, 0, lambda number, lookup: lookup * (1 // 0))
    assert made.embedding.table is not None and "forward" not in vars(made.embedding.table)
    assert isinstance(task_logits(made, rows, 0), Tensor)


def test_vectors_made_elsewhere_are_lookups() -> None:
    schema = SCHEMAS["vectors"]
    of = asked(build(MODELS["din"], schema, {"embedding_dim": 4}, 0), schema)
    places = found_places(of)
    assert set(places.of) == set(field_names(schema)) and all(places.of[name] for name in ("image", "text", "seen"))
    shared = {number for name in ("image", "text") for number in places.of[name]}
    assert len(shared) > 1 and not set(places.of["image"]) & set(places.of["text"])


def test_means_are_over_all_rows() -> None:
    of = asked(Embedded(SCHEMA), n=2500)  # more than are read at once
    means, (_, lookups) = means_of(of), recorded(of.model, of.rows, 0)
    assert means.lookups.keys() == {0, 1} and means.numeric_fields == ("age",)
    for number, lookup in enumerate(lookups):
        assert torch.allclose(means.lookups[number], lookup.mean(0), atol=1e-6)
    assert torch.equal(means.numeric, of.rows.numeric.mean(0))


class Draws(Embedded):
    def forward(self, batch: Batch) -> Tensor:
        return super().forward(batch) + torch.rand(len(batch), 1)


class NoGradient(Embedded):
    @torch.no_grad()
    def predict(self, batch: Batch) -> Tensor:
        return torch.sigmoid(self(batch))


class OneHot(Embedded):
    """Sees the item by its vector, and also as such."""

    def forward(self, batch: Batch) -> Tensor:
        return super().forward(batch) + (batch.ids[:, 1:2] % 2).float()


class Steps(Embedded):
    """Sees no more of the age than whether it is above the mean; of a history, how long it is."""

    def forward(self, batch: Batch) -> Tensor:
        vectors, length = self.embedding(batch), (batch.history["seen"] > 0).sum(1, keepdim=True)
        vectors = torch.cat([vectors[:, :2], (batch.numeric > 0).float().unsqueeze(2).expand(-1, -1, 4)], 1).flatten(1)
        return self.output(torch.cat([vectors, length.float().expand(-1, 4)], 1))


class OfFew(Embedded):
    """Looks up the users of a few rows for all of them."""

    def forward(self, batch: Batch) -> Tensor:
        assert self.embedding.table is not None
        return super().forward(batch) + self.embedding.table(batch.ids[:7, 0]).mean()


@pytest.mark.parametrize(
    ("model_class", "wanted"),
    [
        (Draws, dict.fromkeys(("user", "item", "age", "seen"), "draws")),
        (NoGradient, dict.fromkeys(("user", "item", "age", "seen"), "no gradient")),
        (OneHot, {"item": "otherwise"}),
        (Steps, {"age": "otherwise", "seen": "otherwise"}),
    ],
)
def test_what_cannot_be_told_is_said(model_class: type[Embedded], wanted: dict[str, Reason]) -> None:
    of = asked(model_class(SCHEMA))
    assert found_places(of).unreadable == wanted
    for name in ("taylor", "gates"):
        answer = METHODS[name](of)
        assert answer.unscored == wanted and set(answer.scores) == {"user", "item", "age", "seen"} - set(wanted)
    assert not METHODS["permutation"](of).unscored


def test_lookups_of_no_row_in_particular_are_told_from_those_of_rows() -> None:
    assert found_places(asked(OfFew(SCHEMA))).unreadable.get("user") == "not by row"


def test_rare_values_are_looked_at() -> None:
    """A field that is another value in two rows of two thousand."""
    schema = SCHEMAS["categorical"]
    rows = planted(schema, 2000).all
    rows.ids[:, 2] = 5
    rows.ids[[700, 1400], 2] = 6
    made = Embedded(schema)
    of = asked_of(made, schema, PlantedRows(rows), ImportanceConfig(rows=2000), 0)
    assert found_places(of).of["hour"][0].tolist() == [False, False, True]


def test_a_value_that_draws_its_own_place_is_compared_with_another_row() -> None:
    values = torch.tensor([[5], [5], [6], [5]])
    own, other = differing(values, torch.tensor([1, 0, 2, 3]))
    assert (own.tolist(), other.tolist()) == ([2], [0])
    own, other = differing(values, torch.tensor([2, 3, 0, 1]))
    assert (own.tolist(), other.tolist()) == ([0, 2], [2, 0])


@pytest.mark.parametrize("shape", SCHEMAS)
def test_mixing_changes_a_field_and_nothing_else(shape: str) -> None:
    schema = SCHEMAS[shape]
    own, other = planted(schema, 20, seed=1).all, planted(schema, 20, seed=2).all
    names = field_names(schema)
    for name in names:
        made = mixed(own, other, {name}, schema)
        for each in names:
            assert torch.equal(column(made, each, schema), column(other if each == name else own, each, schema))
        assert made.labels is own.labels and made.tables is own.tables
    whole = mixed(own, other, set(names), schema)
    assert all(torch.equal(column(whole, each, schema), column(other, each, schema)) for each in names)
    assert (own.ids < CARDINALITY).all() and torch.equal(own.ids, planted(schema, 20, seed=1).all.ids)


def test_a_table_that_is_not_looked_up_row_by_row_does_no_harm() -> None:
    class Whole(Embedded):
        """Also looks up all items at once."""

        def forward(self, batch: Batch) -> Tensor:
            assert isinstance(self.embedding.table, Table)
            every = self.embedding.table(torch.arange(10))
            return super().forward(batch) + every.mean()

    of = asked(Whole(SCHEMA))
    assert not found_places(of).unreadable and set(METHODS["gates"](of).scores) == {"user", "item", "age", "seen"}
    assert set(METHODS["taylor"](replace(of, seed=1)).scores) == {"user", "item", "age", "seen"}
