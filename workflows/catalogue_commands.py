"""The commands that say what there is: `agenticrs data` and `agenticrs kit`. Heavy imports wait until a command needs them."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from workflows.exit_codes import ExitCode
from workflows.terminal import Json, fail, open_console, print_json, read_settings

data_app = typer.Typer(help="The data sets that reproductions train on.", no_args_is_help=True)
kit_app = typer.Typer(help="What models are made of: blocks, reference models, data sets.", no_args_is_help=True)

KitKind = Literal["blocks", "models", "data"]


@data_app.command("list")
def data_list(json: Json = False) -> None:
    """Data sets known by name, and whether their files are here."""
    from workflows.data import listing

    rows = listing(read_settings())
    if json:
        print_json(rows)
        return
    from rich.markup import escape

    console = open_console()
    for row in rows:
        console.print(f"[bold]{row['name']}[/]: {escape(row['description'])}", highlight=False, soft_wrap=True)
        console.print(f"  [dim]licence:[/] {escape(row['licence'])}", highlight=False, soft_wrap=True)
        console.print(f"  [dim]state:[/] {escape(row['state'])}", highlight=False, soft_wrap=True)


@data_app.command("prepare")
def data_prepare(data: Annotated[str, typer.Argument(help="A data set's name, or a path.")]) -> None:
    """Prepares a data set: vocabularies, splits, leak checks, arrays."""
    from sandboxes.kit.data import DataError
    from workflows.data import prepare

    try:
        said = prepare(read_settings(), data)
    except DataError as error:
        fail(str(error), ExitCode.UNREADABLE)
    open_console().print(said, highlight=False, soft_wrap=True, markup=False)


@kit_app.command("list")
def kit_list(kind: Annotated[KitKind | None, typer.Argument(help="Only these.")] = None, json: Json = False) -> None:
    """Blocks by slot, reference models and data sets, each in a sentence."""
    from workflows.kit import listing, print_listing

    rows = listing(kind)
    if json:
        print_json(rows)
    else:
        print_listing(open_console(), rows)


@kit_app.command("show")
def kit_show(
    name: Annotated[str, typer.Argument(help="A block, a model or a data set.")],
    kind: Annotated[KitKind | None, typer.Option(help="Which, where several share the name.")] = None,
    json: Json = False,
) -> None:
    """All of one block, model or data set: formula, place, arguments, cue phrases, an example that runs."""
    from workflows.kit import NotInTheKit, find, print_entry

    try:
        found = find(name, kind)
    except NotInTheKit as error:
        fail(str(error), ExitCode.USAGE)
    if json:
        print_json(found)
        return
    for entry in found:
        print_entry(open_console(), entry)
