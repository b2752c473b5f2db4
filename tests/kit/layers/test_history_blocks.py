"""Blocks over histories, against their formulas written out over the real entries of one row at a time.

Notation: B rows, L history length, D embedding width, n real entries of a row.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sandboxes.kit.layers import AttentionPooling, GRUHistory, TargetAttention, TransformerHistory

Array = NDArray[np.float64]
B, L, D = 9, 5, 4


def rows(padding: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Target (B, D), history (B, padding + L, D), mask; row b has b % (L + 1) real entries, all on the right."""
    draw = np.random.default_rng(0)
    target, history = draw.normal(size=(B, D)), draw.normal(size=(B, L, D))
    mask = np.arange(L) >= L - np.arange(B)[:, None] % (L + 1)
    history, mask = np.pad(history * mask[..., None], ((0, 0), (padding, 0), (0, 0))), np.pad(mask, ((0, 0), (padding, 0)))
    return torch.from_numpy(target), torch.from_numpy(history), torch.from_numpy(mask)


def real_rows() -> list[tuple[Array, Array]]:
    """Each row's target (D,) and real entries (n, D)."""
    target, history, mask = rows()
    return [(target[b].numpy(), history[b, mask[b]].numpy()) for b in range(B)]


def weights(block: nn.Module) -> dict[str, Array]:
    return {name: p.detach().numpy() for name, p in block.named_parameters()}


def computed(block: nn.Module) -> Array:
    return block.double().eval()(*rows()).detach().numpy()


def softmax(x: Array) -> Array:
    return np.exp(x - x.max()) / np.exp(x - x.max()).sum()


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def layer_norm(x: Array, scale: Array, shift: Array) -> Array:
    return (x - x.mean()) / np.sqrt(x.var() + 1e-5) * scale + shift


BLOCKS = {
    "target attention": lambda: TargetAttention(D, (7, 3)),
    "attention pooling": lambda: AttentionPooling(D, 6),
    "gru": lambda: GRUHistory(D, 6),
    "gru with target": lambda: GRUHistory(D, 6, target_attended=True),
    "transformer": lambda: TransformerHistory(D, n_layers=2, n_heads=2, max_length=3),
}
every_block = pytest.mark.parametrize("name", BLOCKS)


def made(name: str) -> nn.Module:
    torch.manual_seed(5)
    return BLOCKS[name]().double().eval()


@every_block
def test_further_padding_changes_nothing(name: str) -> None:
    block = made(name)
    torch.testing.assert_close(block(*rows(padding=3)), block(*rows()))


@every_block
def test_padded_entries_are_not_looked_at(name: str) -> None:
    block, (target, history, mask) = made(name), rows()
    torch.testing.assert_close(block(target, torch.where(mask.unsqueeze(2), history, 100.0), mask), block(target, history, mask))


@every_block
def test_real_entries_are_looked_at(name: str) -> None:
    block, (target, history, mask) = made(name), rows()
    changed = block(target, history + 0.1 * mask.unsqueeze(2), mask) != block(target, history, mask)
    assert torch.equal(changed.any(1), mask.any(1))


@every_block
def test_the_order_of_behaviours_matters_where_it_should(name: str) -> None:
    block, (target, history, mask) = made(name), rows()
    full = mask.all(1)
    before, after = (block(target, h, mask)[full] for h in (history, history.flip(1)))
    assert torch.allclose(before, after) == (name in ("target attention", "attention pooling"))


@every_block
def test_the_target_matters_where_it_should(name: str) -> None:
    block, (target, history, mask) = made(name), rows()
    changed = block(target + torch.arange(D), history, mask) != block(target, history, mask)
    assert bool(changed.any()) == (name not in ("attention pooling", "gru"))


@every_block
def test_an_empty_history_has_finite_gradients(name: str) -> None:
    block, (target, history, mask) = made(name).train(), rows()
    history.requires_grad_()
    block(target, history, torch.zeros_like(mask)).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in block.parameters() if p.grad is not None)
    assert history.grad is None or (history.grad == 0).all()


@pytest.mark.parametrize("name", ["target attention", "attention pooling", "gru", "gru with target"])
def test_an_empty_history_is_zero(name: str) -> None:
    target, history, mask = rows()
    assert (made(name)(target, history, mask)[~mask.any(1)] == 0).all()


