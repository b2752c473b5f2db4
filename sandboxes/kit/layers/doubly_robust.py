"""Doubly robust learning of a policy: estimated rewards of all actions, corrected by inverse propensities where one was taken.

Notation: B rows, I ids of actions, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.context_scores import RewardEstimates
from sandboxes.kit.off_policy import MOST_WEIGHT
from sandboxes.kit.policy_losses import IMITATION, doubly_robust_loss, reward_regression
from sandboxes.kit.schema import Schema


class DoublyRobust(nn.Module):
    """(scores (B, I), batch) -> scalar: see `doubly_robust_loss`. The estimates are those of a model of its own, which learns
    beside the policy by the cross-entropy of the rewards of actions taken; it must `meet` the collection before it knows more of
    an action than its id."""

    def __init__(
        self,
        schema: Schema,
        embedding_dim: int,
        clip: float = MOST_WEIGHT,
        imitation: float = IMITATION,
        reward_units: Sequence[int] = (64,),
    ) -> None:
        super().__init__()
        self.clip, self.imitation = clip, imitation
        self.rewards = RewardEstimates(schema, embedding_dim, reward_units)

    def meet(self, collection: Collection) -> None:
        self.rewards.meet(collection)

    def forward(self, scores: Tensor, batch: Batch) -> Tensor:
        log_odds = self.rewards(batch)  # (B, I)
        value = doubly_robust_loss(scores, torch.sigmoid(log_odds), batch, self.clip, self.imitation)
        return reward_regression(log_odds, batch) + value
