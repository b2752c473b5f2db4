"""Tables updated by touched rows end where whole tables do, in every way in which a model may use them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from planted_rows import SCHEMAS, planted
from shared_training import EveryLookup
from torch import Tensor, nn

from sandboxes.kit import Batch, Stage
from sandboxes.kit.layers.table import Table
from sandboxes.kit.losses import observed_bce
from sandboxes.kit.training import TrainConfig, build, fit
from sandboxes.kit.training.optimiser import Optimiser

SCHEMA = SCHEMAS["history"]
TRAIN, VALID = planted(SCHEMA, 600, seed=1), planted(SCHEMA, 200, seed=2)
WHOLE = TrainConfig(learning_rate=5e-3, batch_size=32, max_epochs=4, patience=4)
TOUCHED = replace(WHOLE, updates="touched")


class Tied(EveryLookup):
    """Uses the table's weights as such too, in a penalty on their size."""

    def loss(self, batch: Batch) -> Tensor:
        assert batch.labels is not None and self.embedding.table is not None
        return observed_bce(self(batch), batch.labels) + 1e-4 * self.embedding.table.weight.square().sum()


class InStages(EveryLookup):
    """The embedding alone, then all but the embedding: a frozen table must stay as it is."""

    def stages(self) -> list[Stage]:
        return [Stage("embedding", freeze=("deep", "output")), Stage("rest", freeze=("embedding",))]

    def loss(self, batch: Batch) -> Tensor:
        assert batch.labels is not None
        return observed_bce(self(batch), batch.labels)


def trained(model_class: type[nn.Module], config: TrainConfig) -> dict[str, Tensor]:
    model = build(model_class, SCHEMA, {}, seed=0)
    fit(model, TRAIN, VALID, config)
    return model.state_dict()


@pytest.mark.parametrize("model_class", [EveryLookup, Tied, InStages])
def test_touched_rows_end_where_whole_tables_end(model_class: type[nn.Module]) -> None:
    first = build(model_class, SCHEMA, {}, seed=0).state_dict()
    whole, touched = trained(model_class, WHOLE), trained(model_class, TOUCHED)
    for name, value in whole.items():
        moved = (value - first[name]).abs().mean()
        assert moved > 0
        assert (touched[name] - value).abs().mean() < 0.03 * moved, name


def test_with_a_penalty_every_row_is_updated() -> None:
    penalised = replace(WHOLE, embedding_l2=1e-3)
    whole, touched = trained(EveryLookup, penalised), trained(EveryLookup, replace(penalised, updates="touched"))
    assert all(torch.equal(touched[name], value) for name, value in whole.items())


def test_a_table_used_as_a_whole_is_updated_as_a_whole_from_then_on() -> None:
    model = build(Tied, SCHEMA, {}, seed=0)
    optimiser = Optimiser(model, Stage("train"), TOUCHED)
    table, weights = model.embedding.table, model.linear.table
    assert table.watcher is not None and weights.watcher is not None
    model.loss(TRAIN.batch(slice(0, 32))).backward()
    optimiser.step()
    assert table.watcher is None and weights.watcher is not None


def test_after_training_nobody_watches_the_tables() -> None:
    model = build(EveryLookup, SCHEMA, {}, seed=0)
    fit(model, TRAIN, VALID, TOUCHED)
    tables = [m for m in model.modules() if isinstance(m, Table)]
    assert len(tables) > 2 and all(t.watcher is None for t in tables)
    model.eval()(VALID.batch(slice(0, 4))).sum().backward()
    assert all(t.weight.grad is None or t.weight.grad.layout == torch.strided for t in tables)


def test_it_is_released_even_when_training_diverges() -> None:
    class Diverging(EveryLookup):
        def loss(self, batch: Batch) -> Tensor:
            return self(batch).sum() * float("nan")

    model = build(Diverging, SCHEMA, {}, seed=0)
    with pytest.raises(ArithmeticError):
        fit(model, TRAIN, VALID, TOUCHED)
    assert all(m.watcher is None for m in model.modules() if isinstance(m, Table))
