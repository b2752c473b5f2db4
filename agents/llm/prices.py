"""What a call costs: by the published price list that the package genai-prices carries, or by what a site states."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Protocol

from langchain_core.messages.ai import UsageMetadata

# LangChain's name of a provider, where the price list has another.
LISTED_AS = {
    "azure_openai": "azure",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "google_genai": "google",
    "google_vertexai": "google",
    "mistralai": "mistral",
    "xai": "x-ai",
}


def usage_of(input_tokens: int, output_tokens: int) -> UsageMetadata:
    return UsageMetadata(input_tokens=input_tokens, output_tokens=output_tokens, total_tokens=input_tokens + output_tokens)


class Price(Protocol):
    """US dollars of a call by the tokens it used."""

    def of(self, usage: UsageMetadata) -> float: ...


@dataclass(frozen=True)
class StatedPrice:
    """US dollars a million tokens, as a site states them."""

    input_usd: float
    output_usd: float

    def of(self, usage: UsageMetadata) -> float:
        return (usage["input_tokens"] * self.input_usd + usage["output_tokens"] * self.output_usd) / 1e6


@dataclass(frozen=True)
class ListedPrice:
    """The published price, which may depend on the size of a call and on what the provider had cached."""

    provider: str
    model: str

    def of(self, usage: UsageMetadata) -> float:
        """Raises LookupError where the list does not hold the model."""
        from genai_prices import Usage, calc_price  # a second to import: paid by those who ask a model

        details = usage.get("input_token_details") or {}
        said = Usage(
            input_tokens=usage["input_tokens"],
            output_tokens=usage["output_tokens"],
            cache_read_tokens=details.get("cache_read"),
            cache_write_tokens=details.get("cache_creation"),
        )
        return float(calc_price(said, self.model, provider_id=self.provider).total_price)


def price_of(name: str) -> Price | None:
    """The published price of the model `provider:model`, None where it is not known: for other servers, and models not listed."""
    provider, _, model = name.partition(":")
    if os.environ.get(f"{provider.upper()}_BASE_URL") or not model:
        return None  # somebody else's server, with prices of its own
    listed = ListedPrice(LISTED_AS.get(provider, provider), model)
    try:
        listed.of(usage_of(1, 1))
    except LookupError:
        return None
    return listed
