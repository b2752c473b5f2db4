"""Pairs under a matrix, graphs of fields, crosses by hash and gates, against their formulas written out row by row."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from row_formulas import FIELDS, PAIRS, Array, D, F, W, check, sigmoid, softmax
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit import Batch, CategoricalField, Schema, Task
from sandboxes.kit.layers import FeatureGraph, InnerProduct, KernelProduct, LinearTerm, MemorisedCrosses, SelfGating
from sandboxes.kit.layers.cross_rows import scrambled


def test_kernel_product() -> None:
    check(KernelProduct(F, D), lambda x, w: np.array([x[i] @ w["kernel"][p] @ x[j] for p, (i, j) in enumerate(PAIRS)]))


def test_kernels_start_as_inner_products() -> None:
    x = torch.from_numpy(FIELDS)
    torch.testing.assert_close(KernelProduct(F, D).double()(x), InnerProduct(F, D)(x))


def gru_cell(x: Array, h: Array, w: W) -> Array:
    of_input = np.split(w["update.weight_ih"] @ x + w["update.bias_ih"], 3)
    of_state = np.split(w["update.weight_hh"] @ h + w["update.bias_hh"], 3)
    reset, keep = (sigmoid(of_input[k] + of_state[k]) for k in (0, 1))
    return (1 - keep) * np.tanh(of_input[2] + reset * of_state[2]) + keep * h


def test_feature_graph() -> None:
    def formula(x: Array, w: W) -> Array:
        state = list(x)
        for _ in range(2):
            heard = []
            for i in range(F):
                others = [j for j in range(F) if j != i]
                scores = np.array([(w["of_receiver.weight"] @ x[i] + w["of_sender.weight"] @ x[j]).item() for j in others])
                shares = softmax(np.where(scores > 0, scores, 0.01 * scores))
                total = sum(a * (state[j] @ w["send"][j]) for a, j in zip(shares, others, strict=True))
                heard.append(total @ w["receive"][i] + w["bias"])
            state = [gru_cell(heard[i], state[i], w) + x[i] for i in range(F)]
        return np.array(state)

    check(FeatureGraph(F, D, n_rounds=2), formula)


def test_a_field_hears_of_all_others_in_one_round_and_of_itself_never() -> None:
    torch.manual_seed(0)
    shares = FeatureGraph(F, D).double().edges(torch.from_numpy(FIELDS))
    assert torch.equal(shares.diagonal(dim1=1, dim2=2), torch.zeros(len(FIELDS), F, dtype=torch.float64))
    assert (shares + torch.eye(F) > 0).all()
    torch.testing.assert_close(shares.sum(2), torch.ones(len(FIELDS), F, dtype=torch.float64))


SCHEMA = Schema(
    (CategoricalField("user", 7), CategoricalField("item", 5), CategoricalField("hour", 4)), tasks=(Task("a"), Task("b"))
)


def batch_of(ids: Tensor) -> Batch:
    return Batch(ids, torch.zeros(len(ids), 0))


def test_each_combination_has_a_weight_of_its_own_for_each_task() -> None:
    block = MemorisedCrosses(SCHEMA, 2)
    ids = torch.cartesian_prod(torch.arange(7), torch.arange(5), torch.arange(4))
    of_user_and_item, of_user_and_hour, of_item_and_hour = block.table.weight.split([35, 28, 20])
    for (user, item, hour), logits in zip(ids.tolist(), block(batch_of(ids)), strict=True):
        wanted = of_user_and_item[5 * user + item] + of_user_and_hour[4 * user + hour] + of_item_and_hour[4 * item + hour]
        torch.testing.assert_close(logits, wanted)


def test_more_combinations_than_buckets_share_them_evenly_and_no_other_pairs() -> None:
    """The first pair has 35 000 combinations for its 1000 buckets, the others have no more than they need."""
    schema = Schema((CategoricalField("user", 700), CategoricalField("item", 50), CategoricalField("hour", 4)))
    block = MemorisedCrosses(schema, 1, buckets=1000)
    ids = torch.cartesian_prod(torch.arange(700), torch.arange(50), torch.tensor([3]))
    rows = block.rows(ids)
    assert block.table.n_rows == 1000 + 1000 + 200
    counts = torch.bincount(rows[:, 0], minlength=1000).double()
    assert len(counts) == 1000
    assert counts.var().item() == pytest.approx(35, rel=0.3)  # as dice give it; in turns it were 0, in lumps it were much more
    assert rows[:, 1].min() >= 1000 and rows[:, 1].max() < 2000
    assert torch.equal(rows[:, 2], 2000 + 4 * ids[:, 1] + 3)


@given(st.lists(st.integers(0, 2**62), min_size=2, max_size=20, unique=True))
def test_scrambling_keeps_numbers_apart(numbers: list[int]) -> None:
    assert len(set(scrambled(torch.tensor(numbers)).tolist())) == len(numbers)


def test_crosses_need_two_categorical_fields() -> None:
    with pytest.raises(ValueError, match="at least two fields"):
        MemorisedCrosses(Schema((CategoricalField("user", 7),)), 1)


def test_crosses_remember_what_no_sum_of_single_effects_can() -> None:
    """Labels are drawn for each user and item together, so that by itself neither says a thing."""
    torch.manual_seed(0)
    likes = (torch.arange(7)[:, None] + torch.arange(5)) % 2  # (7, 5)
    ids = torch.cartesian_prod(torch.arange(7), torch.arange(5), torch.arange(4))
    labels = likes[ids[:, 0], ids[:, 1]].float()

    def remembered(block: nn.Module) -> float:
        optimizer = torch.optim.Adam(block.parameters(), lr=0.05)
        for _ in range(100):
            optimizer.zero_grad()
            functional.binary_cross_entropy_with_logits(block(batch_of(ids))[:, 0], labels).backward()
            optimizer.step()
        return ((block(batch_of(ids))[:, 0] > 0) == (labels > 0.5)).float().mean().item()

    assert remembered(MemorisedCrosses(SCHEMA, 1)) == 1.0
    assert remembered(LinearTerm(SCHEMA, 1)) < 0.65


@pytest.mark.parametrize("bitwise", [True, False])
def test_self_gating(bitwise: bool) -> None:
    check(SelfGating(F, D, bitwise), lambda x, w: np.array([sigmoid(x[i] @ w["weight"][i]) * x[i] for i in range(F)]))


def test_a_gate_sees_its_own_field_alone() -> None:
    torch.manual_seed(0)
    block, x = SelfGating(F, D).double(), torch.tensor(FIELDS)
    others = x.clone()
    others[:, 1:] += 1.0
    assert torch.equal(block(others)[:, 0], block(x)[:, 0])
