"""What lessons come to: evidence for raises a belief, evidence against lowers it, age fades it, and it is said in words."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_processes import cheap
from memory_records import DAY, lesson

from memory.beliefs import belief_on, beliefs_near, believed, newest_beliefs, versions_of
from memory.embeddings import WordEmbeddings
from memory.narrowing import Only
from memory.records import LessonRecord
from memory.store import MemoryStore

HASHES = ("h1", "h2", "h3")  # versions of one data set, oldest first
ORDER = {name: number for number, name in enumerate(HASHES)}
evidence = st.lists(
    st.tuples(st.sampled_from(["positive", "negative", "neutral"]), st.sampled_from(HASHES)), min_size=1, max_size=12
)


def lessons(found: list[tuple[str, str]]) -> list[LessonRecord]:
    return [lesson(number, polarity, data_hash=version) for number, (polarity, version) in enumerate(found)]


def strength(found: list[tuple[str, str]]) -> float:
    return believed(lessons(found), ORDER).strength


@settings(deadline=None)
@given(evidence)
def test_a_strength_lies_between_minus_one_and_one(found: list[tuple[str, str]]) -> None:
    belief = believed(lessons(found), ORDER)
    assert -1 < belief.strength < 1 and all(0 < weight <= 1 for weight in belief.weights)
    assert belief.polarity == ("positive" if belief.strength > 0 else "negative" if belief.strength < 0 else "neutral")


@settings(deadline=None)
@given(evidence, st.sampled_from(HASHES))
def test_more_evidence_for_raises_it_and_more_against_lowers_it(found: list[tuple[str, str]], version: str) -> None:
    assert strength([*found, ("positive", version)]) > strength(found) > strength([*found, ("negative", version)])


@settings(deadline=None)
@given(evidence, st.sampled_from(HASHES))
def test_runs_without_a_difference_bring_it_nearer_to_nothing(found: list[tuple[str, str]], version: str) -> None:
    before, after = strength(found), strength([*found, ("neutral", version)])
    assert abs(after) < abs(before) or before == after == 0


@settings(deadline=None)
@given(evidence.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_the_order_of_evidence_does_not_matter(both: tuple[list[tuple[str, str]], list[tuple[str, str]]]) -> None:
    assert strength(both[0]) == strength(both[1])


@settings(deadline=None)
@given(evidence)
def test_evidence_that_speaks_against_itself_comes_to_nothing(found: list[tuple[str, str]]) -> None:
    turned = {"positive": "negative", "negative": "positive", "neutral": "neutral"}
    mirrored = [(turned[polarity], version) for polarity, version in found]
    assert strength(mirrored) == -strength(found) and strength(found + mirrored) == 0


@settings(deadline=None)
@given(st.integers(1, 300))
def test_no_number_of_runs_makes_certain(runs: int) -> None:
    assert strength([("positive", "h3")] * runs) == pytest.approx(runs / (runs + 1)) and strength([("positive", "h3")] * runs) < 1


def test_evidence_of_an_older_version_of_the_data_counts_half_for_each_that_came_after() -> None:
    belief = believed(lessons([("positive", "h1"), ("positive", "h2"), ("positive", "h3"), ("positive", "")]), ORDER)
    assert belief.weights == (0.25, 0.5, 1.0, 1.0)
    assert strength([("positive", "h1")]) == pytest.approx(0.25 / 1.25) and strength([("positive", "h3")]) == 0.5
    assert strength([("positive", "h1")] * 4) == strength([("positive", "h3")])
    assert strength([("positive", "h1"), ("negative", "h3")]) < 0 < strength([("positive", "h3"), ("negative", "h1")])


def test_versions_are_those_of_their_first_lessons_in_the_order_of_time() -> None:
    seen = [("h2", 3), ("h1", 1), ("h1", 9), ("", 2), ("h3", 5), ("h2", 7)]
    taught = [lesson(n, data_hash=name, created=DAY.format(day)) for n, (name, day) in enumerate(seen)]
    for order in permutations(taught):
        assert versions_of(order) == {"h1": 0, "h2": 1, "h3": 2}


def test_what_runs_contradict_is_contested_and_what_data_outgrew_has_faded() -> None:
    for found, contested, faded in (
        ([("positive", "h3"), ("neutral", "h3")], False, False),
        ([("positive", "h3"), ("negative", "h3")], True, False),
        ([("positive", "h1"), ("negative", "h2")], True, True),
        ([("positive", "h1"), ("positive", "h3")], False, False),
        ([("negative", "h2")], False, True),
    ):
        belief = believed(lessons(found), ORDER)
        assert (belief.contested, belief.faded) == (contested, faded)
        assert ("contested" in belief.in_words, "faded: the data has changed since" in belief.in_words) == (contested, faded)


def test_it_is_said_in_words() -> None:
    found = [("positive", "h3"), ("positive", "h3"), ("negative", "h3"), ("neutral", "h3")]
    assert believed(lessons(found), ORDER).in_words == (
        "fm (d, ctr): 2 runs for and 1 run against and 1 run without a difference; strength +0.20, contested"
    )
    assert believed(lessons([("negative", "h1")]), ORDER).in_words == (
        "fm (d, ctr): 1 run against; strength -0.20, faded: the data has changed since"
    )
    assert "strength 0" in believed(lessons([("neutral", "h3")]), ORDER).in_words


def test_a_belief_is_of_one_subject_on_one_data_set_and_task(tmp_path: Path) -> None:
    store = cheap(tmp_path)
    store.add(
        lesson(1), lesson(2), lesson(3, "negative", dataset="e"), lesson(4, "negative", task="items"), lesson(5, subject="x")
    )
    belief = belief_on(store, lesson(1).topic)
    assert belief and [r.id for r in belief.lessons] == ["l1", "l2"] and belief.strength == pytest.approx(2 / 3)
    assert belief_on(store, "no topic") is None


def test_new_data_fades_what_was_seen_on_the_old(tmp_path: Path) -> None:
    store = cheap(tmp_path)
    store.add(lesson(1, data_hash="h1", created=DAY.format(1)))
    assert belief_on(store, lesson(1).topic).strength == 0.5
    store.add(lesson(2, subject="another", data_hash="h2", created=DAY.format(2)))
    belief = belief_on(store, lesson(1).topic)
    assert belief.faded and belief.strength == pytest.approx(1 / 3)
    store.add(lesson(3, dataset="elsewhere", data_hash="h9", created=DAY.format(3)))
    assert belief_on(store, lesson(1).topic).strength == pytest.approx(1 / 3)


def test_what_is_old_stays_faded_however_much_comes_after(tmp_path: Path) -> None:
    store = cheap(tmp_path)
    others = [lesson(n, subject=f"other {n}", data_hash="h2", created=DAY.format(2)) for n in range(10, 310)]
    store.log.append([lesson(1, data_hash="h1", created=DAY.format(1)), *others])
    belief = belief_on(store, lesson(1).topic)
    assert belief.weights == (0.5,) and belief.faded


def test_a_lesson_that_is_forgotten_or_revised_counts_no_more(tmp_path: Path) -> None:
    store = cheap(tmp_path)
    store.add(lesson(1), lesson(2), lesson(3, "negative"))
    store.forget(["l2"], "its run was broken")
    assert belief_on(store, lesson(1).topic).strength == 0
    store.add(lesson(3, "neutral"))
    assert belief_on(store, lesson(1).topic).strength == pytest.approx(1 / 3)


def test_beliefs_near_a_text_come_nearest_first_and_once_each(tmp_path: Path) -> None:
    store = MemoryStore(tmp_path, WordEmbeddings())
    subjects = ("attention over purchases", "a tower for each task", "crossing of features")
    store.add(*(lesson(10 * n + i, subject=subject) for n, subject in enumerate(subjects) for i in range(5)))
    found = beliefs_near(store, "attention over purchases", 3)
    assert found[0].newest.subject == subjects[0] and len(found[0].lessons) == 5
    assert len({belief.topic for belief in found}) == len(found) == 3
    assert beliefs_near(store, "attention over purchases", 3, at_least=0.99) == []
    assert [b.newest.subject for b in beliefs_near(store, "attention over purchases", 1)] == [subjects[0]]
    assert beliefs_near(store, "attention", 3, only=Only(dataset="elsewhere")) == []


def test_many_lessons_on_one_subject_do_not_hide_another(tmp_path: Path) -> None:
    store = MemoryStore(tmp_path, WordEmbeddings())
    store.log.append([lesson(n, subject="attention over purchases") for n in range(100)])
    store.add(lesson(200, subject="volcanoes"))
    assert {belief.newest.subject for belief in beliefs_near(store, "attention over purchases", 2)} == {
        "attention over purchases",
        "volcanoes",
    }


def test_the_newest_beliefs_are_those_that_were_added_to_last(tmp_path: Path) -> None:
    store = cheap(tmp_path)
    store.add(*(lesson(n, subject=f"s{n % 4}", created=DAY.format(1 + n)) for n in range(10)))
    assert [belief.newest.id for belief in newest_beliefs(store, 3)] == ["l9", "l8", "l7"]
    assert newest_beliefs(cheap(tmp_path / "empty"), 3) == [] == beliefs_near(cheap(tmp_path / "empty"), "x", 3)
