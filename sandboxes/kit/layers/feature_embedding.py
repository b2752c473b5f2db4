"""Feature embedding: one fused table for all categorical fields and past outcomes, one vector per numeric field, and vectors made
elsewhere brought to the same width.

Notation: B rows, C categorical fields, N numeric fields, M vector fields, F = C + N + M, D embedding width, L history length,
O outcomes of an event.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import event_logs
from sandboxes.kit.layers.projected_vectors import ProjectedVectors
from sandboxes.kit.layers.table import INITIAL_STD, Table
from sandboxes.kit.layers.table_rows import TableRows, table_offsets
from sandboxes.kit.schema import EventLog, Schema


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
    """Looks up the fields of a batch: (batch) -> (B, F, D), categorical fields in schema order, then numeric ones, then vectors.

    All categorical fields live in one table; `offsets` moves the local ids of a field to its rows, so one lookup serves all
    fields. Histories share the rows of the field they are made of, and those of outcomes have rows of their own. `numeric`
    replaces the default treatment of numeric fields; it maps (B, N) to (B, N, D). `table` is the kind of table.

    Where a field has vectors made elsewhere, an entry of its histories is the sum of the value's own vector and of these,
    projected; so is the target that the history is asked about.
    """

    offsets: Tensor

    def __init__(
        self, schema: Schema, embedding_dim: int, numeric: nn.Module | None = None, table: Callable[[int, int], Table] = Table
    ) -> None:
        super().__init__()
        self.schema, self.embedding_dim = schema, embedding_dim
        self.register_buffer("offsets", table_offsets(schema), persistent=False)  # (C,)
        self._rows = TableRows(schema)
        self.table = table(self._rows.n_rows, embedding_dim) if self._rows.n_rows else None
        self.numeric: nn.Module | None = None
        if schema.numeric:
            self.numeric = numeric if numeric is not None else ScaledVectors(len(schema.numeric), embedding_dim)
        self.vectors = ProjectedVectors(schema, embedding_dim)

    def forward(self, batch: Batch) -> Tensor:
        parts: list[Tensor] = []
        if self.table is not None and self.schema.categorical:
            parts.append(self.table(batch.ids + self.offsets))  # (B, C, D)
        if self.numeric is not None:
            parts.append(self.numeric(batch.numeric))  # (B, N, D)
        if self.schema.vectors:
            parts.append(self.vectors(batch))  # (B, M, D)
        return torch.cat(parts, 1) if len(parts) > 1 else parts[0]  # (B, F, D)

    def field(self, batch: Batch, name: str) -> Tensor:
        """The vectors (B, D) of the categorical field `name`. Raises `KeyError` when there is none."""
        vectors: Tensor = self._table()(self._rows.field(batch, name))
        return vectors

    def vectors_of(self, name: str, ids: Tensor, batch: Batch) -> Tensor:
        """Vectors (..., D) of values (...) of the categorical field `name`, whatever rows of the batch hold: such as those of a
        history of the field."""
        vectors: Tensor = self._table()(self._rows.of_values(name, ids))
        return sum(self.vectors.of_values(name, ids, batch), vectors)

    def target(self, batch: Batch, name: str) -> Tensor:
        """The vector (B, D) of what the history `name` is asked about: the row's own value of its field; of outcomes, one not
        observed, as the row's own is."""
        vectors: Tensor = self._table()(self._rows.target(batch, name))
        return sum(self.vectors.of_rows(self._rows.field_of(name), batch), vectors)

    def entries(self, batch: Batch, name: str) -> tuple[Tensor, Tensor]:
        """The vectors (B, L, D) of the history's own entries, zeros where padded, and its mask (B, L), True where real."""
        mask = batch.history[name] != 0
        vectors: Tensor = self._table()(self._rows.history(batch, name))  # (B, L, D)
        vectors = sum(self.vectors.of_values(self._rows.field_of(name), batch.history[name], batch), vectors)
        return vectors * mask.unsqueeze(-1), mask

    def history(self, batch: Batch, name: str) -> tuple[Tensor, Tensor]:
        """The same, with what came of the events added to each entry, where outcomes are aligned with the history."""
        return event_logs.history(self, batch, name)

    def events(self, batch: Batch, log: EventLog) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What a block that tells outcomes from values is called on: target (B, D), values (B, L, D), mask (B, L) and outcomes
        (B, L, O), which are 1, -1 or, not observed, 0. Target and values are sums over the log's sequences."""
        return event_logs.events(self, batch, log)

    def pooled_history(self, batch: Batch, name: str) -> Tensor:
        """The mean vector (B, D) of the history `name` over its real entries; zeros for an empty history."""
        pooled: Tensor = self._table().pooled(self._rows.history(batch, name), self._rows.padding(name))  # (B, D)
        return sum(self.vectors.pooled(self._rows.field_of(name), batch.history[name], batch), pooled)

    def with_histories(self, batch: Batch) -> Tensor:
        """All fields, and each history's mean vector as one more: (B, F + S, D) for S histories in schema order."""
        pooled = [self.pooled_history(batch, s.name).unsqueeze(1) for s in self.schema.sequences]  # each (B, 1, D)
        fields: Tensor = self(batch)
        return torch.cat([fields, *pooled], 1) if pooled else fields

    def _table(self) -> Table:
        assert self.table is not None  # a schema with a history has rows for what it is made of
        return self.table
