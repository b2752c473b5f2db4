"""`agenticrs memory`: what is remembered, for people and scripts. Heavy imports wait until a command needs them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workflows.exit_codes import ExitCode
from workflows.terminal import Json, fail, open_console, print_json, read_settings

if TYPE_CHECKING:
    from memory.narrowing import Only
    from memory.store import MemoryStore
    from workflows.settings import Settings

memory_app = typer.Typer(help="What was tried, what came of it and what it taught.", no_args_is_help=True)

KindName = Literal["paper", "section", "method", "mechanism", "run", "decision", "outcome", "reward", "feature", "lesson"]
Dataset = Annotated[str, typer.Option(help="Only of this data set.")]
Task = Annotated[str, typer.Option(help="Only of this task, such as ctr or items.")]
Agent = Annotated[str, typer.Option(help="Only what this agent wrote, such as AutoTrain.")]
OutcomeName = Annotated[str, typer.Option("--outcome", help="Only with this outcome: better, no_candidate, positive, ...")]
Since = Annotated[str, typer.Option(help="Only from this day or time on (2026-11-30, or with a time).")]
Until = Annotated[str, typer.Option(help="Only before this day or time.")]
Number = Annotated[int, typer.Option("-n", min=1, max=1000, help="At most so many.")]


@memory_app.command("search")
def search_(
    text: Annotated[str, typer.Argument(help="What to look for, in your words.")],
    kind: Annotated[KindName | None, typer.Option(help="Only this kind of record.")] = None,
    dataset: Dataset = "",
    task: Task = "",
    agent: Agent = "",
    outcome: OutcomeName = "",
    since: Since = "",
    until: Until = "",
    n: Number = 10,
    json: Json = False,
) -> None:
    """Records nearest in meaning."""
    from workflows.remembered import SEARCHED, in_a_line, search

    only = _only(dataset, task, agent, outcome, since, until)
    with _memory() as (memory, _):
        hits = search(memory, text, (kind,) if kind else SEARCHED, n, only)
    if json:
        print_json([{"similarity": round(h.similarity, 4), **h.record.model_dump()} for h in hits])
    elif not hits:
        open_console().print("Nothing is remembered that fits.")
    else:
        rows = ((f"{h.similarity:.2f}", h.record.kind, h.record.id, in_a_line(h.record)) for h in hits)
        _table(("similarity", "kind", "record", "says"), rows)


@memory_app.command("show")
def show(record: Annotated[str, typer.Argument(help="A record's id, or a run's name.")], json: Json = False) -> None:
    """A record: all of it, what it came from and led to; of a lesson, why it is believed."""
    from workflows.remembered import explained

    with _memory() as (memory, settings):
        found = memory.get(record) or memory.get(f"run-{record}")
        if found is None:
            gone = memory.log.forgotten(record)
            said = f"{record} was forgotten on {gone[0]}: {gone[1]}" if gone else f"nothing is remembered as {record}"
            fail(said, ExitCode.USAGE)
        if json:
            print_json(found.model_dump())
            return
        _lines([(found.kind, found.id), *((line.name, line.text) for line in explained(memory, settings, found))])


@memory_app.command("lessons")
def lessons(
    text: Annotated[str, typer.Argument(help="Lessons near this in meaning, nearest first; without it, the newest.")] = "",
    dataset: Dataset = "",
    task: Task = "",
    n: Number = 20,
    json: Json = False,
) -> None:
    """What is believed, how firmly, and by how many runs."""
    from memory.beliefs import beliefs_near, newest_beliefs

    only = _only(dataset, task)
    with _memory() as (memory, _):
        found = beliefs_near(memory, text, n, only=only) if text else newest_beliefs(memory, n, only)
    if json:
        said = ("topic", "strength", "contested", "faded", "in_words")
        print_json([{name: getattr(belief, name) for name in said} for belief in found])
    elif not found:
        open_console().print("No lessons yet: every run that comes to a verdict leaves some.")
    else:
        _lines([(belief.newest.id, belief.in_words) for belief in found])


@memory_app.command("stats")
def stats(json: Json = False) -> None:
    """How much is remembered, where, and by which embedding it is found."""
    from workflows.remembered import figures

    with _memory() as (memory, settings):
        found = figures(memory, settings)
    if json:
        print_json(found)
    else:
        _lines([(name, f"{value:,}" if isinstance(value, int) else value) for name, value in found.items()])


@memory_app.command("export")
def export(file: Annotated[Path, typer.Argument(dir_okay=False, help="Where to; - is the terminal.")]) -> None:
    """Everything as JSON Lines, history included; import brings it back."""
    from memory.transfer import exported

    with _memory() as (memory, _):
        lines = [f"{line}\n" for line in exported(memory.log)]
    if str(file) == "-":
        sys.stdout.writelines(lines)
        return
    try:
        file.write_text("".join(lines), encoding="utf-8")
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}", ExitCode.USAGE)
    open_console().print(f"{len(lines):,} records written to {file}", soft_wrap=True, highlight=False)


@memory_app.command("import")
def import_(file: Annotated[Path, typer.Argument(help="What export wrote; - is the terminal.")]) -> None:
    """Adds records, all of a file or none; what is here already is left as it is."""
    from memory.errors import RecordRefused
    from memory.transfer import imported

    try:
        with nullcontext(sys.stdin) if str(file) == "-" else file.open(encoding="utf-8") as lines:
            records = list(imported(lines))
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}", ExitCode.UNREADABLE)
    except UnicodeDecodeError:
        fail(f"{file} is not text in UTF-8", ExitCode.UNREADABLE)
    except RecordRefused as refused:
        fail(f"nothing was imported from {file}: {refused}", ExitCode.UNREADABLE)
    with _memory() as (memory, _):
        new = memory.merge(records)
    open_console().print(f"{new:,} of {len(records):,} records were new", highlight=False)


@memory_app.command("forget")
def forget(
    records: Annotated[list[str], typer.Argument(help="Ids of records.")],
    why: Annotated[str, typer.Option(help="The reason, which is kept.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Takes records, and all that came from them, out of the memory for good."""
    from workflows.remembered import in_a_line, with_descendants

    with _memory() as (memory, _):
        unknown = [name for name in records if memory.get(name) is None]
        if unknown:
            fail(f"nothing is remembered as {', '.join(unknown)}", ExitCode.USAGE)
        going = with_descendants(memory, records)
        _table(("kind", "record", "says"), ((r.kind, r.id, in_a_line(r)) for r in going))
        if not yes and not typer.confirm(f"Forget {'it' if len(going) == 1 else f'these {len(going)}'} for good?"):
            raise typer.Exit(ExitCode.DONE)
        memory.forget([r.id for r in going], why)
    open_console().print(f"{len(going)} forgotten")


