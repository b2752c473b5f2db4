"""Behaviours that meet the row's fields, one by one or as a distribution over interests, against their formulas written out, and
what each can tell that a history pooled beforehand cannot.

Notation: B rows, L history length, D embedding width, F fields, H units of a pair, J prototypes.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from history_rows import Array, B, D, real_rows, rows
from planted_histories import KINDS, Rows, built, learned, marked_history
from row_formulas import relu, softmax
from slopes import away_from_the_start, gradients_are_slopes
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.layers import DNN, CoreBehaviourInteraction, InterestDistribution, TargetAttention

F, H, J, KEPT = 3, 2, 5, 2
FIELDS = np.random.default_rng(1).normal(size=(B, F, D))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def met(w: dict[str, Array], e: Array, j: int, x: Array) -> Array:
    both = w["pairs.of_both"][j] @ (e * x) + w["pairs.of_vector"][j] @ e + w["pairs.of_field"][j] @ x
    return relu(both + w["pairs.bias"][j])


def core() -> nn.Module:
    torch.manual_seed(5)
    return away_from_the_start(CoreBehaviourInteraction(F, D, top_k=KEPT, pair_units=H)).eval()


def spread_out() -> nn.Module:
    torch.manual_seed(5)
    return away_from_the_start(InterestDistribution(F, D, n_prototypes=J, temperature=0.5, pair_units=H)).eval()


def values(block: nn.Module) -> dict[str, Array]:
    return {name: p.detach().numpy() for name, p in block.named_parameters()}


def test_core_behaviour_interaction() -> None:
    block = core()
    w, wanted = values(block), np.zeros((B, F, H))
    for b, (target, entries) in enumerate(real_rows()):
        if not len(entries):
            continue
        found = np.array([(w["match.weight"] @ target) @ e / np.sqrt(D) for e in entries])
        kept = found.argsort()[::-1][:KEPT]
        for share, i in zip(softmax(found[kept]), kept, strict=True):
            wanted[b] += [share * met(w, entries[i], j, FIELDS[b, j]) for j in range(F)]
    x = (*rows(), torch.from_numpy(FIELDS))
    np.testing.assert_allclose(block(*x).detach().numpy(), wanted.reshape(B, -1), atol=1e-9)
    assert gradients_are_slopes(block, lambda: block(*x), [x[0], x[3]])


def test_interest_distribution() -> None:
    block = spread_out()
    w, wanted = values(block), np.zeros((B, J + F * H))
    for b, (_, entries) in enumerate(real_rows()):
        if not len(entries):
            continue
        cosines = [[e @ c / np.sqrt(e @ e) / np.sqrt(c @ c) for c in w["prototypes"]] for e in entries]
        shares = np.mean([softmax(np.array(of_entry) / 0.5) for of_entry in cosines], 0)
        middle = sum(p * u for p, u in zip(shares, w["interests"], strict=True))
        wanted[b] = np.concatenate([shares, *(met(w, middle, j, FIELDS[b, j]) for j in range(F))])
    _, history, mask = rows()
    x = (history, mask, torch.from_numpy(FIELDS))
    np.testing.assert_allclose(block(*x).detach().numpy(), wanted, atol=1e-9)
    assert gradients_are_slopes(block, lambda: block(*x), [x[2]])


def test_shares_of_interests_sum_to_one_and_an_empty_history_has_none() -> None:
    block = spread_out()
    _, history, mask = rows()
    shares = block.distribution(history, mask).detach()
    np.testing.assert_allclose(shares.sum(1), mask.any(1).double(), atol=1e-12)
    torch.testing.assert_close(block.distribution(3 * history, mask), shares)  # lengths of vectors play no part


def test_padding_does_not_matter() -> None:
    fields = torch.from_numpy(FIELDS)
    for block, call in ((core(), lambda t, h, m: (t, h, m, fields)), (spread_out(), lambda t, h, m: (h, m, fields))):
        short, padded = (block(*call(*rows(padding))) for padding in (0, 7))
        torch.testing.assert_close(padded, short)


def dearer_than_today(n: int) -> Rows:
    """Twelve behaviours of some kinds, with prices of which some are far off; whether most of those of the target's kind are
    dearer than what the context allows. The mean price says little of that."""
    target, history, akin, _ = marked_history(n, 12)
    prices = torch.rand(n, 12) * 2 - 1
    prices = torch.where(torch.rand(n, 12) < 0.3, 8 * prices, prices)
    limit = torch.rand(n, 1) * 1.6 - 0.8
    history = torch.cat([history[:, :, :KINDS], prices.unsqueeze(2)], 2)
    fields = functional.pad(limit.unsqueeze(2), (KINDS, 0))  # (n, 1, KINDS + 1)
    most = (akin * (prices > limit)).sum(1) * 2 > akin.sum(1)
    return (target, history, torch.ones(n, 12, dtype=torch.bool), fields), most.float()


class PooledFirst(nn.Module):
    """Attention to the target, and a deep network over its outcome and the fields."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = TargetAttention(KINDS + 1, (16,))
        self.deep = DNN(2 * (KINDS + 1), (32, 32))
        self.out_dim = self.deep.out_dim

    def forward(self, target: Tensor, history: Tensor, mask: Tensor, fields: Tensor) -> Tensor:
        deep: Tensor = self.deep(torch.cat([self.pool(target, history, mask), fields.flatten(1)], 1))
        return deep


class BehaviourByBehaviour(nn.Module):
    """The same network over behaviours that have met the field before they were pooled."""

    def __init__(self, top_k: int) -> None:
        super().__init__()
        self.pool = CoreBehaviourInteraction(1, KINDS + 1, top_k=top_k, pair_units=16)
        self.deep = DNN(self.pool.out_dim, (32, 32))
        self.out_dim = self.deep.out_dim

    def forward(self, *x: Tensor) -> Tensor:
        deep: Tensor = self.deep(self.pool(*x))
        return deep


def test_single_behaviours_are_compared_with_the_context() -> None:
    """Once they are pooled, which of them are beyond the context's limit is lost."""
    assert learned(built(lambda: BehaviourByBehaviour(8)), dearer_than_today, steps=400) > 0.88
    assert learned(built(PooledFirst), dearer_than_today, steps=400) < 0.85


def taste_for_the_context(n: int) -> Rows:
    """Eight behaviours on two axes, as often forwards as backwards, so that they cancel out; the label tells whether the context
    asks about the axis of most."""
    where = torch.randint(2, (n, 1))  # the axis of most behaviours
    axis = torch.where(torch.rand(n, 8) < 0.8, where, 1 - where)
    sign = torch.tensor([1.0, -1.0]).repeat(4).expand(n, 8)
    history = functional.one_hot(axis, 2) * sign.unsqueeze(2)
    asked = torch.randint(2, (n,))
    fields = functional.one_hot(asked, 2).float().unsqueeze(1)
    return (history, torch.ones(n, 8, dtype=torch.bool), fields), (where[:, 0] == asked).float()


class MeanFirst(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.deep = DNN(4, (32, 32))
        self.out_dim = self.deep.out_dim

    def forward(self, history: Tensor, mask: Tensor, fields: Tensor) -> Tensor:
        deep: Tensor = self.deep(torch.cat([history.mean(1), fields.flatten(1)], 1))
        return deep


def test_proportions_tell_what_a_mean_cancels_out() -> None:
    """And they meet the context in the block itself: a linear layer reads its output."""
    assert learned(built(lambda: InterestDistribution(1, 2, n_prototypes=8)), taste_for_the_context) > 0.9
    assert learned(built(MeanFirst), taste_for_the_context) < 0.6
