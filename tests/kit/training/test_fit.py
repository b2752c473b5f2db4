"""The training loop: what it selects, what it repeats, what it leaves alone and when it gives up."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from planted_rows import SCHEMAS, PlantedRows, planted
from torch import Tensor, nn

from sandboxes.kit import Batch, Schema, Stage
from sandboxes.kit.layers import DNN, FeatureEmbedding
from sandboxes.kit.losses import observed_bce
from sandboxes.kit.metrics import auc
from sandboxes.kit.training import TrainConfig, TrainingDiverged, build, fit, predictions

SCHEMA = SCHEMAS["categorical"]
TRAIN, VALID = planted(SCHEMA, 600, seed=1), planted(SCHEMA, 200, seed=2)
CONFIG = TrainConfig(learning_rate=1e-2, batch_size=64, max_epochs=3, patience=3)
HYPER = {"embedding_dim": 4}


class Small(nn.Module):
    """A small deep model with dropout, so that what is drawn while training matters."""

    def __init__(self, schema: Schema, *, embedding_dim: int = 4, dropout: float = 0.3) -> None:
        super().__init__()
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.deep = DNN(schema.n_fields * embedding_dim, (16,), dropout)
        self.output = nn.Linear(16, len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        return self.output(self.deep(self.embedding(batch).flatten(1)))


class Seen(Small):
    """Keeps the first ids of every training batch, and may reseed torch as generated code might."""

    reseeds = False

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema)
        self.batches: list[list[int]] = []

    def forward(self, batch: Batch) -> Tensor:
        if self.training:
            self.batches.append(batch.ids[:, 0].tolist())
        if self.reseeds:
            torch.manual_seed(0)
        return super().forward(batch)


class Reseeding(Seen):
    reseeds = True


def fresh(model_class: type[nn.Module] = Small, seed: int = 0) -> nn.Module:
    return build(model_class, SCHEMA, HYPER, seed)


def test_the_best_epoch_is_kept_not_the_last() -> None:
    """A learning rate that overfits quickly: valid AUC falls again, and the weights are those of its height."""
    model = fresh()
    fitted = fit(model, TRAIN, VALID, replace(CONFIG, learning_rate=5e-2, max_epochs=20, patience=20))
    by_epoch = {e.epoch: e.valid["auc"] for e in fitted.epochs}
    assert fitted.best_epoch == max(by_epoch, key=lambda e: by_epoch[e]) < 20
    assert VALID.labels is not None
    assert auc(VALID.labels[:, 0], predictions(model, VALID, 1)[:, 0]) == by_epoch[fitted.best_epoch] > by_epoch[20]


def test_auc_is_of_the_whole_split_not_a_mean_over_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["sandboxes.kit.training.goal"], "EVALUATION_BATCH", 16)
    model = fresh()
    last = fit(model, TRAIN, VALID, replace(CONFIG, max_epochs=1)).epochs[-1]
    assert VALID.labels is not None
    labels, pctr = VALID.labels[:, 0], predictions(model, VALID, 1)[:, 0]
    by_batch = [auc(labels[i : i + 16], pctr[i : i + 16]) for i in range(0, len(labels), 16)]
    assert last.valid["auc"] == auc(labels, pctr) != pytest.approx(np.nanmean(by_batch), abs=1e-6)


@pytest.mark.parametrize("patience", [1, 2])
def test_training_stops_after_so_many_epochs_without_gain(patience: int) -> None:
    fitted = fit(fresh(), TRAIN, VALID, replace(CONFIG, learning_rate=5e-2, max_epochs=40, patience=patience))
    assert len(fitted.epochs) == fitted.best_epoch + patience < 40


def test_the_same_seed_gives_the_same_model_whatever_was_drawn_before() -> None:
    first, second = fresh(), fresh()
    fit(first, TRAIN, VALID, CONFIG)
    torch.rand(7)
    fit(second, TRAIN, VALID, CONFIG)
    assert all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True))


def test_another_seed_gives_another_model() -> None:
    first, second = fresh(), fresh()
    fit(first, TRAIN, VALID, CONFIG)
    fit(second, TRAIN, VALID, replace(CONFIG, seed=1))
    assert not torch.equal(first.output.weight, second.output.weight)


def test_a_model_that_reseeds_torch_sees_the_rows_in_the_same_order() -> None:
    seen, reseeding = fresh(Seen), fresh(Reseeding)
    fit(seen, TRAIN, VALID, CONFIG)
    fit(reseeding, TRAIN, VALID, CONFIG)
    assert seen.batches == reseeding.batches
    per_epoch = len(seen.batches) // 3
    assert seen.batches[:per_epoch] != seen.batches[per_epoch : 2 * per_epoch]  # shuffled anew each epoch
    # every row once
    assert sorted(i for batch in seen.batches[:per_epoch] for i in batch) == sorted(TRAIN.all.ids[:, 0].tolist())


class Staged(Small):
    """Learns embeddings by a loss of their own first, then the rest with the embeddings frozen."""

    def __init__(self, schema: Schema, *, embedding_dim: int = 4) -> None:
        super().__init__(schema, embedding_dim=embedding_dim)
        self.asked: list[str] = []
        self.after_first: Tensor | None = None

    def stages(self) -> Sequence[Stage]:
        return (
            Stage("pretrain", loss="size", epochs=0.5, freeze=("deep", "output")),
            Stage("tune", freeze=("embedding.table",)),
        )

    def size(self, batch: Batch) -> Tensor:
        self.asked.append("size")
        return (self.embedding(batch) - 1).square().mean()

    def loss(self, batch: Batch) -> Tensor:
        if "loss" not in self.asked:
            self.after_first = self.embedding.table.weight.detach().clone()
        self.asked.append("loss")
        assert batch.labels is not None
        return observed_bce(self(batch), batch.labels)


def test_stages_run_in_order_and_freeze_what_they_name() -> None:
    model = fresh(Staged)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fitted = fit(model, TRAIN, VALID, replace(CONFIG, max_epochs=4))
    per_epoch = -(-len(TRAIN) // CONFIG.batch_size)
    tuned = len(fitted.epochs) - 2
    assert model.asked == ["size"] * 2 * per_epoch + ["loss"] * tuned * per_epoch
    assert [e.stage for e in fitted.epochs] == ["pretrain"] * 2 + ["tune"] * tuned
    assert [e.epoch for e in fitted.epochs] == list(range(1, len(fitted.epochs) + 1))
    assert fitted.best_epoch > 2  # chosen among the last stage's epochs
    assert not torch.equal(model.embedding.table.weight, before["embedding.table.weight"])
    assert torch.equal(model.embedding.table.weight, model.after_first)  # frozen in the second stage
    assert not torch.equal(model.output.weight, before["output.weight"])


def test_the_first_stage_leaves_frozen_parameters_alone() -> None:
    class OnlyPretrained(Staged):
        def stages(self) -> Sequence[Stage]:
            return (Stage("pretrain", loss="size", freeze=("deep", "output")),)

    model = fresh(OnlyPretrained)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fit(model, TRAIN, VALID, CONFIG)
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"embedding.table.weight"}


def test_a_stage_given_twice_is_two_stages() -> None:
    """Early stopping is for the last one only, though both are the same object."""
    again = Stage("same")

    class Twice(Small):
        def stages(self) -> Sequence[Stage]:
            return (again, again)

    fitted = fit(fresh(Twice), TRAIN, VALID, replace(CONFIG, learning_rate=5e-2, max_epochs=10, patience=1))
    assert 10 < len(fitted.epochs) < 20 and fitted.best_epoch > 10


def test_unobserved_labels_teach_nothing() -> None:
    """Rows whose only label is NaN change no weight, for all that they hold otherwise; and no NaN spreads."""
    schema = SCHEMAS["tasks"]
    train, valid = planted(schema, 600, seed=1), planted(schema, 200, seed=2)
    assert np.isnan(train.labels).any()
    model = build(Small, schema, HYPER, 0)
    fit(model, train, valid, CONFIG)
    assert np.isfinite(predictions(model, valid, 3)).all()
    hidden = PlantedRows(replace(train.all, labels=torch.full_like(train.all.labels, torch.nan)))
    untouched = build(Small, schema, HYPER, 0)
    before = untouched.output.weight.clone()
    fit(untouched, hidden, valid, CONFIG)
    assert torch.equal(untouched.output.weight, before)


class Diverging(Small):
    def loss(self, batch: Batch) -> Tensor:
        return self(batch).sum() * torch.inf


def test_a_loss_that_is_not_finite_ends_training() -> None:
    with pytest.raises(TrainingDiverged, match="training loss of epoch 1"):
        fit(fresh(Diverging), TRAIN, VALID, CONFIG)


class Exploding(Small):
    def predict(self, batch: Batch) -> Tensor:
        return self(batch) * torch.nan


def test_predictions_that_are_not_finite_end_training() -> None:
    with pytest.raises(TrainingDiverged, match="predictions after epoch 1"):
        fit(fresh(Exploding), TRAIN, VALID, CONFIG)


def test_a_valid_split_of_one_class_is_refused() -> None:
    same = PlantedRows(replace(VALID.all, labels=torch.ones_like(VALID.all.labels)))
    with pytest.raises(ValueError, match="positive and negative"):
        fit(fresh(), TRAIN, same, CONFIG)


class Indifferent(Small):
    """Its loss asks nothing of any parameter, so that only the penalty moves them."""

    def loss(self, batch: Batch) -> Tensor:
        return 0 * self(batch).sum()


@pytest.mark.parametrize("epochs", [1, 3])
def test_l2_shrinks_embeddings_at_every_step_and_nothing_else(epochs: int) -> None:
    """Adam moves each weight by about the learning rate a step while its gradient keeps its sign, however small it is."""
    model = fresh(Indifferent)
    nn.init.constant_(model.embedding.table.weight, 1.0)
    before = model.output.weight.clone()
    config = TrainConfig(learning_rate=1e-3, embedding_l2=1e-2, batch_size=64, max_epochs=epochs, patience=epochs)
    last: list[float] = []
    fit(model, TRAIN, VALID, config, emit=lambda event: last.append(model.embedding.table.weight.mean().item()))
    steps = epochs * -(-len(TRAIN) // 64)
    assert last[-1] == pytest.approx(1 - 1e-3 * steps, abs=1e-4)
    assert torch.equal(model.output.weight, before)


def test_progress_is_told() -> None:
    told: list[dict[str, object]] = []
    fitted = fit(fresh(), TRAIN, VALID, CONFIG, emit=told.append)
    epochs = [event for event in told if event["event"] == "epoch"]
    assert [e["valid"] for e in epochs] == [e.valid for e in fitted.epochs]
    assert fitted.samples_per_s > 0


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"max_epochs": 0}, {"learning_rate": 0.0}, {"embedding_l2": -1.0}])
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        TrainConfig(**wrong)


def test_build_passes_only_what_the_constructor_names() -> None:
    class Bare(Small):
        def __init__(self, schema: Schema) -> None:
            super().__init__(schema)

    assert build(Bare, SCHEMA, {"embedding_dim": 32, "dropout": 0.5}, 0).embedding.embedding_dim == 4
    assert fresh(Small).embedding.embedding_dim == HYPER["embedding_dim"]
