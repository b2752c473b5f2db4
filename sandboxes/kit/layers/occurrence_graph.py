"""What occurs together in training rows, as neighbours of each row of the fused table: values of one thing, and values that
follow one another in histories.

Notation: B rows, C categorical fields, L history length, P pairs, V rows of the table, K neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers.table_rows import TableRows, table_offsets
from sandboxes.kit.schema import FIRST_ID, Schema


def attribute_pairs(schema: Schema, rows: Batch) -> Tensor:
    """(P, 2) rows of the table, both ways: an item's id with each value of its other fields, once for each time they occur in one
    of `rows`, and a user's likewise. Where the schema does not name the id, it is the field of that side with most values."""
    offsets = table_offsets(schema).to(rows.ids.device)
    found = [torch.zeros(0, 2, dtype=torch.int64, device=rows.ids.device)]
    for columns in _sides(schema):
        centre, *others = sorted(columns, key=lambda c: (not _named(schema, c), -schema.categorical[c].cardinality))
        for other in others:
            ids = rows.ids[:, [centre, other]]  # (B, 2)
            found.append(ids[(ids >= FIRST_ID).all(1)] + offsets[[centre, other]])
    return _both_ways(torch.cat(found))


def companion_pairs(schema: Schema, rows: Batch) -> Tensor:
    """(P, 2) rows of the table, both ways: different values that stand next to each other in a history of `rows`. All of it lies
    before the rows' own events, so that no label is in it."""
    own = TableRows(schema)
    found = [torch.zeros(0, 2, dtype=torch.int64, device=rows.ids.device)]
    for sequence in schema.sequences:
        if sequence.records == "values":
            ids = rows.history[sequence.name].unfold(1, 2, 1) if sequence.length > 1 else found[0].unsqueeze(0)  # (B, L - 1, 2)
            known = (ids >= FIRST_ID).all(2) & (ids[..., 0] != ids[..., 1])
            found.append(own.of_values(sequence.of, ids[known]))
    return _both_ways(torch.cat(found))


def most_frequent(pairs: Tensor, n_rows: int, n_neighbours: int) -> Tensor:
    """(V, K) int32: the second of the `pairs` (P, 2) that occur with each row as the first, most frequent first, lower rows
    first where they occur as often; -1 where there are fewer."""
    keys, counts = torch.unique(pairs[:, 0] * n_rows + pairs[:, 1], return_counts=True)  # in order
    by_count = counts.argsort(descending=True, stable=True)
    keys = keys[by_count]
    keys = keys[(keys // n_rows).argsort(stable=True)]  # by first row, then by count
    first, second = keys // n_rows, keys % n_rows
    place = torch.arange(len(keys), device=keys.device) - torch.searchsorted(first, first)  # among its row's
    kept = place < n_neighbours
    found = torch.full((n_rows, n_neighbours), -1, dtype=torch.int32, device=keys.device)
    found[first[kept], place[kept]] = second[kept].to(torch.int32)
    return found


def _sides(schema: Schema) -> Iterator[list[int]]:
    """The columns of `Batch.ids` that speak of one thing, where there are several."""
    of_item = schema.item_columns[0]
    of_user = [i for i, f in enumerate(schema.categorical) if (f.side == "user" or f.name == schema.user) and i not in of_item]
    yield from (columns for columns in (of_item, of_user) if len(columns) > 1)


def _named(schema: Schema, column: int) -> bool:
    return schema.categorical[column].name in (schema.target_item, schema.user)


def _both_ways(pairs: Tensor) -> Tensor:
    return torch.cat([pairs, pairs.flip(1)])
