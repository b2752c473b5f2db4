"""What all lessons on a topic come to: evidence that repeats strengthens a belief, contradiction weakens it, and age fades it.

A lesson is what one run said for or against its subject on one data set. Evidence from an earlier version of the data counts half
for each version that came after. With weights w of the evidence for, against and of neither, a belief's strength is
(w_for - w_against) / (w_for + w_against + w_neither + 1), in (-1, 1): one run says half as much as can be said, and no number of
runs makes certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from memory.narrowing import ANYTHING, Only
from memory.records import LessonRecord, Polarity
from memory.store import MemoryStore

FADES = 0.5  # what is left of evidence when a new version of its data has come
SAYS: dict[Polarity, str] = {"positive": "for", "negative": "against", "neutral": "without a difference"}
LATEST = 200  # lessons of a topic or data set that are looked at


@dataclass(frozen=True)
class Belief:
    """Lessons on one topic, oldest first, each with its weight in (0, 1]."""

    lessons: tuple[LessonRecord, ...]
    weights: tuple[float, ...]

    @property
    def newest(self) -> LessonRecord:
        return self.lessons[-1]

    @property
    def topic(self) -> str:
        return self.newest.topic

    def weight(self, polarity: Polarity) -> float:
        return sum(w for lesson, w in zip(self.lessons, self.weights, strict=True) if lesson.polarity == polarity)

    @cached_property
    def strength(self) -> float:
        total = sum(self.weights) + 1.0
        return (self.weight("positive") - self.weight("negative")) / total

    @property
    def contested(self) -> bool:
        """Whether runs contradict each other."""
        return {"positive", "negative"} <= {lesson.polarity for lesson in self.lessons}

    @property
    def faded(self) -> bool:
        """Whether all of it was seen on data that has changed since."""
        return max(self.weights) < 1

    @property
    def polarity(self) -> Polarity:
        return "positive" if self.strength > 0 else "negative" if self.strength < 0 else "neutral"

    @property
    def in_words(self) -> str:
        """The belief and how well it stands, in one sentence without an end."""
        count = {p: sum(lesson.polarity == p for lesson in self.lessons) for p in SAYS}
        runs = " and ".join(f"{n} run{'s' if n != 1 else ''} {SAYS[p]}" for p, n in count.items() if n)
        marks = [f"strength {self.strength:+.2f}".replace("+0.00", "0"), *(["contested"] if self.contested else [])]
        marks += ["faded: the data has changed since"] if self.faded else []
        where = ", ".join(filter(None, (self.newest.dataset, self.newest.task)))
        return f"{self.newest.subject} ({where}): {runs}; {', '.join(marks)}"


def belief_on(store: MemoryStore, topic: str) -> Belief | None:
    """What is believed on a topic, None without a lesson on it."""
    lessons = [r for r in store.all("lesson", Only(topic=topic), LATEST) if isinstance(r, LessonRecord)]
    if not lessons:
        return None
    around = store.all("lesson", Only(dataset=lessons[-1].dataset), LATEST) if lessons[-1].dataset else lessons
    return believed(lessons, versions_of(r for r in (*lessons, *around) if isinstance(r, LessonRecord)))


def believed(lessons: Sequence[LessonRecord], versions: Mapping[str, int]) -> Belief:
    """The belief of lessons on one topic; `versions` numbers the versions of their data by hash, oldest first."""
    last = max(versions.values(), default=0)
    weights = [FADES ** (last - versions.get(lesson.data_hash, last)) for lesson in lessons]
    return Belief(tuple(lessons), tuple(weights))


def versions_of(lessons: Iterable[LessonRecord]) -> dict[str, int]:
    """The versions of a data set in the order in which lessons were first learned on them."""
    hashes = [lesson.data_hash for lesson in sorted(lessons, key=lambda r: (r.created, r.id)) if lesson.data_hash]
    return {data_hash: number for number, data_hash in enumerate(dict.fromkeys(hashes))}


def newest_beliefs(store: MemoryStore, k: int, only: Only = ANYTHING) -> list[Belief]:
    """The `k` beliefs that were last added to, newest first."""
    topics = dict.fromkeys(lesson.topic for lesson in reversed(store.all("lesson", only, 10 * k)))
    return [belief for topic in list(topics)[:k] if (belief := belief_on(store, topic))]


def beliefs_near(store: MemoryStore, text: str, k: int, at_least: float = -1.0, only: Only = ANYTHING) -> list[Belief]:
    """The `k` beliefs whose lessons are nearest in meaning to `text`, nearest first."""
    vector, wanted = store.vector(text), 4 * k
    while True:
        hits = store.near(vector, "lesson", wanted, only)
        topics = dict.fromkeys(hit.record.topic for hit in hits if hit.similarity >= at_least)
        if len(topics) >= k or len(hits) < wanted or hits[-1].similarity < at_least:
            break
        wanted *= 4  # many lessons speak of the same
    found = (belief_on(store, topic) for topic in list(topics)[:k])
    return [belief for belief in found if belief]
