"""The generator of visits: its truth is the truth, what was planted is there, and a model that reads it comes near the truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sandboxes.kit.collection import load_collection
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.datasets.synthetic_visits import Generated, SyntheticVisits, generate, synthetic_source
from sandboxes.kit.models import ITEM_MODELS
from sandboxes.kit.ranking import Answers, ndcg_at
from sandboxes.kit.training import TrainConfig, build, fit, goal_of, ranked_lists

SMALL = SyntheticVisits(users=1_200, items=150, categories=6, taste=0.5, popularity=0.5, walk=2.5)


@pytest.fixture(scope="module")
def log() -> Generated:
    return generate(SMALL)


def last_items(made: Generated) -> np.ndarray:
    return made.table.group_by("user", maintain_order=True).last()["item"].to_numpy()


def truth_ndcg(made: Generated) -> float:
    last = last_items(made)
    ranked = np.argsort(-made.chances, axis=1)[:, :100]
    return float(ndcg_at(ranked, Answers(np.arange(len(last) + 1), last.astype(np.int32))).mean())


def test_nobody_visits_an_item_twice_and_chances_add_up(log: Generated) -> None:
    assert log.table.select("user", "item").is_unique().all()
    assert np.allclose(log.chances.sum(1), 1)
    visits = log.table.group_by("user").len()["len"]
    assert visits.min() >= SMALL.fewest and visits.max() <= SMALL.most  # type: ignore[operator]
    for user in range(5):
        before = log.table.filter(log.table["user"] == user)["item"][:-1].to_list()
        assert (log.chances[user, before] == 0).all()


def test_the_truth_is_calibrated(log: Generated) -> None:
    """Items given a chance between two bounds are visited as often as that says."""
    happened = np.zeros(log.chances.shape)
    happened[np.arange(len(happened)), last_items(log)] = 1
    for low, high in ((0.001, 0.01), (0.01, 0.05), (0.05, 0.2), (0.2, 1)):
        own = (log.chances >= low) & (log.chances < high)
        mean = log.chances[own].mean()
        assert abs(happened[own].mean() - mean) < 4 * np.sqrt(mean / own.sum())


@pytest.mark.parametrize("planted", ["taste", "popularity", "walk"])
def test_what_is_planted_makes_the_next_item_easier_to_tell(planted: str) -> None:
    nothing = replace(SMALL, taste=0.0, popularity=0.0, walk=0.0)
    assert truth_ndcg(generate(replace(nothing, **{planted: 1.5}))) > truth_ndcg(generate(nothing)) + 0.03


def test_a_reader_of_histories_comes_nearer_the_truth(log: Generated, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    made = prepare(synthetic_source(SMALL), tmp_path)
    assert made.synthetic and made.sizes["test"] == made.sizes["valid"] == SMALL.users
    train, valid, test = (load_split(made.visible, split) for split in ("train", "valid", "test"))
    found = {}
    for name in ("popularity", "sasrec"):
        model = build(ITEM_MODELS[name], made.schema, {}, 0, collection=load_collection(made.visible))
        config = TrainConfig(learning_rate=1e-2, batch_size=256, max_epochs=6, patience=2)
        fit(model, train, valid, config, goal=goal_of(made.schema))
        found[name] = ndcg_at(ranked_lists(model, test, made.schema.n_items), made.hidden_answers("test")).mean()
    truth = truth_ndcg(log)
    assert found["popularity"] < 0.6 * truth
    assert 0.75 * truth < found["sasrec"] < 1.05 * truth
