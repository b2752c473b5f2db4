"""A choice for each pair of fields, against its formula, and what it finds where one pair is to be remembered and one computed.

Notation: n rows, P pairs, D embedding width.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from random_rows import PLAIN, random_rows
from row_formulas import softmax
from slopes import away_from_the_start, gradients_are_slopes
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit import Batch, CategoricalField, Schema
from sandboxes.kit.layers import FeatureEmbedding, InteractionSearch
from sandboxes.kit.layers.interaction_search import FACTORISED, MEMORISED, NONE

N, F, D = 6, PLAIN.n_fields, 3  # three categorical fields, two numeric ones
PAIRS = list(combinations(range(F), 2))
BATCH = random_rows(PLAIN, N).whole
FIELDS = torch.from_numpy(np.random.default_rng(0).normal(size=(N, F, D)))


def moved(noise: bool = False) -> InteractionSearch:
    torch.manual_seed(0)
    block = InteractionSearch(PLAIN, F, D, start_temperature=2.0, end_temperature=0.5, search_share=0.4, noise=noise)
    away_from_the_start(block)
    return block


def written_out(block: InteractionSearch, shares: np.ndarray) -> np.ndarray:
    """Tables stand one after the other in the order of pairs, with a row for each combination of ids."""
    ids, sizes = BATCH.ids.tolist(), [f.cardinality for f in PLAIN.categorical]
    wanted = np.zeros((N, len(PAIRS), D))
    for b in range(N):
        start = 0
        for p, (i, j) in enumerate(PAIRS):
            wanted[b, p] = shares[p, 1] * (FIELDS[b, i] * FIELDS[b, j]).numpy()
            if j < len(sizes):
                assert block.table is not None
                own = block.table.weight[start + sizes[j] * ids[b][i] + ids[b][j]]
                wanted[b, p] += shares[p, 2] * own.detach().numpy()
                start += sizes[i] * sizes[j]
    return wanted.reshape(N, -1)


def preferences(block: InteractionSearch) -> np.ndarray:
    a = block.preference.detach().numpy().copy()
    a[[p for p, (_, j) in enumerate(PAIRS) if j >= len(PLAIN.categorical)], 2] = -np.inf
    return a


@pytest.mark.parametrize(("progress", "temperature"), [(0.0, 2.0), (0.2, 1.0), (0.39, 2 * 0.25 ** (0.39 / 0.4))])
def test_a_soft_choice_in_search(progress: float, temperature: float) -> None:
    block = moved().train()
    block.set_progress(progress)
    shares = np.array([softmax(a / temperature) for a in preferences(block)])
    np.testing.assert_allclose(
        block(FIELDS, BATCH).detach().numpy(), written_out(block, shares), atol=1e-6
    )  # progress is float32
    assert gradients_are_slopes(block, lambda: block(FIELDS, BATCH))


def test_a_hard_choice_afterwards_and_in_evaluation() -> None:
    block = moved()
    wanted = written_out(block, np.eye(3)[preferences(block).argmax(1)])
    block.train().set_progress(0.4)
    np.testing.assert_allclose(block(FIELDS, BATCH).detach().numpy(), wanted, atol=1e-12)
    block.eval().set_progress(0.0)
    np.testing.assert_allclose(block(FIELDS, BATCH).detach().numpy(), wanted, atol=1e-12)


def test_noise_draws_each_choice_as_often_as_its_share_says() -> None:
    """The largest of the perturbed preferences is each choice's with the softmax of the preferences themselves (Gumbel, 1954)."""
    block = moved(noise=True).train()
    torch.manual_seed(1)
    won = sum(functional.one_hot(block.shares().argmax(1), 3) for _ in range(4000)) / 4000
    np.testing.assert_allclose(won.numpy(), np.array([softmax(a) for a in preferences(block)]), atol=0.03)


REMEMBERED, COMPUTED = (0, 1), (2, 3)
SIZES = (14, 14, 300, 300)
WORLD = Schema(tuple(CategoricalField(f"c{i}", size) for i, size in enumerate(SIZES)))


class Readout(nn.Module):
    """A linear layer on what pairs give."""

    def __init__(self, pairs: InteractionSearch) -> None:
        super().__init__()
        self.embedding = FeatureEmbedding(WORLD, 4)
        assert self.embedding.table is not None
        nn.init.normal_(self.embedding.table.weight, std=0.3)
        self.pairs, self.output = pairs, nn.Linear(pairs.out_dim, 1)

    def forward(self, batch: Batch) -> Tensor:
        logits: Tensor = self.output(self.pairs(self.embedding(batch), batch)).squeeze(1)
        return logits


def world(n: int) -> tuple[Batch, Tensor]:
    """Each combination of the first two fields has a strength of its own; of the others each value has a sign. Their product is
    rarely seen twice for the same combination."""
    ids = torch.stack([torch.randint(1, size, (n,)) for size in SIZES], 1)
    draw = torch.Generator().manual_seed(3)
    own = torch.randint(2, (SIZES[0], SIZES[1]), generator=draw) * 2.0 - 1
    signs = torch.randint(2, (2, SIZES[2]), generator=draw) * 2.0 - 1
    logit = 2 * own[ids[:, 0], ids[:, 1]] + 2 * signs[0][ids[:, 2]] * signs[1][ids[:, 3]]
    return Batch(ids, torch.zeros(n, 0)), (torch.rand(n) < logit.sigmoid()).float()


def loss_reached(pairs: InteractionSearch, steps: int = 500) -> float:
    """The log loss of fresh rows after training on a batch a step."""
    torch.set_num_threads(1)
    model = Readout(pairs)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for step in range(steps):
        pairs.set_progress(step / steps)
        batch, label = world(256)
        optimizer.zero_grad()
        functional.binary_cross_entropy_with_logits(model(batch), label).backward()
        optimizer.step()
    batch, label = world(4000)
    return functional.binary_cross_entropy_with_logits(model.eval()(batch), label).item()


def test_each_pair_is_given_the_kind_that_suits_it() -> None:
    """What is known of both pairs has a log loss of 0.39, what is known of one 0.57. Neither products alone nor memory alone, in
    which many combinations of the second pair share a row, come near the former."""
    torch.manual_seed(0)
    search = InteractionSearch(WORLD, 4, 4)
    assert loss_reached(search) < 0.43
    kinds = dict(zip(combinations(range(4), 2), search.preference.argmax(1).tolist(), strict=True))
    assert kinds.pop(REMEMBERED) == MEMORISED and kinds.pop(COMPUTED) == FACTORISED
    assert set(kinds.values()) == {NONE}
    for only, at_least in ((FACTORISED, 0.45), (MEMORISED, 0.5)):
        torch.manual_seed(0)
        search = InteractionSearch(WORLD, 4, 4)
        search.preference.requires_grad_(False)[:, only] = 100.0
        assert loss_reached(search) > at_least
