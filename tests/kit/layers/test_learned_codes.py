"""Code words that hear of recommendation: hard in value, soft in gradient, and still of the content.

Notation: B rows, I ids of the target item, Q levels, C codes, D width.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from planted_items import ITEMS, SCHEMAS, collection, planted
from torch import Tensor
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers import LearnedCodeScores
from sandboxes.kit.schema import CategoricalField, NumericField, Schema


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def met(temperature: float = 0.7) -> LearnedCodeScores:
    torch.manual_seed(0)
    block = LearnedCodeScores(SCHEMAS["vectors"], 4, 5, levels=2, codes=6, temperature=temperature, loss_weight=0.3)
    block.meet(collection(SCHEMAS["vectors"], planted(SCHEMAS["vectors"], 300)))
    block = block.double()
    with torch.no_grad():
        block.words.add_(torch.randn_like(block.words))
        block.bias.add_(torch.randn_like(block.bias))
    return block


def test_an_item_is_the_sum_of_its_nearest_codes_words() -> None:
    block, query = met(), torch.randn(3, 5, dtype=torch.float64)
    codes = block.quantiser.tokens(block.content[2:])[0]
    words, scores = block.words.detach(), block(query).detach()
    asked = block.query(query).detach()
    assert len(torch.unique(codes, dim=0)) > 6
    for item in range(ITEMS):
        vector = words[0, codes[item, 0]] + words[1, codes[item, 1]]
        np.testing.assert_allclose(scores[:, item + 2], asked @ vector + block.bias[item + 2].item(), rtol=1e-9)
    np.testing.assert_allclose(scores[:, :2], block.bias[:2].detach().expand(3, 2))


def test_gradients_are_those_of_a_softmax_over_distances_at_every_level() -> None:
    block = met()
    pull = torch.randn(ITEMS, 4, dtype=torch.float64)
    (block.item_vectors() * pull).sum().backward()
    found = block.quantiser.codebooks.grad.clone(), block.quantiser.encoder[-1].weight.grad.clone()
    block.zero_grad()
    codes = block.quantiser.tokens(block.content[2:])[0]
    rest, total = block.quantiser.encoder(block.content[2:]), 0.0
    for level in range(2):
        book = block.quantiser.codebooks[level]
        weights = torch.exp(-(rest.unsqueeze(1) - book).square().sum(2) / 0.7)
        total = total + ((weights / weights.sum(1, keepdim=True)) @ block.words[level] * pull).sum()
        rest = rest - book[codes[:, level]].detach()
    total.backward()
    torch.testing.assert_close(found[0], block.quantiser.codebooks.grad)
    torch.testing.assert_close(found[1], block.quantiser.encoder[-1].weight.grad)
    assert found[0].abs().max() > 1e-3


def test_divergence_is_the_quantisers_loss_of_items() -> None:
    block = met()
    torch.testing.assert_close(block.kl(), 0.3 * block.quantiser.loss(block.content[2:]))


def two_numbers() -> tuple[Schema, Collection, Tensor]:
    """Items with a loud number, and a quiet one whose sign decides which of two kinds of users takes them."""
    schema = Schema(
        (CategoricalField("item", 82, "item"),),
        (NumericField("loud", "item"), NumericField("quiet", "item")),
        target_item="item",
        predicts="items",
    )
    draw = torch.Generator().manual_seed(1)
    loud = 2.0 * (torch.arange(82) // 2 % 2) - 1 + 0.1 * torch.randn(82, generator=draw)
    quiet = 0.3 * (2.0 * (torch.arange(82) % 2) - 1)
    items = Batch(torch.arange(82).unsqueeze(1), torch.stack([loud, quiet], 1))
    return schema, Collection(items, torch.zeros(0, 2, dtype=torch.int64)), quiet


@pytest.mark.parametrize("frozen", [True, False])
def test_codes_come_to_say_what_users_care_for(frozen: bool) -> None:
    """There is room for two codes only: content fills them with what is loud, and only recommendation can tell that this is not
    what matters."""
    schema, known, quiet = two_numbers()
    torch.manual_seed(1)
    block = LearnedCodeScores(schema, 4, 2, levels=1, codes=2, loss_weight=0.01)
    block.meet(known)
    block.quantiser.requires_grad_(not frozen)
    optimizer = torch.optim.Adam([p for p in block.parameters() if p.requires_grad], lr=0.02)
    items = torch.arange(2, 82)
    query = functional.one_hot((quiet[items] > 0).long(), 2).float()  # (B, 2)
    for _ in range(200):
        optimizer.zero_grad()
        scores = block(query)[:, 2:]
        (functional.cross_entropy(scores, items - 2) + block.kl()).backward()
        optimizer.step()
    codes = block.quantiser.tokens(block.content[2:])[0][:, 0]
    agreement = ((codes == 1) == (quiet[items] > 0)).float().mean().item()
    agreement = max(agreement, 1 - agreement)
    assert agreement < 0.6 if frozen else agreement > 0.95
