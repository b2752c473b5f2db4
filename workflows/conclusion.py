"""What a command ends with: the verdict in a sentence, a table, and where to look."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agents.autotrain.compare import Comparison
from workflows.driver import Ended
from workflows.settings import Settings

COLOURS = {"better": "green", "worse": "red", "tie": "yellow", "not comparable": "magenta", "smoke": "blue"}


def conclude(console: Console, settings: Settings, ended: Ended) -> None:
    """Prints how a run stands, for a person."""
    summary, folder = ended.summary, ended.folder
    console.print()
    if ended.reused:
        console.print(f"Reused: run {summary.run_id} had ended before, nothing was trained again (--again makes a new run).")
    if summary.status == "done":
        _verdict(console, folder.load("comparison", Comparison))
    else:
        words = {"out_of_scope": "out of scope", "no_candidate": "no candidate"}.get(summary.status, summary.status)
        console.print(f"[bold]{escape(words)}[/]: {escape(summary.reason or summary.stage)}", soft_wrap=True)
    _places(console, settings, ended)


def _verdict(console: Console, comparison: Comparison) -> None:
    colour = COLOURS.get(comparison.verdict, "white")
    console.print(f"[bold {colour}]{escape(comparison.verdict)}[/]: {escape(comparison.sentence)}", soft_wrap=True)
    console.print(_table(comparison))


def _table(comparison: Comparison) -> Table:
    raise NotImplementedError


def _places(console: Console, settings: Settings, ended: Ended) -> None:
    folder, run = ended.folder, ended.summary.run_id
    report = folder.root / "report.html"
    if report.is_file():
        _line(console, "report", str(report))
    if ended.summary.status == "done":
        _line(console, "MLflow store", settings.mlflow_uri)
        tool = Path(sys.executable).with_name("mlflow")
        _line(
            console, "to open it", f"MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false {tool} ui --backend-store-uri {settings.mlflow_uri}"
        )
    elif ended.summary.status == "waiting":
        _line(console, "to go on", f"agenticrs resume {run} --yes (or --no)")
    elif ended.summary.status in ("stopped", "failed"):
        _line(console, "to go on", f"agenticrs resume {run}")


def _line(console: Console, name: str, text: str) -> None:
    console.print(f"[dim]{name}:[/] {escape(text)}", soft_wrap=True, highlight=False)
