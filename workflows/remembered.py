"""What memory holds, for people: a record in a line or in full, where it came from, and why a lesson is believed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.clean import clean
from agents.secrets import without_secrets
from memory.beliefs import Belief, belief_on
from memory.narrowing import ANYTHING, Only
from memory.records import AnyRecord, Kind, LessonRecord, RunRecord
from memory.store import Hit, MemoryStore
from workflows.settings import Settings

LINE = 140  # characters of a record's text in a list
KINDS: tuple[Kind, ...] = ("paper", "section", "method", "mechanism", "run", "decision", "outcome", "reward", "feature", "lesson")
SEARCHED: tuple[Kind, ...] = ("paper", "method", "mechanism", "run", "outcome", "feature", "lesson")  # where no kind is named


@dataclass(frozen=True)
class Line:
    """Something to say of a record: what it is, and the words."""

    name: str
    text: str


def search(memory: MemoryStore, text: str, kinds: tuple[Kind, ...], k: int, only: Only = ANYTHING) -> list[Hit]:
    """The `k` records nearest in meaning, of all those kinds together, nearest first."""
    vector = memory.vector(text)
    hits = [hit for kind in kinds for hit in memory.near(vector, kind, k, only)]
    return sorted(hits, key=lambda hit: -hit.similarity)[:k]


def in_a_line(record: AnyRecord) -> str:
    """Its text, shortened; written by models and papers, and therefore without what a terminal would obey."""
    text = " ".join(clean(record.text()).split())
    return text if len(text) <= LINE else f"{text[: LINE - 1]}…"


def explained(memory: MemoryStore, settings: Settings, record: AnyRecord) -> Iterator[Line]:
    """All of a record: its fields, what it came from and what came from it, its run; of a lesson, why it is believed."""
    fields = record.model_dump(exclude={"id", "kind", "parents", "mlflow_run"}, exclude_defaults=True)
    for name, value in fields.items():
        yield Line(name.replace("_", " "), clean(_plain(value)))
    for parent in record.parents:
        found = memory.get(parent)
        yield Line("from", f"{parent}: {in_a_line(found)}" if found else f"{parent} (not in this memory)")
    for child in memory.children(record.id):
        yield Line("led to", f"{child.id}: {in_a_line(child)}")
    if len(written := memory.log.revisions(record.id)) > 1:
        yield Line("revisions", str(len(written)))
    yield from _places(settings, record)
    if isinstance(record, LessonRecord) and (belief := belief_on(memory, record.topic)):
        yield Line("believed", clean(belief.in_words))
        yield from why(memory, belief)


def why(memory: MemoryStore, belief: Belief) -> Iterator[Line]:
    """Why it is believed: each lesson with its run."""
    for lesson, weight in zip(belief.lessons, belief.weights, strict=True):
        for name in lesson.evidence:
            run = memory.get(name)
            where = f"{name}, {run.seeds} seeds, MLflow run {run.mlflow_run}" if isinstance(run, RunRecord) else name
            faded = f" (counts {weight:g}: its data has changed since)" if weight < 1 else ""
            yield Line(lesson.polarity, clean(f"{where}: {lesson.reason}{faded}"))


def with_descendants(memory: MemoryStore, ids: Sequence[str]) -> list[AnyRecord]:
    """Those records and all that came from them."""
    going = {name: record for name in ids if (record := memory.get(name))}
    newest = list(going.values())
    while newest:
        newest = [child for record in newest for child in memory.children(record.id) if child.id not in going]
        going |= {child.id: child for child in newest}
    return list(going.values())


def figures(memory: MemoryStore, settings: Settings) -> dict[str, int | str]:
    """Counts and places."""
    counts, folder = memory.log.counts(), settings.home / "memory"
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    return {
        "records": sum(counts.values()),
        **counts,
        "forgotten": memory.log.number_forgotten(),
        "cannot be read": memory.log.number_newer(),
        "embedding": memory.embedding,
        "vectors": settings.chroma_url or str(folder / "index"),
        "log": str(memory.log.path),
        "megabytes": f"{size / 1e6:.1f}",
    }


def _places(settings: Settings, record: AnyRecord) -> Iterator[Line]:
    """Where to look further."""
    if record.mlflow_run:
        yield Line("MLflow run", f"{record.mlflow_run} in {without_secrets(settings.mlflow_uri)}")
    run = record.id.removeprefix("run-")
    if isinstance(record, RunRecord) and (settings.home / "runs" / run / "report.html").is_file():
        yield Line("report", str(settings.home / "runs" / run / "report.html"))


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(part)}" for name, part in value.items())
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
