"""The door: any chat model LangChain can open, with retries by error class, kept answers and accounting.

What it does not do: trust an answer, which is validated against a schema here and against paper and code by those who ask; and
decide what may be spent: before each call it asks the one who holds the purse.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from langchain_core.exceptions import ModelError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from pydantic import BaseModel, ValidationError

from agents.errors import ModelAnswerInvalid, ModelUnavailable
from agents.llm.answers import fault_of, json_object
from agents.llm.discreet import Discreet
from agents.llm.exchanges import Exchange, Replay, Turn
from agents.llm.ledger import Call, Ledger
from agents.llm.prices import Price, usage_of
from agents.llm.providers import WINDOW, first_line, longest_answer, open_chat, refusal

M = TypeVar("M", bound=BaseModel)

CHARACTERS_A_TOKEN = 3.0  # a low guess, so that the estimate of a call's cost is high
CUT_OFF = ("length", "max_tokens")  # the reasons providers give for an answer that ends early
CACHE_FORMAT = 2


class LanguageModel:
    """A chat model by `provider:model`. Raises `ModelUnavailable` and `ModelAnswerInvalid`, and what `afford` raises.

    Answers as data are asked for in words and validated here, not through a provider's own mode for structured output:
    that works alike with every provider and with small local servers. `heard` is told every exchange. With a `replay`, answers
    come from it alone: no model is opened, nothing is paid, and kept answers are not looked at. `window` is the model's, in
    tokens; its provider's word for it where none is given. `afford` is told before each call what it may come to at worst, in US
    dollars (None where no price is known) and tokens; it raises where that is too much.
    """

    def __init__(
        self,
        name: str,
        *,
        cache: Path,
        ledger: Ledger,
        price: Price | None = None,
        afford: Callable[[float | None, int], None] = lambda usd, tokens: None,
        window: int | None = None,
        retries: int = 4,
        chat: BaseChatModel | None = None,
        replay: Replay | None = None,
        heard: Sequence[Callable[[Exchange], None]] = (),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name, self.ledger = name, ledger
        self._cache, self._price, self._afford, self._retries, self._sleep = cache, price, afford, retries, sleep
        self._replay, self._heard = replay, tuple(heard)
        opened, self._window = (chat, window or WINDOW) if chat or replay else open_chat(name, window)
        self._chat = Discreet(inner=opened) if opened else None

    def room(self, system: str, answer: type[BaseModel] | None = None) -> int:
        """Characters that a question may have beside such a system prompt, and the form of its answer, in the model's window."""
        form = len(json.dumps(answer.model_json_schema())) if answer else 0
        return max(0, round((self._window - longest_answer(self._window)) * CHARACTERS_A_TOKEN) - len(system) - form)

    def ask(self, step: str, system: str, user: str) -> str:
        """The answer as text."""
        return self._answer(step, system, [Turn(role="human", text=user)])

    def ask_for(self, answer: type[M], step: str, system: str, user: str) -> M:
        """The answer as data; one that does not fit is asked for once more, with the fault named."""
        form = json.dumps(answer.model_json_schema())
        asked = f"{system}\n\nAnswer with one JSON object and nothing else. Its JSON schema:\n{form}"
        turns, fault, places = [Turn(role="human", text=user)], "", list[Path]()
        for _ in range(2):
            text = self._answer(step, asked, turns)
            places.append(self._place(asked, turns))
            try:
                return answer.model_validate_json(json_object(text))
            except (ValidationError, ValueError) as error:
                fault = fault_of(error)
            again = f"That answer does not fit the schema: {fault}. Answer again with the corrected JSON object only."
            turns = [*turns, Turn(role="ai", text=text), Turn(role="human", text=again)]
        for place in places:  # else resuming would meet the same misfits again
            place.unlink(missing_ok=True)
        raise ModelAnswerInvalid(f"{self.name} twice answered the step {step} in a form that does not fit: {fault}")

    def _answer(self, step: str, system: str, turns: Sequence[Turn]) -> str:
        exchange = self._kept(step, system, turns) or self._pay(step, system, turns)
        for hear in self._heard:
            hear(exchange)
        return exchange.answer

    def _kept(self, step: str, system: str, turns: Sequence[Turn]) -> Exchange | None:
        """The exchange as replayed, or as an earlier run had it."""
        if self._replay:
            text = self._replay.answer(step, turns)
        elif (place := self._place(system, turns)).is_file():
            text = str(json.loads(place.read_text(encoding="utf-8"))["text"])
        else:
            return None
        return Exchange(model=self.name, step=step, system=system, turns=tuple(turns), answer=text, paid=False)

    def _pay(self, step: str, system: str, turns: Sequence[Turn]) -> Exchange:
        self._afford(*self._worst(system, turns))
        began = time.monotonic()
        reply = self._call([SystemMessage(system), *map(_message, turns)])
        seconds = round(time.monotonic() - began, 2)
        usage = reply.usage_metadata or _guess(len(system) + sum(len(t.text) for t in turns), len(reply.text))
        tokens = {"input_tokens": usage["input_tokens"], "output_tokens": usage["output_tokens"]}
        cost = self._price.of(usage) if self._price else None
        self.ledger.add(Call(step=step, **tokens, cost_usd=cost, seconds=seconds, guessed=reply.usage_metadata is None))
        said = reply.response_metadata
        if said.get("finish_reason", said.get("stop_reason")) in CUT_OFF:
            raise ModelAnswerInvalid(
                f"{self.name} was cut off in the step {step} after {tokens['output_tokens']} tokens; take a model that says less"
            )
        self._keep(step, system, turns, reply.text)
        return Exchange(
            model=self.name,
            step=step,
            system=system,
            turns=tuple(turns),
            answer=reply.text,
            **tokens,
            cost_usd=cost,
            seconds=seconds,
        )

    def _keep(self, step: str, system: str, turns: Sequence[Turn], text: str) -> None:
        place = self._place(system, turns)
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = place.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps({"model": self.name, "step": step, "text": text}), encoding="utf-8")
        fresh.replace(place)

    def _worst(self, system: str, turns: Sequence[Turn]) -> tuple[float | None, int]:
        """What a call may come to with the longest answer there can be: US dollars, None where no price is known, and tokens."""
        said = len(system) + sum(len(t.text) for t in turns)
        usage = _guess(said, round(longest_answer(self._window) * CHARACTERS_A_TOKEN))
        return self._price.of(usage) if self._price else None, usage["total_tokens"]

    def _call(self, messages: Sequence[BaseMessage]) -> AIMessage:
        """One answer, asked for again after errors that may pass, with growing pauses."""
        assert self._chat is not None
        for attempt in range(self._retries + 1):
            try:
                return self._chat.invoke(list(messages))
            except ModelError as error:
                if not error.is_retryable or attempt == self._retries:
                    raise ModelUnavailable(refusal(self.name, error)) from error
            except (TypeError, KeyError, ValueError) as error:  # how LangChain meets a reply that is no chat completion
                raise ModelUnavailable(
                    f"{self.name} answers with something that is no chat completion ({first_line(error)}); check its base URL"
                ) from error
            except Exception as error:
                status = getattr(error, "status_code", None)
                if not isinstance(status, int):  # no refusal by HTTP: a fault of ours
                    raise
                raise ModelUnavailable(f"{self.name} refuses the question with status {status}: {first_line(error)}") from error
            self._sleep(min(60.0, 2.0**attempt) * (0.5 + random.random()))
        raise AssertionError("unreachable")

    def _place(self, system: str, turns: Sequence[Turn]) -> Path:
        """Where the answer to this question is kept."""
        said = [CACHE_FORMAT, self.name, system, *([t.role, t.text] for t in turns)]
        return self._cache / f"{hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]}.json"


def _message(turn: Turn) -> BaseMessage:
    return AIMessage(turn.text) if turn.role == "ai" else HumanMessage(turn.text)


def _guess(asked: int, answered: int) -> UsageMetadata:
    """Tokens by the number of characters, for calls to come and for providers that do not tell."""
    return usage_of(round(asked / CHARACTERS_A_TOKEN), round(answered / CHARACTERS_A_TOKEN))
