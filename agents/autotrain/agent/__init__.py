"""AutoTrain under the contract of agents: it improves what stands on a data set, by search or by new architectures."""

from agents.autotrain.agent.agent import AutoTrain, open_agent, search_agent
from agents.autotrain.agent.architectures import Architecture, Architectures
from agents.autotrain.agent.laboratory import Laboratory
from agents.autotrain.agent.open_mode import OpenMode
from agents.autotrain.agent.recipe import in_words
from agents.autotrain.agent.search_mode import SearchMode
from agents.autotrain.agent.state import TrainingState

__all__ = [
    "Architecture",
    "Architectures",
    "AutoTrain",
    "Laboratory",
    "OpenMode",
    "SearchMode",
    "TrainingState",
    "in_words",
    "open_agent",
    "search_agent",
]
