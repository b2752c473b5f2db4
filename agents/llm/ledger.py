"""What a run has asked language models, and what it paid."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel


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
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
        self.calls = [Call.model_validate_json(line) for line in lines if line.strip()]

    def add(self, call: Call) -> None:
        self.calls.append(call)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as handle:
            handle.write(call.model_dump_json() + "\n")

    @property
    def cost_usd(self) -> float:
        return sum(c.cost_usd or 0.0 for c in self.calls)
