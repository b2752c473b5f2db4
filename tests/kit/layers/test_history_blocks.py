"""Blocks over histories, against their formulas written out over the real entries of one row at a time.

Notation: B rows, L history length, D embedding width, n real entries of a row.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from history_rows import Array, B, D, L, computed, layer_norm, real_rows, rows, weights
from row_formulas import sigmoid, softmax
from torch import Tensor, nn

from sandboxes.kit.layers import (
    AttentionPooling,
    ConvolutionalHistory,
    GRUHistory,
    InterestEvolution,
    LongHistorySearch,
    LowRankAttention,
    MultiInterest,
    TargetAttention,
    TransformerHistory,
)
from sandboxes.kit.layers.interest_evolution import AttentionalGRU

BLOCKS = {
    "target attention": lambda: TargetAttention(D, (7, 3)),
    "attention pooling": lambda: AttentionPooling(D, 6),
    "gru": lambda: GRUHistory(D, 6),
    "gru with target": lambda: GRUHistory(D, 6, target_attended=True),
    "transformer": lambda: TransformerHistory(D, n_layers=2, n_heads=2, max_length=3),
    "interest evolution": lambda: InterestEvolution(D, 6),
    "search": lambda: LongHistorySearch(D, top_k=3, search_dim=2),
    "several interests": lambda: MultiInterest(D, n_interests=3, n_iterations=3),
    "convolutions": lambda: ConvolutionalHistory(D, n_filters=5, heights=(1, 3)),
    "low rank": lambda: LowRankAttention(D, n_landmarks=3, max_length=3),
}
ORDERLESS = ("target attention", "attention pooling", "search", "several interests")
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
    changed = block(target, history + 0.1 * torch.arange(D) * mask.unsqueeze(2), mask) != block(target, history, mask)
    assert torch.equal(changed.any(1), mask.any(1))


@every_block
def test_the_order_of_behaviours_matters_where_it_should(name: str) -> None:
    block, (target, history, mask) = made(name), rows()
    full = mask.all(1)
    before, after = (block(target, h, mask)[full] for h in (history, history.flip(1)))
    assert torch.allclose(before, after) == (name in ORDERLESS)


@every_block
def test_the_target_matters_where_it_should(name: str) -> None:
    block, (target, history, mask) = made(name), rows()
    changed = block(target + torch.arange(D), history, mask) != block(target, history, mask)
    assert bool(changed.any()) == (name not in ("attention pooling", "convolutions", "gru"))


@every_block
def test_an_empty_history_has_finite_gradients(name: str) -> None:
    block, (target, history, mask) = made(name).train(), rows()
    history.requires_grad_()
    block(target, history, torch.zeros_like(mask)).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in block.parameters() if p.grad is not None)
    assert history.grad is None or (history.grad == 0).all()


@pytest.mark.parametrize("name", [name for name in BLOCKS if name != "transformer"])
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


def gru_states(w: dict[str, Array], gru: str, entries: Array) -> list[Array]:
    """The states of torch's recurrence, of width 6, after each entry."""
    state, states = np.zeros(6), []
    for entry in entries:
        from_entry = w[f"{gru}.weight_ih_l0"] @ entry + w[f"{gru}.bias_ih_l0"]
        from_state = w[f"{gru}.weight_hh_l0"] @ state + w[f"{gru}.bias_hh_l0"]
        reset, keep = sigmoid(from_entry[:6] + from_state[:6]), sigmoid(from_entry[6:12] + from_state[6:12])
        state = keep * state + (1 - keep) * np.tanh(from_entry[12:] + reset * from_state[12:])
        states.append(state)
    return states


@pytest.mark.parametrize("attended", [False, True])
def test_gru(attended: bool) -> None:
    block = made("gru with target" if attended else "gru")
    w, wanted = weights(block), np.zeros((B, 6))
    for b, (target, entries) in enumerate(real_rows()):
        states = gru_states(w, "gru", entries)
        if states and attended:
            wanted[b] = softmax(np.array([h @ w["match.weight"] @ target for h in states])) @ np.array(states)
        elif states:
            wanted[b] = states[-1]
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


def test_interest_evolution() -> None:
    block = made("interest evolution")
    w, wanted = weights(block), np.zeros((B, 6))
    for b, (target, entries) in enumerate(real_rows()):
        if not len(entries):
            continue
        states = gru_states(w, "extractor", entries)
        shares, interest = softmax(np.array([h @ w["match.weight"] @ target for h in states])), np.zeros(6)
        for state, share in zip(states, shares, strict=True):
            given = w["evolution.of_input.weight"] @ state + w["evolution.of_input.bias"]
            before = w["evolution.of_state.weight"] @ interest + w["evolution.of_state.bias"]
            reset, update = sigmoid(given[:6] + before[:6]), sigmoid(given[6:12] + before[6:12])
            candidate = np.tanh(given[12:] + reset * before[12:])
            interest = (1 - share * update) * interest + share * update * candidate
        wanted[b] = interest
    np.testing.assert_allclose(computed(block), wanted, atol=1e-9)


