"""A policy that is learned from estimated rewards of all actions, corrected where one was taken and its reward is known."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers import ContextScores, DoublyRobust
from sandboxes.kit.off_policy import MOST_WEIGHT
from sandboxes.kit.schema import Schema


class DoublyRobustPolicy(nn.Module):
    """(batch) -> (B, I): scores whose softmax is the policy, trained on the estimate of Dudík, Langford and Li, ICML 2011. There,
    the best policy is found by a reduction to classification; here by its gradient."""

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        hidden_units: Sequence[int] = (128, 64),
        clip: float = MOST_WEIGHT,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.scores = ContextScores(schema, embedding_dim, hidden_units, dropout)
        self.value = DoublyRobust(schema, embedding_dim, clip, reward_units=hidden_units)

    def meet(self, collection: Collection) -> None:
        self.scores.meet(collection)
        self.value.meet(collection)

    def forward(self, batch: Batch) -> Tensor:
        scores: Tensor = self.scores(batch)  # (B, I)
        return scores

    def loss(self, batch: Batch) -> Tensor:
        loss: Tensor = self.value(self(batch), batch)
        return loss
