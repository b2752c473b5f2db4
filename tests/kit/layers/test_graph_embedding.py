"""Graphs of what occurs together in train, and embeddings smoothed over them.

Notation: V rows of the table, D embedding width, L history length.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from random_rows import CATEGORIES_ONLY, NUMBERS_ONLY, RICH, RandomRows, random_rows
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import FeatureEmbedding, GraphEmbedding
from sandboxes.kit.layers.occurrence_graph import attribute_pairs, companion_pairs, most_frequent
from sandboxes.kit.schema import CategoricalField, Schema, SequenceField, Task
from sandboxes.kit.training import TrainConfig, fit
from sandboxes.kit.training.model import survey

D = 3
SHOP = Schema(
    (
        CategoricalField("user", 6, "user"),
        CategoricalField("item", 8, "item"),
        CategoricalField("brand", 5, "item"),
        CategoricalField("hour", 9),
    ),
    sequences=(SequenceField("clicked", "item", 4), SequenceField("hours", "hour", 1)),
    target_item="item",
)
ITEM, BRAND = 6, 14  # the first rows of the table
ROWS = Batch(
    torch.tensor([[2, 2, 2, 3], [3, 2, 2, 3], [4, 3, 2, 3], [5, 2, 3, 3], [2, 1, 2, 4], [2, 4, 1, 4]]),
    torch.zeros(6, 0),
    {
        "clicked": torch.tensor([[0, 0, 2, 3], [0, 2, 3, 5], [2, 3, 3, 1], [0, 0, 0, 7], [0, 0, 5, 3], [1, 6, 1, 6]]),
        "hours": torch.tensor([[3]] * 6),
    },
)


def test_attributes_are_values_of_one_thing_and_companions_stand_side_by_side_in_a_history() -> None:
    def ways(pairs: dict[tuple[int, int], int]) -> Counter[tuple[int, int]]:
        return Counter({**pairs, **{(b, a): n for (a, b), n in pairs.items()}})

    attributes = Counter(map(tuple, attribute_pairs(SHOP, ROWS).tolist()))
    assert attributes == ways({(ITEM + 2, BRAND + 2): 2, (ITEM + 3, BRAND + 2): 1, (ITEM + 2, BRAND + 3): 1})
    companions = Counter(map(tuple, companion_pairs(SHOP, ROWS).tolist()))
    assert companions == ways({(ITEM + 2, ITEM + 3): 3, (ITEM + 3, ITEM + 5): 2})


def test_the_id_of_a_side_is_the_field_that_is_named_else_that_of_most_values() -> None:
    fields = (CategoricalField("kind", 9, "item"), CategoricalField("item", 5, "item"), CategoricalField("brand", 7, "item"))
    rows = Batch(torch.tensor([[2, 3, 4]]), torch.zeros(1, 0))
    named, unnamed = (attribute_pairs(Schema(fields, target_item=n), rows)[:2].tolist() for n in ("item", None))
    assert named == [[9 + 3, 2], [9 + 3, 14 + 4]] and unnamed == [[2, 14 + 4], [2, 9 + 3]]


def test_the_most_frequent_come_first_and_gaps_are_minus_one() -> None:
    pairs = torch.tensor([[0, 4], [0, 2], [0, 4], [0, 1], [0, 3], [0, 3], [3, 0], [2, 2]])
    assert most_frequent(pairs, 5, 3).tolist() == [[3, 4, 1], [-1] * 3, [2, -1, -1], [0, -1, -1], [-1] * 3]
    assert most_frequent(pairs[:0], 2, 1).tolist() == [[-1], [-1]]


def smoothed(vectors: np.ndarray, graph: Tensor) -> np.ndarray:
    neighbours = [[n for n in row if n >= 0] for row in graph.tolist()]
    return np.stack([(v + vectors[n].mean(0)) / 2 if n else v for v, n in zip(vectors, neighbours, strict=True)])


@pytest.mark.parametrize("n_layers", [1, 2])
def test_vectors_are_smoothed_over_attributes_then_over_companions(n_layers: int) -> None:
    torch.manual_seed(0)
    block = GraphEmbedding(SHOP, D, n_neighbours=2, n_layers=n_layers)
    block.survey(ROWS)
    wanted = smoothed(block.table.weight.detach().numpy(), block.table.attributes)
    for _ in range(n_layers):
        wanted = smoothed(wanted, block.table.companions)
    offsets = block.offsets.tolist()
    assert (block.table.attributes >= 0).any() and (block.table.companions >= 0).any()

    def same(found: Tensor, rows: np.ndarray) -> None:
        np.testing.assert_allclose(found.detach().numpy(), wanted[rows], atol=1e-6)

    same(block(ROWS), ROWS.ids.numpy() + np.array(offsets))
    same(block.target(ROWS, "clicked"), ROWS.ids[:, 1].numpy() + ITEM)
    entries, mask = block.history(ROWS, "clicked")
    same(entries[mask], ROWS.history["clicked"][mask].numpy() + ITEM)
    pooled = block.pooled_history(ROWS, "clicked").detach().numpy()
    for row, ids in enumerate(ROWS.history["clicked"].tolist()):
        np.testing.assert_allclose(pooled[row], wanted[[ITEM + i for i in ids if i]].mean(0), atol=1e-6)


def test_gradients_of_looked_up_rows_are_those_of_the_whole_table() -> None:
    torch.manual_seed(0)
    block, gradients, heard = GraphEmbedding(SHOP, D, n_neighbours=2), [], []
    block.survey(ROWS)
    for watcher in (None, heard.append):
        block.table.watcher = watcher
        block.zero_grad()
        (block(ROWS).square().sum() + block.history(ROWS, "clicked")[0].sum()).backward()
        gradients.append(block.table.weight.grad)
    assert gradients[1].is_sparse and heard
    torch.testing.assert_close(gradients[1].to_dense(), gradients[0])


def test_companions_come_in_when_attributes_have_had_their_share_and_are_there_in_evaluation() -> None:
    torch.manual_seed(0)
    block, at_once = GraphEmbedding(SHOP, D, attributes_first=0.5), GraphEmbedding(SHOP, D)
    at_once.load_state_dict(block.state_dict())
    for other in (block, at_once):
        other.survey(ROWS)
    whole = at_once(ROWS)
    assert torch.equal(block.train()(ROWS), whole)  # where nobody tells the progress
    block.table.set_progress(0.49)
    early = block(ROWS)
    by_attributes = smoothed(block.table.weight.detach().numpy(), block.table.attributes)
    np.testing.assert_allclose(early[:, 1].detach(), by_attributes[ROWS.ids[:, 1] + ITEM], atol=1e-6)
    assert not torch.allclose(early, whole)
    assert torch.equal(block.eval()(ROWS), whole)
    block.table.set_progress(0.5)
    assert torch.equal(block.train()(ROWS), whole)


def test_without_anything_that_occurs_together_it_is_a_plain_embedding() -> None:
    for schema in (NUMBERS_ONLY, CATEGORIES_ONLY):
        torch.manual_seed(0)
        block, rows = GraphEmbedding(schema, D), random_rows(schema).whole
        plain = FeatureEmbedding(schema, D)
        plain.load_state_dict(block.state_dict(), strict=False)
        block.survey(rows)
        assert torch.equal(block(rows), plain(rows))


class Clicks(nn.Module):
    def __init__(self, kind: type[FeatureEmbedding], schema: Schema) -> None:
        super().__init__()
        self.embedding, self.output = kind(schema, 4), nn.Linear(4, 1)

    def forward(self, batch: Batch) -> Tensor:
        return self.output(self.embedding(batch)[:, 0])


def test_an_item_never_offered_is_known_by_its_company() -> None:
    """Items of one half are clicked, and histories hold items of one half each; half of the items are in histories alone."""
    schema = Schema((CategoricalField("item", 42, "item"),), sequences=(SequenceField("past", "item", 6),))
    rng = np.random.default_rng(0)
    half = np.arange(42) % 2

    def rows(offered: np.ndarray) -> Batch:
        items = rng.choice(offered, 600)
        past = 2 + 2 * rng.integers(0, 20, (600, 6)) + rng.integers(0, 2, (600, 1))
        labels = torch.from_numpy(half[items]).float().unsqueeze(1)
        return Batch(torch.from_numpy(items).unsqueeze(1), torch.zeros(600, 0), {"past": torch.from_numpy(past)}, labels)

    known, unknown, losses = rows(np.arange(2, 22)), rows(np.arange(22, 42)), {}
    for kind in (FeatureEmbedding, GraphEmbedding):
        torch.manual_seed(0)
        model = Clicks(kind, schema)
        survey(model, RandomRows(known))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        for _ in range(60):
            optimizer.zero_grad()
            functional.binary_cross_entropy_with_logits(model(known), known.labels).backward()
            optimizer.step()
        losses[kind] = functional.binary_cross_entropy_with_logits(model(unknown), unknown.labels).item()
    assert losses[FeatureEmbedding] > 0.6 and losses[GraphEmbedding] < 0.2


def test_training_shows_a_model_its_training_rows_and_a_trained_model_keeps_the_graph() -> None:
    torch.manual_seed(0)
    schema = replace(RICH, tasks=(Task("click"),))
    train, valid = random_rows(schema, 200), random_rows(schema, 100, seed=1)
    model = Clicks(GraphEmbedding, schema)
    fit(model, train, valid, TrainConfig(max_epochs=1, batch_size=100))
    wanted = most_frequent(companion_pairs(schema, train.whole), len(model.embedding.table.weight), 4)
    assert torch.equal(model.state_dict()["embedding.table.companions"], wanted) and (wanted >= 0).any()
