"""Opens chat models by `provider:model`, and says what is missing for one before any work starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from langchain_core.exceptions import ModelAuthenticationError, ModelConnectionError, ModelError, ModelNotFoundError
from langchain_core.language_models import BaseChatModel

from agents.errors import ModelUnavailable
from agents.secrets import without_secrets

TIMEOUT_S = 600.0
MAX_TOKENS = 16_000  # of one answer
WINDOW = 128_000  # tokens that a model reads, where its provider does not say


@dataclass(frozen=True)
class Provider:
    """The package of a provider that LangChain knows, and the variables of which one must hold its key; none needs no key."""

    package: str
    keys: tuple[str, ...] = ()


PROVIDERS: Mapping[str, Provider] = {
    "anthropic": Provider("langchain-anthropic", ("ANTHROPIC_API_KEY",)),
    "deepseek": Provider("langchain-deepseek", ("DEEPSEEK_API_KEY",)),
    "google_genai": Provider("langchain-google-genai", ("GOOGLE_API_KEY", "GEMINI_API_KEY")),
    "groq": Provider("langchain-groq", ("GROQ_API_KEY",)),
    "mistralai": Provider("langchain-mistralai", ("MISTRAL_API_KEY",)),
    "ollama": Provider("langchain-ollama"),
    "openai": Provider("langchain-openai", ("OPENAI_API_KEY",)),
    "openrouter": Provider("langchain-openrouter", ("OPENROUTER_API_KEY",)),
    "xai": Provider("langchain-xai", ("XAI_API_KEY",)),
}


@dataclass(frozen=True)
class Lack:
    """Why a model cannot be asked, in half a sentence, and what to do about it."""

    detail: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.detail}; {self.remedy}"


def lack_of(name: str) -> Lack | None:
    """What is missing on this machine for the model `provider:model`; None when it can be asked, as far as can be told here."""
    provider, _, model = name.partition(":")
    if not provider or not model:
        return Lack(f"{name!r} does not name a model", "write provider:model, such as openai:gpt-5")
    known = PROVIDERS.get(provider)
    if known is None:
        return None  # LangChain may know more providers; opening the model tells
    if find_spec(known.package.replace("-", "_")) is None:
        return Lack(f"{name} needs the package {known.package}", f"pip install 'agenticrs[{extra_of(provider)}]'")
    if known.keys and not any(os.environ.get(key) for key in known.keys):
        return Lack(f"{name} needs a key", f"set {' or '.join(known.keys)}")
    return None


def extra_of(provider: str) -> str:
    """The extra of this package that brings the provider's."""
    return provider.replace("_", "-")


def open_chat(name: str, window: int | None = None) -> tuple[BaseChatModel, int]:
    """The model, and how many tokens it reads at once: `window`, or what its provider says. An answer takes a third at most.

    Raises `ModelUnavailable` where a package, a key or the model's name is missing.
    """
    if lack := lack_of(name):
        raise ModelUnavailable(str(lack))
    model = _open(name, longest_answer(window or WINDOW))
    told = window or int((model.profile or {}).get("max_input_tokens") or WINDOW)
    return (_open(name, longest_answer(told)) if longest_answer(told) < MAX_TOKENS else model), told


def longest_answer(window: int) -> int:
    """Tokens that an answer may have where a model reads `window` at once."""
    return min(MAX_TOKENS, window // 3)


def _open(name: str, max_tokens: int) -> BaseChatModel:
    from langchain.chat_models import init_chat_model

    try:
        model = init_chat_model(name, timeout=TIMEOUT_S, max_retries=0, max_tokens=max_tokens)
    except ImportError as error:
        raise ModelUnavailable(f"{name} needs a package that is not installed: {first_line(error)}") from None
    except Exception as error:  # each provider raises its own class for a missing key or a wrong name
        raise ModelUnavailable(f"{name} cannot be set up: {first_line(error)}") from error
    assert isinstance(model, BaseChatModel)
    return model


def refusal(name: str, error: ModelError) -> str:
    """What a provider's error means for a person, with the remedy where there is one."""
    variable = f"{name.partition(':')[0].upper()}_BASE_URL"
    if isinstance(error, ModelAuthenticationError):
        return f"{name} refuses the key; set the provider's key in the environment"
    if isinstance(error, ModelNotFoundError):
        return f"{name} is not known to its provider; check the model's name, and {variable} if it is set ({first_line(error)})"
    if isinstance(error, ModelConnectionError):
        return f"{name} cannot be reached; check the network, and {variable} if it is set ({first_line(error)})"
    return f"{name} does not answer: {first_line(error)}"


def first_line(error: Exception) -> str:
    """What an error says first, without the secrets that providers repeat in it."""
    return without_secrets((str(error).strip().splitlines() or [type(error).__name__])[0])[:300]
