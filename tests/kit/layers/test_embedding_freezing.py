"""What a scheme leaves fixed after pre-training, in the trainer and beside other schemes."""

from __future__ import annotations

from itertools import permutations

import pytest
import torch
from random_rows import RandomRows
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.contract import Stage
from sandboxes.kit.layers import AlternatingUpdates, EmbeddingFreezing, FeatureEmbedding, PretrainThenFinetune
from sandboxes.kit.layers.embedding_freezing import EMBEDDING
from sandboxes.kit.schema import CategoricalField, NumericField, Schema
from sandboxes.kit.training import TrainConfig, fit

USERS, D = 200, 4
SCHEMA = Schema((CategoricalField("user", USERS + 2),), (NumericField("taste"),))


def rows(n: int, seed: int) -> RandomRows:
    """A user's taste is in the numbers of unlabelled rows, and decides labels, three times in ten the wrong way."""
    draw = torch.Generator().manual_seed(seed)
    user = torch.randint(2, USERS + 2, (n, 1), generator=draw)
    taste = (user % 2).float() * 2 - 1
    noise = torch.rand(n, 1, generator=draw) < 0.3
    return RandomRows(Batch(user, taste, labels=((taste > 0) ^ noise).float()))


class Model(nn.Module):
    """Predicts from the user's vector alone; its self-made task is to tell the taste from it."""

    def __init__(self, scheme: object) -> None:
        super().__init__()
        self.embedding, self.side, self.output = FeatureEmbedding(SCHEMA, D), nn.Linear(D, 1), nn.Linear(D, 1)
        self.scheme = scheme
        self.tables: list[Tensor] = []

    def forward(self, batch: Batch) -> Tensor:
        return self.output(self.embedding.field(batch, "user"))

    def auxiliary_loss(self, batch: Batch) -> Tensor:
        return (self.side(self.embedding.field(batch, "user")) - batch.numeric).square().mean()

    def loss(self, batch: Batch) -> Tensor:
        self.tables.append(self.embedding.table.weight.detach().clone())
        return nn.functional.binary_cross_entropy_with_logits(self(batch), batch.labels)

    def stages(self) -> object:
        return self.scheme.staged((Stage("train"),))


def trained(scheme: object) -> tuple[Model, float]:
    """With the last epoch's score."""
    torch.manual_seed(0)
    model = Model(scheme)
    config = TrainConfig(max_epochs=40, patience=40, batch_size=100, learning_rate=0.03)
    return model, fit(model, rows(400, 1), rows(1000, 2), config).epochs[-1].score


def test_tables_stay_as_pre_training_left_them_and_labels_are_not_memorised() -> None:
    frozen, score = trained(EmbeddingFreezing("auxiliary_loss"))
    assert all(torch.equal(table, frozen.tables[0]) for table in frozen.tables)
    free, without = trained(PretrainThenFinetune("auxiliary_loss"))
    assert not torch.equal(free.tables[0], free.tables[-1]) and torch.equal(free.tables[0], frozen.tables[0])
    assert score > 0.66 > without + 0.02


def test_embeddings_thaw_when_their_share_is_over() -> None:
    model, _ = trained(EmbeddingFreezing("auxiliary_loss", frozen_share=0.25))
    moved = [not torch.equal(table, model.tables[0]) for table in model.tables]
    assert moved.index(True) == 5 * 4 + 1 and all(moved[21:])  # a quarter of 20 epochs, of four batches each
    stages = model.stages()
    assert [s.epochs for s in stages] == [0.5, 0.125, 0.375] and [s.loss for s in stages] == ["auxiliary_loss", "loss", "loss"]


def test_the_order_of_schemes_does_not_matter() -> None:
    schemes = PretrainThenFinetune("own", 0.25), EmbeddingFreezing("own", 0.25), AlternatingUpdates("own")
    for order in permutations(schemes):
        stages: tuple[Stage, ...] = (Stage("train", freeze=("teacher.",)),)
        for scheme in order:
            stages = scheme.staged(stages)
        first, second = stages
        assert (first.loss, first.epochs, first.freeze) == ("own", 0.25, ())
        assert (second.loss, second.epochs, second.freeze) == ("loss", 0.75, ("teacher.", EMBEDDING))
        (beside,) = second.beside
        assert beside.freeze == second.freeze


@pytest.mark.parametrize("share", [0.0, 1.1, float("nan")])
def test_a_share_is_one(share: float) -> None:
    with pytest.raises(ValueError, match="above 0 and up to 1"):
        EmbeddingFreezing("own", frozen_share=share)
