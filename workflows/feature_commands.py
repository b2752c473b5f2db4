"""`agenticrs features`: what a data set holds, which changes of its features pay, and what became of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workflows.exit_codes import ExitCode
from workflows.options import BudgetMinutes, BudgetSandboxMinutes, BudgetTokens, BudgetUsd, Sandbox
from workflows.terminal import Json, fail, open_console, print_json, read_settings

if TYPE_CHECKING:
    from memory.records import FeatureRecord
    from sandboxes.kit.data.source import Source
    from workflows.settings import Settings

features_app = typer.Typer(help="AutoFeature: features that earn their place.", no_args_is_help=True)

State = Literal["proposed", "trial", "active", "retired"]
Data = Annotated[str, typer.Argument(help="A data set's name, or a path to CSV, Parquet or a schema file.")]


@features_app.command("profile")
def profile_(
    data: Data,
    out: Annotated[Path | None, typer.Option(file_okay=False, help="The folder for profile.html and profile.json.")] = None,
    json: Json = False,
) -> None:
    """What a table holds: types, missing values, drift, duplicates, and columns that may know the label."""
    from agents.autofeature.profile import document_of, profile
    from agents.documents.html import to_html
    from sandboxes.kit.data import DataError

    settings = read_settings()
    try:
        found = profile(_source(settings, data))
    except DataError as error:
        fail(str(error), ExitCode.UNREADABLE)
    if json:
        print(found.model_dump_json())
        return
    folder = out or settings.home / "profiles" / found.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "profile.json").write_text(found.model_dump_json(indent=1), encoding="utf-8")
        (folder / "profile.html").write_text(to_html(document_of(found)), encoding="utf-8")
    except OSError as error:
        fail(f"{folder} cannot be written: {error.strerror}", ExitCode.USAGE)
    console = open_console()
    console.print(document_of(found).headline, soft_wrap=True, highlight=False, markup=False)
    for s in found.suspects:
        what = s.column or "the order of the rows"
        console.print(f"{'LEAK' if s.severity == 'refuse' else 'LOOK'} {what}: {s.evidence}", soft_wrap=True, markup=False)
    console.print(f"profile: {folder / 'profile.html'}", soft_wrap=True, highlight=False, markup=False)


@features_app.command("run")
def run(
    data: Data,
    judge: Annotated[str, typer.Option(help="The kit's model that features are judged by.")] = "dnn",
    seeds: Annotated[int, typer.Option(min=2, max=100, help="Paired seeds of each trial, and as many others at the end.")] = 3,
    most: Annotated[int, typer.Option(min=1, max=100, help="Proposals to try, at most.")] = 8,
    epochs: Annotated[int, typer.Option(min=1, max=1000, help="At most so many epochs a training.")] = 5,
    embedding_dim: Annotated[int, typer.Option(min=1, max=512, help="Width of the model's embeddings.")] = 16,
    allow: Annotated[list[str] | None, typer.Option(help="A column that may be used though it seems to know the label.")] = None,
    rate: Annotated[float, typer.Option(min=0.001, max=0.5, help="False discoveries among what is kept, in expectation.")] = 0.1,
    least: Annotated[float, typer.Option(min=0, help="AUC that is worth having.")] = 0.0005,
    auc_per_mb: Annotated[float, typer.Option(min=0, help="AUC that a megabyte of the served model is worth.")] = 1e-5,
    auc_per_ms: Annotated[float, typer.Option(min=0, help="AUC that a millisecond per 1,000 rows is worth.")] = 2e-5,
    model: Annotated[
        str | None, typer.Option(help="provider:model of a language model that proposes too; without it, rules alone.")
    ] = None,
    sandbox: Sandbox = None,
    approve: Annotated[bool, typer.Option("--approve", help="Ask before anything is tried.")] = False,
    again: Annotated[bool, typer.Option("--again", help="A new run, which also tries what was tried before.")] = False,
    budget_usd: BudgetUsd = None,
    budget_tokens: BudgetTokens = None,
    budget_minutes: BudgetMinutes = None,
    budget_sandbox_minutes: BudgetSandboxMinutes = None,
    json: Json = False,
) -> None:
    """From a data set to a decision about its features, with its evidence."""
    from sandboxes.kit.data import DataError
    from sandboxes.kit.models import models_of
    from workflows.budget import Budget
    from workflows.feature_request import FeatureRequest
    from workflows.features import begin_features
    from workflows.running import run_folder

    settings = read_settings()
    known = models_of("labels")
    if judge not in known:
        fail(f"no model named {judge!r}; there are {', '.join(sorted(known))}", ExitCode.USAGE)
    request = FeatureRequest(
        data=data,
        judge=judge,
        seeds=seeds,
        most=most,
        epochs=epochs,
        embedding_dim=embedding_dim,
        allowed=tuple(allow or ()),
        rate=rate,
        least=least,
        auc_per_mb=auc_per_mb,
        auc_per_ms=auc_per_ms,
        model=settings.model if model is None else model,
        sandbox=sandbox or settings.sandbox,
        approve=approve,
        again=again,
        budget=Budget(usd=budget_usd, tokens=budget_tokens, minutes=budget_minutes, sandbox_minutes=budget_sandbox_minutes),
    )
    try:
        folder = begin_features(settings, request)
    except DataError as error:
        fail(str(error), ExitCode.UNREADABLE)
    run_folder(settings, folder, json=json, changes={"budget": request.budget, "sandbox": request.sandbox})


@features_app.command("list")
def list_(
    data: Annotated[str, typer.Argument(help="Only of this data set.")] = "",
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    json: Json = False,
) -> None:
    """The registry: every change of features that was proposed, and its state."""
    found = _registered(data, state or "")
    if json:
        print_json([r.model_dump() for r in found])
        return
    from rich.markup import escape
    from rich.table import Table

    if not found:
        open_console().print("No features yet: agenticrs features run DATA proposes some.")
        return
    from workflows.features import worth_of

    table = Table("feature", "data", "state", "worth in AUC", "why", box=None, pad_edge=False)
    for r in found:
        table.add_row(escape(r.name), escape(r.dataset), r.state, worth_of(r), escape(r.reason))
    open_console().print(table)


@features_app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A feature's name, or its record's id.")],
    data: Annotated[str, typer.Option(help="Of this data set, where several have one of that name.")] = "",
) -> None:
    """A feature: how it is made, the states it was in, and what it rests on."""
    from workflows.features import history_of

    found = [r for r in _registered(data, "") if name in (r.name, r.id)]
    if not found:
        fail(f"no feature is called {name!r}; agenticrs features list shows all", ExitCode.USAGE)
    console = open_console()
    for record in found:
        for label, text in history_of(read_settings(), record):
            console.print(f"{label}: {text}", soft_wrap=True, highlight=False, markup=False)


@features_app.command("retire")
def retire(
    name: Annotated[str, typer.Argument(help="The feature's name.")],
    data: Annotated[str, typer.Option(help="The data set.")],
    why: Annotated[str, typer.Option(help="The reason, which is kept.")],
) -> None:
    """Takes an active feature out of use; it stays in the registry."""
    from workflows.features import retire_by_hand

    found = [r for r in _registered(data, "active") if r.name == name]
    if not found:
        fail(f"{data} has no active feature {name!r}; agenticrs features list {data} --state active shows them", ExitCode.USAGE)
    retire_by_hand(read_settings(), found[0], why)
    open_console().print(f"{name} is retired")


@features_app.command("export")
def export(
    data: Data,
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Where the table and its description go.")],
) -> None:
    """Writes the table and a schema file with what is active, for reproductions and other programs to use."""
    from sandboxes.kit.data import DataError
    from workflows.features import exported

    settings = read_settings()
    try:
        schema = exported(settings, _source(settings, data), folder)
    except DataError as error:
        fail(str(error), ExitCode.UNREADABLE)
    except OSError as error:
        fail(f"{folder} cannot be written: {error.strerror}", ExitCode.USAGE)
    open_console().print(f"written: {schema} (agenticrs reproduce PAPER --data {schema})", soft_wrap=True, highlight=False)


def _source(settings: Settings, data: str) -> Source:
    from sandboxes.kit.data import DataError
    from sandboxes.kit.datasets import resolve_source

    try:
        return resolve_source(data, settings.home / "data", raw=settings.data_folder)
    except DataError as error:
        fail(str(error), ExitCode.UNREADABLE)


def _registered(data: str, state: str) -> list[FeatureRecord]:
    from memory.errors import MemoryUnusable
    from workflows.features import registered

    try:
        return registered(read_settings(), data, state)
    except MemoryUnusable as error:
        fail(str(error), ExitCode.MEMORY)
