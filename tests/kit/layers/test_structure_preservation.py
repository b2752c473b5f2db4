"""What a graph keeps from one stage to the next, against loops. Notation: U, I ids of users and items, D width, A anchors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from row_formulas import softmax
from torch import Tensor

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers import GraphScores, PairwiseRanking, StructurePreservation
from sandboxes.kit.layers.k_means import k_means
from sandboxes.kit.schema import FIRST_ID, CategoricalField, Schema

U, I, D = 14, 16, 5  # noqa: E741 - the letter of items
SCHEMA = Schema(
    (CategoricalField("user", U, "user"), CategoricalField("item", I, "item")), target_item="item", user="user", predicts="items"
)


def collection(events: Tensor) -> Collection:
    return Collection(Batch(torch.stack([torch.zeros(I, dtype=torch.int64), torch.arange(I)], 1), torch.zeros(I, 0)), events)


def random_events(seed: int = 0) -> Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(np.stack([rng.integers(FIRST_ID, U, 50), rng.integers(FIRST_ID, I, 50)], 1))


def asked(users: Tensor, answers: Tensor) -> Batch:
    return Batch(torch.stack([users, torch.zeros_like(users)], 1), torch.zeros(len(users), 0), answer=answers)


def moved(layer: StructurePreservation, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in layer.parameters():
            p.add_(0.5 * torch.randn(p.shape, generator=draw))


@pytest.mark.parametrize("weights", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.3, 2.0, 0.7)])
def test_loss_is_that_of_neighbours_anchors_and_vectors(weights: tuple[float, float, float]) -> None:
    events, anchors, temperature = random_events(), 3, 0.5
    layer = StructurePreservation(SCHEMA, D, 2, anchors, temperature, *weights)
    layer.meet(collection(events))
    layer.double()
    moved(layer, 1)
    layer.set_progress(0.0)
    layer.set_progress(0.0)  # another stage
    before = [v.detach() for v in layer.graph.nodes()]
    moved(layer, 2)
    now = [v.detach() for v in layer.graph.nodes()]
    users, answers = torch.tensor([2, 5, 5, 9]), torch.tensor([3, 3, 8, 15])
    layer.train()(asked(users, answers))
    took = [{(u, i) for u, i in events.tolist()}, {(i, u) for u, i in events.tolist()}]
    clusters = [torch.cdist(v, k_means(v, anchors)).argmin(1).numpy() for v in before]
    total = 0.0
    for side, nodes in enumerate((users, answers)):
        sums = np.zeros(3)
        for n in nodes.tolist():
            near, place = [], []
            for state in (now, before):
                own, others = state[side].numpy(), state[1 - side].numpy()
                around = [others[m] for k, m in took[side] if k == n]
                near.append(own[n] @ np.mean(around, 0) if around else 0.0)
                means = [[state[s].numpy()[clusters[s] == a].mean(0) for a in range(anchors)] for s in (0, 1)]
                place.append([softmax(np.array([own[n] @ m for m in some]) / temperature) for some in means])
            sums[0] += (near[0] - near[1]) ** 2
            sums[1] += sum((q * np.log(q / p)).sum() for p, q in zip(*place, strict=True))
            sums[2] += ((now[side][n] - before[side][n]) ** 2).sum().item()
        total += float(weights @ sums) / len(nodes)
    assert total > 0.01
    assert layer.kl().item() == pytest.approx(total, rel=1e-5)


def test_each_stage_keeps_the_one_before_it_and_the_first_has_none() -> None:
    layer = StructurePreservation(SCHEMA, D, 1, 2)
    layer.meet(collection(random_events()))
    batch, losses = asked(torch.tensor([2, 3]), torch.tensor([4, 5])), []
    for steps in (3, 1, 2):  # of three stages
        for step in range(steps):
            layer.set_progress(step / steps)
            layer.train()(batch)
            losses.append(layer.kl().item())
            moved(layer, len(losses))
    assert losses[:3] == [0, 0, 0]
    assert losses[3] == pytest.approx(0, abs=1e-9) and losses[4] == pytest.approx(0, abs=1e-9) and losses[5] > 0.1
    layer.eval()(batch)
    assert layer.kl().item() == 0


def test_scores_are_those_of_the_graph() -> None:
    scores, batch = [], asked(torch.tensor([2, 3]), torch.tensor([4, 5]))
    for build in (StructurePreservation, GraphScores):
        torch.manual_seed(0)
        layer = build(SCHEMA, D)
        layer.meet(collection(random_events()))
        scores += [layer.train()(batch), layer.eval()(batch)]
    for other in scores[1:]:
        torch.testing.assert_close(other, scores[0])


def test_what_the_first_window_taught_survives_the_second() -> None:
    """In the second window only other users appear, who shun what the first ones took."""
    first = torch.tensor([[u, i] for u in range(2, 8) for i in range(FIRST_ID, I, 2)])
    second = torch.tensor([[u, i] for u in range(8, U) for i in range(FIRST_ID + 1, I, 2)])

    def scored(weight: float) -> tuple[float, float]:
        """How far the first users' scores drift in the second window, and the second's share of pairs that are in order."""
        torch.manual_seed(0)
        layer = StructurePreservation(SCHEMA, D, 2, 3, 1.0, weight, weight, weight)
        layer.meet(collection(torch.cat([first, second])))
        known = asked(first[:, 0], first[:, 1])
        for events in (first, second):
            before = layer.eval()(known).detach()
            optimiser = torch.optim.Adam(layer.parameters(), lr=0.05)
            for step in range(60):
                layer.set_progress(step / 60)
                batch = asked(events[:, 0], events[:, 1])
                optimiser.zero_grad()
                (PairwiseRanking()(layer.train()(batch), batch) + layer.kl()).backward()
                optimiser.step()
        after, new = layer.eval()(known).detach(), layer(asked(second[:, 0], second[:, 1])).detach()[:, FIRST_ID:]
        return float((after - before).abs().mean()), float((new[:, 1::2, None] > new[:, None, 0::2]).double().mean())

    (free_drift, free_order), (held_drift, held_order) = scored(0.0), scored(1.0)
    assert held_drift < 0.5 * free_drift and min(held_order, free_order) > 0.9, (free_drift, held_drift, held_order)
