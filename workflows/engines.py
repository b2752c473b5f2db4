"""Which mind serves a request: the built-in engine, or a language model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agents.autotrain.builtin import BuiltinEngine
from agents.autotrain.engine import Engine
from agents.errors import ModelUnavailable
from memory.tracking import note_cost
from workflows.budget import Account, Budget
from workflows.request import ReproductionRequest
from workflows.settings import Settings

if TYPE_CHECKING:
    from agents.autofeature.propose import Proposer
    from agents.llm import Exchange, LanguageModel
    from workflows.feature_request import FeatureRequest


def make_engine(settings: Settings, request: ReproductionRequest, account: Account) -> Engine:
    """The engine of the request. Raises `ModelUnavailable` when a provider's package, key or price is missing."""
    if not request.model and request.replay is None:
        return BuiltinEngine()
    from agents.autotrain.language_model import LanguageModelEngine  # imports LangChain: paid only by those who use it
    from sandboxes.kit.layers import CARDS

    door = _door(settings, request.model, request.budget, account, request.record, request.replay)
    return LanguageModelEngine(door, CARDS)


def make_proposer(settings: Settings, request: FeatureRequest, account: Account) -> Proposer | None:
    """Who proposes features besides the rules, if a model is named. Raises as `make_engine` does."""
    if not request.model:
        return None
    from agents.autofeature.language_model import LanguageModelProposer

    return LanguageModelProposer(_door(settings, request.model, request.budget, account))


def _door(
    settings: Settings,
    model: str,
    budget: Budget,
    account: Account,
    record: Path | None = None,
    replayed: Path | None = None,
) -> LanguageModel:
    from agents.llm import LanguageModel, Recording, Replay, StatedPrice, price_of

    replay = Replay(replayed) if replayed else None
    name = model or (replay.model if replay else "")
    stated = settings.usd_per_million_input, settings.usd_per_million_output
    price = StatedPrice(stated[0], stated[1]) if stated[0] is not None and stated[1] is not None else price_of(name)
    if price:
        account.calls.count_at(price)
    elif budget.usd is not None and not replay:
        raise ModelUnavailable(
            f"the price of {name} is not known, so a budget in dollars cannot be kept; set AGENTICRS_USD_PER_MILLION_INPUT "
            "and AGENTICRS_USD_PER_MILLION_OUTPUT, or give --budget-tokens instead of --budget-usd"
        )
    return LanguageModel(
        name,
        cache=settings.home / "answers",
        ledger=account.calls,
        price=price,
        afford=account.afford,
        window=settings.model_window,
        replay=replay,
        heard=[_into_the_trace, *([Recording(record)] if record else [])],
    )


def _into_the_trace(exchange: Exchange) -> None:
    if exchange.cost_usd:
        note_cost(exchange.cost_usd)
