"""Which mind serves a request: the built-in engine, or a language model."""

from __future__ import annotations

from agents.autotrain.builtin import BuiltinEngine
from agents.autotrain.engine import Engine
from workflows.request import ReproductionRequest
from workflows.run_folder import RunFolder
from workflows.settings import Settings


def make_engine(settings: Settings, request: ReproductionRequest, folder: RunFolder) -> Engine:
    """The engine of the request. Raises `ModelUnavailable` when a provider's package, key or price is missing."""
    if not request.model and request.replay is None:
        return BuiltinEngine()
    from agents.autotrain.language_model import LanguageModelEngine  # imports LangChain: paid only by those who use it
    from agents.llm import LanguageModel, Ledger, Recording, Replay, StatedPrice, price_of
    from sandboxes.kit.layers import CARDS

    replay = Replay(request.replay) if request.replay else None
    name = request.model or (replay.model if replay else "")
    stated = settings.usd_per_million_input, settings.usd_per_million_output
    price = StatedPrice(stated[0], stated[1]) if stated[0] is not None and stated[1] is not None else price_of(name)
    door = LanguageModel(
        name,
        cache=settings.home / "answers",
        ledger=Ledger(folder.path("calls.jsonl")),
        price=price,
        budget_usd=request.budget_usd,
        window=settings.model_window,
        replay=replay,
        heard=[Recording(request.record)] if request.record else [],
    )
    return LanguageModelEngine(door, CARDS)
