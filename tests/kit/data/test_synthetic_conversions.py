"""The generator of conversions that arrive late, and what its planted law does to models that know of it and that do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from sandboxes.kit.data import Prepared
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.datasets.synthetic_conversions import Generated, SyntheticConversions, generate, synthetic_source
from sandboxes.kit.metrics import auc, log_loss
from sandboxes.kit.models import MODELS
from sandboxes.kit.training import TrainConfig, build, fit, predictions

SMALL = SyntheticConversions(rows=24_000)
TRAIN = 19_200


@pytest.fixture(scope="module")
def log() -> Generated:
    return generate(SMALL)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(synthetic_source(SMALL), tmp_path_factory.mktemp("data"))


def test_the_truth_is_calibrated_and_delays_have_their_means(log: Generated) -> None:
    converted, p = log.table["conversion"].to_numpy(), log.probabilities
    for low, high in ((0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 1)):
        own = (p >= low) & (p < high)
        assert abs(converted[own].mean() - p[own].mean()) < 4 * np.sqrt(0.25 / own.sum())
    waits = (log.table["conversion_time"] - log.table["time"]).to_numpy()
    units = (waits / log.mean_delays)[converted == 1]
    assert np.isnan(waits[converted == 0]).all()
    assert units.mean() == pytest.approx(1, abs=0.05) and (units > 1).mean() == pytest.approx(np.exp(-1), abs=0.02)
    assert log.mean_delays.max() > 3 * log.mean_delays.min()
    assert np.allclose(generate(replace(SMALL, spread=0.0)).mean_delays, SMALL.mean_delay)


def test_seeds_decide(log: Generated) -> None:
    again, other = generate(SMALL), generate(replace(SMALL, seed=1))
    assert again.table.equals(log.table) and not other.table.equals(log.table)


def test_it_says_that_it_is_synthetic(made: Prepared) -> None:
    assert made.synthetic and "SYNTHETIC" in made.provenance and not made.warnings


def test_a_plain_model_is_biased_as_the_law_says_and_one_of_the_delay_is_not(made: Prepared, log: Generated) -> None:
    """Of train's conversions, so many are known when it ends as had time to arrive: 1 - exp(-elapsed / mean delay)."""
    torch.set_num_threads(1)
    train, valid, test = (load_split(made.visible, split) for split in ("train", "valid", "test"))
    time = log.table["time"].to_numpy()[:TRAIN]
    arrived = 1 - np.exp(-(time.max() - time) / log.mean_delays[:TRAIN])
    expected = (log.probabilities[:TRAIN] * arrived).mean()
    truth, labels = log.probabilities[-len(test) :].mean(), made.hidden_labels("test")[:, 0]
    assert expected < 0.78 * truth
    reached = {}
    for name in ("dnn", "delayed_feedback", "delay_weighted"):
        model = build(MODELS[name], made.schema, {"embedding_dim": 8, "hidden_units": (32,)}, seed=0)
        fit(model, train, valid, TrainConfig(learning_rate=1e-2, batch_size=256, max_epochs=5, patience=5))
        said = predictions(model, test, 1)[:, 0]
        reached[name] = said.mean(), log_loss(labels, said), auc(labels, said)
    plain = reached.pop("dnn")
    assert plain[0] == pytest.approx(expected, rel=0.1)
    for mean, loss, area in reached.values():
        assert mean == pytest.approx(truth, rel=0.1)
        assert loss < plain[1] - 0.02 and area > plain[2] - 0.002
