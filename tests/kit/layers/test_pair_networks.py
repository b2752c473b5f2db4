"""A network for each pair of fields, against its formula, and a relation of two fields that no product of them expresses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from planted_histories import Rows, built, learned
from row_formulas import FIELDS, PAIRS, Array, D, F, W, check, relu

from sandboxes.kit.layers import KernelProduct, PairNetworks


def normed(x: Array) -> Array:
    return (x - x.mean()) / np.sqrt(x.var() + 1e-5)


def test_pair_networks() -> None:
    def formula(x: Array, w: W) -> Array:
        outputs = []
        for p, (i, j) in enumerate(PAIRS):
            hidden = np.concatenate([x[i], x[j], x[i] * x[j]])
            for layer in ("0", "1"):
                hidden = relu(normed(hidden @ w[f"weights.{layer}"][p] + w[f"biases.{layer}"][p, 0]))
            outputs.append(hidden)
        return np.concatenate(outputs)

    check(PairNetworks(F, D, pair_units=(6, 4)), formula)


def test_a_network_hears_of_its_own_two_fields_alone() -> None:
    torch.manual_seed(0)
    block, x = PairNetworks(F, D, pair_units=(6, 4)).double(), torch.tensor(FIELDS)
    other = x.clone()
    other[:, 2] += 1.0
    unmoved = [torch.equal(*pair) for pair in zip(*(block(y).view(len(x), -1, 4).unbind(1) for y in (x, other)), strict=True)]
    assert unmoved == [2 not in pair for pair in PAIRS]


def near_each_other(n: int) -> Rows:
    """Whether two places on a line are less than a step apart. A third field has nothing to do with it."""
    torch.set_num_threads(1)
    places = torch.rand(n, 3, 1) * 4 - 2
    fields = torch.cat([places, torch.ones(n, 3, 1)], 2)
    return (fields,), ((places[:, 0, 0] - places[:, 1, 0]).abs() < 1).float()


def test_a_pair_may_have_a_relation_of_any_form() -> None:
    """A linear layer on products knows them to be large or small, which is not to be near."""
    assert learned(built(lambda: PairNetworks(3, 2, pair_units=(16, 5))), near_each_other) > 0.95
    assert learned(built(lambda: KernelProduct(3, 2)), near_each_other) < 0.85


def test_pairs_need_two_fields() -> None:
    with pytest.raises(ValueError, match="at least two fields"):
        PairNetworks(1, D)
