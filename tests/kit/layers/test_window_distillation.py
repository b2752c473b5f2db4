"""A model that is taught by itself of the window before. Notation: B rows, T tasks, L losses told."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from random_rows import TWO_TASKS, random_rows
from torch import Tensor, nn

from sandboxes.kit import CategoricalField, Schema, Stage
from sandboxes.kit.batch import Batch
from sandboxes.kit.data.arrays import ArrayRows
from sandboxes.kit.layers import FeatureEmbedding, FrequencyClipping, IncrementalWindows, WindowDistillation
from sandboxes.kit.training import TrainConfig, fit

D = 4
SHOP = Schema((CategoricalField("item", 22),), timed=True)


class Taught(nn.Module):
    """Notes what its teacher said in every step, and its own weights whenever a stage begins."""

    def __init__(self, schema: Schema = SHOP, clipped: bool = False, **arguments: float) -> None:
        super().__init__()
        self.embedding, self.hidden = FeatureEmbedding(schema, D), nn.Dropout(0.5)
        self.output = nn.Linear(D, len(schema.tasks))
        self.taught = WindowDistillation(self, **arguments)
        self.clipped = clipped
        self.said: list[Tensor | None] = []
        self.states: list[nn.Module] = []

    def forward(self, batch: Batch) -> Tensor:
        return self.output(self.hidden(self.embedding(batch).sum(1)))

    def loss(self, batch: Batch) -> Tensor:
        self.said.append(self.taught._taught(batch) if self.taught._before else None)
        return self.taught(self(batch), batch)

    def stages(self) -> tuple[Stage, ...]:
        stages = self.taught.staged((Stage("train"),))
        return FrequencyClipping(1e3, 1e3).staged(stages) if self.clipped else stages


def blurring(n: int = 400, seed: int = 0) -> ArrayRows:
    """An item's label is its parity; in the second half four in ten are wrong."""
    draw = np.random.default_rng(seed)
    ids = draw.integers(2, 22, n)
    labels = ids % 2 ^ ((np.arange(n) >= n // 2) & (draw.random(n) < 0.4))
    ids, labels = ids[:, None].astype(np.int32), labels[:, None].astype(np.float32)
    return ArrayRows(ids, np.zeros((n, 0), np.float32), {}, labels, order=np.arange(n))


CONFIG = TrainConfig(max_epochs=4, patience=4, batch_size=50, learning_rate=0.05)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_labels_and_the_divergence_from_the_weights_before(temperature: float) -> None:
    torch.manual_seed(0)
    model, batch = Taught(TWO_TASKS, temperature=temperature, teacher_weight=0.3).double(), random_rows(TWO_TASKS, 9).whole
    batch.numeric, batch.labels = batch.numeric.double(), batch.labels.double()
    nn.init.normal_(model.embedding.table.weight)
    block, before = model.taught, copy.deepcopy(model).eval()
    logits = model(batch)
    plain = nn.functional.binary_cross_entropy_with_logits(logits, batch.labels, reduction="none").mean(0).sum().item()
    assert block(logits, batch).item() == pytest.approx(plain)  # nothing is before the first window
    block.set_progress(0.0)
    for parameter in model.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    logits, taught = model.eval()(batch), before(batch).detach()
    p, q = (1 / (1 + np.exp(-z.detach().numpy() / temperature)) for z in (taught, logits))
    divergence = (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).mean(0).sum()
    plain = nn.functional.binary_cross_entropy_with_logits(logits, batch.labels, reduction="none").mean(0).sum().item()
    assert block(logits, batch).item() == pytest.approx(0.7 * plain + 0.3 * temperature**2 * divergence)


@pytest.mark.parametrize("clipped", [False, True])
def test_in_the_trainer_each_window_has_the_one_before_as_its_teacher(clipped: bool) -> None:
    torch.manual_seed(0)
    model, rows, weights = Taught(n_windows=4, clipped=clipped), blurring(), []
    fit(model, rows, rows, CONFIG, emit=lambda e: weights.append(model.output.weight.clone()) if e["event"] == "epoch" else None)
    taught = [said is not None for said in model.said]
    assert taught == [False] * 8 + [True] * 24  # four epochs of two batches in each of four windows
    assert torch.equal(model.taught._before["output.weight"], weights[11])  # as the third window left it
    assert model.training is False and not any("before" in name for name in model.state_dict())


def test_teaching_leaves_modes_and_the_optimisers_notes_alone() -> None:
    model, batch = Taught(), Batch(torch.tensor([[3], [4]]), torch.zeros(2, 0), labels=torch.ones(2, 1))
    model.taught(model(batch), batch)
    model.taught.set_progress(0.0)
    heard: list[Tensor] = []
    model.embedding.table.watcher = heard.append
    model.train().taught._taught(batch)
    assert model.hidden.training and heard == [] and model.embedding.table.watcher is not None
    assert torch.equal(model.taught._taught(batch), model.taught._taught(batch))  # without dropout
    model.eval().taught._taught(batch)
    assert not model.hidden.training


def test_a_stage_on_another_loss_leaves_no_teacher_behind() -> None:
    block = Taught().taught
    block.set_progress(0.0)
    block.set_progress(0.5)
    block.set_progress(0.0)
    assert not block._before


def test_windows_are_made_once() -> None:
    block = WindowDistillation(nn.Linear(1, 1), n_windows=3)
    stages = block.staged((Stage("pretrain", loss="own"), Stage("train")))
    assert [s.rows for s in stages[1:]] == [(0.0, 1 / 3), (1 / 3, 2 / 3), (2 / 3, 1.0)] and stages[0].loss == "own"
    assert IncrementalWindows(7).staged(stages) == stages


def test_what_was_learned_before_is_not_forgotten_over_a_blurred_window() -> None:
    rows, losses = blurring(), {}
    ids = torch.arange(2, 22).unsqueeze(1)
    parity = (ids % 2).float()
    for weight in (0.0, 0.9):
        torch.manual_seed(0)
        model = Taught(n_windows=2, teacher_weight=weight)
        fit(model, rows, rows, TrainConfig(max_epochs=12, patience=12, batch_size=50, learning_rate=0.05))
        logits = model.eval()(Batch(ids, torch.zeros(20, 0)))
        losses[weight] = nn.functional.binary_cross_entropy_with_logits(logits, parity).item()
    assert losses[0.9] < 0.3 < 0.5 < losses[0.0]
