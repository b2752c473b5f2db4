"""What a user asks of AutoFeature: which data set, by which model features are judged, how hard to try, what quality is worth."""

from __future__ import annotations

import hashlib

from pydantic import BaseModel, ConfigDict, Field

from agents.autofeature.costs import Prices
from agents.autofeature.settings import Settings as HowItWorks
from agents.autofeature.trials import Economy
from workflows.budget import Budget
from workflows.settings import SandboxName


class FeatureRequest(BaseModel):
    """The options of `agenticrs features run`, complete: kept with the run, so that resuming needs nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str
    judge: str = "dnn"  # the kit's model that features are judged by
    seeds: int = Field(default=3, ge=2, le=100)
    most: int = Field(default=8, ge=1, le=100)  # proposals that are tried
    epochs: int = Field(default=5, ge=1, le=1000)
    embedding_dim: int = Field(default=16, ge=1, le=512)
    allowed: tuple[str, ...] = ()  # columns that may be used though they look as if they knew the label
    rate: float = Field(default=0.1, gt=0, lt=1)  # false discoveries among what is kept
    least: float = Field(default=0.0005, ge=0)  # AUC that is worth having
    auc_per_mb: float = Field(default=Prices().auc_per_mb, ge=0)
    auc_per_ms: float = Field(default=Prices().auc_per_ms, ge=0)
    model: str = ""  # provider:model that proposes; "" is the built-in rules alone
    sandbox: SandboxName = "auto"
    allow_unsafe_sandbox: bool = False
    approve: bool = False
    again: bool = False  # a new run though an equal one has ended, which also tries what was tried before
    budget: Budget = Budget()

    @property
    def how(self) -> HowItWorks:
        """The same as the agent wants it."""
        return HowItWorks(
            model=self.judge,
            seeds=self.seeds,
            most=self.most,
            epochs=self.epochs,
            embedding_dim=self.embedding_dim,
            allowed=self.allowed,
            economy=Economy(
                least=self.least, rate=self.rate, prices=Prices(auc_per_mb=self.auc_per_mb, auc_per_ms=self.auc_per_ms)
            ),
            again=self.again,
        )

    @property
    def key(self) -> str:
        """Equal for requests that ask for the same; budgets, approval and the sandbox do not change it."""
        asked = self.model_dump(exclude={"budget", "approve", "sandbox", "allow_unsafe_sandbox", "again"})
        return hashlib.sha256(repr(sorted(asked.items())).encode()).hexdigest()[:10]
