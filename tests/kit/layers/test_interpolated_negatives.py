"""Virtual negatives against vectors that are interpolated one by one. Notation: B rows, I items, D width, N drawn, V mixed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import InterpolatedNegatives, PairwiseRanking, drawn_instead

B, I, D, N, V = 5, 11, 3, 4, 6  # noqa: E741 - the letter of items
ANSWERS = torch.tensor([2, 10, 4, 4, 7])


def asked(answers: Tensor) -> Batch:
    return Batch(torch.zeros(len(answers), 1, dtype=torch.int64), torch.zeros(len(answers), 0), answer=answers)


def product(seed: int = 0) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    queries, items = (torch.randn(n, D, dtype=torch.float64, generator=draw).requires_grad_() for n in (B, I))
    return queries, items


def drawn(positive_share: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What the loss draws, in its order."""
    others = drawn_instead(ANSWERS[:, None].expand(-1, N), I)
    ends = torch.randint(N, (2, B, V))
    return others, ends, torch.rand(B, V, dtype=torch.float64), positive_share * torch.rand(B, N + V, dtype=torch.float64)


@pytest.mark.parametrize("hardest", [0, 1, 3])
def test_scores_of_virtual_negatives_are_those_of_interpolated_vectors(hardest: int) -> None:
    queries, items = product()
    torch.manual_seed(3)
    loss = InterpolatedNegatives(N, V, 0.7, hardest, temperature=0.5)(queries @ items.T, asked(ANSWERS))
    slopes = torch.autograd.grad(loss, (queries, items))
    torch.manual_seed(3)
    others, ends, between, towards = drawn(0.7)
    total = torch.zeros((), dtype=torch.float64)
    for b in range(B):
        points = [items[j] for j in others[b]]
        for v in range(V):
            one, other = points[ends[0, b, v]], points[ends[1, b, v]]
            points.append((1 - between[b, v]) * one + between[b, v] * other)
        right = items[ANSWERS[b]]
        virtual = [(1 - towards[b, n]) * point + towards[b, n] * right for n, point in enumerate(points)]
        rivals = sorted((queries[b] @ point / 0.5 for point in virtual), key=lambda s: -s.item())[: hardest or None]
        told = queries[b] @ right / 0.5
        total = total - torch.log(torch.exp(told) / sum(torch.exp(s) for s in (told, *rivals)))
    torch.testing.assert_close(loss, total / B, rtol=1e-12, atol=1e-12)
    for ours, wanted in zip(slopes, torch.autograd.grad(total / B, (queries, items)), strict=True):
        torch.testing.assert_close(ours, wanted, rtol=1e-10, atol=1e-12)


def test_one_unmixed_negative_is_pairwise_ranking() -> None:
    queries, items = product(1)
    scores, found = queries @ items.T, []
    for loss in (InterpolatedNegatives(1, 0, positive_share=0.0), PairwiseRanking()):
        torch.manual_seed(0)
        found.append(loss(scores, asked(ANSWERS)))
    torch.testing.assert_close(found[0], found[1], rtol=1e-12, atol=0)


def test_all_of_the_way_to_the_positive_leaves_nothing_to_tell_apart() -> None:
    """A larger share makes negatives harder: their scores come nearer to the answer's."""
    queries, items = product(2)
    scores = (queries @ items.T).detach()
    scores[torch.arange(B), ANSWERS] = 20.0  # told apart long ago
    losses = []
    for share in (0.0, 0.5, 1.0):
        torch.manual_seed(0)
        losses.append(InterpolatedNegatives(200, 0, share)(scores, asked(ANSWERS)).item())
    assert losses[0] < 1e-4 < losses[1] < 1.0 < losses[2]


def test_the_hardest_of_many_points_teaches_the_top_of_the_list_sooner_than_one_random_item() -> None:
    """Items lie in groups, and each query wants one item: whom its group holds is what a random negative seldom asks."""
    answers = torch.arange(2, 122)

    def rank(loss: nn.Module) -> float:
        torch.manual_seed(0)
        groups = torch.randn(12, 8).repeat_interleave(10, 0)
        items = torch.cat([torch.zeros(2, 8), groups + 0.3 * torch.randn(120, 8)])
        queries = nn.Parameter(groups.clone())
        optimiser = torch.optim.Adam([queries], lr=0.05)
        for _ in range(60):
            optimiser.zero_grad()
            loss(queries @ items.T, asked(answers)).backward()
            optimiser.step()
        scores = (queries @ items.T)[:, 2:]
        return float((scores > scores.diagonal()[:, None]).sum(1).double().mean())

    plain, hard = rank(PairwiseRanking()), rank(InterpolatedNegatives(hardest=1))
    assert hard < 0.5 * plain, (hard, plain)


def test_negatives_are_drawn_anew() -> None:
    queries, items = product(3)
    loss = InterpolatedNegatives(2, 2)
    assert len({loss(queries @ items.T, asked(ANSWERS)).item() for _ in range(3)}) == 3
    assert np.isfinite(InterpolatedNegatives()((queries @ items.T)[:, :3], asked(torch.full((B,), 2))).item())  # one item in all
