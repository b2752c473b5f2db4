"""Low-precision embeddings: the formula, its gradients, what is trained, and bytes in serving. Notation: V rows, D width."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from planted_rows import SCHEMAS, planted
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sandboxes.kit import Batch, Schema
from sandboxes.kit.layers import FeatureEmbedding, QuantisedEmbedding
from sandboxes.kit.layers.quantised_table import QuantisedTable
from sandboxes.kit.layers.table import Table
from sandboxes.kit.served_form import in_served_form, served_state
from sandboxes.kit.training import TrainConfig, build, fit
from sandboxes.kit.training.model import predict

SCHEMA = SCHEMAS["history"]
TRAIN, VALID = planted(SCHEMA, 300, seed=1), planted(SCHEMA, 200, seed=2)


class Small(nn.Module):
    """Fields and the mean of a history, quantised."""

    def __init__(self, schema: Schema, bits: int = 8) -> None:
        super().__init__()
        self.embedding = QuantisedEmbedding(schema, 8, bits=bits)
        self.output = nn.Linear((schema.n_fields + len(schema.sequences)) * 8, 1)

    def forward(self, batch: Batch) -> Tensor:
        return self.output(self.embedding.with_histories(batch).flatten(1))


def table(bits: int = 4, std: float = 1.0) -> QuantisedTable:
    torch.manual_seed(0)
    made = QuantisedTable(50, 3, std, bits=bits)
    made.log_step.data.fill_(-0.5)
    return made


@given(bits=st.integers(2, 8), scale=st.floats(1e-3, 1e3), log_step=st.floats(-2, 2))
@settings(max_examples=50, deadline=None)
def test_vectors_are_the_nearest_multiples_of_the_step_within_the_range(bits: int, scale: float, log_step: float) -> None:
    made, rows = table(bits, scale), torch.arange(50)
    made.log_step.data.fill_(log_step)
    step, largest = made.step.item(), 2 ** (bits - 1) - 1
    assert step == pytest.approx(2 * scale * np.sqrt(2 / np.pi) / np.sqrt(largest) * np.exp(log_step), rel=1e-4)
    codes = made(rows).detach().double().numpy() / step
    np.testing.assert_allclose(codes, np.round(codes), atol=1e-3)
    assert np.abs(codes).max() <= largest + 1e-3 and len(np.unique(np.round(codes))) <= 2 * largest + 1
    inside = np.abs(made.weight.detach().numpy() / step) < largest
    assert np.abs(codes - made.weight.detach().numpy() / step)[inside].max(initial=0) <= 0.5 + 1e-3


def test_gradients_pass_the_rounding_and_stop_outside_the_range() -> None:
    made, rows = table(), torch.arange(50)
    outer = torch.randn(50, 3, generator=torch.Generator().manual_seed(1))
    (made(rows) * outer).sum().backward()
    step, largest = made.step.item(), 7
    scaled = made.weight.detach().numpy() / step
    inside = np.abs(scaled) < largest
    assert inside.any() and not inside.all()
    np.testing.assert_allclose(made.weight.grad.numpy(), np.where(inside, outer.numpy(), 0), rtol=1e-5)
    of_step = np.where(inside, np.round(scaled) - scaled, np.sign(scaled) * largest)  # of LSQ, eq. 3
    assert made.log_step.grad.item() == pytest.approx((of_step * outer.numpy()).sum() * step, rel=1e-4)


def test_pooled_is_the_mean_of_the_quantised_vectors_of_real_entries() -> None:
    made, rows = table(), torch.tensor([[7, 7, 3], [7, 4, 5], [7, 7, 7]])
    whole = made(torch.arange(50))
    wanted = torch.stack([whole[3], (whole[4] + whole[5]) / 2, torch.zeros(3)])
    torch.testing.assert_close(made.pooled(rows, 7), wanted)


def test_a_step_that_fits_badly_is_learned() -> None:
    """Values far beyond the first range come within reach as the step grows."""
    made = table(bits=3, std=0.01)
    target = torch.randn(50, 3, generator=torch.Generator().manual_seed(2))
    optimiser, first = torch.optim.Adam(made.parameters(), lr=0.05), made.step.item()
    for _ in range(300):
        optimiser.zero_grad()
        (made(torch.arange(50)) - target).square().mean().backward()
        optimiser.step()
    assert made.step.item() > 10 * first
    assert (made(torch.arange(50)) - target).square().mean() < 0.1 * target.square().mean()


@pytest.mark.parametrize("bits", [8, 2])
def test_serving_holds_bytes_and_says_the_same(bits: int, tmp_path: Path) -> None:
    model = build(partial(Small, bits=bits), SCHEMA, {}, seed=0) if bits != 8 else build(Small, SCHEMA, {}, seed=0)
    fit(model, TRAIN, VALID, TrainConfig(learning_rate=5e-3, batch_size=32, max_epochs=2, patience=2))
    rows = VALID.batch(slice(0, 100))
    said = predict(model, rows, 1)
    state = served_state(model, model.state_dict())
    save_file(state, tmp_path / "weights.safetensors")
    codes = load_file(tmp_path / "weights.safetensors")["embedding.table.codes"]
    assert codes.dtype == torch.int8 and codes.shape == model.embedding.table.weight.shape and codes.unique().numel() > 2
    assert not any(name.endswith("table.weight") for name in state)
    served = in_served_form(Small(SCHEMA, bits))
    served.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    assert torch.equal(predict(served, rows, 1), said)
    held = sum(t.numel() * t.element_size() for t in (*served.embedding.table.parameters(), *served.embedding.table.buffers()))
    assert held == codes.numel() + 4
    assert torch.equal(predict(in_served_form(model), rows, 1), said)  # a trained model may take the form itself


@pytest.mark.parametrize("updates", ["whole", "touched"])
def test_it_trains_either_way_and_the_step_moves(updates: str) -> None:
    model = build(Small, SCHEMA, {}, seed=0)
    before = model.embedding.table.weight.detach().clone()
    fit(model, TRAIN, VALID, TrainConfig(learning_rate=5e-3, batch_size=32, max_epochs=2, patience=2, updates=updates))  # type: ignore[arg-type]
    assert model.embedding.table.log_step.item() != 0 and not torch.equal(before, model.embedding.table.weight)


def test_many_bits_come_close_to_a_plain_table() -> None:
    torch.manual_seed(0)
    plain = FeatureEmbedding(SCHEMA, 4)
    torch.manual_seed(0)
    quantised = QuantisedEmbedding(SCHEMA, 4)
    assert isinstance(plain.table, Table) and torch.equal(plain.table.weight, quantised.table.weight)
    batch = TRAIN.batch(slice(0, 50))
    error = (plain.with_histories(batch) - quantised.with_histories(batch)).abs().max()
    assert 0 < error <= quantised.table.step / 2


@pytest.mark.parametrize("bits", [1, 9])
def test_codes_are_bytes_at_most(bits: int) -> None:
    with pytest.raises(ValueError, match="2 to 8 bits"):
        QuantisedEmbedding(SCHEMA, 4, bits=bits)
