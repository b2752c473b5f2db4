"""A chat model whose replies are scripted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr


class Scripted(BaseChatModel):
    """Gives the scripted replies in order, or what `answer` says to a question; an exception among them is raised."""

    _answer: Callable[[list[BaseMessage]], str | Exception] = PrivateAttr()
    _asked: list[list[BaseMessage]] = PrivateAttr(default_factory=list)

    def __init__(self, *replies: str | Exception, answer: Callable[[list[BaseMessage]], str] | None = None) -> None:
        super().__init__()
        in_order: Iterator[str | Exception] = iter(replies)
        self._answer = answer or (lambda _: next(in_order))

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def asked(self) -> list[list[BaseMessage]]:
        return self._asked

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        self._asked.append(messages)
        reply = self._answer(messages)
        if isinstance(reply, Exception):
            raise reply
        usage = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}
        return ChatResult(generations=[ChatGeneration(message=AIMessage(reply, usage_metadata=usage))])  # type: ignore[arg-type]
