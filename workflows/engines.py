"""Which mind serves a request: the built-in engine, or a language model."""

from __future__ import annotations

from agents.autotrain.builtin import BuiltinEngine
from agents.autotrain.engine import Engine
from workflows.request import ReproductionRequest
from workflows.run_folder import RunFolder
from workflows.settings import Settings


def make_engine(settings: Settings, request: ReproductionRequest, folder: RunFolder) -> Engine:
    """The engine of the request. Raises `ModelUnavailable` when a provider's package, key or price is missing."""
    if not request.model:
        return BuiltinEngine()
    from agents.autotrain.language_model import LanguageModelEngine  # imports LangChain: paid only by those who use it
    from agents.llm import LanguageModel, Ledger, Price
    from sandboxes.kit.layers import CARDS

    prices = settings.usd_per_million_input, settings.usd_per_million_output
    price = Price(prices[0], prices[1]) if prices[0] is not None and prices[1] is not None else None
    door = LanguageModel(
        request.model,
        cache=settings.home / "answers",
        ledger=Ledger(folder.path("calls.jsonl")),
        price=price,
        budget_usd=request.budget_usd,
    )
    return LanguageModelEngine(door, CARDS)
