"""Rare ids that lean on shared vectors, against the formula, and what they gain by it. Notation: B rows, D embedding width."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from random_rows import OUTCOMES, PLAIN, RICH, random_rows
from torch import nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import FeatureEmbedding, SharedRareEmbedding
from sandboxes.kit.layers.table_rows import TableRows
from sandboxes.kit.schema import CategoricalField, Schema

D = 4


def built(schema: Schema = RICH, **arguments: float) -> SharedRareEmbedding:
    torch.manual_seed(0)
    block = SharedRareEmbedding(schema, D, **arguments)
    nn.init.normal_(block.table.shared)
    if block.table.choice_table is not None:
        nn.init.normal_(block.table.choice_table.weight)
    return block


@pytest.mark.parametrize("n_shared", [1, 3])
def test_vectors_and_histories(n_shared: int) -> None:
    block, trained_on, batch = (
        built(n_shared=n_shared, half_at=5.0),
        random_rows(RICH, 40, seed=1).whole,
        random_rows(RICH, 9).whole,
    )
    block.train()(trained_on)
    counts = np.zeros(block.table.n_rows)
    for row in (trained_on.ids + block.offsets).numpy():
        counts[row] += 1
    weight, shared = block.table.weight.detach().numpy(), block.table.shared.detach().numpy()

    def wanted(row: int, field: int) -> np.ndarray:
        logits = block.table.choice_table.weight[row].detach().numpy() if n_shared > 1 else np.zeros(1)
        shares, own = np.exp(logits) / np.exp(logits).sum(), counts[row] / (counts[row] + 5.0)
        return own * weight[row] + (1 - own) * shares @ shared[field]

    found = block.eval()(batch).detach().numpy()
    for b, row in enumerate((batch.ids + block.offsets).numpy()):
        for field in range(3):
            np.testing.assert_allclose(found[b, field], wanted(row[field], field), rtol=1e-5, atol=1e-7)
    pooled, entries = block.pooled_history(batch, "clicked").detach(), block.history(batch, "clicked")[0].detach()
    for b, ids in enumerate(batch.history["clicked"].tolist()):
        real = [wanted(i + block.offsets[1].item(), 1) for i in ids if i]
        np.testing.assert_allclose(pooled[b], np.mean(real, 0) if real else 0, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(entries[b].sum(0), np.sum(real, 0) if real else 0, rtol=1e-5, atol=1e-6)


def test_only_rows_in_training_are_counted() -> None:
    block, batch = built(PLAIN), random_rows(PLAIN, 30).whole
    block.eval()(batch)
    block.train().vectors_of("item", torch.arange(9), batch)
    assert (block.table.seen == 0).all()
    for times in (1, 2):
        block.train()(batch)
        counted = torch.bincount((batch.ids + block.offsets).flatten(), minlength=block.table.n_rows)
        assert torch.equal(block.table.seen, times * counted.float())
    assert "table.seen" in block.state_dict()  # a served model has them


def test_a_field_shares_from_its_first_id_to_its_last() -> None:
    table, sizes = built(PLAIN, n_shared=1).table, [12, 9, 5]
    vectors = table(torch.arange(table.n_rows)).split(sizes)
    for field, of_field in enumerate(vectors):
        torch.testing.assert_close(of_field, table.shared[field].expand(sizes[field], D))


def test_what_came_of_the_past_is_never_rare() -> None:
    block, rows = built(OUTCOMES), TableRows(OUTCOMES)
    answers = rows.history(random_rows(OUTCOMES, 20).whole, "answers").unique()
    assert torch.equal(block.table(answers), block.table.weight[answers])


def test_ids_seen_once_tell_of_each_other() -> None:
    """Ids of which there is one row each are clicked mostly, common ones seldom; later come others of either."""
    schema = Schema((CategoricalField("ad", 2050), CategoricalField("hour", 5)))
    draw = torch.Generator().manual_seed(0)

    def rows(rare: torch.Tensor) -> Batch:
        common = torch.randint(2, 12, (len(rare),), generator=draw)
        is_rare = torch.rand(len(rare), generator=draw) < 0.5
        label = torch.rand(len(rare), generator=draw) < torch.where(is_rare, 0.9, 0.1)
        ids = torch.stack([torch.where(is_rare, rare, common), torch.full_like(rare, 2)], 1)
        return Batch(ids, torch.zeros(len(rare), 0), labels=label.float().unsqueeze(1))

    train, later, losses = rows(torch.arange(20, 1020)), rows(torch.arange(1020, 2020)), {}
    for kind in (SharedRareEmbedding, FeatureEmbedding):
        torch.manual_seed(0)
        embedding, output = kind(schema, D), nn.Linear(D, 1, bias=False)  # vectors alone tell rare from common
        optimiser = torch.optim.Adam([*embedding.parameters(), *output.parameters()], lr=0.03)
        for _ in range(4):
            for part in torch.arange(1000).split(50):
                optimiser.zero_grad()
                logits = output(embedding.train()(train[part])[:, 0])
                nn.functional.binary_cross_entropy_with_logits(logits, train.labels[part]).backward()
                optimiser.step()
        logits = output(embedding.eval()(later)[:, 0])
        losses[kind] = nn.functional.binary_cross_entropy_with_logits(logits, later.labels).item()
    assert losses[SharedRareEmbedding] < 0.45 < 0.55 < losses[FeatureEmbedding]
