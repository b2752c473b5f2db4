"""Contrast between interests in histories. Notation: B rows, L history length, D embedding width, W kernel width."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sandboxes.kit.layers import InterestContrast

B, L, D = 7, 6, 5


def histories(draw: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    mask = torch.arange(L) >= L - torch.tensor([0, 1, 2, 3, 4, 5, 6])[:, None]
    return torch.randn(B, L, D, dtype=torch.float64, generator=draw) * mask.unsqueeze(2), mask


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.01 * x)


def test_loss_is_infonce_between_two_places_of_each_history() -> None:
    torch.manual_seed(0)
    block = InterestContrast(D, widths=(1, 3), across=2, reach=2, temperature=0.5, projection_dim=4, loss_weight=0.3).double()
    history, mask = histories()
    torch.manual_seed(5)
    places = [block._drawn(mask) for _ in range(2)]
    torch.manual_seed(5)
    found, total = block(history, mask).item(), 0.0
    crosswise = block.across.weight.detach().numpy()[0, 0]
    for along, head, (later, earlier) in zip(block.along, block.heads, places, strict=True):
        views = []
        for place in (later, earlier):
            own = []
            for row, t in enumerate(place.tolist()):
                united = np.zeros(D)
                for s, weight in enumerate(along.tolist()):
                    united += weight * history[row, t - s].numpy() if t - s >= 0 else 0
                united = leaky(united)
                interest = leaky(np.array([united[d] * crosswise[0] + united[d + 1] * crosswise[1] for d in range(D - 1)]))
                vector = head.weight.detach().numpy() @ interest
                own.append(vector / max(np.linalg.norm(vector), 1e-6))
            views.append(own)
        losses = []
        for row in range(2, B):  # those with two behaviours or more
            for one, other in (views, views[::-1]):
                scores = np.exp([one[row] @ other[c] / 0.5 for c in range(2, B)])
                losses.append(-np.log(scores[row - 2] / scores.sum()))
        total += np.mean(losses)
    assert found == pytest.approx(0.3 * total / 2, rel=1e-9)


def test_places_are_real_and_within_reach() -> None:
    torch.manual_seed(0)
    block, (_, mask) = InterestContrast(D, reach=3), histories()
    seen = set()
    for _ in range(200):
        later, earlier = block._drawn(mask)
        for row in range(2, B):
            assert mask[row, later[row]] and mask[row, earlier[row]]
            seen.add((row, int(later[row]), int(later[row] - earlier[row])))
    assert {apart for *_, apart in seen} == {1, 2, 3}
    assert {place for row, place, _ in seen if row == B - 1} == {1, 2, 3, 4, 5}


def test_padding_does_not_matter_and_rows_without_two_behaviours_do_not_count() -> None:
    torch.manual_seed(0)
    block, (history, mask) = InterestContrast(D).double(), histories()
    noise = torch.where(mask.unsqueeze(2), history, torch.randn_like(history))
    losses = []
    for x, m in ((history, mask), (noise, mask)):
        torch.manual_seed(1)
        losses.append(block(x, m).item())
    assert losses[0] == losses[1] > 0
    assert block(history[:2], mask[:2]).item() == block(history[6:], mask[6:]).item() == 0


def test_items_of_one_interest_come_together() -> None:
    """Users stay with one of four interests; nothing else says which items are of which."""
    torch.manual_seed(0)
    items, interest = nn.Embedding(40, 8), torch.arange(40) % 4
    block = InterestContrast(8, temperature=0.5, projection_dim=8)
    optimizer = torch.optim.Adam([*items.parameters(), *block.parameters()], lr=0.02)
    mask = torch.ones(128, 6, dtype=torch.bool)

    def fit_within() -> float:
        vectors = nn.functional.normalize(items.weight.detach(), dim=1)
        fit, same = vectors @ vectors.T, interest[:, None] == interest
        return (fit[same & ~torch.eye(40, dtype=torch.bool)].mean() - fit[~same].mean()).item()

    assert fit_within() < 0.1
    for _ in range(150):
        ids = torch.randint(10, (128, 6)) * 4 + torch.randint(4, (128, 1))
        optimizer.zero_grad()
        block(items(ids), mask).backward()
        optimizer.step()
    assert fit_within() > 0.3
