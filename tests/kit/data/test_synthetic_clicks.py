"""The generator: what was planted is there, what was not is not, and its truth is the truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.datasets.synthetic_clicks import Generated, SyntheticClicks, generate, prepare_synthetic
from sandboxes.kit.metrics import auc, log_loss

CONFIG = SyntheticClicks()


@pytest.fixture(scope="module")
def log() -> Generated:
    return generate(CONFIG)


def test_the_truth_is_calibrated(log: Generated) -> None:
    click = log.table["click"].to_numpy().astype(float)
    conversion = log.table["conversion"].fill_null(0).to_numpy().astype(float)
    for labels, p in ((click, log.probabilities[:, 0]), (conversion, log.probabilities[:, 1])):
        for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 1)):
            own = (p >= low) & (p < high)
            if own.sum() > 500:
                assert abs(labels[own].mean() - p[own].mean()) < 4 * np.sqrt(p[own].mean() / own.sum())


def test_no_score_beats_the_truth(log: Generated) -> None:
    click, p = log.table["click"].to_numpy().astype(float), log.probabilities[:, 0]
    noise = np.random.default_rng(0).normal(size=len(p))
    logit = np.log(p / (1 - p))
    assert auc(click, p) > 0.78
    assert auc(click, logit + 0.3 * noise) < auc(click, p)
    assert log_loss(click, 1 / (1 + np.exp(-1.2 * logit))) > log_loss(click, p)


def test_conversion_is_seen_after_clicks_only(log: Generated) -> None:
    assert (log.table["conversion"].is_null() == (log.table["click"] == 0)).all()


def test_planted_strengths_matter() -> None:
    def bayes(config: SyntheticClicks) -> float:
        made = generate(config)
        return auc(made.table["click"].to_numpy(), made.probabilities[:, 0])

    small = replace(CONFIG, rows=20_000, users=500)
    assert bayes(small) > bayes(replace(small, history_effect=0.0)) + 0.01
    assert bayes(small) > bayes(replace(small, interaction=0.0)) + 0.03


def test_interactions_have_no_main_effects(log: Generated) -> None:
    """Knowing segment and category apart says little; together, much."""
    click = log.table["click"].to_numpy().astype(float)
    segment, category = log.table["segment"].to_numpy(), log.table["category"].to_numpy()

    def held_out(codes: np.ndarray) -> float:  # type: ignore[type-arg]
        fit = np.arange(len(codes)) % 2 == 0
        rates = np.bincount(codes[fit], weights=click[fit]) / np.maximum(np.bincount(codes[fit]), 1)
        return auc(click[~fit], rates[codes[~fit]])

    pair = held_out(segment * 100 + category)
    assert pair > held_out(segment) + 0.05 and pair > held_out(category) + 0.02


def test_the_kit_builds_the_history_that_the_truth_used(tmp_path: Path) -> None:
    """Prepared histories give back the planted effect: the share of the target's category raises the click rate."""
    config = SyntheticClicks(rows=20_000, users=400)
    made, log = prepare_synthetic(config, tmp_path), generate(config)
    plain = generate(replace(config, history_effect=0.0))
    assert made.sizes == {"train": 16_000, "valid": 2_000, "test": 2_000}
    for split, start in (("train", 0), ("valid", 16_000), ("test", 18_000)):
        rows = load_split(made.visible, split)
        own = slice(start, start + len(rows))
        category, scenario = (made.schema.index_of(n) for n in ("category", "scenario"))
        past = rows.history["clicked_categories"]
        n = (past > 0).sum(1)
        share = (past == rows.ids[:, category, None]).sum(1) / np.maximum(n, 1)
        logits = [np.log(g.probabilities[own, 0] / (1 - g.probabilities[own, 0])) for g in (log, plain)]
        weight = np.linspace(0.6, 1.2, 3)[log.table["scenario"].to_numpy()[own]]
        wanted = weight * 4.0 * (share - 1 / config.categories) * (n > 0)
        assert np.allclose(logits[0] - logits[1], wanted, atol=1e-6)
        assert len(np.unique(rows.ids[:, scenario])) == 3


def test_seeds_decide(log: Generated) -> None:
    assert generate(CONFIG).table.equals(log.table)
    assert not generate(replace(CONFIG, seed=1)).table.equals(log.table)


def test_it_says_that_it_is_synthetic(tmp_path: Path) -> None:
    made = prepare_synthetic(SyntheticClicks(rows=3000), tmp_path)
    assert made.synthetic and "SYNTHETIC" in made.provenance and "synthetic" in made.name
