"""Blocks that tell outcomes of past events from what these were about, against their formulas written out for one row at a time.

Notation: B rows, L history length, D embedding width, O outcomes of an event, H hidden width, A width of a head, n real events.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn

from sandboxes.kit.layers import DecayingAttention, OutcomeGRU

Array = NDArray[np.float64]
B, L, D = 9, 5, 4

BLOCKS = {
    "outcome gru": lambda n_outcomes: OutcomeGRU(D, n_outcomes, hidden_size=6),
    "decaying attention": lambda n_outcomes: DecayingAttention(D, n_outcomes, n_heads=2),
}
every_block = pytest.mark.parametrize("name", BLOCKS)
outcomes_or_none = pytest.mark.parametrize("n_outcomes", [0, 1, 2])


def rows(n_outcomes: int, padding: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Target (B, D), history (B, padding + L, D), mask and outcomes; row b has b % (L + 1) events, all on the right."""
    draw = np.random.default_rng(0)
    target, history, outcomes = draw.normal(size=(B, D)), draw.normal(size=(B, L, D)), draw.integers(-1, 2, (B, L, n_outcomes))
    mask = np.arange(L) >= L - np.arange(B)[:, None] % (L + 1)
    wide = ((0, 0), (padding, 0), (0, 0))
    history, outcomes = (np.pad(x * mask[..., None], wide) for x in (history, outcomes.astype(float)))
    mask = np.pad(mask, wide[:2])
    return torch.from_numpy(target), torch.from_numpy(history), torch.from_numpy(mask), torch.from_numpy(outcomes)


def made(name: str, n_outcomes: int) -> nn.Module:
    torch.manual_seed(5)
    block = BLOCKS[name](n_outcomes).double().eval()
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    return block


def weights(block: nn.Module) -> dict[str, Array]:
    return {name: p.detach().numpy() for name, p in block.named_parameters()}


def softmax(x: Array) -> Array:
    return np.exp(x - x.max()) / np.exp(x - x.max()).sum()


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def normed(x: Array, w: dict[str, Array]) -> Array:
    return (x - x.mean()) / np.sqrt(x.var() + 1e-5) * w["norm.weight"] + w["norm.bias"]


def real_rows(n_outcomes: int, w: dict[str, Array]) -> list[tuple[Array, list[Array], Array]]:
    """Each row's target (D,), its real events' vectors (D,), all layer-normalised, and their outcomes (n, O)."""
    target, history, mask, outcomes = rows(n_outcomes)
    return [
        (normed(target[b].numpy(), w), [normed(e, w) for e in history[b, mask[b]].numpy()], outcomes[b, mask[b]].numpy())
        for b in range(B)
    ]


@every_block
@outcomes_or_none
def test_further_padding_changes_nothing(name: str, n_outcomes: int) -> None:
    block = made(name, n_outcomes)
    torch.testing.assert_close(block(*rows(n_outcomes, padding=3)), block(*rows(n_outcomes)))


@every_block
def test_padded_events_and_their_outcomes_are_not_looked_at(name: str) -> None:
    block, (target, history, mask, outcomes) = made(name, 2), rows(2)
    filled = torch.where(mask.unsqueeze(2), history, 100.0), mask, torch.where(mask.unsqueeze(2), outcomes, 1.0)
    torch.testing.assert_close(block(target, *filled), block(target, history, mask, outcomes))


@every_block
def test_it_does_not_matter_where_padding_stands(name: str) -> None:
    block, (target, history, mask, outcomes) = made(name, 1), rows(1)
    moved = (x[3:4].roll(-2, 1) for x in (history, mask, outcomes))  # three events after two of padding, and before
    torch.testing.assert_close(block(target[3:4], *moved), block(target[3:4], *(x[3:4] for x in (history, mask, outcomes))))


@every_block
def test_an_empty_history_is_zero_and_has_finite_gradients(name: str) -> None:
    block, (target, history, mask, outcomes) = made(name, 1).train(), rows(1)
    empty = block(target, history, torch.zeros_like(mask), outcomes)
    empty.sum().backward()
    assert (empty == 0).all() and all(torch.isfinite(p.grad).all() for p in block.parameters() if p.grad is not None)


@every_block
def test_order_target_and_outcomes_matter(name: str) -> None:
    block, (target, history, mask, outcomes) = made(name, 1), rows(1)
    full = mask.all(1)
    before = block(target, history, mask, outcomes)
    for changed in (
        (target, history.flip(1), mask, outcomes.flip(1)),
        (target + torch.arange(D), history, mask, outcomes),
        (target, history, mask, -outcomes),
    ):
        assert not torch.allclose(block(*changed)[full], before[full], atol=1e-3)


@outcomes_or_none
def test_outcome_gru(n_outcomes: int) -> None:
    block = made("outcome gru", n_outcomes)
    w, wanted = weights(block), np.zeros((B, 6))
    for b, (target, events, outcomes) in enumerate(real_rows(n_outcomes, w)):
        state = np.zeros(6)
        for event, came in zip(events, outcomes, strict=True):
            pair = np.concatenate([event, came, *(sign * event for sign in came)])
            from_pair = w["memory.gru.weight_ih_l0"] @ pair + w["memory.gru.bias_ih_l0"]
            from_state = w["memory.gru.weight_hh_l0"] @ state + w["memory.gru.bias_hh_l0"]
            reset, update = sigmoid(from_pair[:6] + from_state[:6]), sigmoid(from_pair[6:12] + from_state[6:12])
            state = update * state + (1 - update) * np.tanh(from_pair[12:] + reset * from_state[12:])
        wanted[b] = state * (w["question.weight"] @ target + w["question.bias"])
    np.testing.assert_allclose(block(*rows(n_outcomes)).detach().numpy(), wanted, atol=1e-9)


