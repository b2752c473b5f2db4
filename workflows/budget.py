"""What a run may spend and what it has spent: dollars and tokens of a language model, minutes, minutes in sandboxes.

Dollars, tokens and sandbox minutes are totals of the run, whose ledgers lie in its folder; minutes are those of one command.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.errors import BudgetExhausted
from agents.llm.ledger import Ledger
from sandboxes.meter import Meter
from workflows.run_folder import RunFolder

Kind = Literal["usd", "tokens", "minutes", "sandbox_minutes"]
# How an amount is written, what stands behind it, and how it stands in an option.
WRITTEN: Mapping[Kind, tuple[str, str, str]] = MappingProxyType(
    {
        "usd": ("${:,.4f}", "", "{:.4g}"),
        "tokens": ("{:,.0f}", " tokens", "{:.0f}"),
        "minutes": ("{:,.2f}", " minutes", "{:g}"),
        "sandbox_minutes": ("{:,.2f}", " sandbox minutes", "{:.4g}"),
    }
)


class Budget(BaseModel):
    """Bounds on a run, None where there is none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    usd: float | None = Field(default=None, gt=0)
    tokens: int | None = Field(default=None, gt=0)
    minutes: float | None = Field(default=None, gt=0)
    sandbox_minutes: float | None = Field(default=None, gt=0)

    def of(self, kind: Kind) -> float | None:
        bounds: dict[Kind, float | None] = {
            "usd": self.usd,
            "tokens": self.tokens,
            "minutes": self.minutes,
            "sandbox_minutes": self.sandbox_minutes,
        }
        return bounds[kind]

    def then(self, later: Budget) -> Budget:
        """The bounds when a later command names some: totals that it does not name stay, minutes are its own."""
        named = {name: value for name, value in later.model_dump().items() if value is not None}
        return self.model_copy(update={"minutes": None} | named)


class Account:
    """What a run has spent, held against its budget. `calls` and `sandbox` are written to by those who spend.

    `goes_on` is the command that does once a bound is passed.
    """

    def __init__(self, folder: RunFolder, budget: Budget, goes_on: str = "") -> None:
        self._budget, self._began = budget, time.monotonic()
        self._goes_on = goes_on or f"agenticrs resume {folder.run_id}"
        limit_s = None if budget.sandbox_minutes is None else 60 * budget.sandbox_minutes
        self.calls = Ledger(folder.path("calls.jsonl"))
        self.sandbox = Meter(folder.path("sandbox.jsonl"), limit_s)

    @property
    def seconds(self) -> float:
        """Of this command, until now."""
        return time.monotonic() - self._began

    def out_of_time(self) -> bool:
        return self._budget.minutes is not None and self.seconds > 60 * self._budget.minutes

    def afford(self, usd: float | None, tokens: int) -> None:
        """Before a call to a language model that may come to so much. Raises `BudgetExhausted`."""
        self.hold({"minutes": 0, "tokens": tokens, "usd": usd or 0.0})  # no dollars are bounded where no price is known

    def hold(self, coming: Mapping[Kind, float]) -> None:
        """Raises `BudgetExhausted` when what is spent, or would be with what comes, passes a bound of those kinds."""
        for kind, more in coming.items():
            bound = self._budget.of(kind)
            if bound is not None and self._spent(kind) + more > bound:
                raise BudgetExhausted(self._sentence(kind, bound, more))

    def _spent(self, kind: Kind) -> float:
        if kind == "usd":
            assert self.calls.cost_usd is not None, "a budget in dollars is refused where the price is not known"
            return self.calls.cost_usd
        return {"tokens": self.calls.tokens, "minutes": self.seconds / 60, "sandbox_minutes": self.sandbox.seconds / 60}[kind]

    def _sentence(self, kind: Kind, bound: float, more: float) -> str:
        amount, unit, plain = WRITTEN[kind]
        spent = self._spent(kind)
        coming = f" and the next call may come to {amount.format(more)}{unit}" if more else ""
        enough = bound if kind == "minutes" else 2 * max(bound, spent + more)
        option = f"--budget-{kind.replace('_', '-')} {plain.format(enough)}"
        return (
            f"{amount.format(spent)} of {amount.format(bound)}{unit} are spent{coming}; what finished is kept, and "
            f"{self._goes_on} {option} goes on"
        )
