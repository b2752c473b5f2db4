"""Smoke tests: each catches the fault it is for, and lets every sound model through."""

from __future__ import annotations

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
from sandboxes.kit.models import MODELS
from sandboxes.kit.smoke import smoke

SCHEMA = SCHEMAS["categorical"]
ROWS = planted(SCHEMA, 800)
HYPER = {"embedding_dim": 4, "dropout": 0.2}
FORWARD, ALONE, PERMUTED, GRADIENT, SEED, CONSTANT, OVERFIT = (
    "forward gives finite logits (B, T)",
    "a batch of one works",
    "permuted rows give permuted predictions",
    "the gradient reaches every parameter",
    "the same seed gives the same loss",
    "predictions are not constant",
    "64 rows can be overfitted",
)


class Sound(nn.Module):
    def __init__(self, schema: Schema, *, embedding_dim: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.deep = DNN(schema.n_fields * embedding_dim, (32,), dropout)
        self.output = nn.Linear(32, len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        return self.output(self.deep(self.embedding(batch).flatten(1)))


class DoesNotBuild(Sound):
    def __init__(self, schema: Schema) -> None:
        raise RuntimeError("no such layer")


class WrongShape(Sound):
    def forward(self, batch: Batch) -> Tensor:
        return super().forward(batch).T


class NotFinite(Sound):
    def forward(self, batch: Batch) -> Tensor:
        return super().forward(batch).log().log()


class OutsideTheUnitInterval(Sound):
    def predict(self, batch: Batch) -> Tensor:
        return self(batch) - 1  # scores, not probabilities


class TurnedAround(Sound):
    """Says how probable it is that nothing happens."""

    def predict(self, batch: Batch) -> Tensor:
        return torch.sigmoid(-self(batch))


class Squeezing(Sound):
    """Drops the batch of one."""

    def forward(self, batch: Batch) -> Tensor:
        hidden = self.deep(self.embedding(batch).flatten(1)).squeeze()
        return self.output(hidden).reshape(hidden.shape[0], -1)


class LooksAtTheBatch(Sound):
    """Normalises by the batch in evaluation too."""

    def forward(self, batch: Batch) -> Tensor:
        logits = super().forward(batch)
        return logits - logits.mean(0)


class LooksAtTheRowAbove(Sound):
    def forward(self, batch: Batch) -> Tensor:
        logits = super().forward(batch)
        return logits + logits.roll(1, 0)


class Unused(Sound):
    def __init__(self, schema: Schema) -> None:
        super().__init__(schema)
        self.forgotten = nn.Linear(3, 3)


class Detached(Sound):
    def forward(self, batch: Batch) -> Tensor:
        return self.output(self.deep(self.embedding(batch).flatten(1).detach()))


class Unseeded(Sound):
    """Seeds itself by a counter: no two builds are alike."""

    built = 0

    def __init__(self, schema: Schema) -> None:
        Unseeded.built += 1
        torch.manual_seed(Unseeded.built)
        super().__init__(schema)


class Constant(Sound):
    def forward(self, batch: Batch) -> Tensor:
        return super().forward(batch) * 0 + self.output.bias


class Inverted(Sound):
    """Learns the label's opposite."""

    def loss(self, batch: Batch) -> Tensor:
        assert batch.labels is not None
        return observed_bce(self(batch), 1 - batch.labels)


def failed(model_class: type[nn.Module], schema: Schema = SCHEMA, rows: PlantedRows = ROWS) -> set[str]:
    return {c.name for c in smoke(model_class, schema, rows, HYPER)[0] if not c.passed}


@pytest.mark.parametrize(
    ("model_class", "caught_by"),
    [
        (WrongShape, FORWARD),
        (NotFinite, FORWARD),
        (TurnedAround, OVERFIT),
        (OutsideTheUnitInterval, FORWARD),
        (Squeezing, ALONE),
        (LooksAtTheBatch, ALONE),
        (LooksAtTheRowAbove, PERMUTED),
        (Unused, GRADIENT),
        (Detached, GRADIENT),
        (Unseeded, SEED),
        (Constant, CONSTANT),
        (Constant, OVERFIT),
        (Inverted, OVERFIT),
    ],
)
def test_a_planted_fault_is_caught(model_class: type[nn.Module], caught_by: str) -> None:
    assert caught_by in failed(model_class)


@pytest.mark.parametrize(
    ("model_class", "caught_by"),
    [(OutsideTheUnitInterval, FORWARD), (Unused, GRADIENT), (Detached, GRADIENT), (Unseeded, SEED), (Inverted, OVERFIT)],
)
def test_a_fault_is_caught_by_its_own_test_alone(model_class: type[nn.Module], caught_by: str) -> None:
    assert failed(model_class) <= {caught_by, OVERFIT}


def test_a_model_that_does_not_build_says_why() -> None:
    checks, parameters = smoke(DoesNotBuild, SCHEMA, ROWS, HYPER)
    assert [(c.name, c.passed, c.detail) for c in checks] == [("builds", False, "RuntimeError: no such layer")]
    assert parameters == 0


def test_a_sound_model_passes_and_is_counted() -> None:
    checks, parameters = smoke(Sound, SCHEMA, ROWS, HYPER)
    assert all(c.passed for c in checks) and len(checks) == 8
    assert parameters == sum(p.numel() for p in Sound(SCHEMA).parameters())


def test_a_missing_gradient_is_named() -> None:
    detail = next(c.detail for c in smoke(Unused, SCHEMA, ROWS, HYPER)[0] if c.name == GRADIENT)
    assert detail == "no gradient reaches forgotten.bias, forgotten.weight"


def test_one_logit_a_row_may_come_as_a_vector() -> None:
    class Flat(Sound):
        def forward(self, batch: Batch) -> Tensor:
            return super().forward(batch).squeeze(1)

    assert failed(Flat) == set()


def test_what_weakens_predictions_without_turning_them_around_is_let_through() -> None:
    class Hesitant(Sound):
        def predict(self, batch: Batch) -> Tensor:
            return 0.5 + 0.01 * (torch.sigmoid(self(batch)) - 0.5)

    assert failed(Hesitant) == set()


class OffAtFirst(Sound):
    """Starts from the first seed, or from all, with no unit of its layer on."""

    always = False

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema)
        if self.always or torch.initial_seed() == 0:
            nn.init.constant_(self.deep.layers[0].bias, -100.0)


class NeverOn(OffAtFirst):
    always = True


def test_a_layer_that_one_start_left_off_is_not_taken_for_one_without_a_way_to_the_loss() -> None:
    assert GRADIENT not in failed(OffAtFirst)
    assert GRADIENT in failed(NeverOn)


def test_frozen_buffers_of_a_model_ask_for_no_gradient() -> None:
    class Frozen(Sound):
        def __init__(self, schema: Schema) -> None:
            super().__init__(schema)
            self.fixed = nn.Parameter(torch.ones(3), requires_grad=False)

    assert failed(Frozen) == set()


def test_losses_of_every_stage_count_for_the_gradient() -> None:
    class Staged(Sound):
        def __init__(self, schema: Schema) -> None:
            super().__init__(schema)
            self.decoder = nn.Linear(4, 4)

        def stages(self) -> Sequence[Stage]:
            return (Stage("pretrain", loss="reconstruction"), Stage("tune"))

        def reconstruction(self, batch: Batch) -> Tensor:
            fields = self.embedding(batch)
            return (self.decoder(fields) - 1).square().mean()

    assert failed(Staged) == set()


def test_parameters_of_rare_scenarios_are_reached() -> None:
    """A bias for every scenario id, padding and unknown too: most never occur in the data."""

    class Biased(Sound):
        def __init__(self, schema: Schema) -> None:
            super().__init__(schema)
            self.column = schema.index_of(schema.scenario)
            self.biases = nn.ParameterList(torch.zeros(1) for _ in range(schema.categorical[self.column].cardinality))

        def forward(self, batch: Batch) -> Tensor:
            return super().forward(batch) + torch.stack(list(self.biases))[batch.ids[:, self.column]]

    schema = SCHEMAS["scenario"]
    rows = planted(schema, 800)
    rows.all.ids[:, schema.index_of("tab")] = 2
    assert failed(Biased, schema, rows) == set()


def test_a_log_that_begins_with_empty_histories_is_no_fault_of_the_model() -> None:
    schema = SCHEMAS["history"]
    rows = planted(schema, 2000)
    rows.all.history["seen"][:1000] = 0
    assert failed(MODELS["lr"], schema, rows) == set()


def test_a_task_with_few_observed_labels_is_sampled() -> None:
    schema = SCHEMAS["tasks"]
    rows = planted(schema, 3000)
    rows.all.labels[20:, 1] = torch.nan
    assert failed(Sound, schema, rows) == set()


def test_rows_that_cannot_be_told_apart_are_no_fault_of_the_model() -> None:
    """Every row has the same features: nobody could learn its labels."""
    rows = planted(SCHEMA, 800)
    rows.all.ids[:] = 5
    assert failed(Sound, SCHEMA, rows) == {CONSTANT}


def test_one_class_of_labels_leaves_nothing_to_overfit() -> None:
    rows = PlantedRows(replace(ROWS.all, labels=torch.ones_like(ROWS.all.labels)))
    assert failed(Sound, SCHEMA, rows) == set()
    assert np.isfinite(smoke(Sound, SCHEMA, rows, HYPER)[1])
