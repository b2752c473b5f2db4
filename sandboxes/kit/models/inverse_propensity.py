"""A policy that is learned from logged rewards alone, each weighed by how much likelier the policy makes the action."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers import ContextScores, InversePropensity
from sandboxes.kit.off_policy import MOST_WEIGHT
from sandboxes.kit.schema import Schema


class InversePropensityPolicy(nn.Module):
    """(batch) -> (B, I): scores whose softmax is the policy (Joachims, Swaminathan and de Rijke, ICLR 2018)."""

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
        self.gain = InversePropensity(clip)

    def meet(self, collection: Collection) -> None:
        self.scores.meet(collection)

    def forward(self, batch: Batch) -> Tensor:
        scores: Tensor = self.scores(batch)  # (B, I)
        return scores

    def loss(self, batch: Batch) -> Tensor:
        loss: Tensor = self.gain(self(batch), batch)
        return loss
