"""Logistic regression: a weight for each feature value, the baseline that any other model must beat."""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import LinearTerm
from sandboxes.kit.schema import Schema


class LR(nn.Module):
    """(batch) -> (B, T); a history counts with the mean weight of its entries (Richardson et al., WWW 2007)."""

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self.linear = LinearTerm(schema, len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        logits: Tensor = self.linear(batch)  # (B, T)
        return logits
