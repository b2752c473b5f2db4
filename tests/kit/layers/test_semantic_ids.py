"""Items as code words: how they are quantised and told apart, and that a search of their trie says what all of them are worth.

Notation: N vectors, I ids of the target item, Q levels, K codes, T words of an item, B rows, M memory tokens, D width.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from planted_items import ITEM, ITEMS, KINDS, SCHEMAS, collection, planted
from torch import Tensor

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers import CodedItems, ItemTokeniser, ResidualQuantiser, SemanticIdDecoder, semantic_id_decoder
from sandboxes.kit.layers.code_collisions import room_in_tuple, told_apart
from sandboxes.kit.layers.code_decoder import CodeDecoder
from sandboxes.kit.layers.code_trie import CodeTrie
from sandboxes.kit.layers.item_content import PART, item_content, taken_together
from sandboxes.kit.layers.item_tokeniser import trained_quantiser
from sandboxes.kit.layers.k_means import k_means
from sandboxes.kit.layers.trie_search import all_log_probs, beam_log_probs, path_log_probs
from sandboxes.kit.schema import FIRST_ID, Schema

SIZES = (3, 2, 4)
TUPLES = list(itertools.product(*map(range, SIZES)))
Words = tuple[int, ...]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def clusters(n: int = 300, width: int = 6) -> Tensor:
    """Vectors (N, W) around 12 places, four in each of 3 countries."""
    draw = torch.Generator().manual_seed(0)
    country = 5 * torch.randn(3, width, generator=draw)
    place = torch.randn(12, width, generator=draw) + country[torch.arange(12) % 3]
    return place[torch.arange(n) % 12] + 0.1 * torch.randn(n, width, generator=draw)


def grown(items: list[Words]) -> CodeTrie:
    trie = CodeTrie(len(items) + FIRST_ID, SIZES)
    trie.grow(torch.tensor([(0,) * len(SIZES)] * FIRST_ID + items))
    return trie


def decoder(seed: int) -> tuple[CodeDecoder, Tensor]:
    """One of two layers, and memory (B, M, D) for two rows."""
    torch.manual_seed(seed)
    return CodeDecoder(SIZES, 8, n_layers=2).eval(), torch.randn(2, 3, 8)


# Quantising


def test_each_level_names_the_nearest_code_vector_to_what_those_before_left() -> None:
    torch.manual_seed(0)
    quantiser, latent = ResidualQuantiser(5, latent_dim=4, levels=3, codes=7), torch.randn(20, 4)
    found = quantiser.quantise(latent)
    books = quantiser.codebooks.detach().numpy()
    for row, vector in enumerate(latent.numpy()):
        rest = vector.copy()
        for level in range(3):
            np.testing.assert_allclose(found.residuals[row, level].detach(), rest, atol=1e-5)
            code = int(np.argmin([np.sum((rest - book) ** 2) for book in books[level]]))
            assert found.codes[row, level] == code
            rest = rest - books[level, code]


def test_loss_is_the_papers_and_a_code_vector_is_drawn_to_what_chose_it() -> None:
    torch.manual_seed(0)
    quantiser, x = ResidualQuantiser(5, latent_dim=4, levels=2, codes=3, hidden_units=(), commitment=0.5), torch.randn(20, 5)
    found = quantiser.quantise(quantiser.encoder(x))
    gaps = (found.residuals - found.chosen).square().sum((1, 2)).mean() / 4
    rebuilt = quantiser.decoder(found.chosen.sum(1))
    torch.testing.assert_close(quantiser(x), rebuilt, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(quantiser.loss(x), (rebuilt - x).square().mean() + 1.5 * gaps)
    quantiser.loss(x).backward()
    assert quantiser.codebooks.grad is not None
    for level, code in itertools.product(range(2), range(3)):
        own = found.codes[:, level] == code
        pull = 2 * (found.chosen - found.residuals).detach()[own, level].sum(0) / (20 * 4)
        torch.testing.assert_close(quantiser.codebooks.grad[level, code], pull, atol=1e-6, rtol=1e-4)


def test_gradients_pass_the_choice_as_if_it_were_not_there() -> None:
    """Without hidden layers the encoder's slope is that of the decoder, at the code vectors, times its input."""
    torch.manual_seed(0)
    quantiser, x = ResidualQuantiser(5, latent_dim=4, levels=2, codes=3, hidden_units=()), torch.randn(1, 5)
    quantiser(x).sum().backward()
    linear, out = quantiser.encoder[1], quantiser.decoder[1]
    torch.testing.assert_close(linear.weight.grad, out.weight.sum(0).outer(x[0]))
    assert quantiser.codebooks.grad is None


