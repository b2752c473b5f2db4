"""Rows of which some fields are those of other rows: how any model is shown less than it was trained on.

Every model reads its fields from a batch, so that this needs nothing of the model. Of aligned histories each is a field.
Notation: B rows, L history length.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from torch import Tensor

from sandboxes.kit.batch import Batch
from sandboxes.kit.schema import CategoricalField, NumericField, Schema


def mixed(batch: Batch, other: Batch, fields: Collection[str], schema: Schema) -> Batch:
    """`batch`, but for the `fields`, which are those of `other`, row by row. Labels stay."""
    return replace(
        batch,
        ids=_columns(batch.ids, other.ids, schema.categorical, fields),
        numeric=_columns(batch.numeric, other.numeric, schema.numeric, fields),
        history={name: (other if name in fields else batch).history[name] for name in batch.history},
        vector_rows={name: (other if name in fields else batch).vector_rows[name] for name in batch.vector_rows},
    )


def column(batch: Batch, field: str, schema: Schema) -> Tensor:
    """What the batch holds of a field: (B, 1), of a history (B, L)."""
    if field in batch.history:
        return batch.history[field]
    if field in batch.vector_rows:
        return batch.vector_rows[field].unsqueeze(1)
    categorical = [f.name for f in schema.categorical]
    if field in categorical:
        return batch.ids[:, categorical.index(field), None]
    return batch.numeric[:, [f.name for f in schema.numeric].index(field), None]


def _columns(own: Tensor, other: Tensor, named: Iterable[CategoricalField | NumericField], fields: Collection[str]) -> Tensor:
    taken = [i for i, field in enumerate(named) if field.name in fields]
    if not taken:
        return own
    changed = own.clone()
    changed[:, taken] = other[:, taken]
    return changed
