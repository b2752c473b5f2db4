"""Paths for uncertain rows alone, weighted by agreement. Notation: B rows, F fields, D embedding width, T tasks, P paths."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from sandboxes.kit.layers import MultiPathAveraging, SelectivePaths

B, F, D = 40, 5, 3


def fields(scale: float = 1.0) -> Tensor:
    return scale * torch.randn(B, F, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def logits_of(x: Tensor) -> Tensor:
    return torch.stack([x.sum((1, 2)), x.prod(2).sum(1)], 1)


@pytest.mark.parametrize(("n_paths", "drop_rate", "confidence", "bandwidth"), [(3, 0.2, 0.8, 0.1), (6, 0.6, 0.7, 0.02)])
def test_formula(n_paths: int, drop_rate: float, confidence: float, bandwidth: float) -> None:
    block, x = SelectivePaths(F, n_paths, drop_rate, confidence, bandwidth), fields().numpy()
    wanted, explored = np.zeros((B, 2)), 0
    for b in range(B):
        for t in range(2):
            p = []
            for mask in block.masks.numpy():
                kept = x[b] * mask[:, None]
                p.append(1 / (1 + np.exp(-(kept.sum(), kept.prod(1).sum())[t])))
            weights = [np.exp(-np.mean([abs(q - r) for r in p]) / bandwidth) for q in p]
            uncertain = max(p[0], 1 - p[0]) < confidence
            wanted[b, t] = np.average(p, weights=weights) if uncertain else p[0]
            explored += uncertain
    assert 0 < explored < 2 * B
    np.testing.assert_allclose(block(logits_of, fields()).numpy(), wanted, rtol=1e-6)


def test_confident_rows_keep_what_the_model_says() -> None:
    plain = torch.sigmoid(logits_of(fields(3)))
    found = SelectivePaths(F, confidence=0.75)(logits_of, fields(3))
    sure = torch.maximum(plain, 1 - plain) >= 0.75
    assert torch.equal(found[sure], plain[sure]) and (found[~sure] != plain[~sure]).any()
    assert torch.equal(SelectivePaths(F, confidence=0.5)(logits_of, fields(3)), plain)


def test_without_a_bandwidth_to_speak_of_and_always_in_doubt_it_is_the_plain_average() -> None:
    found = SelectivePaths(F, 6, 0.4, confidence=1.0, bandwidth=1e9)(logits_of, fields())
    torch.testing.assert_close(found, MultiPathAveraging(F, 6, 0.4)(logits_of, fields()))


def test_a_path_that_breaks_down_is_outvoted() -> None:
    """The model cannot do without one of its fields: paths that lack it say 0, the others about the truth."""
    block, even = SelectivePaths(F, 6, 0.2, bandwidth=0.05), MultiPathAveraging(F, 6, 0.2)
    lacking = (block.masks == 0).sum(0)  # (F,): paths that lack a field
    needed = int((lacking > 0).nonzero()[0])
    assert lacking[needed] < 3

    def breaks(x: Tensor) -> Tensor:
        return torch.where((x[:, needed] == 0).all(1), -20.0, 0.3 * x.mean((1, 2))).unsqueeze(1)

    truth = torch.sigmoid(0.3 * fields().mean((1, 2))).unsqueeze(1)
    assert (block(breaks, fields()) - truth).abs().max() < 0.05 < (even(breaks, fields()) - truth).abs().min()


@pytest.mark.parametrize("bandwidth", [0.0, -1.0])
def test_agreement_has_a_bandwidth(bandwidth: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        SelectivePaths(F, bandwidth=bandwidth)
