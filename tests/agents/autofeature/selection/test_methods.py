"""What every method of the data alone keeps to, and what each of them sees and does not see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from threadpoolctl import threadpool_limits

from agents.autofeature.selection import METHODS, FieldScore, Method, NoRanking, Scores
from sandboxes.kit.data import Prepared
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Sequence, Split, TableSpec
from sandboxes.kit.datasets.synthetic_clicks import SyntheticClicks, prepare_synthetic
from sandboxes.kit.datasets.synthetic_features import SyntheticFeatures, synthetic_source, truth
from sandboxes.kit.datasets.synthetic_posters import SyntheticPosters
from sandboxes.kit.datasets.synthetic_posters import synthetic_source as posters_source
from sandboxes.kit.datasets.synthetic_visits import SyntheticVisits
from sandboxes.kit.datasets.synthetic_visits import synthetic_source as visits_source
from sandboxes.kit.importance.fields import field_names

SEES_CROSSES = {"tree_gain"}
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Trees wait for one another by spinning, which takes minutes where other tests want the processors too."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("selection")


def features(folder: Path, **changed: float) -> tuple[Prepared, SyntheticFeatures]:
    config = replace(SyntheticFeatures(rows=15_000, users=480, items=400, levels=12, plain=0.6), **changed)
    return prepare(synthetic_source(config), folder), config


def table(folder: Path, **columns: np.ndarray) -> Prepared:  # type: ignore[type-arg]
    """Columns of whole numbers are categories, others numbers; `click` is the label."""
    made = pl.DataFrame(columns).with_row_index("row")
    categories = tuple(
        Categorical(n) for n, d in made.schema.items() if d.is_integer() and n not in ("click", "at", "user", "row")
    )
    numbers = tuple(Numeric(n) for n, d in made.schema.items() if d.is_float())
    timed = {"user": "user", "time": "at", "sequences": (Sequence("past", "kind", 5, where="click"),)} if "at" in columns else {}
    spec = TableSpec("made", (Label("click"),), categories, numbers, split=Split(key=("row",)), **timed)  # type: ignore[arg-type]
    return prepare(Source(spec, lambda: made, str(made.hash_rows().sum())), folder)


@every_method
@pytest.mark.parametrize("seed", range(3))
def test_what_is_useful_ranks_above_noise(method: Method, seed: int, folder: Path) -> None:
    made, config = features(folder, seed=seed)
    scores, known = method(made, 0, seed), truth(config)
    seen = known.useful if scores.method in SEES_CROSSES else known.alone
    assert min(scores.values[n] for n in seen) > max(scores.values[n] for n in known.noise)
    assert set(scores.ranking[: len(seen)]) == set(seen)


@every_method
def test_who_sees_a_cross(method: Method, folder: Path) -> None:
    """Of fields that say something only together, methods that look at each by itself see nothing, and say so."""
    scores = method(features(folder)[0], 0, 0)
    known = truth(SyntheticFeatures())
    found, weakest = [scores.values[n] for n in known.crossed], min(scores.values[n] for n in known.alone)
    assert min(found) > weakest if scores.method in SEES_CROSSES else max(found) < weakest / 4


@every_method
def test_many_values_are_no_merit(method: Method, folder: Path) -> None:
    """A number for every row, a value for every third row and thousands at random, beside one weak field of four values."""
    random, n = np.random.default_rng(1), 9_000
    weak = random.integers(4, size=n)
    made = table(
        folder,
        weak=weak,
        every_row=random.permutation(n),
        every_third=random.permutation(n) // 3,
        thousands=random.integers(3_000, size=n),
        click=(random.random(n) < 0.3 + 0.08 * weak).astype(int),
    )
    scores = method(made, 0, 0)
    assert scores.ranking[0] == "weak"
    for name in ("every_row", "every_third", "thousands"):
        error = scores.fields[[f.field for f in scores.fields].index(name)].standard_error or 0.0
        assert scores.values[name] <= max(3 * error, 0.1 * scores.values["weak"]), name


@every_method
def test_constant_columns_score_nothing(method: Method, folder: Path) -> None:
    random, n = np.random.default_rng(2), 3_000
    kind = random.integers(5, size=n)
    made = table(
        folder,
        kind=kind,
        same=np.ones(n, dtype=int),
        number=np.full(n, 0.25),
        user=np.arange(n),  # everybody comes once, so that histories are empty
        at=np.arange(n),
        click=(random.random(n) < 0.2 + 0.1 * kind).astype(int),
    )
    found = method(made, 0, 0).values
    assert found["same"] == found["number"] == found["past"] == 0 < found["kind"]


@every_method
def test_nothing_but_constants_scores_nothing(method: Method, folder: Path) -> None:
    random, n = np.random.default_rng(3), 1_000
    made = table(folder, same=np.ones(n, dtype=int), number=np.zeros(n), click=random.integers(2, size=n))
    assert set(method(made, 0, 0).values.values()) == {0.0}


@every_method
def test_every_field_is_accounted_for(method: Method, folder: Path) -> None:
    made = prepare(posters_source(SyntheticPosters(rows=6_000)), folder)
    scores, vectors = method(made, 0, 0), {v.name for v in made.schema.vectors}
    assert [f.field for f in scores.fields] == [n for n in field_names(made.schema) if n not in vectors]
    assert set(scores.unscored) == vectors and vectors and all("vectors" in why for why in scores.unscored.values())
    assert METHODS[scores.method] is method and scores.task == made.schema.tasks[0].name and scores.unit


@every_method
def test_the_seed_decides(method: Method, folder: Path) -> None:
    made, _ = features(folder)
    first = method(made, 0, 5)
    assert method(made, 0, 5) == first and first.seed == 5
    assert method(made, 0, 6).values != first.values


@every_method
def test_histories_are_fields_and_tasks_are_told_apart(method: Method, folder: Path) -> None:
    """In the generated clicks the share of the target's category in the history speaks of clicks, the device hardly."""
    made = prepare_synthetic(SyntheticClicks(rows=12_000, users=150, drift=0, history_effect=2.0), folder)
    clicks, conversions = method(made, 0, 0), method(made, 1, 0)
    assert clicks.values["clicked_categories"] > 2 * max(clicks.values["device"], clicks.values["age"], 0)
    assert (clicks.task, conversions.task) == ("click", "conversion") and clicks.values != conversions.values


@every_method
def test_what_cannot_be_ranked_is_refused(method: Method, folder: Path) -> None:
    random, n = np.random.default_rng(4), 2_000
    rare = table(folder, kind=random.integers(5, size=n), click=(np.arange(n) % 110 == 0).astype(int))
    with pytest.raises(NoRanking, match="positives of click"):
        method(rare, 0, 0)
    with pytest.raises(NoRanking, match="asks for items"):
        method(prepare(visits_source(SyntheticVisits(users=60, items=40)), folder), 0, 0)


def test_a_field_stands_once() -> None:
    one = FieldScore(field="a", score=1.0)
    for fields, unscored in (((one, one), {}), ((one,), {"a": "why"})):
        with pytest.raises(ValueError, match="stands twice"):
            Scores(method="m", task="t", unit="u", seed=0, fields=fields, unscored=unscored)


def test_the_ranking_is_by_score_then_by_schema() -> None:
    fields = tuple(FieldScore(field=n, score=s) for n, s in (("a", 0.0), ("b", 1.0), ("c", 0.0), ("d", -1.0)))
    assert Scores(method="m", task="t", unit="u", seed=0, fields=fields).ranking == ("b", "a", "c", "d")
