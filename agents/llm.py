"""The one door to language models: any LangChain provider, retries by error class, disk cache, accounting, spending cap.

What it does not do: trust an answer. Answers are validated against a schema here and against paper and code by those who ask.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from langchain_core.exceptions import ModelAuthenticationError, ModelConnectionError, ModelError, ModelNotFoundError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from pydantic import BaseModel, ValidationError

from agents.errors import BudgetExhausted, ModelAnswerInvalid, ModelUnavailable

M = TypeVar("M", bound=BaseModel)

TIMEOUT_S = 600.0
MAX_TOKENS = 16_000  # of one answer
CHARACTERS_A_TOKEN = 3.0  # a low guess, so that the estimate of a call's cost is high
CUT_OFF = ("length", "max_tokens")  # the reasons providers give for an answer that ends early
CACHE_FORMAT = 1


@dataclass(frozen=True)
class Price:
    """US dollars a million tokens."""

    input_usd: float
    output_usd: float

    def of(self, input_tokens: float, output_tokens: float) -> float:
        return (input_tokens * self.input_usd + output_tokens * self.output_usd) / 1e6


class Call(BaseModel):
    """One paid call. `cost_usd` is None where no price is known."""

    step: str
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    seconds: float


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


class LanguageModel:
    """A chat model by `provider:model`. Raises `ModelUnavailable`, `ModelAnswerInvalid` and `BudgetExhausted`.

    Answers as data are asked for in words and validated here, not through a provider's own mode for structured output:
    that works alike with every provider and with small local servers.
    """

    def __init__(
        self,
        name: str,
        *,
        cache: Path,
        ledger: Ledger,
        price: Price | None = None,
        budget_usd: float | None = None,
        retries: int = 4,
        chat: BaseChatModel | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if budget_usd is not None and price is None:
            raise ModelUnavailable(
                f"the price of {name} is not known, so a budget in dollars cannot be kept; set AGENTICRS_USD_PER_MILLION_INPUT "
                "and AGENTICRS_USD_PER_MILLION_OUTPUT, or leave --budget-usd away"
            )
        self.name, self.ledger = name, ledger
        self._cache, self._price, self._budget, self._retries, self._sleep = cache, price, budget_usd, retries, sleep
        self._chat = chat or _open(name)

    def ask(self, step: str, system: str, user: str) -> str:
        """The answer as text."""
        return self._answer(step, [SystemMessage(system), HumanMessage(user)], "")

    def ask_for(self, answer: type[M], step: str, system: str, user: str) -> M:
        """The answer as data; one that does not fit is asked for once more, with the fault named."""
        schema = json.dumps(answer.model_json_schema())
        form = f"{system}\n\nAnswer with one JSON object and nothing else. Its JSON schema:\n{schema}"
        messages: list[BaseMessage] = [SystemMessage(form), HumanMessage(user)]
        fault = ""
        for _ in range(2):
            text = self._answer(step, messages, schema)
            try:
                return answer.model_validate_json(json_object(text))
            except (ValidationError, ValueError) as error:
                fault = _fault(error)
            self._forget(messages, schema)  # else resuming would meet the same misfit again
            again = f"That answer does not fit the schema: {fault}. Answer again with the corrected JSON object only."
            messages = [*messages, AIMessage(text), HumanMessage(again)]
        raise ModelAnswerInvalid(f"{self.name} twice answered the step {step} in a form that does not fit: {fault}")

    def _answer(self, step: str, messages: Sequence[BaseMessage], schema: str) -> str:
        kept = self._place(messages, schema)
        if kept.is_file():
            return str(json.loads(kept.read_text(encoding="utf-8"))["text"])
        self._afford(messages)
        began = time.monotonic()
        reply = self._call(messages)
        text = reply.text
        usage: Any = reply.usage_metadata or {}
        tokens = int(usage.get("input_tokens", 0)), int(usage.get("output_tokens", 0))
        cost = self._price.of(*tokens) if self._price else None
        seconds = round(time.monotonic() - began, 2)
        self.ledger.add(Call(step=step, input_tokens=tokens[0], output_tokens=tokens[1], cost_usd=cost, seconds=seconds))
        said = reply.response_metadata
        if said.get("finish_reason", said.get("stop_reason")) in CUT_OFF:
            raise ModelAnswerInvalid(
                f"{self.name} was cut off in the step {step} after {tokens[1]} tokens; take a model that says less"
            )
        self._cache.mkdir(parents=True, exist_ok=True)
        fresh = kept.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps({"model": self.name, "step": step, "text": text}), encoding="utf-8")
        fresh.replace(kept)
        return text

    def _afford(self, messages: Sequence[BaseMessage]) -> None:
        """Raises before a call that could pass the cap."""
        if self._budget is None or self._price is None:
            return
        worst = self._price.of(sum(len(m.text) for m in messages) / CHARACTERS_A_TOKEN, MAX_TOKENS)
        if self.ledger.cost_usd + worst > self._budget:
            raise BudgetExhausted(
                f"${self.ledger.cost_usd:.4f} of ${self._budget:g} are spent and the next call may cost ${worst:.4f}; "
                "resume with a larger --budget-usd"
            )

    def _call(self, messages: Sequence[BaseMessage]) -> AIMessage:
        """One answer, asked for again after errors that may pass, with growing pauses."""
        for attempt in range(self._retries + 1):
            try:
                return self._chat.invoke(list(messages))
            except ModelError as error:
                if not error.is_retryable or attempt == self._retries:
                    raise ModelUnavailable(_refusal(self.name, error)) from error
            except (TypeError, KeyError, ValueError) as error:  # how LangChain meets a reply that is no chat completion
                raise ModelUnavailable(
                    f"{self.name} answers with something that is no chat completion ({_first_line(error)}); check its base URL"
                ) from error
            self._sleep(min(60.0, 2.0**attempt) * (0.5 + random.random()))
        raise AssertionError("unreachable")

    def _forget(self, messages: Sequence[BaseMessage], schema: str) -> None:
        self._place(messages, schema).unlink(missing_ok=True)

    def _place(self, messages: Sequence[BaseMessage], schema: str) -> Path:
        """Where the answer to this question is kept."""
        said = [(m.type, m.text) for m in messages]
        key = hashlib.sha256(json.dumps([CACHE_FORMAT, self.name, said, schema]).encode()).hexdigest()[:32]
        return self._cache / f"{key}.json"


def _open(name: str) -> BaseChatModel:
    from langchain.chat_models import init_chat_model

    if ":" not in name:
        raise ModelUnavailable(f"{name!r} does not name a model; write provider:model, such as openai:gpt-5")
    try:
        model = init_chat_model(name, timeout=TIMEOUT_S, max_retries=0, max_tokens=MAX_TOKENS)
    except ImportError as error:
        raise ModelUnavailable(f"{name} needs a package that is not installed: {_first_line(error)}") from None
    except Exception as error:  # each provider raises its own class for a missing key or a wrong name
        raise ModelUnavailable(f"{name} cannot be set up: {_first_line(error)}") from error
    assert isinstance(model, BaseChatModel)
    return model


def _refusal(name: str, error: ModelError) -> str:
    """What a provider's error means for a person, with the remedy where there is one."""
    variable = f"{name.partition(':')[0].upper()}_BASE_URL"
    if isinstance(error, ModelAuthenticationError):
        return f"{name} refuses the key; set the provider's key in the environment"
    if isinstance(error, ModelNotFoundError):
        return f"{name} is not known to its provider; check the model's name, and {variable} if it is set ({_first_line(error)})"
    if isinstance(error, ModelConnectionError):
        return f"{name} cannot be reached; check the network, and {variable} if it is set ({_first_line(error)})"
    return f"{name} does not answer: {_first_line(error)}"


def json_object(text: str) -> str:
    """The JSON object in an answer that may stand in a fence or between sentences. Raises `ValueError` when there is none."""
    start = text.find("{")
    if start < 0:
        raise ValueError("there is no JSON object in the answer")
    _, end = json.JSONDecoder().raw_decode(text[start:])
    return text[start : start + end]


def _fault(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
    return str(error)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
