"""What a run of AutoFeature ends with on a terminal: the decision, the trials in a table, and where to look."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agents.autofeature.changes import together_in_words
from agents.autofeature.confirmation import Confirmation
from agents.autofeature.trials import Tried
from workflows.conclusion import print_places
from workflows.driver import Ended
from workflows.feature_steps import Verdicts
from workflows.settings import Settings

COLOURS = {"adopted": "green", "not adopted": "yellow", "nothing to adopt": "blue"}


def conclude_features(console: Console, settings: Settings, ended: Ended) -> None:
    """Prints how a run stands, for a person."""
    summary, folder = ended.summary, ended.folder
    console.print()
    if ended.reused:
        console.print(f"Reused: run {summary.run_id} had ended before, nothing was trained again (--again makes a new run).")
    if folder.has("confirmation.json"):
        last = folder.load("confirmation", Confirmation)
        console.print(f"[bold {COLOURS[last.verdict]}]{last.verdict}[/]: {escape(last.reason)}", soft_wrap=True, highlight=False)
        for said in together_in_words(last.changes).split("; ") if last.changes else ():
            console.print(f"  {escape(said)}", soft_wrap=True, highlight=False)
        console.print()
        console.print(_table(folder.load("tried", Tried), folder.load("verdicts", Verdicts)))
        console.print()
    else:
        console.print(f"[bold]{escape(summary.status_in_words)}[/]: {escape(summary.reason or summary.stage)}", soft_wrap=True)
    print_places(console, settings, ended)


def _table(tried: Tried, verdicts: Verdicts) -> Table:
    kept = {v.name for v in verdicts.verdicts if v.kept}
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    table.add_column("trial", overflow="fold")
    table.add_column("AUC gained on valid", no_wrap=True)
    table.add_column("MB", justify="right", no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for t in tried.trials:
        gain = f"{t.gain.value:+.4f} [{t.gain.low:+.4f}, {t.gain.high:+.4f}]" if t.gain else "-"
        cost = (f"{t.cost.bytes / 1e6:+.2f}", f"{t.cost.ms:+.2f}") if t.cost else ("-", "-")
        mark = "[green]kept[/]" if t.name in kept else "[red]failed[/]" if t.failure else "[dim]not kept[/]"
        table.add_row(escape(t.name), escape(gain), *cost, mark)
    return table
