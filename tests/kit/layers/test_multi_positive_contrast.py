"""A contrast with several positives, against loops. Notation: B rows, P positives, N negatives, I ids of the target item."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers import FeatureEmbedding, MultiPositiveContrast
from sandboxes.kit.layers.multi_positive_contrast import multi_positive_loss
from sandboxes.kit.schema import FIRST_ID, CategoricalField, Schema

U, I, D = 40, 26, 6  # noqa: E741 - the letter of items
SCHEMA = Schema(
    (CategoricalField("user", U, "user"), CategoricalField("item", I, "item"), CategoricalField("kind", 5, "item")),
    target_item="item",
    user="user",
    predicts="items",
)
GROUPS = 4


def collection(events: Tensor) -> Collection:
    ids = torch.stack([torch.zeros(I, dtype=torch.int64), torch.arange(I), torch.arange(I) % 5], 1)
    return Collection(Batch(ids, torch.zeros(I, 0)), events)


def grouped() -> Tensor:
    """Each user takes items of one group; the last two items nobody takes."""
    return torch.tensor([[u, i] for u in range(2, U) for i in range(FIRST_ID, I - 2) if i % GROUPS == u % GROUPS and (u + i) % 3])


def asked(answers: Tensor) -> Batch:
    return Batch(torch.zeros(len(answers), 3, dtype=torch.int64), torch.zeros(len(answers), 0), answer=answers)


def unit(x: Tensor) -> Tensor:
    return x / x.square().sum().sqrt()


@pytest.mark.parametrize("compete", [False, True])
def test_loss_is_that_of_the_drawn_positives(compete: bool) -> None:
    torch.manual_seed(0)
    embedding = FeatureEmbedding(SCHEMA, D).double()
    for p in embedding.parameters():
        p.data = torch.randn_like(p)
    layer = MultiPositiveContrast(SCHEMA, D, 3, 2, compete, 0.5, 4, 0.7)
    layer.meet(collection(grouped()))
    layer.double()
    answers = torch.tensor([2, 6, 7, 9, 25, 7, 4])  # 25 has no neighbours; 7 stands twice
    torch.manual_seed(9)
    loss = layer(asked(answers), embedding)
    weights = layer.similarity[answers]
    torch.manual_seed(9)
    drawn = torch.multinomial(torch.where(weights.sum(1, keepdim=True) > 0, weights, 1.0), 2, replacement=True)

    fields = layer.item_fields(embedding)  # (I, G, D)
    vectors = [unit(layer.project.weight @ sum(fields[i])) for i in range(I)]
    total, rows = torch.zeros((), dtype=torch.float64), 0
    for b, answer in enumerate(answers.tolist()):
        if weights[b].sum() == 0:
            continue
        rows += 1
        kin = {int(j) for j, w in zip(layer.neighbours[answer], weights[b], strict=True) if w > 0}
        against = [vectors[answer] @ vectors[j] / 0.5 for j in answers.tolist() if j != answer and j not in kin]
        chosen = [vectors[answer] @ vectors[int(layer.neighbours[answer, k])] / 0.5 for k in drawn[b]]
        for p in chosen:
            total = total + torch.stack(against + (chosen if compete else [p])).exp().sum().log() / 2 - p / 2
    assert rows == 6
    torch.testing.assert_close(loss, 0.7 * total / rows, rtol=1e-9, atol=1e-12)
    weights_of = [next(embedding.parameters()), layer.project.weight]
    for ours, wanted in zip(
        torch.autograd.grad(loss, weights_of), torch.autograd.grad(0.7 * total / rows, weights_of), strict=True
    ):
        torch.testing.assert_close(ours, wanted, rtol=1e-8, atol=1e-12)


def test_a_positive_is_pushed_away_only_where_positives_compete() -> None:
    """One positive is near already: among competitors it is the one to give way."""
    for compete in (False, True):
        positives = torch.tensor([[6.0, 0.0, 0.0]], requires_grad=True)
        multi_positive_loss(positives, torch.zeros(1, 5), compete).sum().backward()  # type: ignore[no-untyped-call]
        assert positives.grad is not None and (positives.grad[0, 1:] < 0).all()
        assert (positives.grad[0, 0] > 0.1) == compete and (compete or positives.grad[0, 0] < 0)


@pytest.mark.parametrize("compete", [False, True])
def test_one_positive_is_the_usual_softmax(compete: bool) -> None:
    positives, negatives = torch.randn(4, 1), torch.randn(4, 6)
    first = torch.zeros(4, dtype=torch.int64)
    wanted = torch.nn.functional.cross_entropy(torch.cat([positives, negatives], 1), first, reduction="none")
    torch.testing.assert_close(multi_positive_loss(positives, negatives, compete), wanted)


def test_without_negatives_or_neighbours_there_is_nothing_to_learn() -> None:
    embedding = FeatureEmbedding(SCHEMA, D)
    layer = MultiPositiveContrast(SCHEMA, D)
    layer.meet(collection(grouped()))
    for answers in ([6], [6, 10, 14], [25], [25, 24]):
        loss = layer(asked(torch.tensor(answers)), embedding)
        loss.backward()
        assert loss.item() == pytest.approx(0, abs=1e-6)
        found = [p.grad for p in (*embedding.parameters(), *layer.parameters()) if p.grad is not None]
        assert all(np.isfinite(g.to_dense().numpy()).all() for g in found)


def test_items_taken_by_the_same_users_come_together_even_rare_ones() -> None:
    events = torch.cat([grouped(), torch.tensor([[2, 25], [6, 25]])])  # 25 is taken but twice, by users of group 2
    torch.manual_seed(0)
    embedding = FeatureEmbedding(SCHEMA, D)
    layer = MultiPositiveContrast(SCHEMA, D, loss_weight=1.0)
    layer.meet(collection(events))
    optimiser = torch.optim.Adam([*embedding.parameters(), *layer.parameters()], lr=0.02)
    for _ in range(120):
        optimiser.zero_grad()
        rows = torch.randint(len(events), (32,))
        layer(asked(events[rows, 1]), embedding).backward()
        optimiser.step()
    known = [*range(FIRST_ID, I - 2), 25]
    vectors = torch.nn.functional.normalize(layer.project(layer.item_fields(embedding)[known].sum(1)), dim=1)
    group = torch.tensor([i % GROUPS for i in known[:-1]] + [2])
    cosines, same = vectors @ vectors.T, group[:, None] == group
    assert cosines[same].mean() > 0.8 > 0.3 > cosines[~same].mean()
    assert cosines[-1, :-1][same[-1, :-1]].mean() > 0.7
