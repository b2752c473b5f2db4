"""Code words of several experts: each from what it may see, apart from one another, and none of a weak modality drowned.

Notation: N things, M modalities, E experts, D latent width, K codes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import combinations

import numpy as np
import pytest
import torch
from planted_items import SCHEMAS, collection, planted
from torch import Tensor

from sandboxes.kit.layers import ExpertCodedScores, ExpertQuantiser
from sandboxes.kit.layers.expert_quantiser import likeness
from sandboxes.kit.layers.item_content import joined_modalities, modality_widths
from sandboxes.kit.layers.item_tokeniser import fit_quantiser, trained_quantiser

WIDTHS = (5, 3)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_loss_is_reconstruction_code_vectors_and_likeness() -> None:
    torch.manual_seed(0)
    quantiser = ExpertQuantiser(WIDTHS, 1, 2, codes=4, orthogonality=0.7, latent_dim=3, commitment=0.3).double()
    x = torch.randn(11, 8, dtype=torch.float64)
    seen = [x, x[:, :5], x[:, :5], x[:, 5:], x[:, 5:]]
    latent = [encoder(s).detach().numpy() for encoder, s in zip(quantiser.encoders, seen, strict=True)]
    books = quantiser.codebooks.detach().numpy()
    codes = [[int(np.argmin([np.sum((z - b) ** 2) for b in book])) for z in own] for own, book in zip(latent, books, strict=True)]
    chosen = [book[code] for book, code in zip(books, codes, strict=True)]
    wanted = 0.0
    for m, (heard, part) in enumerate((((0, 1, 2), x[:, :5]), ((0, 3, 4), x[:, 5:]))):
        rebuilt = quantiser.decoders[m](torch.from_numpy(np.concatenate([chosen[e] for e in heard], 1)))
        wanted += (rebuilt - part).square().mean().item()
    wanted += 1.3 * sum(np.mean((z - c) ** 2) for z, c in zip(latent, chosen, strict=True))
    unit = []
    for z in latent:
        about = z - z.mean(0)
        unit.append(about / np.linalg.norm(about, axis=1, keepdims=True))
    wanted += 0.7 * np.mean([np.sum((unit[a].T @ unit[b] / 11) ** 2) for a, b in combinations(range(5), 2)])
    assert quantiser.loss(x).item() == pytest.approx(wanted, rel=1e-9)
    found, distances = quantiser.tokens(x)
    assert found.T.tolist() == codes
    np.testing.assert_allclose(distances, np.linalg.norm(latent[4][:, None] - books[4], axis=2), atol=1e-6)


def test_an_expert_sees_its_modality_alone_and_a_modality_is_rebuilt_without_the_others_experts() -> None:
    torch.manual_seed(0)
    quantiser = ExpertQuantiser(WIDTHS, shared=1, specific=1)
    x = torch.randn(6, 8)
    other = torch.cat([x[:, :5], torch.randn(6, 3)], 1)
    moved = (quantiser.latent(x) - quantiser.latent(other)).abs().amax((0, 2))
    assert moved[1] == 0 and moved[0] > 0 and moved[2] > 0
    quantiser(x)[:, :5].sum().backward()
    reached = [any(p.grad is not None and bool((p.grad != 0).any()) for p in e.parameters()) for e in quantiser.encoders]
    assert reached == [True, True, False]


def test_a_modality_without_experts_is_refused() -> None:
    with pytest.raises(ValueError, match="needs an expert"):
        ExpertQuantiser(WIDTHS, 0, 0)


def purity(words: Tensor, values: Tensor) -> float:
    """How often the most frequent value of those with the same words is right."""
    groups = defaultdict(Counter)
    for word, value in zip(map(tuple, words.tolist()), values.tolist(), strict=True):
        groups[word][value] += 1
    return sum(max(g.values()) for g in groups.values()) / len(values)


def two_sources(n: int = 400) -> tuple[Tensor, Tensor]:
    """A loud modality and one of a tenth its strength, each of four kinds, independent of each other."""
    draw = torch.Generator().manual_seed(0)
    kinds = torch.randint(4, (n, 2), generator=draw)
    loud, quiet = torch.randn(4, 5, generator=draw), torch.randn(4, 3, generator=draw)
    x = torch.cat([3 * loud[kinds[:, 0]] + torch.randn(n, 5, generator=draw), 0.3 * quiet[kinds[:, 1]]], 1)
    return x, kinds


def test_a_weak_modality_keeps_a_word_of_its_own() -> None:
    x, kinds = two_sources()
    torch.manual_seed(0)
    experts = ExpertQuantiser(WIDTHS, 1, 1, codes=4)
    fit_quantiser(experts, x)
    chain = trained_quantiser(x, 16, 3, 4)
    own, of_chain = (purity(quantiser.tokens(x)[0], kinds[:, 1]) for quantiser in (experts, chain))
    assert own > 0.95 and of_chain < 0.7
    assert purity(experts.tokens(x)[0][:, 2:], kinds[:, 1]) > 0.95


def test_orthogonality_keeps_experts_apart() -> None:
    x, alike = two_sources()[0], []
    for weight in (0.0, 10.0):
        torch.manual_seed(0)
        quantiser = ExpertQuantiser(WIDTHS, 2, 1, codes=4, orthogonality=weight)
        fit_quantiser(quantiser, x)
        alike.append(likeness(quantiser.latent(x)).item())
    assert alike[1] < 0.3 * alike[0]


@pytest.mark.parametrize("shape", list(SCHEMAS))
def test_an_item_has_a_word_of_every_expert_and_one_that_tells_it_apart(shape: str) -> None:
    schema, rows = SCHEMAS[shape], planted(SCHEMAS[shape], 300)
    met = collection(schema, rows)
    content, widths = joined_modalities(schema, met), modality_widths(schema)
    assert content.shape[1] == sum(widths) and len(widths) >= 1
    assert widths[-2:] == [5, 3] if shape == "vectors" else len(widths) <= 2  # a poster and a look
    torch.manual_seed(0)
    block = ExpertCodedScores(schema, 4, 6, shared=2)
    block.meet(met)
    words = block.tokeniser.trie.words
    assert words.shape[1] == 2 + len(widths) + 1
    assert len({tuple(w) for w in words[2:].tolist()}) == len(words) - 2
