"""What a run has asked language models, and what it paid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from agents.llm.prices import Price, usage_of
from sandboxes.json_lines import add_row, read_rows


class Call(BaseModel):
    """One paid call. `cost_usd` is None where no price is known; tokens are `guessed` where the provider does not tell them."""

    step: str
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    seconds: float
    guessed: bool = False


class Ledger:
    """The calls a run has paid for, one JSON line each, so that resuming goes on counting."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.calls = read_rows(file, Call)

    def add(self, call: Call) -> None:
        self.calls.append(call)
        add_row(self._file, call)

    def count_at(self, price: Price) -> None:
        """Earlier calls of which no price was known count at this one from here on; the file stays as it is."""
        self.calls = [
            c
            if c.cost_usd is not None
            else c.model_copy(update={"cost_usd": price.of(usage_of(c.input_tokens, c.output_tokens))})
            for c in self.calls
        ]

    @property
    def tokens(self) -> int:
        return sum(c.input_tokens + c.output_tokens for c in self.calls)

    @property
    def cost_usd(self) -> float | None:
        return cost_of(self.calls)


def cost_of(calls: Sequence[Call]) -> float | None:
    """What the calls cost in all, None where of one of them that is not known."""
    costs = [c.cost_usd for c in calls if c.cost_usd is not None]
    return sum(costs) if len(costs) == len(calls) else None
