"""The paper's claim beside the measurement."""

from __future__ import annotations

import pytest

from agents.autotrain.spec import Claim
from agents.compare import BaselineRow, Comparison, Effect, beside_claims


def effect(metric: str, estimate: float) -> Effect:
    return Effect(
        task="click",
        metric=metric,
        estimate=estimate,
        low=estimate - 0.001,
        high=estimate + 0.001,
        confidence=0.95,
        p_value=0.01,
        seed_share=0.5,
        per_seed=(estimate,) * 3,
    )


def measured() -> Comparison:
    rows = tuple(
        BaselineRow(baseline=name, verdict="better", sentence="", effects=(effect("auc", up), effect("log_loss", -up)))
        for name, up in (("dcnv2", 0.004), ("dnn", 0.008))
    )
    return Comparison(
        verdict="better",
        sentence="",
        seeds=(1, 2, 3),
        strongest="dcnv2",
        rows=rows,
        min_effect=0.0005,
        alpha=0.05,
        test_rows=100,
        clusters=None,
    )


def ranked() -> Comparison:
    row = BaselineRow(baseline="dcnv2", verdict="better", sentence="", effects=(effect("ndcg", 0.01), effect("recall", 0.03)))
    return measured().model_copy(update={"predicts": "items", "rows": (row,)})


VALUES = {
    "candidate": {"auc": 0.804, "log_loss": 0.396},
    "dcnv2": {"auc": 0.8, "log_loss": 0.4},
    "dnn": {"auc": 0.796, "log_loss": 0.404},
}


@pytest.mark.parametrize(
    ("claim", "claimed", "here", "over"),
    [
        (
            Claim(dataset="Criteo", metric="AUC", value=0.8142, baseline="DNN", baseline_value=0.8060),
            0.0082 / 0.8060,
            0.008 / 0.796,
            "dnn",
        ),
        (
            Claim(dataset="Criteo", metric="AUC", value=81.42, baseline="DNN", baseline_value=80.60),
            0.0082 / 0.8060,
            0.008 / 0.796,
            "dnn",
        ),
        (
            Claim(dataset="Criteo", metric="Logloss", value=0.43, baseline="DCN-V2", baseline_value=0.44),
            0.01 / 0.44,
            0.01,
            "dcnv2",
        ),
        (Claim(dataset="Criteo", metric="AUC", value=0.81, baseline="xDeepFM", baseline_value=0.80), 0.0125, 0.005, "dcnv2"),
    ],
)
def test_improvements_are_relative_and_against_the_same_baseline(claim: Claim, claimed: float, here: float, over: str) -> None:
    (row,) = beside_claims([claim], measured(), VALUES, "frappe")
    assert row.claimed == pytest.approx(claimed)
    assert row.measured == pytest.approx(here)
    assert row.measured_against == over
    assert not row.same_dataset
    assert "another data set, so the two are not comparable" in row.sentence


def test_the_same_data_set_under_another_spelling() -> None:
    claim = Claim(dataset="MovieLens 1M", metric="AUC", value=0.81, baseline="DNN", baseline_value=0.80)
    (row,) = beside_claims([claim], measured(), VALUES, "movielens-1m")
    assert row.same_dataset
    assert "not comparable" not in row.sentence


def test_claims_without_an_improvement_in_these_metrics_are_left_out() -> None:
    claims = [
        Claim(dataset="Criteo", metric="AUC", value=0.81),
        Claim(dataset="Criteo", metric="HR@10", value=0.3, baseline="DNN", baseline_value=0.2),
    ]
    assert beside_claims(claims, measured(), VALUES, "criteo") == ()


@pytest.mark.parametrize(
    ("metric", "claimed", "measured"),
    [
        ("nDCG@20", 0.25, 0.1),
        ("NDCG@10", 0.25, 0.2),
        ("Recall@20", 0.25, 0.3),
        ("HR@10", 0.25, 0.5),
        ("Hit Ratio@20", 0.25, 0.6),
        ("hits@10", 0.25, 0.5),
    ],
)
def test_of_ranked_lists_the_cutoff_is_part_of_the_metric(metric: str, claimed: float, measured: float) -> None:
    own = {"ndcg": 0.11, "ndcg_at_10": 0.12, "recall": 0.13, "hit_rate_at_10": 0.15, "hit_rate": 0.16}
    means = {"candidate": own, "dcnv2": dict.fromkeys(own, 0.1)}
    of_lists = ranked()
    claims = [Claim(dataset="Yelp", metric=metric, value=0.25, baseline="BPR-MF", baseline_value=0.2)]
    (row,) = beside_claims(claims, of_lists, means, "yelp")
    assert (row.claimed, row.measured) == pytest.approx((claimed, measured))
    assert f"measured here: {measured:+.2%} over dcnv2 on yelp" in row.sentence


@pytest.mark.parametrize("metric", ["nDCG", "NDCG@5", "Recall@50", "HR@1", "precision@10", "MRR@10", "AUC", "log loss"])
def test_of_another_cutoff_or_question_nothing_is_set_beside(metric: str) -> None:
    claim = Claim(dataset="Yelp", metric=metric, value=0.25, baseline="BPR-MF", baseline_value=0.2)
    assert beside_claims([claim], ranked(), VALUES, "yelp") == ()


def test_nothing_measured_is_said_so() -> None:
    claim = Claim(dataset="Criteo", metric="AUC", value=0.81, baseline="DNN", baseline_value=0.80)
    nothing = measured().model_copy(update={"rows": (), "strongest": "", "verdict": "not comparable"})
    (row,) = beside_claims([claim], nothing, VALUES, "criteo")
    assert row.measured is None
    assert "nothing was measured" in row.sentence


def test_synthetic_data_is_named_and_never_the_papers() -> None:
    claim = Claim(dataset="planted clicks", metric="AUC", value=0.81, baseline="DNN", baseline_value=0.80)
    (row,) = beside_claims([claim], measured(), VALUES, "planted-clicks", synthetic=True)
    assert not row.same_dataset
    assert "planted-clicks (synthetic)" in row.sentence
