"""Which fields lie idle: those in which no method finds anything to speak of, and of models two must find it."""

from __future__ import annotations

from pathlib import Path

import pytest
from feature_worlds import agent
from memory_records import Letters

from agents.autofeature.select import SEEDS, Selection
from agents.autofeature.selection import FieldScore, NoRanking, Scores, agreement, consensus, stability
from memory.store import MemoryStore


def scores(method: str, error: float | None, **fields: float) -> list[Scores]:
    rows = tuple(FieldScore(field=name, score=value, standard_error=error) for name, value in fields.items())
    return [Scores(method=method, task="click", unit="u", seed=seed, fields=rows) for seed in SEEDS]


def selection(*methods: list[Scores]) -> Selection:
    first = [own[0] for own in methods]
    return Selection(
        scores=tuple(s for own in methods for s in own),
        agreement=agreement(first, 2),
        stability=tuple(stability(own, 2) for own in methods),
        consensus=consensus(first),
    )


def test_what_a_method_of_the_data_finds_is_enough_to_stay() -> None:
    found = selection(
        scores("information_gain", 0.01, a=1.0, b=0.5, c=0.015, d=0.0), scores("permutation", 0.01, a=1.0, b=0.0, c=0.0, d=0.0)
    )
    assert set(found.idle) == {"c", "d"}


def test_of_methods_of_a_model_two_must_agree() -> None:
    one = selection(scores("permutation", 0.01, a=1.0, b=0.3), scores("shapley", 0.01, a=1.0, b=0.0))
    two = selection(scores("permutation", 0.01, a=1.0, b=0.3), scores("shapley", 0.01, a=1.0, b=0.3))
    assert (one.idle, two.idle) == (("b",), ())


def test_a_trifle_is_idle_however_small_its_error() -> None:
    found = selection(scores("information_gain", 1e-6, a=1.0, b=0.005, c=0.02))
    assert found.idle == ("b",)


def test_a_method_without_errors_has_no_say_and_the_least_useful_comes_first() -> None:
    found = selection(scores("lasso", None, a=1.0, b=0.9, c=0.5), scores("tree_gain", 0.1, a=1.0, b=0.0, c=0.05))
    assert found.idle == ("b", "c") or found.idle == ("c", "b")
    assert selection(scores("lasso", None, a=1.0, b=0.0)).idle == ()


def test_a_whole_selection_ranks_the_planted_fields_first(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("feature")
    feature = agent(folder, MemoryStore(folder / "memory", Letters()))
    seen = feature.observe()
    listed = feature.shortlist(seen, feature.proposals(seen))
    assert listed.selection is not None and {s.method for s in listed.selection.scores} >= {
        "information_gain",
        "permutation",
        "gates",
    }
    ranking = listed.selection.consensus.ranking
    assert ranking[0] == "colour_x_shape" and max(map(ranking.index, ("size", "weight"))) < ranking.index("noise")
    assert {"noise", "weight_class"} <= set(listed.selection.idle) and not {"size", "weight"} & set(listed.selection.idle)
    assert listed.bundles[0].name == "colour_x_shape"


def test_without_any_ranking_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nothing(*asked: object) -> Selection:
        raise NoRanking("hardly any rows of one class")

    monkeypatch.setattr("agents.autofeature.agent.selected", nothing)
    feature = agent(tmp_path, MemoryStore(tmp_path / "memory", Letters()))
    seen = feature.observe()
    listed = feature.shortlist(seen, feature.proposals(seen))
    assert listed.unranked == "hardly any rows of one class" and not [b for b in listed.bundles if b.aim == "idle"]
