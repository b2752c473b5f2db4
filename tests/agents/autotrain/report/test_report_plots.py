"""Plots put values where they belong; formats spell them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from bs4 import BeautifulSoup
from example_report import Simulation
from hypothesis import given
from hypothesis import strategies as st

from agents.autotrain.report import formats, plots
from agents.compare import ITEMS, LABELS
from agents.documents.document import Figure, table
from agents.documents.svg import WIDTH, Canvas, series, ticks


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return Simulation(rows=3000)


def drawn(figure: Figure | None) -> BeautifulSoup:
    assert figure is not None
    return BeautifulSoup(figure.svg, "lxml-xml")


def test_a_canvas_maps_ends_to_ends() -> None:
    canvas = Canvas(200, (0.0, 10.0), (1.0, 2.0))
    assert (canvas.x(0), canvas.x(10)) == (canvas.left, WIDTH - canvas.right)
    assert (canvas.y(1), canvas.y(2)) == (200 - canvas.bottom, canvas.top)
    assert canvas.x(5) == pytest.approx((canvas.x(0) + canvas.x(10)) / 2, abs=0.1)


@given(st.floats(-100, 100), st.floats(1e-6, 1000))
def test_ticks_are_few_round_and_inside(low: float, width: float) -> None:
    found = ticks(low, low + width)
    assert 1 <= len(found) <= 7
    assert all(low - 1e-6 * width <= t <= low + width + 1e-6 * width for t in found)
    steps = {round((b - a) / width, 6) for a, b in pairwise(found)}
    assert len(steps) <= 1


def test_the_candidate_has_a_colour_of_its_own() -> None:
    assert series(0) == "s0"
    assert "s0" not in {series(i) for i in range(1, 30)}


def test_differences_stand_right_of_zero_when_positive(simulation: Simulation) -> None:
    found = simulation.comparison()
    svg = drawn(plots.differences(found))
    zero = float(str(svg.find_all("line", class_="zero")[0]["x1"]))
    middles = [float(str(c["cx"])) for c in svg.find_all("circle", r="4.2")]
    assert len(middles) == len(found.rows)
    for row, x in zip(found.rows, middles, strict=True):
        assert row.primary is not None
        assert (x > zero) == (row.primary.estimate > 0)
    points = svg.find_all("circle", r="2.6")
    assert len(points) == len(found.rows) * len(found.seeds)


def test_learning_curves_have_a_line_a_seed_and_rise_on_the_drawing(simulation: Simulation) -> None:
    models = [simulation.model(n) for n in ("candidate", "lr")]
    svg = drawn(plots.learning_curves(models, LABELS))
    lines = svg.find_all("polyline")
    assert len(lines) == 2 * len(simulation.seeds)
    first, *_, last = [tuple(map(float, p.split(","))) for p in str(lines[0]["points"]).split()]
    assert last[0] > first[0]
    assert last[1] < first[1]


def test_a_learning_curve_is_of_what_the_data_asks_and_leaves_out_what_was_not_said() -> None:
    listed = Simulation(rows=300, seeds=(1, 2, 3), predicts="items")
    model = listed.model("candidate")
    silent = [
        s.model_copy(update={"epochs": (s.epochs[0].model_copy(update={"valid": {}}), *s.epochs[1:])}) for s in model.result.seeds
    ]
    told = model.model_copy(update={"result": model.result.model_copy(update={"seeds": tuple(silent)})})
    svg = drawn(plots.learning_curves([told], ITEMS))
    assert [str(line["points"]).count(",") for line in svg.find_all("polyline")] == [4, 4, 4]  # of five epochs
    assert "nDCG@20 on valid" in svg.get_text()
    assert plots.learning_curves([told], LABELS) is None


def test_calibration_lies_inside_its_square(simulation: Simulation) -> None:
    svg = drawn(plots.calibration_plot([simulation.model("candidate")], seed=1))
    assert len(svg.find_all("circle")) >= 10
    assert all(0 <= float(str(c["cx"])) <= WIDTH for c in svg.find_all("circle"))


def test_without_values_there_is_no_plot() -> None:
    assert plots.learning_curves([], LABELS) is None
    assert plots.scores_by_seed([], LABELS, "click") is None
    assert plots.cost_bars([]) is None
    assert plots.calibration_plot([], None) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.42, "0.4 s"), (42.3, "42 s"), (59.9, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert formats.duration(seconds) == text


def test_numbers_over_seeds() -> None:
    assert formats.over_seeds([0.79, 0.80, None, float("nan")]) == "0.7950 ± 0.0071"
    assert formats.over_seeds([0.79]) == "0.7900"
    assert formats.over_seeds([None]) == "–"


def test_ragged_tables_are_refused() -> None:
    with pytest.raises(ValueError, match="'c' are not all 2"):
        table("c", ("a", "b"), [("x",)])
