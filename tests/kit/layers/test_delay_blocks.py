"""Losses of labels that arrive late. Notation: B rows, T tasks, T' of them delayed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from random_rows import PLAIN, RICH, random_rows
from torch import Tensor, nn

from sandboxes.kit import Batch, CategoricalField, Schema, Task, observed_bce
from sandboxes.kit.layers import DelayedFeedback, DelayWeighted
from sandboxes.kit.models import MODELS
from sandboxes.kit.served_form import in_served_form, served_state
from sandboxes.kit.training import build
from sandboxes.kit.training.model import predict

B = 64
ROWS = random_rows(RICH, B).whole
EVERY_LOSS = pytest.mark.parametrize("loss", [DelayedFeedback, DelayWeighted])


def logits(seed: int = 0) -> Tensor:
    return 2 * torch.randn(B, len(RICH.tasks), generator=torch.Generator().manual_seed(seed))


def with_rates(block: nn.Module) -> nn.Module:
    """Rates that differ from row to row."""
    draw = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for p in block.parameters():
            p.add_(0.3 * torch.randn(p.shape, generator=draw))
    return block


def columns(block: nn.Module, said: Tensor) -> tuple[np.ndarray, ...]:
    """Of the delayed task: chance, label, elapsed, delay and rate, each (B,) in float64."""
    rate = block.late.rate(ROWS).exp()
    arrays = (torch.sigmoid(said.double()[:, 1:]), ROWS.labels[:, 1:], ROWS.elapsed, ROWS.delay, rate)
    return tuple(a.detach().double().numpy()[:, 0] for a in arrays)


def test_delayed_feedback_is_the_likelihood_of_what_was_seen() -> None:
    block, said = with_rates(DelayedFeedback(RICH)), logits()
    p, y, e, d, r = columns(block, said)
    likelihood = np.array(
        [p[i] * r[i] * math.exp(-r[i] * d[i]) if y[i] else 1 - p[i] + p[i] * math.exp(-r[i] * e[i]) for i in range(B)]
    )
    wanted = observed_bce(said[:, :1], ROWS.labels[:, :1]).item() - np.log(likelihood).mean()
    assert block(said, ROWS).item() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("bound", [1e4, 1.5])
def test_delay_weighted_is_a_cross_entropy_under_the_ratios_of_final_to_present_chances(bound: float) -> None:
    block, said = with_rates(DelayWeighted(RICH, max_weight=bound)), logits()
    p, y, e, d, r = columns(block, said)
    arrived = 1 - np.exp(-r * e)
    weight = np.where(y == 1, np.minimum(1 / arrived, bound), (1 - p) / (1 - p * arrived))
    assert (weight[y == 1] >= 1).all() and (weight[y == 0] <= 1).all()
    of_labels = -weight * np.where(y == 1, np.log(p), np.log(1 - p))
    of_delays = np.where(
        y == 1, -np.log(r * np.exp(-r * np.nan_to_num(d)) / arrived), 0
    )  # the density of those that came in time
    wanted = observed_bce(said[:, :1], ROWS.labels[:, :1]).item() + (of_labels + of_delays).mean()
    assert block(said, ROWS).item() == pytest.approx(wanted, rel=1e-5)


def test_weights_have_no_gradient_and_the_delays_only_that_of_what_was_seen() -> None:
    block, said = with_rates(DelayWeighted(RICH)), logits().requires_grad_()
    block(said, ROWS).backward()
    p, y, e, _, r = columns(block, said)
    arrived = 1 - np.exp(-r * e)
    slope = np.where(y == 1, (p - 1) / np.maximum(arrived, 0.05), p * (1 - p) / (1 - p * arrived)) / B
    assert np.allclose(said.grad[:, 1], slope, atol=1e-6)
    before = [p.grad.clone() for p in block.parameters()]
    block.zero_grad()
    block(said.detach() + 1.0, ROWS).backward()
    assert all(torch.equal(p.grad, g) for p, g in zip(block.parameters(), before, strict=True))


def test_a_bound_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        DelayWeighted(RICH, max_weight=0.5)


@EVERY_LOSS
def test_what_is_not_delayed_has_its_cross_entropy(loss: type[nn.Module]) -> None:
    block, rows = loss(PLAIN), random_rows(PLAIN, B).whole
    assert list(block.parameters()) == []
    assert block(logits()[:, 0], rows).item() == pytest.approx(observed_bce(logits()[:, 0], rows.labels).item())


@EVERY_LOSS
def test_a_row_without_a_label_adds_nothing(loss: type[nn.Module]) -> None:
    block, said = with_rates(loss(RICH)), logits().requires_grad_()
    rows = ROWS[torch.arange(B)]
    rows.labels[5] = math.nan
    block(said, rows).backward()
    assert (said.grad[5] == 0).all() and torch.isfinite(said.grad).all() and (said.grad != 0).any(1).sum() == B - 1
    others = torch.tensor([i for i in range(B) if i != 5])
    torch.testing.assert_close(block(said[others], rows[others]), block(said, rows))


@EVERY_LOSS
@pytest.mark.parametrize("scale", [1e-6, 1e3])
def test_extreme_logits_and_waits_keep_it_finite(loss: type[nn.Module], scale: float) -> None:
    rows = ROWS[torch.arange(B)]
    rows.elapsed, rows.delay = ROWS.elapsed * scale, ROWS.delay * scale
    rows.elapsed[:8] = 0.0
    rows.delay[:8] = torch.where(rows.labels[:8, 1:] == 1, 0.0, math.nan)
    block, said = loss(RICH), (40 * logits()).requires_grad_()
    block(said, rows).backward()
    assert torch.isfinite(said.grad).all() and all(torch.isfinite(p.grad).all() for p in block.parameters())


def law(n: int = 40_000) -> tuple[Batch, Schema, Tensor]:
    """Clicks on two items, watched for up to 4 units: a half of either kind converts, after 0.5 and after 2 units in the mean."""
    draw = np.random.default_rng(0)
    item, elapsed = draw.integers(2, 4, n), 4 * draw.random(n)
    delay = draw.exponential(np.where(item == 2, 0.5, 2.0))
    seen = (draw.random(n) < 0.5) & (delay <= elapsed)
    batch = Batch(
        ids=torch.from_numpy(item[:, None]),
        numeric=torch.zeros(n, 0),
        labels=torch.from_numpy(seen[:, None].astype(np.float32)),
        elapsed=torch.from_numpy(elapsed[:, None].astype(np.float32)),
        delay=torch.from_numpy(np.where(seen, delay, np.nan)[:, None].astype(np.float32)),
    )
    return batch, Schema((CategoricalField("item", 4),), tasks=(Task("buy", delayed=True),)), torch.tensor([0.5, 2.0])


@EVERY_LOSS
def test_chances_and_delays_of_either_kind_are_found(loss: type[nn.Module]) -> None:
    """A cross-entropy would learn the rates of what is known so far."""
    batch, schema, means = law()
    known = [batch.labels[batch.ids[:, 0] == item].mean().item() for item in (2, 3)]
    assert 0.42 < known[0] < 0.45 and 0.26 < known[1] < 0.3
    block, chance = loss(schema), nn.Embedding(4, 1)
    nn.init.zeros_(chance.weight)
    optimizer = torch.optim.Adam([*block.parameters(), *chance.parameters()], lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        block(chance(batch.ids[:, 0]), batch).backward()
        optimizer.step()
    assert torch.sigmoid(chance.weight[2:, 0]).tolist() == pytest.approx([0.5, 0.5], abs=0.03)
    one_each = batch[torch.tensor([int((batch.ids[:, 0] == item).nonzero()[0]) for item in (2, 3)])]
    assert torch.exp(-block.late.rate(one_each))[:, 0].tolist() == pytest.approx(means.tolist(), rel=0.15)


@pytest.mark.parametrize("name", ["delayed_feedback", "delay_weighted"])
def test_a_served_model_has_no_delays_and_says_the_same(name: str) -> None:
    hyper = {"embedding_dim": 4, "hidden_units": (8,)}
    model = build(MODELS[name], RICH, hyper, seed=0)
    state = served_state(model, model.state_dict())
    assert any("rate" in n for n in model.state_dict()) and not any("rate" in n for n in state)
    served = in_served_form(build(MODELS[name], RICH, hyper, seed=1))
    served.load_state_dict(state)
    unlabelled = Batch(ROWS.ids, ROWS.numeric, ROWS.history)
    assert torch.equal(predict(served, unlabelled, 2), predict(model, ROWS, 2))
