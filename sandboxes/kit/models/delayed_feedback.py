"""A deep network whose conversions may still be to come: what is not known yet is no negative."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from sandboxes.kit import layers
from sandboxes.kit.batch import Batch
from sandboxes.kit.models.dnn import DNN
from sandboxes.kit.schema import Schema


class DelayedFeedback(nn.Module):
    """(batch) -> (B, T): Chapelle, KDD 2014, section 4, with a deep network in place of the paper's linear chance of conversion.
    Where nothing is delayed it is that network.
    """

    def __init__(
        self, schema: Schema, *, embedding_dim: int = 16, hidden_units: Sequence[int] = (400, 400), dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.network = DNN(schema, embedding_dim=embedding_dim, hidden_units=hidden_units, dropout=dropout)
        self.delayed_feedback = layers.DelayedFeedback(schema)

    def forward(self, batch: Batch) -> Tensor:
        logits: Tensor = self.network(batch)  # (B, T)
        return logits

    def loss(self, batch: Batch) -> Tensor:
        loss: Tensor = self.delayed_feedback(self(batch), batch)
        return loss
