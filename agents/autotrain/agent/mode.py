"""How AutoTrain decides, apart from how it acts, judges and learns, which both modes share."""

from __future__ import annotations

import hashlib
import random
from typing import Protocol, TypeVar

from agents.autotrain.agent.recipe import Values
from agents.autotrain.agent.state import TrainingState
from agents.contract import Proposal, Space

D = TypeVar("D")


class Mode(Protocol[D]):
    """`smokes` says whether a decision is put to cheap tests before it is trained."""

    @property
    def smokes(self) -> bool: ...

    def space(self, state: TrainingState) -> Space[D]: ...

    def decide(self, state: TrainingState) -> Proposal[D]:
        """The same for the same state."""
        ...

    def values(self, decision: D) -> Values:
        """The plain values that a recipe comes of, and that memory keeps."""
        ...


def seed_of(seed: int, state: TrainingState) -> int:
    """For chance that is the same in the same state, and another once a turn was taken."""
    text = f"{seed}/{state.data_hash}/{len(state.past)}"
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


def chance_of(seed: int, state: TrainingState) -> random.Random:
    return random.Random(seed_of(seed, state))
