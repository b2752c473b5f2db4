"""Runs a run's folder to its end for the command line, whatever its flow: watched, asked about, concluded."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import typer

from workflows.exit_codes import ExitCode
from workflows.terminal import fail, open_console

if TYPE_CHECKING:
    from workflows.driver import Ended
    from workflows.run_folder import RunFolder
    from workflows.settings import Settings


def run_folder(
    settings: Settings, folder: RunFolder, *, json: bool, changes: dict[str, Any], approved: bool | None = None
) -> None:
    """Runs to the end, asking on a terminal where the plan wants approval; exits with the run's code."""
    import optuna

    from workflows.console import watch
    from workflows.driver import ended_before, go
    from workflows.run_folder import RunBusy

    logging.basicConfig(level=logging.WARNING)  # first: a library that comes later would have every request told
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # what tuning does is told by our own events
    ended = ended_before(folder)
    if ended is None:
        watching = watch(open_console(), json)
        try:
            ended = go(settings, folder, watching, changes=changes, approved=approved)
        except RunBusy as error:
            fail(str(error), ExitCode.USAGE)
        finally:
            watching.close()
        if ended.code == ExitCode.WAITING and not json and sys.stdin.isatty():
            approved = typer.confirm(f"{ended.summary.reason}\nGo on?")
            return run_folder(settings, folder, json=json, changes=changes, approved=approved)
    if json:
        print(ended.summary.model_dump_json())
    else:
        conclude_run(settings, ended)
    raise typer.Exit(ended.code)


def conclude_run(settings: Settings, ended: Ended) -> None:
    """Prints how a run stands, by its flow."""
    from workflows.conclusion import conclude
    from workflows.feature_conclusion import conclude_features

    say = conclude_features if ended.summary.flow == "features" else conclude
    say(open_console(), settings, ended)
