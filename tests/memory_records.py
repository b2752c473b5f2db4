"""Records for tests of the memory: one of each kind, as many different ones as are wanted, and a cheap embedding."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import pairwise

from memory.records import (
    AnyRecord,
    DecisionRecord,
    FeatureRecord,
    LessonRecord,
    MechanismRecord,
    MethodRecord,
    OutcomeRecord,
    PaperRecord,
    Polarity,
    RewardRecord,
    RunRecord,
    SectionRecord,
)
from memory.store import MemoryStore

WORDS = (
    "river matrix music garden engine purchase user click attention feature cross tower gate expert history session price shop "
    "travel food sport health movie book game city car phone camera laptop shoes coat lamp table chair bread cheese wine coffee "
    "tea sugar salt pepper forest mountain ocean bridge castle painting violin planet rocket doctor lawyer teacher farmer"
).split()
DAY = "2026-05-{:02d}T12:00:00+00:00"

ONE_OF_EACH: tuple[AnyRecord, ...] = (
    PaperRecord(
        id="p1",
        title="Crossing features",
        source="note.md",
        abstract="A network that multiplies features explicitly.",
        created=DAY.format(1),
    ),
    SectionRecord(id="s1", parents=("p1",), title="Method", beginning="Each layer multiplies the first.", created=DAY.format(2)),
    MethodRecord(
        id="m1", parents=("p1",), name="X", task="ctr", mechanisms=("fm", "dnn"), unclear=("a trick",), created=DAY.format(3)
    ),
    MechanismRecord(id="e1", parents=("m1",), name="crossing", block="cross", quote="x0 times x", created=DAY.format(4)),
    RunRecord(
        id="r1",
        parents=("p1",),
        dataset="d",
        agent="AutoTrain",
        data_hash="h",
        code_hash="c",
        configuration="f00",
        candidate="X",
        baselines=("lr",),
        seeds=3,
        trials=2,
        sandbox="docker",
        created=DAY.format(5),
    ),
    DecisionRecord(
        id="c1",
        parents=("r1",),
        dataset="d",
        state="no data",
        alternatives=("a", "b"),
        choice="a",
        rationale="cheaper",
        created=DAY.format(6),
    ),
    OutcomeRecord(
        id="o1",
        parents=("r1", "p1"),
        dataset="d",
        status="done",
        verdict="tie",
        reason="no difference shown",
        metrics={"auc": 0.7},
        created=DAY.format(7),
    ),
    LessonRecord(
        id="l1",
        parents=("r1",),
        dataset="d",
        task="ctr",
        subject="fm",
        claim="fm adds nothing to dcnv2",
        polarity="negative",
        reason="tie over 5 seeds",
        evidence=("r1",),
        created=DAY.format(8),
    ),
    RewardRecord(
        id="w1",
        parents=("c1",),
        dataset="d",
        agent="AutoTrain",
        measure="AUC gained",
        value=0.01,
        low=-0.01,
        high=0.03,
        accepted=False,
        reason="no difference shown",
        decision={"model": "dnn", "learning_rate": 0.01, "epochs": 2, "composed": True},
        instead_of={"model": "lr"},
        figures={"seconds": 5.0},
        data_hash="h",
        created=DAY.format(9),
    ),
    FeatureRecord(
        id="f1",
        parents=("c1",),
        dataset="d",
        agent="AutoFeature",
        name="a_x_b",
        change='{"kind":"drop","name":"a"}',
        state="active",
        reason="it gains",
        model="lr",
        gain=0.01,
        low=0.005,
        high=0.015,
        data_hash="h",
        created=DAY.format(10),
    ),
)


def said(number: int, words: int = 12) -> str:
    """A text that is found by itself: no other number has the same."""
    draw = random.Random(number)
    return " ".join(draw.choice(WORDS) for _ in range(words))


def papers(numbers: Iterable[int], **shared: str) -> list[AnyRecord]:
    shared = {"created": DAY.format(1)} | shared
    return [PaperRecord(id=f"p{n}", title=said(n), source=str(n), abstract="", **shared) for n in numbers]


def lesson(number: int, polarity: Polarity = "positive", **given: str) -> LessonRecord:
    given = {"subject": "fm", "dataset": "d", "task": "ctr", "created": DAY.format(1), "data_hash": "h1"} | given
    claim, reason = f"{given['subject']}: {polarity}", said(number)
    return LessonRecord(id=f"l{number}", claim=claim, polarity=polarity, reason=reason, evidence=(f"r{number}",), **given)


def found_by_itself(store: MemoryStore, record: AnyRecord) -> bool:
    """Whether the record is what is nearest in meaning to its own text."""
    return record.id in {hit.record.id for hit in store.similar(record.text(), record.kind, 3)}


def vectors_in(store: MemoryStore) -> int:
    return store._index.ask(lambda index: index.count())


class Letters:
    """An embedding that costs nothing: how often each of some letters follows another. `given` is all that it has embedded."""

    def __init__(self, name: str = "letters", width: int = 48) -> None:
        self.name, self.width = name, width
        self.given: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.given += texts
        return [self._vector(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self._vector(text)

    def _vector(self, text: str) -> list[float]:
        vector = [0.0] * self.width
        for first, second in pairwise(text):
            vector[(ord(first) * 31 + ord(second) * 17) % self.width] += 1.0
        return vector
