"""The generator of decisions: its truth is the truth, what was planted is there, the interval of the host holds the true value
about as often as it says, and learned policies are truly better than the one that was logged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from agents.compare import truth_of
from agents.compare.influence import mean_influence, ratio_parts
from agents.compare.policies import PolicyTruth
from sandboxes.kit.collection import load_collection
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.encoders import Encoders
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.datasets.synthetic_decisions import Generated, SyntheticDecisions, generate, synthetic_source
from sandboxes.kit.models import POLICY_MODELS
from sandboxes.kit.off_policy import self_normalised_value, weights_of
from sandboxes.kit.training import TrainConfig, build, fit, goal_of, policies

SMALL = SyntheticDecisions(decisions=12_000, users=300, actions=8)


@pytest.fixture(scope="module")
def log() -> Generated:
    return generate(SMALL)


def column(made: Generated, name: str) -> np.ndarray:
    return made.table[name].to_numpy()


def test_the_truth_is_calibrated(log: Generated) -> None:
    """Actions and rewards happen as often as their chances say, whatever these are."""
    own = np.arange(SMALL.decisions), column(log, "action")
    assert np.allclose(log.logging.sum(1), 1) and np.allclose(log.logging[own], column(log, "probability"))
    taken = np.zeros(log.logging.shape)
    taken[own] = 1
    for happened, chances in ((taken, log.logging), (column(log, "reward"), log.rewards[own])):
        for low, high in ((0.0, 0.1), (0.1, 0.3), (0.3, 1.0)):
            among = (chances >= low) & (chances < high)
            mean = chances[among].mean()
            assert abs(happened[among].mean() - mean) < 4 * np.sqrt(mean / among.sum())


@pytest.mark.parametrize("planted", ["taste", "liking", "hour"])
def test_what_is_planted_is_worth_knowing(planted: str) -> None:
    nothing = replace(SMALL, taste=0.0, liking=0.0, hour=0.0)
    assert generate(nothing).rewards.std() < 1e-12
    made = generate(replace(nothing, **{planted: 1.5}))
    best, fixed = made.rewards.max(1).mean(), made.rewards.mean(0).max()
    assert best > 0.1 and (best > fixed + 0.05) == (planted != "liking")


def test_another_log_is_of_the_same_world(log: Generated) -> None:
    other = generate(replace(SMALL, log=1))
    assert not other.table.equals(log.table) and generate(SMALL).table.equals(log.table)
    segments = [dict(zip(column(made, "user"), column(made, "segment"), strict=True)) for made in (log, other)]
    assert segments[0] == segments[1]
    assert other.rewards.mean() == pytest.approx(log.rewards.mean(), rel=0.05)


def host(made: Generated) -> PolicyTruth:
    own = [column(made, name) for name in ("action", "probability", "reward")]
    return PolicyTruth(own[0].astype(np.int32) + 2, own[1].astype(np.float32), own[2].astype(np.float32), SMALL.actions + 2)


def as_predicted(policy: np.ndarray) -> np.ndarray:
    return np.pad(policy, ((0, 0), (2, 0))).astype(np.float32)


@pytest.mark.parametrize("kind", ["even", "of hours", "sharp"])
def test_the_host_covers_the_truth_as_often_as_it_says(kind: str, log: Generated) -> None:
    """95 % intervals of a policy's value over logs of 2,000 decisions each in the same world."""
    config = replace(SMALL, decisions=2_000)
    preferred = np.random.default_rng(4).normal(size=(4, SMALL.actions))
    sharpness = {"even": 0.0, "of hours": 1.0, "sharp": 4.0}[kind]
    by_hour = np.exp(sharpness * preferred) / np.exp(sharpness * preferred).sum(1, keepdims=True)
    large = generate(replace(config, decisions=200_000, log=1_000))
    true = large.value(by_hour[column(large, "hour")])
    held, of = 0, 200
    for number in range(1, of + 1):
        made = generate(replace(config, log=number))
        test, policy = host(made), as_predicted(by_hour[column(made, "hour")])
        weights = weights_of(policy, test.actions, test.propensity)
        (value,), lines = ratio_parts([weights], test.rewards.astype(np.float64))
        assert value == test.primary(policy) == self_normalised_value(weights, test.rewards)
        held += abs(value - true) < 1.96 * np.sqrt((mean_influence(lines) ** 2).sum())
    assert 0.90 <= held / of <= 0.99, held


def test_learned_policies_are_truly_better_and_the_host_says_so(log: Generated, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    made = prepare(synthetic_source(SMALL), tmp_path)
    assert made.synthetic and not made.warnings
    train, valid, test = (load_split(made.visible, split) for split in ("train", "valid", "test"))
    actions = Encoders.of(made).vocabularies["action_id"].values.cast(int).to_numpy()  # type: ignore[union-attr]
    rows, truth = slice(SMALL.decisions - len(test), None), truth_of(made, "test")
    even, logged = log.value(np.full(SMALL.actions, 1 / SMALL.actions), rows), log.value(log.logging[rows], rows)
    for name in ("best_fixed_action", "direct_method", "inverse_propensity", "doubly_robust"):
        model = build(POLICY_MODELS[name], made.schema, {}, 0, collection=load_collection(made.visible))
        config = TrainConfig(learning_rate=1e-2, batch_size=256, max_epochs=6, patience=3)
        fit(model, train, valid, config, goal=goal_of(made.schema))
        policy = policies(model, test, made.schema.n_items)
        by_action = np.zeros((len(test), SMALL.actions))
        by_action[:, actions] = policy[:, 2:]
        true, scores = log.value(by_action, rows), truth.score(policy).primary
        assert not scores.collapse and abs(scores.values["value"] - true) < 0.08
        assert true > even + 0.01
        if name != "best_fixed_action":
            assert true > logged + 0.05
