"""`agenticrs improve DATA`: an agent takes turns at what is trained on a data set, and what helps is kept."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Annotated, Literal

import typer

from workflows.exit_codes import ExitCode
from workflows.options import BudgetMinutes, BudgetTokens, BudgetUsd, Sandbox, Unsafe
from workflows.terminal import Json, fail, open_console, print_json, read_settings


def improve(
    data: Annotated[str, typer.Argument(help="A data set's name, or a path to CSV, Parquet or a schema file.")],
    mode: Annotated[
        Literal["search", "open"], typer.Option(help="search: settings of known models; open: new architectures.")
    ] = "search",
    turns: Annotated[int, typer.Option(min=1, max=1000, help="Decisions to try, one after the other.")] = 5,
    incumbent: Annotated[str, typer.Option(help="The model of the kit to begin with, until a turn was kept.")] = "dnn",
    seeds: Annotated[int, typer.Option(min=2, max=100, help="Paired seeds of each comparison.")] = 3,
    epochs: Annotated[int, typer.Option(min=1, help="At most so many epochs a run.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Of the agent's own chance: others try other things.")] = 0,
    model: Annotated[str, typer.Option(help="provider:model that writes architectures; without it they are composed.")] = "",
    sandbox: Sandbox = None,
    allow_unsafe_sandbox: Unsafe = False,
    budget_usd: BudgetUsd = None,
    budget_tokens: BudgetTokens = None,
    budget_minutes: BudgetMinutes = None,
    json: Json = False,
) -> None:
    """Has AutoTrain improve what is trained on a data set."""
    import logging

    import optuna

    from workflows.budget import Budget
    from workflows.improving import Asked, as_asked

    logging.basicConfig(level=logging.WARNING)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    settings = read_settings()
    asked = Asked(
        data=data,
        mode=mode,
        turns=turns,
        incumbent=incumbent,
        seeds=seeds,
        epochs=epochs,
        seed=seed,
        model=model,
        sandbox=sandbox or settings.sandbox,
        allow_unsafe_sandbox=allow_unsafe_sandbox,
        budget=Budget(usd=budget_usd, tokens=budget_tokens, minutes=budget_minutes),
    )
    _run(as_asked(settings, asked), json)


def _run(asked: object, json: bool) -> None:
    """Runs to the end; what is wrong is one sentence and an exit code."""
    from agents.errors import BudgetExhausted, NothingToBuild, Stopped
    from agents.secrets import discreet, without_secrets
    from workflows.driver import EXIT_OF_ERROR, stop_signals
    from workflows.improving import Asked, improve_data
    from workflows.memory import open_memory

    assert isinstance(asked, Asked)
    settings, stop = read_settings(), threading.Event()
    emit = print_json if json else _tell
    try:
        memory = open_memory(settings, lambda text: typer.echo(text, err=True))
        try:
            with discreet(), stop_signals(stop):
                refused = improve_data(settings, asked, memory, emit, stop.is_set)
        finally:
            memory.close()
    except (Stopped, KeyboardInterrupt):
        if stop.is_set():
            fail("stopped; turns that were taken are kept", ExitCode.INTERRUPTED)
        fail("the time is spent; turns that were taken are kept", ExitCode.BUDGET)
    except BudgetExhausted as error:
        fail(str(error), ExitCode.BUDGET)
    except NothingToBuild as error:
        fail(str(error), ExitCode.NO_CANDIDATE)
    except tuple(kind for kind, _ in EXIT_OF_ERROR) as error:
        fail(without_secrets(str(error)), next(code for kind, code in EXIT_OF_ERROR if isinstance(error, kind)))
    if refused:
        fail(f"nothing could be tried: {refused}", ExitCode.NO_CANDIDATE)


def _tell(event: Mapping[str, object]) -> None:
    """A turn in a line, and the end in another."""
    from rich.markup import escape

    if event["event"] == "turn":
        mark = "[green]kept[/]" if event["accepted"] else "[dim]not kept[/]"
        text = f"turn {event['turn']}: {event['decision']}: {event['reason']}"
        open_console().print(f"{escape(text)} ({mark})", soft_wrap=True, highlight=False)
        return
    quality = "" if event["quality"] is None else f", {event['quality']:.4f} on valid"
    open_console().print(f"[bold]stands:[/] {escape(str(event['in_words']))}{quality}", soft_wrap=True, highlight=False)
