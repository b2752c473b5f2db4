"""One number an item, the same for everybody: the baseline below which no recommender of items should fall."""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers.table import Table
from sandboxes.kit.schema import Schema


class Popularity(nn.Module):
    """(batch) -> (B, I): under a softmax over all items the numbers become the logarithms of popularity."""

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self.table = Table(schema.n_items, 1)

    def forward(self, batch: Batch) -> Tensor:
        return self.table.weight.T.expand(len(batch), -1)  # (B, I)
