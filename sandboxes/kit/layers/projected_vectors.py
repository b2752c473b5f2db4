"""Vectors made elsewhere, brought to the width of embeddings by a learned linear map for each vector field.

Notation: B rows, M vector fields, W width of a field's vectors, D embedding width, L history length.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers.table import INITIAL_STD
from sandboxes.kit.schema import Schema


class ProjectedVectors(nn.Module):
    """(batch) -> (B, M, D), in schema order. A value without a vector, whose numbers are all 0, gives 0; others have a bias of
    their field's own, by the number 1 that ends every vector.

    The methods give what is known of a categorical field `name`, one by one: nothing, where it has no vectors.
    """

    def __init__(self, schema: Schema, embedding_dim: int) -> None:
        super().__init__()
        self._names = [v.name for v in schema.vectors]
        self._of = {v.of: [i for i, other in enumerate(schema.vectors) if other.of == v.of] for v in schema.vectors}
        self._widths = [v.width for v in schema.vectors]
        # The numbers of a vector have a variance of 1, so that projections are as long as the rows of a table.
        maps = [torch.randn(embedding_dim, w) * INITIAL_STD * w**-0.5 for w in self._widths]
        self.weight = nn.Parameter(torch.cat(maps, 1)) if maps else None  # (D, W_1 + ... + W_M)

    def forward(self, batch: Batch) -> Tensor:
        return torch.stack([self._mapped(i, batch.vectors(name)) for i, name in enumerate(self._names)], 1)  # (B, M, D)

    def of_values(self, name: str, ids: Tensor, batch: Batch) -> list[Tensor]:
        """Of values of the field `name` by their `ids` (...), the vectors (..., D) of each of its vector fields."""
        return [self._mapped(i, batch.tables[self._names[i]](ids)) for i in self._of.get(name, ())]

    def of_rows(self, name: str, batch: Batch) -> list[Tensor]:
        """Of each row's own value of the field `name` the same, (B, D); such a value may be one that train did not teach."""
        return [self._mapped(i, batch.vectors(self._names[i])) for i in self._of.get(name, ())]

    def pooled(self, name: str, ids: Tensor, batch: Batch) -> list[Tensor]:
        """The means (B, D) of what `of_values` gives for ids (B, L), padding apart; zeros where there is nothing but padding."""
        return [self._mapped(i, batch.tables[self._names[i]].pooled(ids)) for i in self._of.get(name, ())]

    def _mapped(self, i: int, vectors: Tensor) -> Tensor:
        assert self.weight is not None
        own = torch.split(self.weight, self._widths, 1)[i]  # (D, W)
        return functional.linear(vectors.to(own.dtype), own)
