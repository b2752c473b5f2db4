"""A deep network whose conversions may still be to come: what is known so far is weighed by what it says of the end."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from sandboxes.kit import layers
from sandboxes.kit.batch import Batch
from sandboxes.kit.models.dnn import DNN
from sandboxes.kit.schema import Schema


class DelayWeighted(nn.Module):
    """(batch) -> (B, T): importance weights as Yasui et al., WWW 2020, with an exponential delay in place of the paper's models
    of the weights. Where nothing is delayed it is the network alone.
    """

    def __init__(
        self, schema: Schema, *, embedding_dim: int = 16, hidden_units: Sequence[int] = (400, 400), dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.network = DNN(schema, embedding_dim=embedding_dim, hidden_units=hidden_units, dropout=dropout)
        self.delay_weighted = layers.DelayWeighted(schema)

    def forward(self, batch: Batch) -> Tensor:
        logits: Tensor = self.network(batch)  # (B, T)
        return logits

    def loss(self, batch: Batch) -> Tensor:
        loss: Tensor = self.delay_weighted(self(batch), batch)
        return loss
