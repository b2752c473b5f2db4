"""Tables of random vectors for a schema's vector fields, as preparation lays them out; no files."""

from __future__ import annotations

import torch

from sandboxes.kit.schema import FIRST_ID, Schema
from sandboxes.kit.vector_table import VectorTable

BEYOND = 3  # values of every field that train does not teach, and that have vectors
WITHOUT = 5  # one value of so many has no vector


def random_tables(schema: Schema, seed: int = 0) -> dict[str, VectorTable]:
    draw, found = torch.Generator().manual_seed(seed), {}
    for i, v in enumerate(schema.vectors):
        rows = schema.categorical[schema.index_of(v.of)].cardinality + BEYOND
        values = torch.randn(rows, v.width, generator=draw)  # (V, W)
        values[:, -1] = 1
        values[:FIRST_ID] = 0
        values[FIRST_ID + 1 + i :: WITHOUT] = 0
        found[v.name] = VectorTable(values)
    return found


def beyond_train(rows: torch.Tensor, table: VectorTable) -> torch.Tensor:
    """The rows (B,) of the table for ids (B,), some of the unknown ones as values beyond those of train."""
    return torch.where((rows == 1) & (torch.arange(len(rows)) % 2 == 0), len(table) - 1, rows)
