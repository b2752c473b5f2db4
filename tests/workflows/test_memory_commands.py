"""`agenticrs memory`: what is remembered is found, explained, moved and forgotten, in words and for scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import agenticrs

from memory.embeddings import WordEmbeddings
from memory.records import LessonRecord, OutcomeRecord, PaperRecord, RunRecord
from memory.store import MemoryStore
from workflows.exit_codes import ExitCode

PAPER = PaperRecord(id="paper-1", title="Gates between scenarios", source="a.md", abstract="One gate for each pair of scenarios.")
SUBJECT = "a model with scenario_gate against dnn"


def run(number: int, verdict: str, data_hash: str = "h1") -> list[RunRecord | OutcomeRecord | LessonRecord]:
    polarity = {"better": "positive", "worse": "negative"}[verdict]
    created = f"2026-01-0{number}T00:00:00+00:00"
    about = {"dataset": "clicks", "task": "multi_scenario", "agent": "AutoTrain", "created": created, "mlflow_run": f"m{number}"}
    return [
        RunRecord(
            id=f"run-{number}",
            parents=("paper-1",),
            data_hash=data_hash,
            code_hash="c",
            candidate="Gates",
            baselines=("dnn",),
            seeds=3,
            trials=1,
            sandbox="docker",
            **about,
        ),
        OutcomeRecord(
            id=f"outcome-{number}", parents=("paper-1", f"run-{number}"), status="done", verdict=verdict, reason="AUC", **about
        ),
        LessonRecord.model_validate(
            {
                "id": f"lesson-{number}",
                "parents": (f"run-{number}",),
                "subject": SUBJECT,
                "claim": f"{SUBJECT}: {verdict}",
                "polarity": polarity,
                "reason": f"AUC {verdict} [red]by .01[/] \x1b[31m",
                "evidence": (f"run-{number}",),
                "data_hash": data_hash,
                **about,
            }
        ),
    ]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    memory = MemoryStore(tmp_path / "home" / "memory", WordEmbeddings())
    memory.add(PAPER, *run(1, "better"), *run(2, "better"), *run(3, "worse", "h2"))
    memory.close()
    return tmp_path / "home"


def said(home: Path, *words: str | Path, code: int = ExitCode.DONE) -> str:
    done = agenticrs(home, "memory", *words)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if code == ExitCode.DONE else done.stderr


def found(home: Path, *words: str) -> list[str]:
    return [row["id"] for row in json.loads(said(home, "search", *words, "--json"))]


def test_search_finds_by_meaning_and_narrows(home: Path) -> None:
    assert found(home, "gates for scenarios", "--kind", "paper") == ["paper-1"]
    assert set(found(home, "gates", "--kind", "outcome", "--outcome", "worse")) == {"outcome-3"}
    assert set(found(home, "gates", "--kind", "run", "--until", "2026-01-02")) == {"run-1"}
    assert set(found(home, "gates", "--kind", "run", "--since", "2026-01-02")) == {"run-2", "run-3"}
    assert found(home, "gates", "--dataset", "nothing") == []
    assert len(found(home, "gates", "-n", "2")) == 2
    assert "paper-1" in said(home, "search", "gates for scenarios")
    assert "Nothing is remembered that fits" in said(home, "search", "gates", "--dataset", "nothing")


def test_a_lesson_says_why_it_is_believed(home: Path) -> None:
    text = said(home, "show", "lesson-2")
    assert "2 runs for and 1 run against" in text and "contested" in text
    for name in ("run-1", "run-2", "run-3", "m2", "mlflow.sqlite"):
        assert name in text
    assert "counts 0.5: its data has changed since" in text
    assert "[red]by .01[/]" in text and "\x1b" not in text  # what records say is text, never markup or orders to a terminal


def test_a_record_says_where_it_came_from_and_what_came_of_it(home: Path) -> None:
    text = said(home, "show", "run-1")
    assert "from: paper-1" in text and "led to: outcome-1" in text and "led to: lesson-1" in text
    assert json.loads(said(home, "show", "run-1", "--json"))["candidate"] == "Gates"
    assert said(home, "show", "1") == text  # a run by its name


def test_lessons_are_listed_once_a_topic(home: Path) -> None:
    (belief,) = json.loads(said(home, "lessons", "--json"))
    assert belief["contested"] and belief["in_words"].startswith(SUBJECT)
    assert json.loads(said(home, "lessons", "scenario gates", "--json")) == [belief]
    assert SUBJECT in said(home, "lessons")
    assert "No lessons yet" in said(home, "lessons", "--dataset", "nothing")


def test_stats_count_by_kind(home: Path) -> None:
    stats = json.loads(said(home, "stats", "--json"))
    assert (stats["records"], stats["run"], stats["lesson"], stats["forgotten"]) == (10, 3, 3, 0)
    assert stats["embedding"] == "wordllama-256" and "records: 10" in said(home, "stats")


def test_what_is_exported_comes_back_the_same(home: Path, tmp_path: Path) -> None:
    changed = PAPER.model_copy(update={"title": "Gates, revised"})
    memory = MemoryStore(home / "memory", WordEmbeddings())
    memory.add(changed)
    memory.close()
    said(home, "export", tmp_path / "a.jsonl")
    assert "11 of 11 records were new" in said(tmp_path / "other", "import", tmp_path / "a.jsonl")
    assert said(tmp_path / "other", "export", "-") == (tmp_path / "a.jsonl").read_text() == said(home, "export", "-")
    assert "0 of 11 records were new" in said(home, "import", tmp_path / "a.jsonl")
    assert json.loads(said(tmp_path / "other", "show", "paper-1", "--json"))["title"] == "Gates, revised"
    assert found(tmp_path / "other", "gates for scenarios", "--kind", "paper") == ["paper-1"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("not json", "line 1 is not"),
        ('{"version": 2}', "line 1 is not"),
        ('{"version": 99, "record": {}}', "newer program"),
        ('{"version": 2, "record": {"kind": "paper"}}', "line 1: not a record"),
        ('{"version": 2, "record": {"kind": "spell", "id": "x"}}', "line 1: not a record"),
        ("[" * 100_000, "line 1 is not"),
    ],
)
def test_a_bad_file_is_imported_not_even_in_part(home: Path, tmp_path: Path, content: str, fault: str) -> None:
    good = json.dumps({"version": 2, "record": PAPER.model_copy(update={"id": "paper-new"}).model_dump()})
    (tmp_path / "bad.jsonl").write_text(f"{content}\n{good}\n")
    error = said(home, "import", tmp_path / "bad.jsonl", code=ExitCode.UNREADABLE)
    assert "nothing was imported" in error and fault in error and error.count("\n") == 1
    assert "nothing is remembered as paper-new" in said(home, "show", "paper-new", code=ExitCode.USAGE)


def test_files_that_cannot_be_read_or_written_are_named(home: Path, tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\xfa")
    assert "not text" in said(home, "import", tmp_path / "bytes", code=ExitCode.UNREADABLE)
    assert "cannot be read" in said(home, "import", tmp_path / "missing", code=ExitCode.UNREADABLE)
    assert "cannot be written" in said(home, "export", tmp_path / "no" / "folder", code=ExitCode.USAGE)


def test_forgetting_takes_what_came_of_it_too_and_says_so_later(home: Path) -> None:
    text = said(home, "forget", "run-3", "--why", "wrong data", "--yes")
    assert "lesson-3" in text and "3 forgotten" in text
    assert "was forgotten on" in said(home, "show", "run-3", code=ExitCode.USAGE)
    assert not json.loads(said(home, "lessons", "--json"))[0]["contested"]
    assert "nothing is remembered as run-9" in said(home, "forget", "run-9", "--why", "x", "--yes", code=ExitCode.USAGE)


def test_bad_times_and_damaged_stores_are_one_sentence(home: Path) -> None:
    assert "is not a day or time" in said(home, "search", "x", "--since", "soon", code=ExitCode.USAGE)
    (home / "memory" / "records.sqlite").write_bytes(b"garbage" * 1000)
    for part in ("-wal", "-shm"):
        (home / "memory" / f"records.sqlite{part}").unlink(missing_ok=True)
    error = said(home, "stats", code=ExitCode.MEMORY)
    assert "damaged" in error and "agenticrs memory import" in error and error.count("\n") == 1
