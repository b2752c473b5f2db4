"""The rules of a verdict, row by row, and everything that makes models not comparable."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_models import World, model_runs

from agents.compare import Comparison, LabelTruth, Rules, Trained, Truth, compare, judge, paired_over_seeds
from agents.compare.holm import holm_levels

GOOD = [
    # estimate, low, high, verdict, kind of tie
    (0.0021, 0.0009, 0.0033, "better", ""),
    (0.0005, 0.0001, 0.0009, "better", ""),
    (0.0004, 0.0001, 0.0007, "tie", "too small"),
    (0.0003, 0.0001, 0.00045, "tie", "equivalent"),
    (0.0, -0.0004, 0.0004, "tie", "equivalent"),
    (0.0021, -0.0001, 0.0043, "tie", "undecided"),
    (0.0, -0.01, 0.01, "tie", "undecided"),
    (-0.0004, -0.0007, -0.0001, "tie", "too small"),
    (-0.0021, -0.0033, -0.0009, "worse", ""),
    (0.0005, 0.0, 0.001, "tie", "undecided"),
]


@pytest.mark.parametrize(("estimate", "low", "high", "verdict", "kind"), GOOD)
def test_the_rule_for_auc(estimate: float, low: float, high: float, verdict: str, kind: str) -> None:
    assert judge("auc", estimate, low, high, 0.0005) == (verdict, kind)


@pytest.mark.parametrize(("estimate", "low", "high", "verdict", "kind"), GOOD)
def test_the_rule_for_log_loss_is_its_mirror_image(estimate: float, low: float, high: float, verdict: str, kind: str) -> None:
    assert judge("log_loss", -estimate, -high, -low, 0.0005) == (verdict, kind)


@given(st.floats(-0.01, 0.01), st.floats(0, 0.01), st.floats(0, 0.002))
def test_swapping_the_models_swaps_better_and_worse(estimate: float, half: float, least: float) -> None:
    there, kind = judge("auc", estimate, estimate - half, estimate + half, least)
    back, back_kind = judge("auc", -estimate, -estimate - half, -estimate + half, least)
    swapped = {"better": "worse", "worse": "better", "tie": "tie"}
    if least > 0 or estimate != 0:
        assert (back, back_kind) == (swapped[there], kind)


def test_holm_steps_down_and_stops_at_the_first_that_fails() -> None:
    assert holm_levels([0.01, 0.04, 0.03], 0.05) == pytest.approx((0.05 / 3, 0.025, 0.025))
    assert holm_levels([0.01, 0.02, 0.04], 0.05) == pytest.approx((0.05 / 3, 0.025, 0.05))
    assert holm_levels([0.5], 0.05) == (0.05,)
    assert holm_levels([], 0.05) == ()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.001, 0.2))
def test_holm_rejects_what_its_definition_rejects(p_values: list[float], alpha: float) -> None:
    """Naively: with p sorted, reject while p_(i) <= alpha / (k - i)."""
    rejected = set()
    for rank, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        if p_values[i] > alpha / (len(p_values) - rank):
            break
        rejected.add(i)
    assert {i for i, level in enumerate(holm_levels(p_values, alpha)) if p_values[i] <= level} == rejected


RNG = np.random.default_rng(0)
WORLD = World.draw(RNG, 8000)
TRUTH = LabelTruth(WORLD.labels[:, None], ["click"])
RULES = Rules(min_auc=0.001)
SEEDS = (1, 2, 3)


def model(name: str, own: float, valid: float = 0.7, seeds: int = 3, **kwargs: str) -> Trained:
    runs = model_runs(np.random.default_rng(abs(int(1e6 * own)) + len(name)), WORLD, seeds, own=own, per_seed=0.05)
    return Trained(name, {s: p[:, None] for s, p in runs.items()}, valid, **kwargs)


def against(
    *baselines: Trained, candidate: Trained | None = None, truth: Truth = TRUTH, seeds: tuple[int, ...] = SEEDS
) -> Comparison:
    return compare(candidate or model("candidate", 0.1), baselines, truth, seeds, RULES)


def test_a_better_model_is_called_better_with_its_numbers() -> None:
    found = against(model("dcnv2", 1.0))
    effect = found.rows[0].primary
    assert found.verdict == "better"
    assert effect is not None
    assert found.sentence.startswith(
        f"better than dcnv2: AUC {effect.estimate:+.4f} [{effect.low:+.4f}, {effect.high:+.4f}] over 3 seeds"
    )
    assert effect.confidence == pytest.approx(0.95)
    assert len(effect.per_seed) == 3
    assert effect.estimate == pytest.approx(np.mean(effect.per_seed))


def test_swapped_it_is_called_worse() -> None:
    better, weaker = model("a", 0.1), model("b", 1.0)
    there, back = against(weaker, candidate=better), against(better, candidate=weaker)
    assert (there.verdict, back.verdict) == ("better", "worse")
    assert there.rows[0].primary.estimate == pytest.approx(-back.rows[0].primary.estimate)  # type: ignore[union-attr]


def test_the_strongest_on_valid_decides_not_the_strongest_on_test() -> None:
    """`weak` looks strongest on valid, though `strong` is so on test: the verdict is against `weak`, and names the other."""
    found = against(model("weak", 1.2, valid=0.9), model("strong", 0.0001, valid=0.6), candidate=model("candidate", 0.8))
    assert found.strongest == "weak"
    assert found.verdict == "better"
    assert "weak (the strongest baseline on valid)" in found.sentence
    assert found.row("strong").verdict == "worse"  # type: ignore[union-attr]
    assert "yet worse than strong" in found.sentence


def test_several_baselines_are_judged_at_stricter_levels() -> None:
    found = against(model("b1", 1.0), model("b2", 1.1), model("b3", 1.2))
    levels = sorted(1 - r.primary.confidence for r in found.rows if r.primary)
    assert levels == pytest.approx([0.05 / 3, 0.025, 0.05])


def test_equal_models_are_equivalent_and_few_rows_undecided_in_different_words() -> None:
    same = model("candidate", 0.1)
    equal = against(Trained("twin", same.predictions, 0.7), candidate=same)
    assert (equal.verdict, equal.rows[0].tie) == ("tie", "equivalent")
    assert equal.sentence.startswith("equivalent to twin")
    few = slice(0, 150)
    small = [Trained(m.name, {s: p[few] for s, p in m.predictions.items()}, 0.7) for m in (same, model("b", 0.3))]
    open_ = against(small[1], candidate=small[0], truth=LabelTruth(TRUTH.labels[few], ["click"]))
    assert (open_.verdict, open_.rows[0].tie) == ("tie", "undecided")
    assert "no difference from b shown" in open_.sentence
    assert "remain possible" in open_.sentence


def test_log_loss_that_disagrees_is_named() -> None:
    """The candidate ranks better and is badly calibrated: AUC up, log loss worse."""
    good = model("candidate", 0.1)
    shrunk = Trained("candidate", {s: p**3 for s, p in good.predictions.items()}, 0.7)
    found = against(model("b", 1.0), candidate=shrunk)
    assert found.verdict == "better"
    assert "log loss disagrees, worse in log loss +" in found.sentence


def test_log_loss_that_moves_where_the_auc_does_not_is_named() -> None:
    good = model("candidate", 0.1)
    found = against(Trained("b", {s: p**3 for s, p in good.predictions.items()}, 0.7), candidate=good)
    assert found.verdict == "tie"
    assert "but better in log loss -" in found.sentence


def test_fewer_than_three_seeds_have_no_verdict() -> None:
    found = against(model("b", 1.0, seeds=2), candidate=model("candidate", 0.1, seeds=2), seeds=(1, 2))
    assert found.verdict == "smoke"
    assert found.rows[0].verdict == "smoke"
    assert "2 seeds of at least 3" in found.sentence


def constant(n: int = len(WORLD.labels)) -> Trained:
    return Trained("b", {s: np.full((n, 1), 0.3, np.float32) for s in SEEDS}, 0.5)


def by_chance() -> Trained:
    return Trained("b", {s: np.random.default_rng(s).random((len(WORLD.labels), 1)) for s in SEEDS}, 0.5)


def spoiled(value: float) -> Trained:
    runs = {s: p.copy() for s, p in model("b", 0.5).predictions.items()}
    runs[2][7, 0] = value
    return Trained("b", runs, 0.7)


@pytest.mark.parametrize(
    ("baseline", "why"),
    [
        (Trained("b", failure="seed 2 ran out of memory"), "b failed: seed 2 ran out of memory"),
        (constant(), "b collapsed on seed 1: it predicts 0.3 for every row"),
        (by_chance(), "is that of chance"),
        (spoiled(float("nan")), "b failed on seed 2: 1 of 8,000 predictions are NaN"),
        (spoiled(1.5), "b failed on seed 2: 1 of 8,000 predictions lie outside [0, 1], for example 1.5"),
        (constant(10), "have shape (10, 1), not (8000, 1)"),
        (model("b", 0.5, seeds=2), "b has no predictions for seed 3"),
        (model("b", 0.5, data_hash="other"), "b was trained on other data (other, not unknown)"),
    ],
)
def test_what_cannot_be_compared_says_why(baseline: Trained, why: str) -> None:
    """As the only baseline it ends the comparison, beside a sound one it is left out and named, as the candidate it ends all."""
    alone = against(baseline)
    assert (alone.verdict, alone.rows[0].verdict) == ("not comparable", "not comparable")
    assert why in alone.rows[0].reason
    beside = against(model("dnn", 1.0), baseline)
    assert beside.verdict == "better"
    assert beside.strongest == "dnn"
    assert "not comparable with b" in beside.sentence
    if not baseline.data_hash:
        as_candidate = against(model("dnn", 1.0), candidate=baseline)
        assert as_candidate.verdict == "not comparable"
        assert why in as_candidate.sentence


def test_a_baseline_that_failed_does_not_loosen_or_tighten_the_others() -> None:
    alone = against(model("dnn", 1.0)).rows[0].primary
    beside = against(model("dnn", 1.0), constant()).rows[0].primary
    assert alone == beside


def test_a_split_without_positives_is_not_comparable() -> None:
    labels = np.zeros((len(WORLD.labels), 1))
    labels[:4] = 1
    found = against(model("b", 1.0), truth=LabelTruth(labels, ["click"]))
    assert found.verdict == "not comparable"
    assert "only 4 test rows of the rarer class of click" in found.sentence


def test_unobserved_labels_are_dropped_task_by_task() -> None:
    """A second task observed on half the rows: the comparison equals one made on these rows alone."""
    second = WORLD.labels.copy()
    second[::2] = np.nan
    two = LabelTruth(np.stack([WORLD.labels, second], 1), ["click", "like"])
    half = LabelTruth(WORLD.labels[1::2, None], ["like"])
    twice = [
        Trained(m.name, {s: np.repeat(p, 2, 1) for s, p in m.predictions.items()}, 0.7)
        for m in (model("a", 0.1), model("b", 1.0))
    ]
    once = [Trained(m.name, {s: p[1::2, :1] for s, p in m.predictions.items()}, 0.7) for m in twice]
    both, single = against(twice[1], candidate=twice[0], truth=two), against(once[1], candidate=once[0], truth=half)
    effects = {(e.task, e.metric): e for e in both.rows[0].effects}
    assert set(effects) == {("click", "auc"), ("click", "log_loss"), ("like", "auc"), ("like", "log_loss")}
    assert effects["like", "auc"] == single.rows[0].effects[0]
    assert effects["like", "log_loss"] == single.rows[0].effects[1]


def test_a_further_task_with_one_class_alone_has_no_effects() -> None:
    truth = LabelTruth(np.stack([WORLD.labels, np.zeros(len(WORLD.labels))], 1), ["click", "buy"])
    twice = [
        Trained(m.name, {s: np.repeat(p, 2, 1) for s, p in m.predictions.items()}, 0.7)
        for m in (model("a", 0.1), model("b", 1.0))
    ]
    found = against(twice[1], candidate=twice[0], truth=truth)
    assert (found.verdict, [e.task for e in found.rows[0].effects]) == ("better", ["click", "click"])


def test_a_comparison_survives_its_json() -> None:
    for found in (against(model("b", 1.0)), against(constant()), against(model("b", 1.0, seeds=1), seeds=(1,))):
        assert Comparison.model_validate_json(found.model_dump_json()) == found


def test_unknown_users_are_noted() -> None:
    assert "independent" in against(model("b", 1.0)).notes[0]
    known = against(model("b", 1.0), truth=LabelTruth(TRUTH.labels, ["click"], np.arange(len(WORLD.labels)) // 4))
    assert (known.clusters, known.notes) == (len(WORLD.labels) // 4, ())


def test_rules_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 seeds"):
        Rules(min_seeds=1)


def test_users_reach_the_intervals_of_every_task() -> None:
    """Uneven users, and a second task observed on part of the rows: each row keeps its own user."""
    rng = np.random.default_rng(2)
    users = rng.geometric(0.01, len(WORLD.labels))
    liked = np.where(rng.random(len(users)) < 0.5, WORLD.labels, np.nan)
    truth = LabelTruth(np.stack([WORLD.labels, liked], 1), ["click", "like"], users)
    a, b = (
        Trained(m.name, {s: np.repeat(p, 2, 1) for s, p in m.predictions.items()}, 0.7)
        for m in (model("a", 0.1), model("b", 1.0))
    )
    effects = {(e.task, e.metric): e for e in against(b, candidate=a, truth=truth).rows[0].effects}
    for t, task in enumerate(truth.tasks):
        seen = ~np.isnan(truth.labels[:, t])
        first, second = ({s: p[seen, t] for s, p in m.predictions.items()} for m in (a, b))
        expected = paired_over_seeds(truth.labels[seen, t], first, second, groups=users[seen])
        assert (effects[task, "auc"].low, effects[task, "auc"].high) == pytest.approx(expected.interval(0.05), abs=1e-12)
