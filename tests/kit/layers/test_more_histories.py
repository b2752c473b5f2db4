"""Several interests of a history and convolutions over it, against their formulas, and what each can tell that others cannot.

Notation: B rows, L history length, D embedding width, J interests.
"""

from __future__ import annotations

import numpy as np
import torch
from history_rows import Array, B, D, computed, layer_norm, real_rows, rows, weights
from row_formulas import softmax

from sandboxes.kit.layers import MultiInterest

J = 3


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