@outcomes_or_none
def test_decaying_attention(n_outcomes: int) -> None:
    block = made("decaying attention", n_outcomes)
    w, wanted = weights(block), np.zeros((B, D))
    for b, (target, events, outcomes) in enumerate(real_rows(n_outcomes, w)):
        n, heads = len(events), []
        if not n:
            continue
        for head, columns in enumerate((slice(0, 2), slice(2, 4))):
            query = (w["compared.weight"] @ target)[columns]
            keys = [(w["compared.weight"] @ e)[columns] for e in events]
            remembered = [e + (o @ w["outcome"] if n_outcomes else 0) for e, o in zip(events, outcomes, strict=True)]
            values = [(w["value.weight"] @ r)[columns] for r in remembered]
            fit = np.array([query @ key for key in keys]) / np.sqrt(2)
            plain, theta = softmax(fit), np.log1p(np.exp(w["forgetting"][head]))
            for t in range(n):
                distance = (n - t) * sum(plain[later] for later in range(t + 1, n))
                fit[t] *= np.exp(-theta * distance)
            heads.append(softmax(fit) @ np.array(values))
        wanted[b] = w["mix.weight"] @ np.concatenate(heads)
    np.testing.assert_allclose(block(*rows(n_outcomes)).detach().numpy(), wanted, atol=1e-9)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 12), st.floats(0.1, 3), st.integers(0, 1000))
def test_of_equal_events_a_later_one_counts_more(length: int, rate: float, seed: int) -> None:
    """The target is like all of them, so that scores are positive; the only outcome moves through the history."""
    torch.manual_seed(seed)
    block = DecayingAttention(D, 1, n_heads=1).double()
    nn.init.constant_(block.forgetting, np.log(np.expm1(rate)))
    event = torch.randn(1, 1, D, dtype=torch.float64)
    one = torch.eye(length, dtype=torch.float64).unsqueeze(2)  # (L rows, L, 1): the positive outcome is at place l in row l
    found = block(event[0].expand(length, D), event.expand(length, length, D), torch.ones(length, length, dtype=torch.bool), one)
    nothing = block(event[0], event.expand(1, length, D), torch.ones(1, length, dtype=torch.bool), torch.zeros_like(one[:1]))
    effect = (found - nothing).norm(dim=1).detach()  # the share of place l
    assert (effect.diff() >= -1e-12).all() and effect[-1] > effect[0]


@pytest.mark.parametrize(("width", "heads"), [(4, 3), (2, 8), (1, 2)])
def test_decaying_attention_takes_any_number_of_heads(width: int, heads: int) -> None:
    block, (_, _, mask, outcomes) = DecayingAttention(width, 1, heads), rows(1)
    assert block(torch.randn(B, width), torch.randn(B, L, width), mask, outcomes.float()).shape == (B, width)


@every_block
def test_what_came_of_the_targets_like_is_learned(name: str) -> None:
    """The row is positive where the latest event of the target's kind was; kinds and outcomes by themselves say nothing."""
    torch.manual_seed(0)
    kinds, width = 4, 8
    table = torch.randn(kinds, width)
    past, asked = torch.randint(kinds, (3000, 6)), torch.randint(kinds, (3000,))
    past[torch.arange(3000), torch.randint(6, (3000,))] = asked  # the kind was met at least once
    outcomes = 2.0 * torch.randint(2, (3000, 6)) - 1
    latest = torch.where(past == asked.unsqueeze(1), torch.arange(6), -1).argmax(1)
    labels = (outcomes.gather(1, latest.unsqueeze(1)) > 0).float().squeeze(1)
    mask = torch.ones(3000, 6, dtype=torch.bool)

    def accuracy(n_outcomes: int) -> float:
        torch.manual_seed(1)
        block = (OutcomeGRU if name == "outcome gru" else DecayingAttention)(width, n_outcomes)
        readout = nn.Sequential(nn.Linear(block.out_dim, 16), nn.ReLU(), nn.Linear(16, 1))
        optimizer = torch.optim.Adam([*block.parameters(), *readout.parameters()], lr=1e-2)
        given = (table[asked], table[past], mask, outcomes.unsqueeze(2)[:, :, :n_outcomes])
        for step in range(150):
            some = slice(step % 10 * 200, step % 10 * 200 + 200)
            optimizer.zero_grad()
            logits = readout(block(*(x[some] for x in given))).squeeze(1)
            nn.functional.binary_cross_entropy_with_logits(logits, labels[some]).backward()
            optimizer.step()
        logits = readout(block(*(x[2000:] for x in given))).squeeze(1)
        return ((logits > 0) == (labels[2000:] > 0)).float().mean().item()

    assert accuracy(1) > 0.8 and accuracy(0) < 0.6