def test_every_level_brings_the_sum_of_code_vectors_nearer() -> None:
    x = clusters()
    torch.manual_seed(0)
    quantiser = trained_quantiser(x, latent_dim=4, levels=3, codes=3)
    latent = quantiser.encoder(x)
    found = quantiser.quantise(latent)
    errors = [(latent - found.chosen[:, :level].sum(1)).square().mean().item() for level in range(4)]
    assert errors[1] < 0.5 * errors[0] and errors[2] < 0.8 * errors[1] and errors[3] < errors[2]


def test_training_the_quantiser_rebuilds_what_its_start_does_not() -> None:
    x = clusters()
    torch.manual_seed(0)
    started = ResidualQuantiser(6, 4, 3, 6)
    started.start(x)
    torch.manual_seed(0)
    trained = trained_quantiser(x, 4, 3, 6)
    before, after = ((q(x) - x).square().mean().item() for q in (started, trained))
    assert after < 0.3 * before


def test_vectors_of_one_country_share_their_first_word() -> None:
    torch.manual_seed(0)
    codes, distances = trained_quantiser(clusters(), 4, 2, 3).tokens(clusters())
    assert [len(set(codes[country::3, 0].tolist())) for country in range(3)] == [1, 1, 1]
    assert len(set(codes[:, 0].tolist())) == 3
    assert torch.equal(distances.argmin(1), codes[:, -1])


def test_centres_are_their_own_points_means() -> None:
    x = clusters()
    centres = k_means(x, 12)
    nearest = torch.cdist(x, centres).argmin(1)
    for centre in range(12):
        torch.testing.assert_close(centres[centre], x[nearest == centre].mean(0), atol=1e-4, rtol=1e-4)
    assert torch.cdist(x, centres).amin(1).mean() < 0.5
    assert torch.equal(k_means(x, 12), centres)
    assert k_means(torch.ones(3, 2), 5).tolist() == [[1.0, 1.0]] * 5


def test_a_quantiser_without_levels_or_codes_is_refused() -> None:
    for levels, codes in ((0, 3), (3, 0)):
        with pytest.raises(ValueError, match="at least one level"):
            ResidualQuantiser(5, levels=levels, codes=codes)


