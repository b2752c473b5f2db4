"""The generator of learners: its truth is the truth, abilities differ, grow and fade, and models that see outcomes find them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from sandboxes.kit.data import Prepared
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.datasets.synthetic_learners import Generated, SyntheticLearners, generate, prepare_synthetic
from sandboxes.kit.metrics import auc
from sandboxes.kit.models import MODELS
from sandboxes.kit.schema import NEGATIVE_ID, POSITIVE_ID, Schema
from sandboxes.kit.training import TrainConfig, build, fit, predictions

SMALL = SyntheticLearners(learners=800, questions=20, skills=4, attempts=24, history=12)


@pytest.fixture(scope="module")
def log() -> Generated:
    return generate(SMALL)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare_synthetic(SMALL, tmp_path_factory.mktemp("learners"))


def last_rows(log: Generated) -> list[int]:
    """The rows that test."""
    left = log.table.select(pl.len().over("learner_id") - 1 - pl.int_range(pl.len()).over("learner_id")).to_series()
    return np.flatnonzero(left.to_numpy() < SMALL.last).tolist()


def test_the_truth_is_calibrated_and_no_score_beats_it(log: Generated) -> None:
    correct, p = log.table["correct"].to_numpy().astype(float), log.probabilities
    for low, high in ((0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1)):
        own = (p >= low) & (p < high)
        assert abs(correct[own].mean() - p[own].mean()) < 4 * np.sqrt(0.25 / own.sum())
    noise = np.random.default_rng(0).normal(size=len(p))
    assert auc(correct, np.log(p / (1 - p)) + 0.5 * noise) < auc(correct, p)


def test_practice_raises_an_ability_and_rest_lowers_it() -> None:
    """Without differences of ability and questions of one kind, the truth depends on practice alone."""
    config = replace(SMALL, ability=0.0, practice=0.5, half_life=2.0, questions=1, skills=1, learners=30, attempts=8)
    table = generate(config).table.with_columns(pl.Series("p", generate(config).probabilities))
    for (_,), own in table.group_by("learner_id"):
        days, logits = own["day"].to_numpy(), np.log(own["p"].to_numpy() / (1 - own["p"].to_numpy()))
        gained = [sum(0.5 * 0.5 ** ((now - then) / 2.0) for then in days[:i]) for i, now in enumerate(days)]
        assert np.allclose(logits - logits[0], gained)
    unpractised = generate(replace(config, practice=0.0)).probabilities
    assert np.allclose(unpractised, unpractised[0])


def test_planted_abilities_matter() -> None:
    def bayes(config: SyntheticLearners) -> float:
        made = generate(config)
        return auc(made.table["correct"].to_numpy(), made.probabilities)

    assert bayes(SMALL) > bayes(replace(SMALL, ability=0.0)) + 0.1
    assert bayes(replace(SMALL, ability=0.0)) > bayes(replace(SMALL, ability=0.0, practice=0.0)) + 0.01


@pytest.mark.parametrize(("questions", "skills"), [(20, 4), (7, 3), (5, 5)])
def test_every_question_is_asked_and_has_one_skill(questions: int, skills: int) -> None:
    table = generate(replace(SMALL, questions=questions, skills=skills)).table
    assert table["question_id"].n_unique() == questions and table["skill_id"].n_unique() == skills
    assert table.select("question_id", "skill_id").unique().height == questions


def test_histories_are_of_the_learners_earlier_attempts(made: Prepared, log: Generated) -> None:
    test = load_split(made.visible, "test")
    assert np.array_equal(made.hidden_labels("test")[:, 0], log.table["correct"].to_numpy()[last_rows(log)])
    assert made.sizes == {"train": 800 * 18, "valid": 800 * 3, "test": 800 * 3}
    past = log.table.with_row_index("row").filter(~pl.col("row").is_in(last_rows(log)))
    answers = dict(past.group_by("learner_id", maintain_order=True).agg("correct").iter_rows())
    ids = {1: POSITIVE_ID, 0: NEGATIVE_ID}
    for row, learner in enumerate(log.table["learner_id"].to_numpy()[last_rows(log)][:300]):
        assert test.history["past_answers"][row].tolist() == [ids[a] for a in answers[learner][-SMALL.history :]]


def test_seeds_decide(log: Generated) -> None:
    again, other = generate(SMALL), generate(replace(SMALL, seed=1))
    assert again.table.equals(log.table) and np.array_equal(again.probabilities, log.probabilities)
    assert not other.table.equals(log.table)


def test_it_says_that_it_is_synthetic(made: Prepared) -> None:
    assert made.synthetic and "SYNTHETIC" in made.provenance and "synthetic" in made.name and not made.warnings


def test_models_that_see_outcomes_find_abilities_and_one_that_does_not_is_left_behind(made: Prepared, log: Generated) -> None:
    torch.set_num_threads(1)
    train, valid, test = (load_split(made.visible, split) for split in ("train", "valid", "test"))
    labels = made.hidden_labels("test")[:, 0]
    hyper = {"embedding_dim": 8, "hidden_units": (16,), "hidden_size": 16, "attention_units": (16,)}
    blind = replace(made.schema, sequences=tuple(s for s in made.schema.sequences if s.records == "values"))

    def reached(name: str, schema: Schema) -> float:
        model = build(MODELS[name], schema, hyper, seed=0)
        fit(model, train, valid, TrainConfig(learning_rate=1e-2, batch_size=256, max_epochs=4))
        return auc(labels, predictions(model, test, 1)[:, 0])

    oracle, without = auc(labels, log.probabilities[last_rows(log)]), reached("din", blind)
    for name in ("dkt", "akt", "din"):
        found = reached(name, made.schema)
        assert found > without + 0.03
        assert found - 0.5 > 0.62 * (oracle - 0.5), "abilities are hidden, and a dozen answers do not tell them all"
