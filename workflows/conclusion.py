"""What a command ends with: the verdict in a sentence, a table, and where to look."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agents.compare import MEASURES, Comparison
from agents.compare.comparison import BaselineRow
from agents.compare.holm import holm_adjusted
from agents.secrets import without_secrets
from workflows.driver import Ended
from workflows.run_folder import Summary
from workflows.settings import Settings
from workflows.steps.judging import ScoreTable

COLOURS = {"better": "green", "worse": "red", "tie": "yellow", "not comparable": "magenta", "smoke": "blue"}


def conclude(console: Console, settings: Settings, ended: Ended) -> None:
    """Prints how a run stands, for a person."""
    summary, folder = ended.summary, ended.folder
    console.print()
    if ended.reused:
        console.print(f"Reused: run {summary.run_id} had ended before, nothing was trained again (--again makes a new run).")
    if summary.status == "done":
        _verdict(console, folder.load("comparison", Comparison), folder.load("scores", ScoreTable))
    else:
        console.print(f"[bold]{escape(summary.status_in_words)}[/]: {escape(summary.reason or summary.stage)}", soft_wrap=True)
    print_places(console, settings, ended)


def _verdict(console: Console, comparison: Comparison, scores: ScoreTable) -> None:
    verdict, rest = comparison.verdict, comparison.sentence.removeprefix(comparison.verdict)
    join = "" if rest != comparison.sentence else ": "
    console.print(f"[bold {COLOURS.get(verdict, 'white')}]{escape(verdict)}[/]{join}{escape(rest)}", soft_wrap=True)
    console.print()
    console.print(f"[dim]{escape(_heading(comparison, scores))}[/]", soft_wrap=True, highlight=False)
    console.print(_table(comparison, scores))
    for name, reason in _reasons(comparison, scores):
        console.print(f"{escape(name)}: {escape(reason)}", soft_wrap=True, highlight=False)
    console.print()


def _heading(comparison: Comparison, scores: ScoreTable) -> str:
    task = next((s.primary.task for m in scores.models for s in m.test.values()), "")
    seeds = f"{len(comparison.seeds)} seed{'s' if len(comparison.seeds) != 1 else ''}"
    corrected = "; p after Holm's correction" if any(row.primary for row in comparison.rows) else ""
    return f"{task + ', ' if task else ''}{comparison.test_rows:,} test {comparison.question.rows}, means over {seeds}{corrected}"


def _table(comparison: Comparison, scores: ScoreTable) -> Table:
    """All models on the test split's primary task: means of the metrics over seeds, and the candidate against each baseline.

    At most 80 columns wide while names stay below 20 letters.
    """
    judged, question = [row for row in comparison.rows if row.primary is not None], comparison.question
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    table.add_column("model", overflow="fold")
    for metric in question.metrics:
        table.add_column(MEASURES[metric].words, justify="right", no_wrap=True)
    if judged:
        for heading in (f"candidate minus it, in {question.measure.words}", "p", "verdict"):
            table.add_column(heading, no_wrap=True)
    adjusted = holm_adjusted([row.primary.p_value for row in judged if row.primary])
    p_values = dict(zip([row.baseline for row in judged], adjusted, strict=True))
    for model in scores.models:
        row, bold = comparison.row(model.name), "bold" if model is scores.models[0] else ""
        against = _against(row, p_values[model.name]) if row and model.name in p_values else ()
        means = [f"{model.means[metric]:.4f}" if metric in model.means else "-" for metric in question.metrics]
        table.add_row(escape(model.name), *means, *against, style=bold)
    return table


def _against(row: BaselineRow, p_value: float) -> tuple[str, str, str]:
    assert row.primary is not None
    colour = COLOURS.get(row.verdict, "white")
    return escape(row.primary.numbers), f"{p_value:.3f}" if p_value >= 0.001 else "<0.001", f"[{colour}]{row.verdict}[/]"


def _reasons(comparison: Comparison, scores: ScoreTable) -> Iterator[tuple[str, str]]:
    """Why models are not compared, once each, and what the comparison itself notes."""
    failures = {model.name: f"failed: {model.failure}" for model in scores.models if model.failure}
    blocked = {row.baseline: row.reason for row in comparison.rows if row.verdict == "not comparable" and row.reason}
    yield from (failures | {name: reason for name, reason in blocked.items() if name not in failures}).items()
    yield from (("note", note) for note in comparison.notes)


def _spent(summary: Summary) -> str:
    minutes = f"{summary.seconds / 60:.1f} minutes, {summary.sandbox_seconds / 60:.1f} in sandboxes"
    if not summary.tokens:
        return minutes
    money = "at a price not known" if summary.cost_usd is None else f"for {summary.cost_in_words}"
    return f"{minutes}; {summary.tokens:,} tokens {money}"


def print_places(console: Console, settings: Settings, ended: Ended) -> None:
    folder, run = ended.folder, ended.summary.run_id
    _line(console, "spent", _spent(ended.summary))
    report = folder.root / "report.html"
    if report.is_file():
        _line(console, "report", str(report))
    if ended.summary.status == "done":
        store = without_secrets(settings.mlflow_uri)
        _line(console, "MLflow store", store)
        tool = Path(sys.executable).with_name("mlflow")
        _line(console, "to open it", f"MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false {tool} ui --backend-store-uri {store}")
    elif ended.summary.status == "waiting":
        _line(console, "to go on", f"agenticrs resume {run} --yes (or --no)")
    elif ended.summary.status in ("stopped", "failed"):
        _line(console, "to go on", f"agenticrs resume {run}")


def _line(console: Console, name: str, text: str) -> None:
    console.print(f"[dim]{name}:[/] {escape(text)}", soft_wrap=True, highlight=False)
