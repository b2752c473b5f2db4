"""Fields that join the interaction late: the groups, the layers under their masks, and what it saves a model from.

Notation: n rows, F fields, D embedding width, A width of a head, H heads.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from row_formulas import Array, W, check, relu, softmax
from torch import nn
from torch.nn import functional

from sandboxes.kit import Batch, CategoricalField, NumericField, Schema, SequenceField
from sandboxes.kit.layers import DeferredInteraction, FeatureEmbedding
from sandboxes.kit.layers.natural_groups import natural_groups

D, H, A = 3, 2, 2  # `row_formulas` has rows of five fields
SIZES = {"item": 9000, "hour": 24, "brand": 300}
SCHEMA = Schema(tuple(CategoricalField(*field) for field in SIZES.items()), (NumericField("age"), NumericField("price")))
SPARSER = [3, 4, 1, 2, 0]  # fields by rising vocabulary, numbers first


def within(values: list[float], groups: list[list[int]]) -> float:
    return sum(len(g) * float(np.var([values[i] for i in g])) for g in groups)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=7), st.integers(1, 4), st.integers(1, 3))
def test_no_other_cuts_give_groups_that_are_more_alike(values: list[int], n_groups: int, least_first: int) -> None:
    numbers = [float(v) for v in values]
    groups = natural_groups(numbers, n_groups, least_first)
    order = sorted(range(len(values)), key=lambda i: values[i])
    assert [i for g in groups for i in g] == order
    allowed = [c for c in range(1, len(order)) if c >= least_first and values[order[c]] != values[order[c - 1]]]
    assert len(groups) == min(n_groups, len(allowed) + 1)
    others = (
        [order[a:b] for a, b in zip((0, *cuts), (*cuts, len(order)), strict=True)]
        for cuts in combinations(allowed, len(groups) - 1)
    )
    assert within(numbers, groups) <= min(within(numbers, other) for other in others) + 1e-9


def layer(hidden: Array, visible: list[int], w: W, name: str) -> Array:
    """The interacting layer of the fields in `visible`, with everything else masked."""
    after = hidden.copy()
    for i in visible:
        heads = []
        for h in range(H):
            query, key, value = (w[f"{name}.{m}.weight"][h * A : (h + 1) * A] for m in ("query", "key", "value"))
            shares = softmax(np.array([(query @ hidden[i]) @ (key @ hidden[k]) for k in visible]))
            heads.append(sum(share * (value @ hidden[k]) for share, k in zip(shares, visible, strict=True)))
        after[i] = relu(np.concatenate(heads) + w[f"{name}.residual.weight"] @ hidden[i])
    return after


def test_deferred_interaction() -> None:
    """Log vocabularies are 0, 0, 3.2, 5.7 and 9.1: two groups are cut before 5.7, four groups before every other value. Two
    layers admit one group at a time, or two."""
    admitted = {"stacks.0": [[3, 4, 1], SPARSER], "stacks.1": [[3, 4, 1], SPARSER]}

    def formula(x: Array, w: W) -> Array:
        stacks = []
        for stack, layers in admitted.items():
            hidden = x @ w[f"{stack}.widen.weight"].T
            for number, visible in enumerate(layers):
                hidden = layer(hidden, visible, w, f"{stack}.layers.{number}")
            stacks.append(hidden[SPARSER].flatten())
        return np.concatenate(stacks)

    torch.manual_seed(0)
    block = DeferredInteraction(SCHEMA, 5, D, granularities=(2, 4), n_layers=2, n_heads=H, head_dim=A)
    assert [stack.lengths for stack in block.stacks] == [[3, 5], [3, 5]]
    check(block, formula)


@pytest.mark.parametrize(
    ("n_groups", "n_layers", "lengths"), [(1, 2, [5, 5]), (4, 4, [2, 3, 4, 5]), (3, 1, [5]), (2, 4, [3, 3, 5, 5])]
)
def test_fields_are_admitted_group_by_group_and_all_by_the_last_layer(n_groups: int, n_layers: int, lengths: list[int]) -> None:
    block = DeferredInteraction(SCHEMA, 5, D, granularities=(n_groups,), n_layers=n_layers, n_heads=H, head_dim=A)
    assert [stack.lengths for stack in block.stacks] == [lengths]
    assert [stack.order for stack in block.stacks] == [SPARSER]


def test_a_history_is_as_sparse_as_what_it_is_of() -> None:
    schema = Schema(SCHEMA.categorical, SCHEMA.numeric, (SequenceField("seen", "brand", 4), SequenceField("at", "hour", 4)))
    block = DeferredInteraction(schema, 7, D, granularities=(5,), n_layers=5)
    assert [stack.order for stack in block.stacks] == [[3, 4, 1, 6, 2, 5, 0]]
    assert [stack.lengths for stack in block.stacks] == [[2, 4, 6, 7, 7]]  # four densities


COARSE, RARE, KNOWN = 3, 8, 2000
WORLD = Schema(
    tuple(CategoricalField(f"coarse{i}", 6) for i in range(COARSE))
    + tuple(CategoricalField(f"rare{i}", KNOWN) for i in range(RARE))
)


def world(n: int) -> tuple[Batch, torch.Tensor]:
    """The first two coarse fields decide together; with ten per cent of labels turned around."""
    ids = torch.cat([torch.randint(2, 6, (n, COARSE)), torch.randint(2, KNOWN, (n, RARE))], 1)
    label = (ids[:, 0] % 2 != ids[:, 1] % 2) ^ (torch.rand(n) < 0.1)
    return Batch(ids, torch.zeros(n, 0)), label.float()


def lowest_loss(granularity: int) -> float:
    """On fresh rows, at the best of some looks while training on as many rows as a rare field has values."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    (rows, labels), (fresh, wanted) = world(KNOWN), world(2000)
    embedding = FeatureEmbedding(WORLD, 8)
    assert embedding.table is not None
    nn.init.normal_(embedding.table.weight, std=0.1)
    block = DeferredInteraction(WORLD, COARSE + RARE, 8, (granularity,), n_layers=2, head_dim=8)
    model = nn.Sequential(embedding, block, nn.Linear(block.out_dim, 1), nn.Flatten(0))
    optimizer, looks = torch.optim.Adam(model.parameters(), lr=0.01), list[float]()
    for step in range(120):
        drawn = torch.randint(KNOWN, (128,))
        optimizer.zero_grad()
        functional.binary_cross_entropy_with_logits(model(rows[drawn]), labels[drawn]).backward()
        optimizer.step()
        if step % 20 == 19:
            with torch.no_grad():
                looks.append(functional.binary_cross_entropy_with_logits(model(fresh), wanted).item())
    return min(looks)


def test_identifiers_that_wait_do_not_drown_what_few_values_say() -> None:
    """With all fields together from the start, rows are remembered by their identifiers before the rule is found."""
    assert lowest_loss(granularity=2) < 0.62
    assert lowest_loss(granularity=1) > 0.68
