"""The generator of posters: its truth is the truth, and new items are told apart by what their vectors show, by nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import GivenVectors, Source
from sandboxes.kit.datasets.synthetic_posters import SyntheticPosters, generate, posters, synthetic_source
from sandboxes.kit.metrics import auc
from sandboxes.kit.models import MODELS
from sandboxes.kit.schema import UNKNOWN_ID
from sandboxes.kit.training import TrainConfig, build, fit, predictions

SMALL = SyntheticPosters(users=200, items=400, rows=12_000)
CONFIG = TrainConfig(learning_rate=3e-3, batch_size=256, max_epochs=4)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def of_new_items(source: Source, folder: Path, model: str) -> tuple[float, float]:
    """The AUC on test rows of items that train does not hold, of the model and of the truth."""
    made = prepare(source, folder)
    train, valid, test = (load_split(made.visible, split) for split in ("train", "valid", "test"))
    fitted = build(MODELS[model], made.schema, {"hidden_units": (32,)}, 0)
    fit(fitted, train, valid, CONFIG)
    new = test.ids[:, made.schema.index_of("item_id")] == UNKNOWN_ID
    assert 0.4 < new.mean() < 0.8
    labels, truth = made.hidden_labels("test")[new, 0], generate(SMALL).chances[-len(test) :][new]
    return auc(labels, predictions(fitted, test, 1)[new, 0]), auc(labels, truth)


def test_chances_are_those_of_clicks() -> None:
    made = generate(SMALL)
    clicks = made.table["click"].to_numpy()
    for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)):
        own = (made.chances >= low) & (made.chances < high)
        mean = made.chances[own].mean()
        assert abs(clicks[own].mean() - mean) < 4 * np.sqrt(mean / own.sum())
    assert made.table["item"].max() < SMALL.items == len(made.posters)


@pytest.mark.parametrize("model", ["lr", "dnn", "din"])
def test_new_items_are_known_by_their_vectors(model: str, tmp_path: Path) -> None:
    source = synthetic_source(SMALL)
    found, truth = of_new_items(source, tmp_path, model)
    without, _ = of_new_items(replace(source, spec=replace(source.spec, vectors=())), tmp_path, model)
    assert 0.42 < without < 0.58 and found > without + 0.1 and found < truth + 0.01


def test_vectors_of_other_items_teach_nothing_of_new_ones(tmp_path: Path) -> None:
    def shuffled() -> GivenVectors:
        right = posters(SMALL)
        return replace(right, vectors=np.random.default_rng(1).permutation(right.vectors))

    found, _ = of_new_items(replace(synthetic_source(SMALL), vectors={"poster": shuffled}, content="other"), tmp_path, "lr")
    assert 0.44 < found < 0.56