# Telling apart


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 30), st.integers(1, 4), st.integers(1, 3), st.integers(0, 10_000))
def test_no_two_items_have_the_same_words_and_none_moves_without_need(n: int, k: int, q: int, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    distances = torch.rand(n, k, generator=draw)
    codes = torch.randint(k, (n, q), generator=draw)
    codes[:, -1] = distances.argmin(1)
    room = room_in_tuple(n, k)
    words = told_apart(codes, distances, room)
    assert len({tuple(w) for w in words.tolist()}) == n
    assert torch.equal(words[:, : q - 1], codes[:, : q - 1])
    assert words[:, -1].max() < room and words[:, -2].max() < k and words.min() >= 0
    for row in range(n):
        before = sum(torch.equal(codes[i], codes[row]) for i in range(row))
        if before < room:  # there was room when its turn came
            assert torch.equal(words[row, :-1], codes[row]) and words[row, -1] == before


def test_an_item_without_room_goes_to_the_nearest_tuple_that_has_some() -> None:
    distances = torch.tensor([[0.0, 1.0, 2.0], [0.0, 2.0, 1.0], [0.0, 2.0, 1.0], [9.0, 9.0, 0.0]])
    words = told_apart(torch.tensor([[5, 0], [5, 0], [5, 0], [5, 2]]), distances, 2)
    assert words.tolist() == [[5, 0, 0], [5, 0, 1], [5, 2, 1], [5, 2, 0]]
    with pytest.raises(ValueError, match="do not fit"):
        told_apart(torch.zeros(4, 2, dtype=torch.int64), distances, 1)


def test_what_is_taken_most_is_the_first_of_its_tuple() -> None:
    """Items are of a kind and nothing else here, so that those of a kind have one first word."""
    schema, rows = SCHEMAS["history"], planted(SCHEMAS["history"], 500)
    met = collection(schema, rows)
    torch.manual_seed(0)
    tokeniser = ItemTokeniser(schema, levels=2, codes=15)
    tokeniser.meet(met)
    words, counts = tokeniser.trie.words[FIRST_ID:], met.counts[FIRST_ID:]
    kinds = met.items.ids[FIRST_ID:, 1]
    first_words = [set(words[kinds == kind, 0].tolist()) for kind in range(2, KINDS + 2)]
    assert all(len(found) == 1 for found in first_words) and len(set.union(*first_words)) == KINDS
    for kind in range(2, KINDS + 2):
        most = counts * (kinds == kind)
        assert words[most.argmax(), -1] == 0


# What items are like


def test_items_that_the_same_users_took_are_like_each_other() -> None:
    rng = np.random.default_rng(0)
    users = rng.integers(2, 200, 3000)
    items = 2 + rng.integers(0, 10, 3000) * 2 + users % 2  # even users take even items
    vectors = taken_together(torch.from_numpy(np.stack([users, items], 1)), 200, 24)
    fit = vectors[2:22] @ vectors[2:22].T
    same = torch.arange(20)[:, None] % 2 == torch.arange(20) % 2
    assert vectors.shape == (24, PART)
    assert fit[same].min() > fit[~same].max() + 0.5
    taken = torch.bincount(torch.from_numpy(items), minlength=24) > 0
    torch.testing.assert_close(vectors.norm(dim=1), taken.float(), atol=1e-5, rtol=1e-5)


def test_content_is_of_fields_and_users_and_of_the_id_where_there_is_nothing_else() -> None:
    for shape, width in (("user", PART), ("user_and_history", 2 * PART), ("history", PART), ("context", PART + 1)):
        met = collection(SCHEMAS[shape], planted(SCHEMAS[shape], 500))
        assert item_content(SCHEMAS[shape], met).shape == (ITEMS + 2, width)
    of_kind = item_content(SCHEMAS["history"], collection(SCHEMAS["history"], planted(SCHEMAS["history"], 500)))
    assert torch.equal(of_kind[2], of_kind[2 + KINDS]) and not torch.equal(of_kind[2], of_kind[3])
    ids_alone = Batch(torch.arange(ITEMS + 2).unsqueeze(1), torch.zeros(ITEMS + 2, 0))
    nothing = Collection(ids_alone, torch.zeros(0, 2, dtype=torch.int64))
    hashes = item_content(Schema((ITEM,), target_item="item", predicts="items"), nothing)
    assert len(torch.unique(hashes, dim=0)) == ITEMS + 2


# Searching the trie

catalogues = st.lists(st.sampled_from(TUPLES), min_size=1, max_size=len(TUPLES), unique=True)


@settings(deadline=None, max_examples=60)
@given(catalogues)
def test_trie_walks_to_every_item_and_to_nothing_else(items: list[Words]) -> None:
    trie = grown(items)
    nodes: list[tuple[Words, int]] = [((), 0)]
    for depth in range(len(SIZES)):
        parents, following = trie.parents(depth), list[tuple[Words, int]]()
        for path, node in nodes:
            found = (t.tolist() for t in trie.branches(depth, torch.tensor(node)))
            for child, word, there in zip(*found, strict=True):
                if there:
                    following.append(((*path, word), child))
                    assert parents[child] == node
        nodes = following
        assert trie.n_nodes(depth + 1) == len(nodes) == len(parents)
    assert {path for path, _ in nodes} == set(items)
    assert all(items[int(trie.item_of[leaf]) - FIRST_ID] == path for path, leaf in nodes)


def test_two_items_with_the_same_words_are_refused() -> None:
    with pytest.raises(ValueError, match="same code words"):
        grown([(0, 1, 2), (1, 1, 1), (0, 1, 2)])


@settings(deadline=None, max_examples=40)
@given(catalogues, st.integers(0, 1000))
def test_exact_scores_are_those_of_every_path_and_are_chances(items: list[Words], seed: int) -> None:
    trie, (model, memory) = grown(items), decoder(seed)
    with torch.no_grad():
        scores = all_log_probs(model, trie, model.begin(memory))
        torch.testing.assert_close(scores.exp().sum(1), torch.ones(2))
        for item in range(FIRST_ID, trie.n_items):
            alone = path_log_probs(model, trie, model.begin(memory), torch.full((2,), item))
            torch.testing.assert_close(scores[:, item], alone, atol=1e-5, rtol=1e-5)


@settings(deadline=None, max_examples=40)
@given(catalogues, st.integers(0, 1000), st.integers(1, 30))
def test_beam_finds_what_a_beam_over_listed_prefixes_finds(items: list[Words], seed: int, width: int) -> None:
    trie, (model, memory) = grown(items), decoder(seed)
    with torch.no_grad():
        exact = all_log_probs(model, trie, model.begin(memory))
        whole = beam_log_probs(model, trie, model.begin(memory), len(TUPLES))
        found = beam_log_probs(model, trie, model.begin(memory), width)
    torch.testing.assert_close(whole, exact, atol=1e-5, rtol=1e-5)
    kept = ~torch.isneginf(found)
    torch.testing.assert_close(found[kept], exact[kept], atol=1e-5, rtol=1e-5)
    for row in range(2):
        assert set(kept[row].nonzero().flatten().tolist()) == listed_beam(items, exact[row], width)


def listed_beam(items: list[Words], scores: Tensor, width: int) -> set[int]:
    """The items that a beam keeps: a prefix's chance is the sum over the items that it begins."""
    kept: set[Words] = {()}
    for depth in range(1, len(SIZES) + 1):
        chances: dict[Words, float] = {}
        for item, score in zip(items, scores[FIRST_ID:].double().exp().tolist(), strict=True):
            if item[: depth - 1] in kept:
                chances[item[:depth]] = chances.get(item[:depth], 0.0) + score
        kept = set(sorted(chances, key=chances.__getitem__, reverse=True)[:width])
    return {FIRST_ID + items.index(item) for item in kept}


def test_log_probability_is_a_sum_over_words_of_a_softmax_over_those_that_lead_to_an_item() -> None:
    items = [(0, 0, 0), (0, 0, 3), (0, 1, 2), (2, 1, 1)]
    trie, (model, memory) = grown(items), decoder(4)
    with torch.no_grad():
        scores = all_log_probs(model, trie, model.begin(memory))
        for number, item in enumerate(items):
            prefixes, total = model.begin(memory), torch.zeros(2)
            for depth, word in enumerate(item):
                logits, prefixes = model.step(prefixes, depth, torch.tensor([[item[depth - 1]]]) if depth else None)
                legal = sorted({other[depth] for other in items if other[:depth] == item[:depth]})
                total += logits[:, 0, word] - logits[:, 0, legal].logsumexp(1)
            torch.testing.assert_close(scores[:, FIRST_ID + number], total, atol=1e-5, rtol=1e-5)


def test_a_word_depends_on_every_word_before_it_and_on_the_memory() -> None:
    model, memory = decoder(0)

    def said(first: int, second: int, seen: Tensor) -> Tensor:
        _, prefixes = model.step(model.begin(seen), 0)
        _, prefixes = model.step(prefixes, 1, torch.tensor([[first]]))
        return model.step(prefixes, 2, torch.tensor([[second]]))[0]

    base = said(0, 0, memory)
    for other in (said(1, 0, memory), said(0, 1, memory), said(0, 0, memory.flip(2))):
        assert (other - base).abs().max() > 1e-3


def met_decoder() -> SemanticIdDecoder:
    schema, rows = SCHEMAS["user"], planted(SCHEMAS["user"], 300)
    torch.manual_seed(0)
    block = SemanticIdDecoder(schema, 8, 5).eval()
    block.meet(collection(schema, rows))
    return block


def test_padding_of_memory_does_not_matter_and_rows_are_their_own() -> None:
    block = met_decoder()
    memory, real = torch.randn(6, 4, 5), torch.arange(4) < torch.tensor([[1], [2], [3], [4], [4], [0]])
    with torch.no_grad():
        scores = block(memory, real)
        noise = torch.where(real.unsqueeze(2), memory, torch.randn(6, 4, 5))
        torch.testing.assert_close(block(noise, real), scores)
        torch.testing.assert_close(block(memory[2:3, :3]), scores[2:3], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(block(memory[0, :1]), scores[:1], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(block.search(memory, real), scores)
        items = torch.tensor([2, 5, 9, 30, 61, 7])
        picked = scores[torch.arange(6), items]
        torch.testing.assert_close(block.loss(memory, items, real), -picked.mean(), atol=1e-5, rtol=1e-5)
    assert (scores[:, :FIRST_ID] == scores[:, FIRST_ID:].amin(1, keepdim=True)).all()


def test_large_catalogues_are_searched_by_a_beam(monkeypatch: pytest.MonkeyPatch) -> None:
    block, memory = met_decoder(), torch.randn(5, 3, 5)
    monkeypatch.setattr(semantic_id_decoder, "EXACT_ITEMS", 10)
    monkeypatch.setattr(semantic_id_decoder, "BEAM", 7)
    monkeypatch.setattr(semantic_id_decoder, "STATES_AT_ONCE", 14)  # two rows
    with torch.no_grad():
        found, exact = block.search(memory), block(memory)
    kept = ~torch.isneginf(found)
    assert (kept.sum(1) == 7).all()
    torch.testing.assert_close(found[kept], exact[kept], atol=1e-5, rtol=1e-5)


def test_an_items_vector_is_the_sum_of_its_words() -> None:
    items = [(0, 0, 0), (0, 0, 3), (2, 1, 1)]
    trie = grown(items)
    coded = CodedItems(trie, 4)
    table = coded.table.weight.detach()
    assert len(table) == sum(SIZES) + 1
    found = coded(trie, torch.arange(5).reshape(1, 5)).detach()
    for number, (a, b, c) in enumerate(items):
        torch.testing.assert_close(found[0, FIRST_ID + number], table[a] + table[3 + b] + table[5 + c])
    torch.testing.assert_close(found[0, 0], 3 * table[-1])
    assert torch.equal(found[0, 0], found[0, 1])
