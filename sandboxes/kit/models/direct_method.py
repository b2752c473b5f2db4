"""Learns what reward each action brings in each context, and takes those that promise most."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers import RewardEstimates
from sandboxes.kit.policy_losses import reward_regression, softmax_policy
from sandboxes.kit.schema import Schema


class DirectMethod(nn.Module):
    """(batch) -> (B, I): the log-odds of the reward (the direct method of Dudík, Langford and Li, ICML 2011, section 2).

    Propensities are not looked at: where the logging policy seldom takes an action, its estimate is as good as the model's form.
    The policy is a softmax of the log-odds at a `temperature`: a choice of the best alone could not be judged by a log.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        hidden_units: Sequence[int] = (128, 64),
        temperature: float = 0.2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.temperature = temperature
        self.rewards = RewardEstimates(schema, embedding_dim, hidden_units, dropout)

    def meet(self, collection: Collection) -> None:
        self.rewards.meet(collection)

    def forward(self, batch: Batch) -> Tensor:
        estimates: Tensor = self.rewards(batch)  # (B, I)
        return estimates

    def loss(self, batch: Batch) -> Tensor:
        return reward_regression(self(batch), batch)

    def predict(self, batch: Batch) -> Tensor:
        return softmax_policy(self(batch), self.temperature)
