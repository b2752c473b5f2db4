"""What items known by code words are for: those that nobody took yet are recommended by what they share with others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from planted_items import ITEMS, KINDS, LENGTH, SCHEMAS, PlantedQueries, collection, kind_of, planted
from torch import nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import load_collection
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.datasets.synthetic_visits import SyntheticVisits, synthetic_source
from sandboxes.kit.models import ITEM_MODELS
from sandboxes.kit.ranking import Answers, ndcg_at
from sandboxes.kit.schema import FIRST_ID
from sandboxes.kit.training import TrainConfig, build, fit, goal_of, ranked_lists
from sandboxes.kit.training.model import item_scores

SCHEMA = SCHEMAS["history"]
NEVER_TAKEN = range(FIRST_ID + ITEMS - 5 * KINDS, FIRST_ID + ITEMS)  # five of each kind
CODED = ("coded_sasrec", "semantic_ids")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def follow(rows: int, seed: int, training: bool = True) -> PlantedQueries:
    """The next item is any of the kind of the last one seen, but none of NEVER_TAKEN."""
    rng = np.random.default_rng(seed)
    seen = rng.integers(FIRST_ID, NEVER_TAKEN.start, (rows, LENGTH))
    nth = rng.integers(0, ITEMS // KINDS - 5, rows)
    answer = FIRST_ID + nth * KINDS + (kind_of(seen[:, -1]) - kind_of(np.array(FIRST_ID))) % KINDS
    assert (kind_of(answer) == kind_of(seen[:, -1])).all() and answer.max() < NEVER_TAKEN.start
    batch = Batch(torch.zeros(rows, 2, dtype=torch.int64), torch.zeros(rows, 0), {"seen": torch.from_numpy(seen)})
    answers = Answers(np.arange(rows + 1), answer.astype(np.int32))
    return PlantedQueries(replace(batch, answer=torch.from_numpy(answer)), answers, training=training)


def trained(name: str, train: PlantedQueries, valid: PlantedQueries) -> nn.Module:
    model = build(ITEM_MODELS[name], SCHEMA, {"embedding_dim": 8, "dropout": 0.0}, 0, collection=collection(SCHEMA, train))
    # A decoder finds what the last item seen says in more and smaller steps.
    rate, rows = (3e-3, 50) if name == "semantic_ids" else (1e-2, 128)
    fit(model, train, valid, TrainConfig(learning_rate=rate, batch_size=rows, max_epochs=10, patience=10), goal=goal_of(SCHEMA))
    return model


@pytest.mark.parametrize("name", ["sasrec", *CODED])
def test_items_never_taken_are_told_apart_by_code_words_and_not_by_ids(name: str) -> None:
    model = trained(name, follow(2000, 0), follow(200, 1, training=False))
    test = follow(400, 2, training=False).all
    scores = item_scores(model, test)[:, NEVER_TAKEN.start :].numpy()  # (B, 5 KINDS)
    own = kind_of(np.array(NEVER_TAKEN)) == kind_of(test.history["seen"][:, -1:].numpy())  # (B, 5 KINDS)
    pairs = (scores[:, :, None] > scores[:, None, :])[own[:, :, None] & ~own[:, None, :]]
    assert pairs.mean() > 0.9 if name in CODED else pairs.mean() < 0.75


@pytest.mark.parametrize("name", CODED)
def test_words_are_those_of_the_collection_and_stay_as_they_are(name: str) -> None:
    train = follow(300, 0)
    model = build(ITEM_MODELS[name], SCHEMA, {}, 0, collection=collection(SCHEMA, train))
    words = [(n, b.clone()) for n, b in model.named_buffers() if n.endswith("trie.words")]
    assert len(words) == 1 and len(torch.unique(words[0][1][FIRST_ID:], dim=0)) == ITEMS
    fit(model, train, follow(50, 1, training=False), TrainConfig(max_epochs=1), goal=goal_of(SCHEMA))
    assert torch.equal(dict(model.named_buffers())[words[0][0]], words[0][1])
    assert not torch.equal(dict(build(ITEM_MODELS[name], SCHEMA, {}, 0).named_buffers())[words[0][0]], words[0][1])


def test_loss_of_generation_is_the_softmax_over_exact_scores() -> None:
    rows = planted(SCHEMA, 40)
    model = build(ITEM_MODELS["semantic_ids"], SCHEMA, {}, 0, collection=collection(SCHEMA, rows)).eval()
    with torch.no_grad():
        scores = model(rows.all)
        torch.testing.assert_close(scores[:, FIRST_ID:].exp().sum(1), torch.ones(40))
        assert rows.all.answer is not None
        picked = scores.gather(1, rows.all.answer.unsqueeze(1))
        torch.testing.assert_close(model.loss(rows.all), -picked.mean(), atol=1e-5, rtol=1e-5)


def test_generation_finds_what_comes_next_in_generated_visits(tmp_path: Path) -> None:
    walks = SyntheticVisits(users=800, items=100, categories=6, taste=0.5, popularity=0.5, walk=2.5)
    made = prepare(synthetic_source(walks), tmp_path)
    train, valid, test = (load_split(made.visible, split) for split in ("train", "valid", "test"))
    found = {}
    for name in ("popularity", "semantic_ids"):
        model = build(ITEM_MODELS[name], made.schema, {}, 0, collection=load_collection(made.visible))
        config = TrainConfig(learning_rate=1e-2, batch_size=256, max_epochs=3, patience=2)
        fit(model, train, valid, config, goal=goal_of(made.schema))
        found[name] = ndcg_at(ranked_lists(model, test, made.schema.n_items), made.hidden_answers("test")).mean()
    assert found["semantic_ids"] > 1.25 * found["popularity"], found