def test_an_update_gate_that_is_not_scaled_makes_a_gru() -> None:
    """Torch's gate says what is kept, ours what is new: with its weights negated, and shares of 1, both are the same."""
    gru, evolution, (_, history, _) = nn.GRU(D, D, batch_first=True).double(), AttentionalGRU(D).double(), rows()
    negated = torch.cat([torch.ones(D), -torch.ones(D), torch.ones(D)]).double()
    with torch.no_grad():
        for ours, name in ((evolution.of_input, "ih"), (evolution.of_state, "hh")):
            ours.weight.copy_(getattr(gru, f"weight_{name}_l0") * negated.unsqueeze(1))
            ours.bias.copy_(getattr(gru, f"bias_{name}_l0") * negated)
    torch.testing.assert_close(evolution(history, torch.ones(B, L).double()), gru(history)[1][0])


def test_a_step_without_attention_leaves_the_interest_as_it_is() -> None:
    evolution, (_, history, _) = AttentionalGRU(D).double(), rows()
    shares = torch.tensor([0.5, 0.0, 0.3, 0.0, 0.0]).double().expand(B, L)
    kept = torch.tensor([0, 2])
    torch.testing.assert_close(evolution(history, shares), evolution(history[:, kept], shares[:, kept]))


def test_long_history_search() -> None:
    """Three of up to five entries are kept, and all of them are weighed by the search."""
    block = made("search")
    w, wanted = weights(block), np.zeros((B, 2 * D))
    for b, (target, entries) in enumerate(real_rows()):
        if not len(entries):
            continue
        found = np.array([(w["search.weight"] @ target) @ (w["search.weight"] @ e) / np.sqrt(2) for e in entries])
        kept = np.argsort(-found)[:3]
        fit = np.array([(w["query.weight"] @ target) @ (w["key.weight"] @ entries[i]) / 2 for i in kept])
        wanted[b] = np.concatenate([softmax(fit) @ entries[kept], softmax(found) @ entries])
    np.testing.assert_allclose(computed(block), wanted, atol=1e-9)


def test_attention_does_not_see_what_the_search_leaves_out() -> None:
    block, (target, history, mask) = made("search"), rows()
    found = torch.einsum("br,blr->bl", block.search(target), block.search(history))
    ranks = found.masked_fill(~mask, -torch.inf).argsort(1, descending=True).argsort(1)
    kept = mask & (ranks < 3)
    assert (mask & ~kept).any()
    torch.testing.assert_close(block(target, history, kept)[:, :D], block(target, history, mask)[:, :D])
    history.requires_grad_()
    block(target, history, mask)[:, :D].square().sum().backward()
    assert torch.equal((history.grad != 0).any(2), kept)
    assert block.search.weight.grad is None or (block.search.weight.grad == 0).all()


def test_low_rank_attention() -> None:
    """Of max_length 3, so that the three oldest of five entries share a position."""
    block = made("low rank")
    w, wanted = weights(block), np.zeros((B, D))
    for b, (target, entries) in enumerate(real_rows()):
        if not len(entries):
            continue
        tokens = entries + w["positions"][np.minimum(np.arange(len(entries))[::-1], 2)]
        landmarks = np.array([softmax(tokens @ direction) @ tokens for direction in w["projection.weight"]])
        keys, values = landmarks @ w["key.weight"].T, landmarks @ w["value.weight"].T
        seen = np.array([softmax(keys @ (w["query.weight"] @ token) / 2) @ values for token in tokens])
        normed = np.array([layer_norm(t, w["norm.weight"], w["norm.bias"]) for t in tokens + seen])
        wanted[b] = softmax(normed @ (w["match.weight"] @ target) / 2) @ normed
    np.testing.assert_allclose(computed(block), wanted, atol=1e-9)


@pytest.mark.parametrize("name", ["search", "low rank"])
def test_memory_grows_with_the_length_and_not_with_its_square(name: str) -> None:
    """What is kept for the gradient, of histories of 200 and of 800: no single tensor has a number for each pair of entries."""
    short, long = (numbers_kept(made(name), length) for length in (200, 800))
    assert sum(long) < 4.5 * sum(short)
    assert max(long) < 200 * 800


def numbers_kept(block: nn.Module, length: int) -> list[int]:
    sizes: list[int] = []

    def note(tensor: Tensor) -> Tensor:
        sizes.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        block(torch.randn(1, D).double(), torch.randn(1, length, D).double(), torch.ones(1, length, dtype=torch.bool))
    return sizes