@contextmanager
def _memory() -> Iterator[tuple[MemoryStore, Settings]]:
    """The site's memory; what is wrong with it is one sentence."""
    from memory.errors import MemoryUnusable, RecordRefused
    from workflows.memory import open_memory

    settings = read_settings()
    try:
        memory = open_memory(settings, lambda text: typer.echo(text, err=True))
        try:
            yield memory, settings
        finally:
            memory.close()
    except MemoryUnusable as error:
        fail(str(error), ExitCode.MEMORY)
    except RecordRefused as error:
        fail(str(error), ExitCode.UNREADABLE)


def _only(dataset: str = "", task: str = "", agent: str = "", outcome: str = "", since: str = "", until: str = "") -> Only:
    from memory.narrowing import Only, seconds

    for name, time in (("--since", since), ("--until", until)):
        try:
            seconds(time or "2026-01-01")
        except ValueError:
            fail(f"{name} {time!r} is not a day or time: write it as 2026-11-30 or 2026-11-30T12:00", ExitCode.USAGE)
    return Only(dataset, task, agent, outcome, since=since, until=until)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(*heads, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(escape, row))
    open_console().print(table)


def _lines(rows: Sequence[tuple[str, str]]) -> None:
    from rich.markup import escape

    console = open_console()
    for name, text in rows:
        console.print(f"[dim]{escape(name)}:[/] {escape(text)}", soft_wrap=True, highlight=False)
