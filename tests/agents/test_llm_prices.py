"""Prices: the published list, what a site states, and models of which nothing is known."""

from __future__ import annotations

import pytest
from langchain_core.messages.ai import UsageMetadata

from agents.llm import StatedPrice, price_of

CALL = UsageMetadata(input_tokens=100_000, output_tokens=20_000, total_tokens=120_000)


def test_a_stated_price_is_a_product() -> None:
    assert StatedPrice(2, 10).of(CALL) == pytest.approx(0.2 + 0.2)


@pytest.mark.parametrize(
    "name", ["openai:gpt-4o", "anthropic:claude-sonnet-4-5", "google_genai:gemini-2.5-pro", "mistralai:mistral-large-latest"]
)
def test_known_models_have_a_price_that_grows_with_tokens(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(f"{name.partition(':')[0].upper()}_BASE_URL", raising=False)
    price = price_of(name)
    assert price is not None
    twice = UsageMetadata(input_tokens=200_000, output_tokens=40_000, total_tokens=240_000)
    assert 0 < price.of(CALL) < price.of(twice)


def test_what_a_provider_had_cached_costs_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    price = price_of("openai:gpt-4o")
    assert price is not None
    assert price.of({**CALL, "input_token_details": {"cache_read": 90_000}}) < price.of(CALL)


@pytest.mark.parametrize("name", ["openai:no-such-model", "nobody:gpt-4o", "ollama:llama3", "gpt-4o", ""])
def test_an_unknown_price_is_unknown_and_not_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert price_of(name) is None


def test_another_server_has_prices_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:8000/v1")
    assert price_of("openai:gpt-4o") is None
