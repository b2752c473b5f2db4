"""Which rows of the one embedding table belong to what: to each categorical field, and to each task's past outcomes after all of
them.

Notation: B rows of a batch, C categorical fields, L history length.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sandboxes.kit.batch import Batch
from sandboxes.kit.schema import N_OUTCOMES, NOT_OBSERVED_ID, Schema


class TableRows:
    """Rows of a table with `n_rows` of them, for a schema's fields and histories. A history of values has its field's rows; all
    histories of one task's outcomes share that task's."""

    def __init__(self, schema: Schema) -> None:
        first = dict(zip([f.name for f in schema.categorical], table_offsets(schema).tolist(), strict=True))
        n_field_rows = rows_of_fields(schema)
        judged = list(dict.fromkeys(s.of for s in schema.sequences if s.records == "outcomes"))
        self.n_rows = n_field_rows + N_OUTCOMES * len(judged)
        self._schema, self._of_field = schema, first
        self._of_history = {
            s.name: first[s.of] if s.records == "values" else n_field_rows + N_OUTCOMES * judged.index(s.of)
            for s in schema.sequences
        }
        self._field_of = {s.name: s.of for s in schema.sequences if s.records == "values"}

    def field(self, batch: Batch, name: str) -> Tensor:
        """Those (B,) of the categorical field `name`. Raises `KeyError` when there is none."""
        return self.of_values(name, batch.ids[:, self._schema.index_of(name)])

    def of_values(self, name: str, ids: Tensor) -> Tensor:
        """Those of any values of the categorical field `name`, in the shape of `ids`."""
        rows: Tensor = ids + self._of_field[name]
        return rows

    def history(self, batch: Batch, name: str) -> Tensor:
        """Those (B, L) of the history `name`, padding among them."""
        return batch.history[name] + self._of_history[name]

    def target(self, batch: Batch, name: str) -> Tensor:
        """Those (B,) of what the history `name` is asked about: the row's own value of the field that it is of. A row's own
        outcome is not known yet, so that a history of outcomes is asked about one that was not observed."""
        if name in self._field_of:
            return self.field(batch, self._field_of[name])
        return torch.full_like(batch.history[name][:, 0], self._of_history[name] + NOT_OBSERVED_ID)

    def field_of(self, name: str) -> str:
        """The categorical field whose values the history `name` holds; "" for one of outcomes."""
        return self._field_of.get(name, "")

    def padding(self, name: str) -> int:
        """That of the padding of the history `name`."""
        return self._of_history[name]


def table_offsets(schema: Schema) -> Tensor:
    """The first row (C,) int64 of each categorical field in a table that holds them one after the other; one that shares the
    ids of another field has that field's rows."""
    first = dict(zip((f.name for f in schema.categorical if not f.shares), field_starts(schema), strict=True))
    return torch.tensor([first[f.shares or f.name] for f in schema.categorical], dtype=torch.int64)


def own_offsets(schema: Schema) -> Tensor:
    """The same (C,) where each field has rows of its own, whatever it shares: for what is said of its values there alone."""
    sizes = torch.tensor([0, *(f.cardinality for f in schema.categorical)], dtype=torch.int64)
    return sizes.cumsum(0)[:-1]


def rows_of_fields(schema: Schema) -> int:
    """The rows of all categorical fields together."""
    return sum(f.cardinality for f in schema.categorical if not f.shares)


def field_starts(schema: Schema) -> list[int]:
    """Where the rows of each field that has its own begin, ascending."""
    sizes = [f.cardinality for f in schema.categorical if not f.shares]
    return [sum(sizes[:i]) for i in range(len(sizes))]
