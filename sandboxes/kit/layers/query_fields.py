"""What is known of a query before an item is chosen, as vectors: fields of user and context, and histories.

Notation: B rows, G fields and histories, D embedding width.
"""

from __future__ import annotations

from torch import Tensor

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.schema import Schema


def n_query_fields(schema: Schema) -> int:
    """`G`: every history counts as one more field."""
    return len(schema.query_fields) + len(schema.sequences)


def query_fields(embedding: FeatureEmbedding, batch: Batch) -> Tensor:
    """(B, G, D): the fields that are no item's, then the mean vector of each history."""
    schema = embedding.schema
    both: Tensor = embedding.with_histories(batch)  # (B, F + S, D)
    return both[:, [*schema.query_fields, *range(schema.n_fields, both.shape[1])]]
