"""What all commands share at the terminal: settings, a console, JSON, and a way to end with one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from workflows.exit_codes import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from workflows.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print events as JSON, one a line.")]


def read_settings() -> Settings:
    from pydantic import ValidationError

    from workflows.settings import Settings

    try:
        found = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        fail(f"the setting {'.'.join(map(str, first['loc']))} is wrong: {first['msg']}", ExitCode.USAGE)
    found.home.mkdir(parents=True, exist_ok=True)
    return found


def fail(text: str, code: ExitCode) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)


def open_console() -> Console:
    from rich.console import Console

    return Console()


def print_json(content: object) -> None:
    import json

    print(json.dumps(content))
