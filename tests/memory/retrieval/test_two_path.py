"""Familiar queries cost one search, others a bounded number, whatever is asked of whatever memory."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.embeddings import WordEmbeddings
from memory.narrowing import ANYTHING, Only
from memory.records import PaperRecord
from memory.retrieval import TwoPath
from memory.retrieval.two_path import fused
from memory.store import MemoryStore

WORDS = "gate expert bucket walk session noise basket table bandit price vector label crowd river engine tax".split()
NEVER_SURE = {"surely": 2.0, "hardly": 1.5}

answers = st.lists(st.dictionaries(st.sampled_from("abcdefg"), st.floats(-1, 1), max_size=7), min_size=1, max_size=5)


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Grows by one with every search of a store."""
    made: list[Any] = []
    nearest = MemoryStore.nearest

    def counted(self: MemoryStore, *arguments: Any) -> list[tuple[str, float]]:
        made.append(arguments)
        return nearest(self, *arguments)

    monkeypatch.setattr(MemoryStore, "nearest", counted)
    return made


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    draw, store = random.Random(3), MemoryStore(tmp_path, WordEmbeddings())
    texts = [" ".join(draw.choices(WORDS, k=6)) for _ in range(150)]
    store.add(
        *(PaperRecord(id=f"p{i}", title="A paper", source="", abstract=text, agent="AB"[i % 2]) for i, text in enumerate(texts))
    )
    return store


@pytest.mark.parametrize("rounds", [1, 2, 5])
@pytest.mark.parametrize("clusters", [1, 3, 40])
@pytest.mark.parametrize("text", ["", "qzx", "river of noise", " ".join(WORDS)])
def test_searches_are_bounded(store: MemoryStore, searches: list[Any], rounds: int, clusters: int, text: str) -> None:
    search = TwoPath(rounds=rounds, clusters=clusters, kept=0.1, **NEVER_SURE)
    found = search(store, store.vector(text), "paper", 5, ANYTHING)
    assert 1 < len(searches) <= 1 + rounds * clusters
    assert len(found) == 5


def test_the_familiar_is_found_at_once(store: MemoryStore, searches: list[Any]) -> None:
    record = store.get("p7")
    assert isinstance(record, PaperRecord)
    found = TwoPath(surely=0.3)(store, store.vector(record.text()), "paper", 5, ANYTHING)
    assert len(searches) == 1
    assert found[0].id == record.id


def test_what_narrows_holds_on_every_step(store: MemoryStore, searches: list[Any]) -> None:
    only = Only(agent="A")
    found = TwoPath(**NEVER_SURE)(store, store.vector("river"), "paper", 5, only)
    assert [r.agent for r in store.many([s.id for s in found]).values()] == ["A"] * 5
    assert len(searches) > 1 and all(where == only for *_, where in searches)


def test_nothing_leaves_nothing_to_recollect(store: MemoryStore, searches: list[Any]) -> None:
    assert TwoPath(**NEVER_SURE)(store, store.vector("river"), "paper", 5, Only(agent="nobody")) == []
    assert len(searches) == 1


@pytest.mark.parametrize(
    ("similarities", "familiar"),
    [
        ([0.6] * 10, True),  # near on the whole
        ([0.1] * 10, False),
        ([0.25] * 10, False),  # neither near nor one that stands out
        ([0.7, *[0.2] * 9], True),
        ([0.5, *[0.0] * 9], False),  # one stands out, but the rest is foreign
        ([], True),
        ([0.2], False),
    ],
)
def test_mean_and_entropy_decide(similarities: list[float], familiar: bool) -> None:
    assert TwoPath(surely=0.35, hardly=0.15, peaked=0.5, temperature=0.05).familiar(similarities) == familiar


@given(answers)
def test_fused_scores_cover_all_and_are_in_order(found: list[dict[str, float]]) -> None:
    for how in ("best", "mean"):
        scores = fused(found, how)
        assert scores.keys() == {name for answer in found for name in answer}
        assert list(scores.values()) == sorted(scores.values(), reverse=True)
        assert all(-1 <= score <= 1 for score in scores.values())


@given(answers)
def test_the_best_is_at_least_the_mean_of_what_found_it(found: list[dict[str, float]]) -> None:
    best, mean = fused(found, "best"), fused(found, "mean")
    in_all = [name for name in best if all(name in answer for answer in found if answer)]
    assert all(best[name] >= mean[name] - 1e-9 for name in in_all)