def test_target_attention() -> None:
    block = made("target attention")
    w, wanted = weights(block), np.zeros((B, D))
    for b, (target, entries) in enumerate(real_rows()):
        for entry in entries:
            hidden = np.concatenate([entry, target, entry - target, entry * target])
            for layer in (0, 2):
                hidden = w[f"activation_unit.{layer}.weight"] @ hidden + w[f"activation_unit.{layer}.bias"]
                hidden = np.where(hidden > 0, hidden, w[f"activation_unit.{layer + 1}.weight"] * hidden)
            score = w["activation_unit.4.weight"] @ hidden + w["activation_unit.4.bias"]
            wanted[b] += score * entry
    np.testing.assert_allclose(computed(block), wanted, atol=1e-9)


def test_attention_pooling() -> None:
    block = made("attention pooling")
    w, wanted = weights(block), np.zeros((B, D))
    for b, (_, entries) in enumerate(real_rows()):
        if len(entries):
            scores = np.array([w["query"] @ np.tanh(w["key.weight"] @ e + w["key.bias"]) for e in entries])
            wanted[b] = softmax(scores) @ entries
    np.testing.assert_allclose(computed(block), wanted, atol=1e-9)


@pytest.mark.parametrize("attended", [False, True])
def test_gru(attended: bool) -> None:
    block = made("gru with target" if attended else "gru")
    w, wanted = weights(block), np.zeros((B, 6))
    for b, (target, entries) in enumerate(real_rows()):
        state, states = np.zeros(6), []
        for entry in entries:
            from_entry = w["gru.weight_ih_l0"] @ entry + w["gru.bias_ih_l0"]
            from_state = w["gru.weight_hh_l0"] @ state + w["gru.bias_hh_l0"]
            reset, update = sigmoid(from_entry[:6] + from_state[:6]), sigmoid(from_entry[6:12] + from_state[6:12])
            fresh = np.tanh(from_entry[12:] + reset * from_state[12:])
            state = update * state + (1 - update) * fresh
            states.append(state)
        if states and attended:
            wanted[b] = softmax(np.array([h @ w["match.weight"] @ target for h in states])) @ np.array(states)
        elif states:
            wanted[b] = state
    np.testing.assert_allclose(computed(block), wanted, atol=1e-9)


def test_transformer() -> None:
    """Of max_length 3, so that the two oldest of five entries share a position."""
    block = made("transformer")
    w, wanted = weights(block), np.zeros((B, D))
    for b, (target, entries) in enumerate(real_rows()):
        ages = np.minimum(np.arange(len(entries), -1, -1), 3)
        tokens = np.concatenate([entries, target[None]]) + w["positions"][ages]
        for layer in ("layers.0", "layers.1"):
            query, key, value = (tokens @ w[f"{layer}.{m}.weight"].T for m in ("query", "key", "value"))
            heads = []
            for part in (slice(0, 2), slice(2, 4)):
                scores = query[:, part] @ key[:, part].T / np.sqrt(2)
                heads.append(np.array([softmax(s) for s in scores]) @ value[:, part])
            attended = np.concatenate(heads, 1) @ w[f"{layer}.mix.weight"].T
            for i, token in enumerate(tokens + attended):
                normed = layer_norm(token, w[f"{layer}.first_norm.weight"], w[f"{layer}.first_norm.bias"])
                hidden = w[f"{layer}.feed_forward.0.weight"] @ normed + w[f"{layer}.feed_forward.0.bias"]
                hidden = np.where(hidden > 0, hidden, 0.01 * hidden)
                outer = w[f"{layer}.feed_forward.2.weight"] @ hidden + w[f"{layer}.feed_forward.2.bias"]
                tokens[i] = layer_norm(normed + outer, w[f"{layer}.second_norm.weight"], w[f"{layer}.second_norm.bias"])
        wanted[b] = tokens[-1]
    np.testing.assert_allclose(computed(block), wanted, atol=1e-9)


@pytest.mark.parametrize(("width", "heads"), [(4, 3), (2, 8), (1, 2)])
def test_transformer_takes_any_number_of_heads(width: int, heads: int) -> None:
    block = TransformerHistory(width, n_heads=heads)
    assert block(torch.randn(3, width), torch.randn(3, 2, width), torch.ones(3, 2, dtype=torch.bool)).shape == (3, width)


def test_gru_skips_padding_wherever_it_stands() -> None:
    block, (target, history, mask) = made("gru"), rows()
    left = history[3:4], mask[3:4]  # three entries after two of padding
    right = history[3:4].roll(-2, 1), mask[3:4].roll(-2, 1)
    torch.testing.assert_close(block(target[:1], *right), block(target[:1], *left))
