"""Exchanges with language models: kept in a folder for people to read, and answered from one instead of by a model.

A recording is a folder with one JSON file for each exchange, numbered in their order; system prompts, which repeat, stand once in
files of their own. A replay finds an exchange by its step and by what was said beside the system prompt: the kit's reference in
that changes with the kit, and what a paper and its data led to should not. Where nothing is found, one that differs in numbers
alone will do: a failure tells of losses and seconds, which differ from machine to machine.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from agents.errors import ModelUnavailable

_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?")


class Turn(BaseModel):
    """`role` is human or ai."""

    model_config = ConfigDict(frozen=True)
    role: str
    text: str


class Exchange(BaseModel):
    """What was asked and answered. Tokens and cost are None where the provider tells none, or no price is known."""

    model_config = ConfigDict(frozen=True)
    model: str
    step: str
    system: str
    turns: tuple[Turn, ...]
    answer: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    seconds: float = 0.0
    paid: bool = True  # False where a kept answer was taken

    @property
    def key(self) -> str:
        return _key(self.step, self.turns)


class Recording:
    """Writes exchanges into a folder, each question once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, exchange: Exchange) -> None:
        system = hashlib.sha256(exchange.system.encode()).hexdigest()[:12]
        (self._folder / f"system-{system}.md").write_text(exchange.system, encoding="utf-8")
        said = exchange.model_dump(exclude={"system", "paid"}) | {"system": system}
        kept = sorted(self._folder.glob("[0-9]*.json"))
        old = [file for file in kept if file.stem.endswith(exchange.key)]
        place = old[0] if old else self._folder / f"{len(kept) + 1:03d}-{exchange.step}-{exchange.key}.json"
        place.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


class Replay:
    """Answers from a recording, and never asks a model. Raises `ModelUnavailable` where that holds no such question."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        files = sorted(folder.glob("[0-9]*.json"))
        if not files:
            raise ModelUnavailable(f"{folder} holds no recorded exchange; name the folder that --record wrote")
        self._answers: dict[str, str] = {}
        self._alike: dict[str, list[str]] = {}
        for file in files:
            try:
                exchange = Exchange.model_validate_json(file.read_text(encoding="utf-8"))
            except (ValidationError, UnicodeDecodeError) as error:
                raise ModelUnavailable(f"{file} is no recorded exchange; record it anew ({type(error).__name__})") from None
            self._answers[exchange.key] = exchange.answer
            self._alike.setdefault(_key(exchange.step, _numberless(exchange.turns)), []).append(exchange.answer)
            self.model = exchange.model

    def answer(self, step: str, turns: Sequence[Turn]) -> str:
        found = self._answers.get(_key(step, turns))
        if found is None:
            alike = self._alike.get(_key(step, _numberless(turns)), [])
            if len(alike) == 1:
                return alike[0]
            raise ModelUnavailable(
                f"{self._folder} holds no answer to what the step {step} asks now; the paper, the data, or what is asked for has"
                " changed since it was recorded: record it anew"
            )
        return found


def _numberless(turns: Sequence[Turn]) -> list[Turn]:
    return [Turn(role=t.role, text=_NUMBER.sub("#", t.text)) for t in turns]


def _key(step: str, turns: Sequence[Turn]) -> str:
    return hashlib.sha256(json.dumps([step, *([t.role, t.text] for t in turns)]).encode()).hexdigest()[:16]
