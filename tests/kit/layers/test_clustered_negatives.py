"""Negatives by cluster, against lists of items. Notation: B rows, I ids of the target item."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers import ClusteredNegatives, PairwiseRanking
from sandboxes.kit.layers.cluster_tree import leaves_of
from sandboxes.kit.schema import FIRST_ID, CategoricalField, Schema, VectorField
from sandboxes.kit.vector_table import VectorTable

CLUSTERS, LEAVES, EACH = 3, 4, 5
ITEMS = CLUSTERS * LEAVES * EACH
I = ITEMS + FIRST_ID  # noqa: E741 - the letter of items
LEAF = torch.arange(ITEMS) % (CLUSTERS * LEAVES)  # of each item in truth
SCHEMA = Schema(
    (CategoricalField("hour", 5), CategoricalField("item", I, "item")),
    target_item="item",
    predicts="items",
    vectors=(VectorField("poster", "item", 9),),
)


def collection(seed: int = 0) -> Collection:
    """Posters of one cluster lie near one another, those of one leaf still nearer."""
    draw = torch.Generator().manual_seed(seed)
    centre = 12 * functional.one_hot(torch.arange(CLUSTERS), 8).float()
    offset = 4 * functional.one_hot(CLUSTERS + torch.arange(LEAVES) % 5, 8).float()
    posters = centre[LEAF // LEAVES] + offset[LEAF % LEAVES] + 0.1 * torch.randn(ITEMS, 8, generator=draw)
    rows = torch.cat([torch.zeros(FIRST_ID, 9), torch.cat([posters, torch.ones(ITEMS, 1)], 1)])
    ids = torch.stack([torch.zeros(I, dtype=torch.int64), torch.arange(I)], 1)
    items = Batch(ids, torch.zeros(I, 0), vector_rows={"poster": torch.arange(I)}, tables={"poster": VectorTable(rows)})
    return Collection(items, torch.stack([torch.zeros(ITEMS, dtype=torch.int64), torch.arange(FIRST_ID, I)], 1))


def met(n_near: int, n_far: int, temperature: float = 1.0) -> ClusteredNegatives:
    layer = ClusteredNegatives(SCHEMA, CLUSTERS, LEAVES, n_near, n_far, temperature)
    layer.meet(collection())
    return layer


def asked(answers: Tensor) -> Batch:
    return Batch(torch.zeros(len(answers), 2, dtype=torch.int64), torch.zeros(len(answers), 0), answer=answers)


def relatives(answer: int) -> tuple[set[int], set[int], set[int]]:
    """Items of the answer's leaf, of its cluster outside the leaf, and of other clusters."""
    own = LEAF[answer - FIRST_ID]
    of_cluster = {int(i) + FIRST_ID for i in (own // LEAVES == LEAF // LEAVES).nonzero()}
    of_leaf = {int(i) + FIRST_ID for i in (own == LEAF).nonzero()}
    return of_leaf, of_cluster - of_leaf, set(range(FIRST_ID, I)) - of_cluster


def test_a_tree_of_clusters_is_found() -> None:
    layer = met(1, 1)
    found, true = layer.leaf[FIRST_ID:], LEAF
    for level in (1, LEAVES):
        a, b = found // level, true // level
        assert torch.equal(a[:, None] == a, b[:, None] == b), level
    assert sorted(layer.listed.tolist()) == list(range(FIRST_ID, I))


def test_few_points_leave_leaves_empty() -> None:
    leaf = leaves_of(torch.tensor([[0.0], [0.0], [9.0], [9.0], [9.5]]), 2, 3)
    assert leaf[0] == leaf[1] and leaf[2] == leaf[3] and leaf[2] // 3 == leaf[4] // 3 != leaf[0] // 3
    assert leaf.max() < 6 and leaf[4] != leaf[3]


@pytest.mark.parametrize(("n_near", "n_far"), [(4, 0), (0, 4), (3, 5)])
def test_negatives_come_from_the_cluster_and_from_elsewhere_each_as_likely_and_never_from_the_leaf(
    n_near: int, n_far: int
) -> None:
    layer, answers, rounds = met(n_near, n_far), torch.arange(FIRST_ID, I), 200
    counts = torch.zeros(ITEMS, I)  # how often each was drawn
    for _ in range(rounds):
        scores = torch.zeros(ITEMS, I, requires_grad=True)
        (slope,) = torch.autograd.grad(layer(scores, asked(answers)), scores)
        counts += (slope * ITEMS * (1 + n_near + n_far)).clamp(
            min=0
        )  # equal scores: each rival's share of the softmax is the same
    for answer, seen in zip(answers.tolist(), counts.numpy(), strict=True):
        own, near, far = relatives(answer)
        assert seen[list(own)].max() == seen[:FIRST_ID].max() == 0
        for pool, n in ((near, n_near), (far, n_far)):
            expected = rounds * n / len(pool)
            assert abs(seen[list(pool)].sum() - rounds * n) < 0.5
            assert (abs(seen[list(pool)] - expected) <= 6 * expected**0.5).all()


def test_loss_is_the_softmax_among_the_drawn() -> None:
    layer = met(3, 2, temperature=0.5)
    answers = torch.tensor([2, 7, 30, 61])
    scores = torch.randn(4, I, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    torch.manual_seed(5)
    loss = layer(scores, asked(answers))
    torch.manual_seed(5)
    shares = torch.rand(4, 3), torch.rand(4, 2)
    place = {item: n for n, item in enumerate(layer.listed.tolist())}
    total = torch.zeros((), dtype=torch.float64)
    for b, answer in enumerate(answers.tolist()):
        rivals = []
        for share, pool in zip(shares, relatives(answer)[1:], strict=True):
            ordered = sorted(pool, key=place.__getitem__)
            rivals += [ordered[int(s * len(ordered))] for s in share[b]]
        total = total - torch.log_softmax(scores[b, [answer, *rivals]] / 0.5, 0)[0]
    torch.testing.assert_close(loss, total / 4, rtol=1e-12, atol=1e-12)
    ours, wanted = torch.autograd.grad(loss, scores)[0], torch.autograd.grad(total / 4, scores)[0]
    torch.testing.assert_close(ours, wanted, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(("clusters", "leaves"), [(1, LEAVES), (CLUSTERS, 1), (1, 1)])
def test_where_there_are_none_of_one_kind_there_are_more_of_the_other(clusters: int, leaves: int) -> None:
    layer, answers = ClusteredNegatives(SCHEMA, clusters, leaves, 60, 60), torch.arange(FIRST_ID, I)
    layer.meet(collection())
    scores = torch.zeros(ITEMS, I, requires_grad=True)
    loss = layer(scores, asked(answers))
    assert loss.item() == pytest.approx(torch.tensor(121.0).log().item())
    (slope,) = torch.autograd.grad(loss, scores)
    for answer, seen in zip(answers.tolist(), slope, strict=True):
        spared = answers[layer.leaf[answers] == layer.leaf[answer]].tolist() if clusters * leaves > 1 else [answer]
        drawn = set((seen > 0).nonzero().flatten().tolist())
        assert not drawn & set(spared) and len(drawn) > 0.6 * (ITEMS - len(spared))


def test_the_only_item_has_no_rival() -> None:
    schema = Schema((CategoricalField("hour", 5), CategoricalField("item", 3, "item")), target_item="item", predicts="items")
    scores = torch.zeros(2, 3, requires_grad=True)
    loss = ClusteredNegatives(schema)(scores, asked(torch.tensor([2, 2])))
    assert loss.item() == 0 and torch.isfinite(torch.autograd.grad(loss, scores)[0]).all()


def test_who_took_items_tells_them_apart_where_nothing_else_does() -> None:
    """Users of each leaf take nothing but its items."""
    schema = Schema(
        (CategoricalField("user", 40), CategoricalField("item", I, "item")), target_item="item", user="user", predicts="items"
    )
    events = torch.tensor([[2 + int(LEAF[i]) % 3 * 10 + u, FIRST_ID + i] for i in range(ITEMS) for u in range(10)])
    layer = ClusteredNegatives(schema, 3, 1)
    layer.meet(replace(collection(), events=events))
    group, found = LEAF % 3, layer.leaf[FIRST_ID:]
    assert torch.equal(found[:, None] == found, group[:, None] == group)


def test_siblings_of_what_was_taken_are_spared() -> None:
    """Nobody is seen to take two items of a leaf, and yet those of the leaf come next, since nothing spoke against them."""
    answers = torch.arange(FIRST_ID, I)
    same = LEAF[:, None] == LEAF

    def siblings_first(loss: nn.Module) -> float:
        torch.manual_seed(0)
        scores = nn.Parameter(torch.zeros(ITEMS, I))
        optimiser = torch.optim.Adam([scores], lr=0.1)
        for _ in range(120):
            optimiser.zero_grad()
            loss(scores, asked(answers)).backward()
            optimiser.step()
        top = scores[:, FIRST_ID:].topk(EACH, dim=1).indices
        return float(same.gather(1, top).double().mean())

    assert siblings_first(met(8, 8)) == 1.0
    assert siblings_first(PairwiseRanking()) < 0.6
