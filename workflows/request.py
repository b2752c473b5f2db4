"""What a user asks for: a paper to reproduce, on which data, against what, within which bounds."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from workflows.budget import Budget
from workflows.settings import SandboxName


class ReproductionRequest(BaseModel):
    """The options of `agenticrs reproduce`, complete: kept with the run, so that resuming needs nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    paper: str
    data: str = "auto"  # the packaged set that suits the method
    baselines: tuple[str, ...] = ()
    seeds: int = Field(default=5, ge=1, le=100)
    trials: int = Field(default=3, ge=1, le=1000)
    epochs: int = Field(default=5, ge=1, le=1000)
    batch_size: int | None = Field(default=None, ge=1)  # None: by the number of rows
    way: str = "auto"  # of training: what is fixed of it, as `agents.autotrain.way` reads it
    model: str = ""  # provider:model; "" is the built-in engine
    sandbox: SandboxName = "auto"
    allow_unsafe_sandbox: bool = False
    approve: bool = False
    ablation: bool = True
    again: bool = False  # a new run though an equal one has ended
    fresh_seeds: bool = False  # seeds that no run on this data has had, so that what is known is tried once more
    budget: Budget = Budget()
    record: Path | None = None  # the folder that gets every exchange with the model
    replay: Path | None = None  # the folder whose exchanges answer in the model's place

    @property
    def isolated(self) -> bool:
        """Whether the run may not depend on what else a memory holds: exchanges that are recorded or replayed must come again."""
        return bool(self.record or self.replay)

    @property
    def key(self) -> str:
        """Equal for requests that ask for the same result; budgets, approval and recording do not change it."""
        asked = self.model_dump(exclude={"budget", "approve", "sandbox", "allow_unsafe_sandbox", "record", "again"})
        return hashlib.sha256(repr(sorted(asked.items())).encode()).hexdigest()[:10]
