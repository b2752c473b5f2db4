"""Fields with histories: each history is one more field, the mean of its real entries' vectors."""

from __future__ import annotations

import pytest
import torch
from planted_rows import SCHEMAS, planted

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import FeatureEmbedding


@pytest.mark.parametrize("shape", SCHEMAS)
def test_histories_follow_the_fields_in_the_order_of_the_schema(shape: str) -> None:
    schema = SCHEMAS[shape]
    rows, embedding = planted(schema, 50).all, FeatureEmbedding(schema, 4)
    fields = embedding.with_histories(rows)
    assert fields.shape == (50, schema.n_fields + len(schema.sequences), 4)
    assert torch.equal(fields[:, : schema.n_fields], embedding(rows))
    for i, s in enumerate(schema.sequences):
        own = schema.categorical if s.records == "outcomes" else schema.categorical[: schema.index_of(s.of)]
        first = sum(f.cardinality for f in own)  # the field's rows in the table; those of the only task's outcomes are the last
        for row in range(50):
            ids = [j for j in rows.history[s.name][row].tolist() if j]
            vectors = [embedding.table.weight[first + j] + projected(embedding, rows, s.of, j) for j in ids]
            mean = torch.stack(vectors).mean(0) if ids else torch.zeros(4)
            assert torch.allclose(fields[row, schema.n_fields + i], mean, atol=1e-7)


def projected(embedding: FeatureEmbedding, rows: Batch, field: str, id: int) -> torch.Tensor:
    """The sum of the projected vectors (D,) of a value of the field."""
    total, start = torch.zeros(4), 0
    for v in embedding.schema.vectors:
        weight = embedding.vectors.weight[:, start : start + v.width]
        total, start = total + (weight @ rows.tables[v.name].values[id] if v.of == field else 0), start + v.width
    return total
