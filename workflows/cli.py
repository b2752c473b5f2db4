"""The command line: `agenticrs reproduce PAPER` and what belongs to it. Heavy imports wait until a command needs them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workflows.catalogue_commands import data_app, kit_app
from workflows.exit_codes import ExitCode
from workflows.feature_commands import features_app
from workflows.improve_commands import improve
from workflows.memory_commands import memory_app
from workflows.options import (
    BudgetMinutes,
    BudgetSandboxMinutes,
    BudgetTokens,
    BudgetUsd,
    Sandbox,
    SandboxOption,
    Unsafe,
)
from workflows.running import conclude_run, run_folder
from workflows.terminal import Json, fail, open_console, print_json, read_settings

if TYPE_CHECKING:
    from workflows.run_folder import RunFolder
    from workflows.settings import Settings

app = typer.Typer(
    help="From a recommender paper to a model, trained in a sandbox against tuned baselines, and a verdict on its worth.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data_app, name="data")
app.add_typer(kit_app, name="kit")
app.add_typer(features_app, name="features")
app.add_typer(memory_app, name="memory")
app.command()(improve)


def _known_way(way: str) -> str:
    from agents.autotrain.way import fixed_by

    try:
        fixed_by(way)
    except ValueError as error:
        fail(f"--way {error}", ExitCode.USAGE)
    return way


def _open_to_all(paper: str) -> str:
    """An address is kept with the run and shown in its report, so that no password may stand in it."""
    if re.match(r"[a-z]+://[^/]*@", paper, re.IGNORECASE):
        fail("leave user and password out of the paper's address, or download the paper and give its path", ExitCode.USAGE)
    return paper


WayOption = Annotated[
    str,
    typer.Option(
        callback=_known_way,
        help="How models are trained, as far as speed goes: auto measures it; or fix any of whole/touched (rows of tables "
        "updated at a step), fp32/bf16, eager/compiled, such as fp32,eager.",
    ),
]


@app.command()
def reproduce(
    paper: Annotated[
        str,
        typer.Argument(callback=_open_to_all, help="arXiv id or URL, or a path to PDF, LaTeX, HTML, Markdown or text."),
    ],
    data: Annotated[
        str, typer.Option(help="A data set's name, a path to CSV, Parquet or a schema file, or auto: a packaged one that suits.")
    ] = "auto",
    baselines: Annotated[str, typer.Option(help="Comma-separated models of the kit; without it, those that fit the data.")] = "",
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Paired seeds; fewer than 3 give no verdict.")] = 5,
    trials: Annotated[int, typer.Option(min=1, help="Settings tried for every model alike.")] = 3,
    epochs: Annotated[int, typer.Option(min=1, help="At most so many epochs a run.")] = 5,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Rows a step; without it, as many as leave an epoch 100 steps.")
    ] = None,
    way: WayOption = "auto",
    model: Annotated[
        str | None,
        typer.Option(
            help="provider:model, as LangChain names them; without it, the built-in engine. For an OpenAI-compatible server, "
            "openai:NAME and its address in OPENAI_BASE_URL."
        ),
    ] = None,
    sandbox: Sandbox = None,
    allow_unsafe_sandbox: Unsafe = False,
    approve: Annotated[bool, typer.Option("--approve", help="Ask before anything is trained.")] = False,
    ablation: Annotated[bool, typer.Option(help="Train the model once more without its main mechanism.")] = True,
    budget_usd: BudgetUsd = None,
    budget_tokens: BudgetTokens = None,
    budget_minutes: BudgetMinutes = None,
    budget_sandbox_minutes: BudgetSandboxMinutes = None,
    record: Annotated[
        Path | None, typer.Option(file_okay=False, help="Keep every exchange with the model in this folder.")
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="Take the model's answers from a folder that --record wrote; none is asked."
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Make a new run though an equal one has ended.")] = False,
    fresh_seeds: Annotated[
        bool, typer.Option("--fresh-seeds", help="Take seeds that no run on this data had: what is known is tried once more.")
    ] = False,
    json: Json = False,
) -> None:
    """From a paper to a verdict."""
    from workflows.budget import Budget
    from workflows.driver import begin
    from workflows.request import ReproductionRequest

    settings = read_settings()
    request = ReproductionRequest(
        paper=paper,
        data=data,
        baselines=tuple(name.strip() for name in baselines.split(",") if name.strip()),
        seeds=seeds,
        trials=trials,
        epochs=epochs,
        batch_size=batch_size,
        way=way,
        model=settings.model if model is None else model,
        sandbox=sandbox or settings.sandbox,
        allow_unsafe_sandbox=allow_unsafe_sandbox,
        approve=approve,
        ablation=ablation,
        again=again,
        fresh_seeds=fresh_seeds,
        budget=Budget(usd=budget_usd, tokens=budget_tokens, minutes=budget_minutes, sandbox_minutes=budget_sandbox_minutes),
        record=record and record.resolve(),
        replay=replay and replay.resolve(),
    )
    folder = begin(settings, request)
    free = ("sandbox", "allow_unsafe_sandbox", "approve", "budget", "record")
    bounds = {name: getattr(request, name) for name in free}
    run_folder(settings, folder, json=json, changes=bounds)


@app.command()
def resume(
    run: Annotated[str, typer.Argument(help="The run, or the beginning of its name.")],
    yes: Annotated[bool | None, typer.Option("--yes/--no", help="Approve or decline a plan that waits.")] = None,
    sandbox: Annotated[SandboxOption | None, typer.Option()] = None,
    allow_unsafe_sandbox: Annotated[bool | None, typer.Option("--allow-unsafe-sandbox")] = None,
    budget_usd: BudgetUsd = None,
    budget_tokens: BudgetTokens = None,
    budget_minutes: BudgetMinutes = None,
    budget_sandbox_minutes: BudgetSandboxMinutes = None,
    json: Json = False,
) -> None:
    """Goes on with a run that was stopped, killed, out of budget or waiting."""
    from workflows.budget import Budget
    from workflows.request import ReproductionRequest

    settings = read_settings()
    folder = _find(settings, run)
    said = {"sandbox": sandbox, "allow_unsafe_sandbox": allow_unsafe_sandbox}
    changes: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    named = Budget(usd=budget_usd, tokens=budget_tokens, minutes=budget_minutes, sandbox_minutes=budget_sandbox_minutes)
    changes["budget"] = folder.load("request", ReproductionRequest).budget.then(named)
    run_folder(settings, folder, json=json, changes=changes, approved=yes)


@app.command()
def runs(json: Json = False) -> None:
    """All runs, newest first."""
    from workflows.run_folder import list_runs

    found = list_runs(read_settings().home)
    if json:
        for summary in found:
            print(summary.model_dump_json())
        return
    from rich.table import Table

    if not found:
        open_console().print("No runs yet: agenticrs reproduce PAPER makes one.")
        return
    table = Table("run", "paper", "data", "status", "verdict", "minutes", "cost", box=None, pad_edge=False)
    for s in found:
        table.add_row(
            s.run_id, s.title or s.paper, s.dataset, s.status_in_words, s.verdict, f"{s.seconds / 60:.1f}", s.cost_in_words
        )
    open_console().print(table)


@app.command()
def show(run: Annotated[str, typer.Argument(help="The run, or the beginning of its name.")], json: Json = False) -> None:
    """What a run came to: its verdict, its table, its files."""
    from workflows.driver import EXIT_OF_STATUS, Ended

    settings = read_settings()
    folder = _find(settings, run)
    summary = folder.summary
    if json:
        print(summary.model_dump_json())
        return
    conclude_run(settings, Ended(summary, folder, EXIT_OF_STATUS.get(summary.status, ExitCode.DONE)))


@app.command()
def doctor(
    ask_model: Annotated[bool, typer.Option("--ask-model", help="Ask the language model for a word, which may cost.")] = False,
    json: Json = False,
) -> None:
    """What is installed, reachable and missing, each with its remedy."""
    from workflows.doctor import examine

    found = examine(read_settings(), ask_model=ask_model)
    if json:
        print_json([{"name": f.name, "state": f.state, "detail": f.detail, "remedy": f.remedy} for f in found])
    else:
        console = open_console()
        marks = {"ok": "[green]ok     [/]", "missing": "[yellow]missing[/]", "broken": "[red]broken [/]"}
        for f in found:
            console.print(
                f"{marks[f.state]} [bold]{f.name}[/]: {f.detail}" + (f" [dim]-> {f.remedy}[/]" if f.remedy else ""),
                soft_wrap=True,
            )
    if any(f.state == "broken" for f in found):
        raise typer.Exit(ExitCode.INTERNAL)


def main() -> None:
    """The console script."""
    app()


def _find(settings: Settings, name: str) -> RunFolder:
    from workflows.driver import NoSuchRun, find_run

    try:
        return find_run(settings, name)
    except NoSuchRun as error:
        fail(str(error), ExitCode.USAGE)


if __name__ == "__main__":
    main()
