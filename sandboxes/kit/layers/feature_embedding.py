"""Feature embedding: one fused table for all categorical fields, and one vector per numeric field.

Notation: B rows, C categorical fields, N numeric fields, F = C + N, D embedding width, L history length.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers.table import INITIAL_STD, Table
from sandboxes.kit.schema import Schema


class ScaledVectors(nn.Module):
    """Numeric fields as vectors: value times the field's own vector, plus the field's own bias vector.

    (B, N) -> (B, N, D). The bias lets a value of zero (the mean of a standardised column) have a direction too.
    """

    def __init__(self, n_numeric: int, embedding_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_numeric, embedding_dim) * INITIAL_STD)  # (N, D)
        self.bias = nn.Parameter(torch.zeros(n_numeric, embedding_dim))  # (N, D)

    def forward(self, values: Tensor) -> Tensor:
        return torch.addcmul(self.bias, values.unsqueeze(-1), self.weight)  # (B, N, D)


class FeatureEmbedding(nn.Module):
    """Looks up the fields of a batch: (batch) -> (B, F, D), categorical fields in schema order, then numeric ones.

    All categorical fields live in one table; `offsets` moves the local ids of a field to its rows, so one lookup serves all
    fields. Histories share the rows of the field they are made of. `numeric` replaces the default treatment of numeric
    fields; it maps (B, N) to (B, N, D). `table` is the kind of table.
    """

    offsets: Tensor

    def __init__(
        self, schema: Schema, embedding_dim: int, numeric: nn.Module | None = None, table: Callable[[int, int], Table] = Table
    ) -> None:
        super().__init__()
        self.schema, self.embedding_dim = schema, embedding_dim
        self.register_buffer("offsets", table_offsets(schema), persistent=False)  # (C,)
        self._first_row = {f.name: int(start) for f, start in zip(schema.categorical, self.offsets.tolist(), strict=True)}
        self._history_of = {s.name: s.of for s in schema.sequences}
        self.table: Table | None = None
        if schema.categorical:
            self.table = table(sum(f.cardinality for f in schema.categorical), embedding_dim)
        self.numeric: nn.Module | None = None
        if schema.numeric:
            self.numeric = numeric if numeric is not None else ScaledVectors(len(schema.numeric), embedding_dim)

    def forward(self, batch: Batch) -> Tensor:
        parts: list[Tensor] = []
        if self.table is not None:
            parts.append(self.table(batch.ids + self.offsets))  # (B, C, D)
        if self.numeric is not None:
            parts.append(self.numeric(batch.numeric))  # (B, N, D)
        return torch.cat(parts, 1) if len(parts) > 1 else parts[0]  # (B, F, D)

    def field(self, batch: Batch, name: str) -> Tensor:
        """The vectors (B, D) of the categorical field `name`. Raises `KeyError` when there is none."""
        first_row = self._first_row[name]
        vectors: Tensor = self._table()(batch.ids[:, self.schema.index_of(name)] + first_row)
        return vectors

    def history(self, batch: Batch, name: str) -> tuple[Tensor, Tensor]:
        """The vectors (B, L, D) of the history `name`, zeros where padded, and its mask (B, L), True where real."""
        ids = batch.history[name]  # (B, L)
        mask = ids != 0
        vectors = self._table()(ids + self._first_row[self._history_of[name]])  # (B, L, D)
        return vectors * mask.unsqueeze(-1), mask

    def pooled_history(self, batch: Batch, name: str) -> Tensor:
        """The mean vector (B, D) of the history `name` over its real entries; zeros for an empty history."""
        first_row = self._first_row[self._history_of[name]]  # the row of this field's padding id
        pooled: Tensor = self._table().pooled(batch.history[name] + first_row, first_row)  # (B, D)
        return pooled

    def with_histories(self, batch: Batch) -> Tensor:
        """All fields, and each history's mean vector as one more: (B, F + S, D) for S histories in schema order."""
        pooled = [self.pooled_history(batch, s.name).unsqueeze(1) for s in self.schema.sequences]  # each (B, 1, D)
        fields: Tensor = self(batch)
        return torch.cat([fields, *pooled], 1) if pooled else fields

    def _table(self) -> Table:
        assert self.table is not None  # a schema with a history has the categorical field it is made of
        return self.table


def table_offsets(schema: Schema) -> Tensor:
    """The first row (C,) int64 of each categorical field in a table that holds them one after the other."""
    sizes = torch.tensor([0, *(f.cardinality for f in schema.categorical)], dtype=torch.int64)
    return sizes.cumsum(0)[:-1]
