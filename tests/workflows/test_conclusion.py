"""What a person reads at the end: the verdict, and a table that fits a narrow terminal and a pipe."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import pytest
from example_report import ERRORS, Simulation
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from agents.compare import Comparison, Trained, compare
from agents.compare.holm import holm_adjusted, holm_levels
from workflows.conclusion import _verdict
from workflows.steps.judging import ModelScores, ScoreTable

SIMULATED = Simulation(rows=6000)


def said(
    comparison: Comparison, failures: Mapping[str, str] | None = None, width: int = 80, simulated: Simulation = SIMULATED
) -> str:
    """The conclusion as a pipe of that width gets it."""
    out = io.StringIO()
    models = [
        ModelScores(
            name=name,
            test={} if name in (failures or {}) else simulated.scores[name],
            valid={},
            failure=(failures or {}).get(name, ""),
        )
        for name in simulated.predictions
    ]
    _verdict(Console(file=out, width=width), comparison, ScoreTable(models=tuple(models)))
    return out.getvalue()


def test_every_model_has_a_line_with_its_means_and_the_difference() -> None:
    comparison = SIMULATED.comparison()
    lines = said(comparison).splitlines()
    assert lines[0] == f"tie: {comparison.sentence}"
    assert lines[2] == "click, 6,000 test rows, means over 5 seeds; p after Holm's correction"
    assert lines[3].split() == ["model", "AUC", "log", "loss", "candidate", "minus", "it,", "in", "AUC", "p", "verdict"]
    rows = {line.split()[0]: line for line in lines[4:8]}
    assert list(rows) == list(ERRORS)
    for name, line in rows.items():
        primaries = [s.primary for s in SIMULATED.scores[name].values()]
        assert f"{np.mean([p.values['auc'] for p in primaries]):.4f}" in line
        assert f"{np.mean([p.values['log_loss'] for p in primaries]):.4f}" in line
        row = comparison.row(name)
        if row:
            assert row.primary.in_words().removeprefix("AUC ") in line and line.rstrip().endswith(row.verdict)
    assert "<0.001" in rows["lr"]


def test_of_ranked_lists_it_speaks_of_queries_and_their_metrics() -> None:
    listed = Simulation(rows=1500, predicts="items")
    comparison = listed.comparison()
    lines = said(comparison, width=84, simulated=listed).splitlines()
    assert lines[2] == "rating, 1,500 test queries, means over 5 seeds; p after Holm's correction"
    assert lines[3].split() == "model nDCG@20 recall@20 candidate minus it, in nDCG@20 p verdict".split()
    for name, line in zip(listed.predictions, lines[4:8], strict=True):
        means = [np.mean([s.primary.values[m] for s in listed.scores[name].values()]) for m in ("ndcg", "recall")]
        assert line.split()[:3] == [name, *(f"{mean:.4f}" for mean in means)]
        row = comparison.row(name)
        if row and row.primary:
            assert row.primary.numbers in line and line.rstrip().endswith(row.verdict)


def test_it_fits_80_columns_and_loses_nothing() -> None:
    comparison = SIMULATED.comparison()
    small = {"estimate": 0.00012, "low": -0.00091, "high": 0.00099}  # differences as small as these take the most digits
    rows = [r.model_copy(update={"effects": (r.effects[0].model_copy(update=small),)}) for r in comparison.rows]
    table = said(comparison.model_copy(update={"rows": tuple(rows)})).splitlines()[3:8]
    assert max(map(len, table)) <= 80 - (len("shared_bottom") - len("candidate"))  # the longest name of a reference model
    assert sum("+0.00012 [-0.00091, +0.00099]" in line for line in table) == 3


def test_a_smoke_run_shows_means_and_no_differences() -> None:
    few = compare(SIMULATED.trained("candidate"), [SIMULATED.trained("lr")], SIMULATED.truth, (1,))
    text = said(few)
    assert text.startswith("smoke run: 1 seed of at least 3") and "minus" not in text and "Holm" not in text
    assert "means over 1 seed\n" in text


def test_a_model_that_failed_is_named_with_its_reason() -> None:
    baselines = [
        Trained("lr", {}, failure="seed 2 timed out", data_hash="d4c0ffee"),
        *(SIMULATED.trained(n) for n in ("dnn", "dcnv2")),
    ]
    comparison = compare(SIMULATED.trained("candidate"), baselines, SIMULATED.truth, SIMULATED.seeds)
    text = said(comparison, {"lr": "seed 2 timed out"})
    (line,) = (x for x in text.splitlines() if x.startswith("lr "))
    assert line.split() == ["lr", "-", "-"]
    assert "lr: failed: seed 2 timed out" in text


def test_names_are_no_markup() -> None:
    comparison = SIMULATED.comparison().model_copy(update={"sentence": "tie with [bold]lr[/]", "verdict": "tie"})
    assert said(comparison).startswith("tie with [bold]lr[/]")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.sampled_from([0.01, 0.05, 0.2]))
def test_an_adjusted_p_value_is_at_most_alpha_exactly_where_holm_rejects(p_values: list[float], alpha: float) -> None:
    levels, adjusted = holm_levels(p_values, alpha), holm_adjusted(p_values)
    for p, level, after in zip(p_values, levels, adjusted, strict=True):
        assert after >= p
        if abs(after - alpha) > 1e-9:
            assert (after <= alpha) == (p <= level)


def test_holm_by_hand() -> None:
    assert holm_adjusted([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
