"""Options that several commands of the command line have, each said once."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

SandboxOption = Literal["auto", "docker", "bubblewrap", "process"]
Sandbox = Annotated[SandboxOption | None, typer.Option(help="Where code runs; auto takes the strongest there is.")]
Unsafe = Annotated[
    bool, typer.Option("--allow-unsafe-sandbox", help="Let code that a language model wrote run as a plain process.")
]
BudgetUsd = Annotated[float | None, typer.Option(min=0.0001, help="Dollars that the run may pay for the language model, in all.")]
BudgetTokens = Annotated[int | None, typer.Option(min=1, help="Tokens that the run may ask and be answered, in all.")]
BudgetMinutes = Annotated[float | None, typer.Option(min=0.01, help="Minutes that this command may take.")]
BudgetSandboxMinutes = Annotated[
    float | None, typer.Option(min=0.01, help="Minutes that the run's jobs may take in sandboxes, added up and in all.")
]
