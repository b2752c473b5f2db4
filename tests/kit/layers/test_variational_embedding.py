"""Gaussian embeddings: the plain embedding at prediction, the right spread in training, and the right divergence."""

from __future__ import annotations

import copy

import pytest
import torch
from random_rows import CATEGORIES_ONLY, NUMBERS_ONLY, OUTCOMES, PLAIN, RICH, SCHEMAS, random_rows
from torch.distributions import Normal, kl_divergence

from sandboxes.kit.layers import FeatureEmbedding, NumericDiscretisation, VariationalEmbedding
from sandboxes.kit.layers.feature_embedding import INITIAL_STD
from sandboxes.kit.schema import Schema
from sandboxes.kit.training.model import is_table

D = 4


def embedding(schema: Schema, **arguments: float) -> VariationalEmbedding:
    """With deviations that differ from id to id."""
    torch.manual_seed(0)
    block = VariationalEmbedding(schema, D, **arguments)
    if block.log_std_table is not None:
        torch.nn.init.normal_(block.log_std_table.weight)
    return block


def test_it_offers_all_that_the_plain_embedding_does() -> None:
    plain = {name for name in vars(FeatureEmbedding) if not name.startswith("_")}
    assert plain <= {name for name in dir(VariationalEmbedding) if not name.startswith("_")}


@pytest.mark.parametrize("kind", SCHEMAS)
def test_at_prediction_it_is_the_plain_embedding_of_its_means(kind: str) -> None:
    schema = SCHEMAS[kind]
    block, batch = embedding(schema).eval(), random_rows(schema, 20).whole
    plain = block.means
    assert torch.equal(block(batch), plain(batch))
    torch.testing.assert_close(block.with_histories(batch), plain.with_histories(batch))
    for sequence in schema.sequences:
        torch.testing.assert_close(block.pooled_history(batch, sequence.name), plain.pooled_history(batch, sequence.name))
        assert all(map(torch.equal, block.history(batch, sequence.name), plain.history(batch, sequence.name)))
    for field in schema.categorical:
        assert torch.equal(block.field(batch, field.name), plain.field(batch, field.name))


def test_outcomes_are_sampled_like_what_they_came_of() -> None:
    block, batch = embedding(OUTCOMES).eval(), random_rows(OUTCOMES, 40).whole
    (log,) = OUTCOMES.event_logs
    assert all(map(torch.equal, block.events(batch, log), block.means.events(batch, log)))
    target, values, mask, signs = block.train().events(batch, log)
    plain = block.means.events(batch, log)
    assert (target != plain[0]).all() and (values[mask] != plain[1][mask]).all() and (values[~mask] == 0).all()
    assert torch.equal(signs, plain[3])
    assert (block.entries(batch, "answers")[0][mask] != block.means.entries(batch, "answers")[0][mask]).all()


def test_in_training_each_id_has_its_mean_and_deviation() -> None:
    block, batch = embedding(CATEGORIES_ONLY).train(), random_rows(CATEGORIES_ONLY, 3).whole
    draws = torch.stack([block(batch) for _ in range(4000)]).detach()  # (n, B, F, D)
    rows = batch.ids + block.means.offsets
    std = INITIAL_STD * block.log_std_table.weight[rows].exp()
    assert ((draws.mean(0) - block.means(batch)).abs() < 5 * std / 4000**0.5).all()
    assert ((draws.std(0) / std - 1).abs() < 0.1).all()


def test_fields_and_histories_are_sampled_and_padding_and_numbers_are_not() -> None:
    block, batch = embedding(RICH).train(), random_rows(RICH, 40).whole
    n_categories = len(RICH.categorical)
    changed = block(batch) != block.means(batch)
    assert changed[:, :n_categories].all() and not changed[:, n_categories:].any()
    vectors, mask = block.history(batch, "clicked")
    assert (vectors[~mask] == 0).all()
    assert (vectors[mask] != block.means.history(batch, "clicked")[0][mask]).all()
    assert (block.field(batch, "item") != block.means.field(batch, "item")).all()
    empty = ~mask.any(1)
    assert empty.any() and (block.pooled_history(batch, "clicked")[empty] == 0).all()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("prior_std", "kl_weight"), [(1.0, 1e-4), (0.1, 2.0)])
def test_divergence_of_the_last_forward(training: bool, prior_std: float, kl_weight: float) -> None:
    block = embedding(PLAIN, prior_std=prior_std, kl_weight=kl_weight).train(training)
    block(random_rows(PLAIN, 30, seed=1).whole)
    batch = random_rows(PLAIN, 20).whole
    block(batch)
    wanted = torch.zeros(())
    for ids in batch.ids + block.means.offsets:
        for row in ids:
            posterior = Normal(block.means.table.weight[row], INITIAL_STD * block.log_std_table.weight[row].exp())
            wanted = wanted + kl_divergence(posterior, Normal(0.0, prior_std)).sum()
    torch.testing.assert_close(block.kl(), kl_weight * wanted / 20)


def test_the_divergence_pulls_to_the_prior() -> None:
    block, batch = embedding(CATEGORIES_ONLY, prior_std=0.5, kl_weight=1.0), random_rows(CATEGORIES_ONLY, 300).whole
    optimizer = torch.optim.Adam(block.parameters(), lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        block(batch)
        block.kl().backward()
        optimizer.step()
    rows = torch.unique(batch.ids + block.means.offsets)
    assert (block.means.table.weight[rows].abs() < 0.01).all()
    torch.testing.assert_close(
        INITIAL_STD * block.log_std_table.weight[rows].exp(), torch.full((len(rows), D), 0.5), atol=0.01, rtol=0
    )


def test_without_ids_there_is_nothing_to_diverge() -> None:
    block = embedding(NUMBERS_ONLY)
    assert block(random_rows(NUMBERS_ONLY, 5).whole).shape == (5, 2, D)
    assert block.kl() == 0


def test_divergence_before_any_forward_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="call the embedding on a batch first"):
        embedding(PLAIN).kl()


def test_numeric_fields_may_be_embedded_otherwise() -> None:
    block = VariationalEmbedding(PLAIN, D, numeric=(inner := NumericDiscretisation(2, D)))
    batch = random_rows(PLAIN, 5).whole
    assert torch.equal(block.train()(batch)[:, 3:], inner(batch.numeric))


def test_it_can_be_copied_after_a_forward_and_its_tables_are_known_as_such() -> None:
    block = embedding(PLAIN).train()
    block(random_rows(PLAIN, 5).whole)
    copied = copy.deepcopy(block)
    assert copied.kl() == block.kl()
    assert {n for n, _ in block.named_parameters() if is_table(n)} == {"means.table.weight", "log_std_table.weight"}
