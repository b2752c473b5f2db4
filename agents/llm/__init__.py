"""The one door to language models: providers, prices, answers as data, what was asked and paid."""

from agents.llm.answers import json_object
from agents.llm.door import LanguageModel
from agents.llm.exchanges import Exchange, Recording, Replay
from agents.llm.ledger import Call, Ledger, cost_of
from agents.llm.prices import Price, StatedPrice, price_of

__all__ = [
    "Call",
    "Exchange",
    "LanguageModel",
    "Ledger",
    "Price",
    "Recording",
    "Replay",
    "StatedPrice",
    "cost_of",
    "json_object",
    "price_of",
]
