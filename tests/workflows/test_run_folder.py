"""A run's folder: whole files, one owner at a time, runs listed newest first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workflows.run_folder import RunBusy, RunFolder, Summary, list_runs


def summary(run_id: str, created: str = "2026-01-01") -> Summary:
    return Summary(run_id=run_id, created=created, paper="note.md")


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "a")
    folder.save("summary", summary("a"))
    folder.update_summary(status="done", seconds=2.5)
    assert folder.summary == summary("a").model_copy(update={"status": "done", "seconds": 2.5})


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder(tmp_path / "a")
    folder.write_text("x.txt", "old")

    def torn(self: Path, text: str, encoding: str) -> int:
        self.write_bytes(text[:1].encode())
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_text", torn)
    with pytest.raises(OSError, match="no space"):
        folder.write_text("x.txt", "new")
    assert folder.read_text("x.txt") == "old"


def test_runs_are_listed_newest_first_and_broken_ones_skipped(tmp_path: Path) -> None:
    for name, created in (("old", "2026-01-01"), ("new", "2026-02-01")):
        RunFolder(tmp_path / "runs" / name).save("summary", summary(name, created))
    RunFolder(tmp_path / "runs" / "broken").write_text("summary.json", "{")
    assert [s.run_id for s in list_runs(tmp_path)] == ["new", "old"]


def test_a_second_process_is_told_to_wait(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "a")
    code = (
        "from pathlib import Path\nfrom workflows.run_folder import RunFolder\n"
        f"with RunFolder(Path({str(folder.root)!r})).lock(): pass"
    )
    with folder.lock():
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
        assert "being worked on by another process" in other.stderr
        with pytest.raises(RunBusy), folder.lock():
            pass
    with folder.lock():  # released
        pass
