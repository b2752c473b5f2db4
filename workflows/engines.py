"""Which mind serves a request: the built-in engine, or a language model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.autotrain.builtin import BuiltinEngine
from agents.autotrain.engine import Engine
from agents.errors import ModelUnavailable
from memory.tracking import note_cost
from workflows.budget import Account
from workflows.request import ReproductionRequest
from workflows.settings import Settings

if TYPE_CHECKING:
    from agents.llm import Exchange


def make_engine(settings: Settings, request: ReproductionRequest, account: Account) -> Engine:
    """The engine of the request. Raises `ModelUnavailable` when a provider's package, key or price is missing."""
    if not request.model and request.replay is None:
        return BuiltinEngine()
    from agents.autotrain.language_model import LanguageModelEngine  # imports LangChain: paid only by those who use it
    from agents.llm import LanguageModel, Recording, Replay, StatedPrice, price_of
    from sandboxes.kit.layers import CARDS

    replay = Replay(request.replay) if request.replay else None
    name = request.model or (replay.model if replay else "")
    stated = settings.usd_per_million_input, settings.usd_per_million_output
    price = StatedPrice(stated[0], stated[1]) if stated[0] is not None and stated[1] is not None else price_of(name)
    if price:
        account.calls.count_at(price)
    elif request.budget.usd is not None and not replay:
        raise ModelUnavailable(
            f"the price of {name} is not known, so a budget in dollars cannot be kept; set AGENTICRS_USD_PER_MILLION_INPUT "
            "and AGENTICRS_USD_PER_MILLION_OUTPUT, or give --budget-tokens instead of --budget-usd"
        )
    door = LanguageModel(
        name,
        cache=settings.home / "answers",
        ledger=account.calls,
        price=price,
        afford=account.afford,
        window=settings.model_window,
        replay=replay,
        heard=[_into_the_trace, *([Recording(request.record)] if request.record else [])],
    )
    return LanguageModelEngine(door, CARDS)


def _into_the_trace(exchange: Exchange) -> None:
    if exchange.cost_usd:
        note_cost(exchange.cost_usd)
