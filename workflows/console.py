"""What a person or a script sees while a run goes on: live bars on a terminal, plain lines in a pipe, events as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from agents.compare.metric import MEASURES

Event = dict[str, object]
Key = tuple[object, object]


class Watch(Protocol):
    """Receives a run's events, from one thread at a time."""

    def __call__(self, event: Event) -> None: ...

    def close(self) -> None: ...


def watch(console: Console, as_json: bool) -> Watch:
    """The watch that fits where the output goes."""
    if as_json:
        return JsonWatch()
    return LiveWatch(console) if console.is_terminal else PlainWatch(console)


class JsonWatch:
    """One JSON object a line, with the time in seconds since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, event: Event) -> None:
        print(json.dumps({"t": round(time.monotonic() - self._began, 2), **event}), flush=True)

    def close(self) -> None:
        pass


class PlainWatch:
    """Lines: stages, notes, and each training run as it ends."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, event: Event) -> None:
        line = _line(event)
        if line:
            self._console.print(line, highlight=False, soft_wrap=True)

    def close(self) -> None:
        pass


class LiveWatch:
    """Lines as `PlainWatch`, and below them a bar for each training run in progress and one for the stage."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            _Rate(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._stage: TaskID | None = None
        self._bars: dict[Key, TaskID] = {}
        self._handlers: dict[str, Callable[[Event], None]] = {
            "stage_started": self._stage_started,
            "run_started": self._run_started,
            "step": self._step,
            "epoch": self._epoch,
            "run_finished": self._run_finished,
            "runs_planned": self._runs_planned,
        }
        self._progress.start()

    def __call__(self, event: Event) -> None:
        line = _line(event)
        if line and event["event"] != "stage_started":
            self._progress.console.print(line, highlight=False)
        handle = self._handlers.get(str(event["event"]))
        if handle:
            handle(event)

    def close(self) -> None:
        self._progress.stop()

    def _stage_started(self, event: Event) -> None:
        if self._stage is not None:
            self._progress.remove_task(self._stage)
        self._stage = self._progress.add_task(f"[bold cyan]{escape(str(event['stage']))}[/]", total=None)

    def _runs_planned(self, event: Event) -> None:
        if self._stage is not None:
            self._progress.update(self._stage, total=float(str(event["runs"])), completed=0)

    def _run_started(self, event: Event) -> None:
        self._bars[_key(event)] = self._progress.add_task(escape(f"  {event['model']} {event['what']}"), total=None)

    def _step(self, event: Event) -> None:
        bar = self._bars.get(_key(event))
        if bar is not None:
            said = f"  {event['model']} {event['what']} epoch {event['epoch']:g}"
            self._progress.update(
                bar,
                description=escape(said),
                total=float(str(event["of"])),
                completed=float(str(event["rows"])),
                rate=event["rate"],
            )

    def _epoch(self, event: Event) -> None:
        bar = self._bars.get(_key(event))
        if bar is not None and "valid" in event:
            said = f"  {event['model']} {event['what']} epoch {event['epoch']:g} {_valid(event, 4)}"
            self._progress.update(bar, description=escape(said))

    def _run_finished(self, event: Event) -> None:
        bar = self._bars.pop(_key(event), None)
        if bar is not None:
            self._progress.remove_task(bar)
        if self._stage is not None:
            self._progress.advance(self._stage)


class _Rate(ProgressColumn):
    """Samples a second, as the sandbox reports them."""

    def render(self, task: Task) -> Text:
        rate = task.fields.get("rate")
        return Text(f"{float(rate):>9,.0f} rows/s" if rate else "", style="green")


def _key(event: Event) -> Key:
    return event.get("model"), event.get("what")


def _valid(event: Event, digits: int) -> str:
    """The first metric that the event tells of valid: "valid AUC 0.7812"."""
    told = event["valid"]
    assert isinstance(told, dict)
    metric, value = next(iter(told.items()))
    return f"valid {MEASURES[metric].words} {value:.{digits}f}"


def _line(event: Event) -> str:
    """The event as a line with Rich markup; "" for what only bars show."""
    match event["event"]:
        case "stage_started":
            return f"[bold cyan]{escape(str(event['stage']))}[/]"
        case "note":
            return "  " + escape(str(event["text"]))
        case "run_finished" if event["status"] == "ok":
            how = "reused" if event["reused"] else f"{event['seconds']} s"
            return escape(f"  {event['model']}, {event['what']}: {_valid(event, 5)} ({how})")
        case "run_finished":
            return f"  [red]{escape(str(event['model']))}, {escape(str(event['what']))}: {escape(str(event['status']))}[/]"
        case _:
            return ""
