"""Several interests of a history and convolutions over it, against their formulas, and what each can tell that others cannot.

Notation: B rows, L history length, D embedding width, J interests, N filters.
"""

from __future__ import annotations

import numpy as np
import torch
from history_rows import Array, B, D, computed, layer_norm, real_rows, rows, weights
from row_formulas import softmax

from sandboxes.kit.layers import ConvolutionalHistory, MultiInterest

J, N = 3, 6


def squashed(z: Array) -> Array:
    squared = z @ z
    return squared / (1 + squared) * z / np.sqrt(squared)


def test_multi_interest() -> None:
    torch.manual_seed(5)
    block = MultiInterest(D, n_interests=J, n_iterations=3).double()
    w, wanted = weights(block), np.zeros((B, D))
    for b, (target, entries) in enumerate(real_rows()):
        if not len(entries):
            continue
        normed = [layer_norm(e, w["norm.weight"], w["norm.bias"]) for e in entries]
        votes = [[e @ w["maps"][j] for e in normed] for j in range(J)]
        logits = np.zeros((J, len(entries)))
        for _ in range(3):
            shares = np.array([softmax(column) for column in logits.T]).T  # over interests
            found = [squashed(sum(c * u for c, u in zip(shares[j], votes[j], strict=True))) for j in range(J)]
            logits += np.array([[u @ found[j] for u in votes[j]] for j in range(J)])
        wanted[b] = softmax(np.array([v @ w["match.weight"] @ target for v in found])) @ np.array(found)
    np.testing.assert_allclose(computed(block), wanted, atol=1e-9)


def test_interests_do_not_depend_on_the_candidate_and_are_shorter_than_one() -> None:
    torch.manual_seed(5)
    block, (_, history, mask) = MultiInterest(D, n_interests=J).double(), rows()
    lengths = block.interests(10 * history, mask).norm(dim=2)  # (B, J)
    assert (lengths < 1).all() and (lengths[mask.any(1)] > 0).all() and (lengths[~mask.any(1)] == 0).all()


def test_convolutional_history() -> None:
    """Of heights 1 and 3, so that the windows of short histories reach over their beginning."""
    torch.manual_seed(5)
    block = ConvolutionalHistory(D, n_filters=N, heights=(1, 3)).double()
    w, wanted = weights(block), np.zeros((B, 2 * N))
    for b, (_, entries) in enumerate(real_rows()):
        before = np.concatenate([np.zeros((2, D)), entries])
        for k in range(N):
            for place, (f, height) in enumerate((("filters.0", 1), ("filters.1", 3))):
                windows = [before[t + 3 - height : t + 3] for t in range(len(entries))]  # (height, D), the newest last
                found = [(w[f"{f}.weight"][k].T * window).sum() + w[f"{f}.bias"][k] for window in windows]
                wanted[b, place * N + k] = max([0.0, *found])
    np.testing.assert_allclose(computed(block), wanted, atol=1e-9)
