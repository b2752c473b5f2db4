"""Weights of code words by behaviour. Notation: I ids of the target item, T words of an item, D width."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from planted_items import ITEMS, SCHEMAS, collection, planted
from torch.nn import functional

from sandboxes.kit.layers import CodedItemScores, DynamicCodeWeights
from sandboxes.kit.layers.coded_items import CodedScores
from sandboxes.kit.layers.item_content import taken_together
from sandboxes.kit.schema import CategoricalField, Schema


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_an_item_is_the_sum_of_its_words_times_their_weights() -> None:
    schema, rows = SCHEMAS["user"], planted(SCHEMAS["user"], 300)
    met = collection(schema, rows)
    torch.manual_seed(0)
    block, query = DynamicCodeWeights(schema, 4, 5, levels=2, codes=6, sparsity=0.3), torch.randn(3, 5)
    block.meet(met)
    counts = np.bincount(met.events[:, 1].numpy(), minlength=ITEMS + 2)
    logs = np.log1p(counts)
    popularity = (logs - logs[2:].mean()) / logs[2:].std()
    behaviour = np.concatenate([popularity[:, None], taken_together(met.events, 42, ITEMS + 2).numpy()], 1)
    np.testing.assert_allclose(block.behaviour, behaviour, atol=1e-5)
    first, _, second = block.router
    hidden = np.maximum(behaviour @ first.weight.detach().numpy().T + first.bias.detach().numpy(), 0)
    weights = np.maximum(1 + hidden @ second.weight.detach().numpy().T + second.bias.detach().numpy(), 0)
    table, sizes = block.items.table.weight.detach().numpy(), block.tokeniser.trie.sizes
    scores, asked = block(query).detach().numpy(), block.query(query).detach().numpy()
    for item in range(2, ITEMS + 2):
        words = block.tokeniser.trie.words[item].tolist()
        rows_of = [word + sum(sizes[:depth]) for depth, word in enumerate(words)]
        vector = sum(weights[item, depth] * table[row] for depth, row in enumerate(rows_of))
        np.testing.assert_allclose(scores[:, item], asked @ vector[:-1] + vector[-1], atol=1e-6)
    assert block.kl().item() == pytest.approx(0.3 * weights[2:].mean(), rel=1e-5)


@pytest.mark.parametrize("kind", [CodedItemScores, DynamicCodeWeights])
def test_which_word_counts_depends_on_how_often_an_item_was_taken(kind: type[CodedScores]) -> None:
    """Popular items fit a group by their first word, rare ones by their second: no sum of words alone can say it."""
    schema = Schema((CategoricalField("item", 82, "item"),), target_item="item", predicts="items")
    torch.manual_seed(0)
    block = kind(schema, 8, 4, levels=2, codes=4)
    words = torch.cartesian_prod(torch.arange(4), torch.arange(4), torch.arange(5))  # (80, 3)
    block.tokeniser.trie.grow(functional.pad(words, (0, 0, 2, 0)))
    popular = words.sum(1) % 2 == 0
    if isinstance(block, DynamicCodeWeights):
        block.behaviour[2:, 0] = 2.0 * popular - 1
    fits = (torch.where(popular, words[:, 0], words[:, 1]) == torch.arange(4)[:, None]).float()  # (4, 80)
    optimizer = torch.optim.Adam(block.parameters(), lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        loss = functional.binary_cross_entropy_with_logits(block(torch.eye(4))[:, 2:], fits)
        loss.backward()
        optimizer.step()
    assert loss < 0.05 if kind is DynamicCodeWeights else loss > 0.2


def test_a_penalty_silences_words() -> None:
    torch.manual_seed(0)
    block = DynamicCodeWeights(SCHEMAS["user"], 4, 5, levels=2, codes=6, sparsity=1.0)
    block.meet(collection(SCHEMAS["user"], planted(SCHEMAS["user"], 300)))
    every = torch.arange(2, ITEMS + 2)
    assert (block.weights(every) > 0).all()
    optimizer = torch.optim.Adam(block.router.parameters(), lr=0.05)
    for _ in range(60):
        optimizer.zero_grad()
        block.kl().backward()
        optimizer.step()
    assert (block.weights(every) == 0).float().mean() > 0.9
