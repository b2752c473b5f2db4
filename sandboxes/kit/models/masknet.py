"""Layers whose inputs are masked by what the row's embeddings say, one after the other or side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import DNN, FeatureEmbedding
from sandboxes.kit.layers.mask_block import MaskBlock
from sandboxes.kit.layers.table import Table
from sandboxes.kit.schema import Schema

INITIAL_STD = 1e-4  # of vectors: far below the root of LayerNorm's epsilon, .003, or it would blow random starts up to full size


class MaskNet(nn.Module):
    """(batch) -> (B, T): Wang, She and Zhang, DLP-KDD 2021, section 3.5.

    With `n_parallel` 0 it is the serial structure, a mask block for each of `hidden_units`; otherwise as many blocks of width
    `block_dim` see the embeddings side by side, and a deep network of `hidden_units` follows.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        hidden_units: Sequence[int] = (400, 400),
        n_parallel: int = 0,
        block_dim: int = 64,
        reduction_ratio: float = 1.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        width = (schema.n_fields + len(schema.sequences)) * embedding_dim
        self.embedding = FeatureEmbedding(schema, embedding_dim, table=partial(Table, std=INITIAL_STD))
        self.norm = nn.LayerNorm(embedding_dim)
        sizes = [(width, block_dim)] * n_parallel if n_parallel else list(pairwise((width, *hidden_units)))
        self.blocks = nn.ModuleList(MaskBlock(width, i, o, reduction_ratio, dropout) for i, o in sizes)
        self.deep = DNN(n_parallel * block_dim, hidden_units, dropout) if n_parallel else None
        self.output = nn.Linear((width, *hidden_units)[-1], len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        fields = self.embedding.with_histories(batch)  # (B, F, D)
        flat, hidden = fields.flatten(1), self.norm(fields).flatten(1)  # both (B, F * D)
        if self.deep is not None:
            hidden = self.deep(torch.cat([block(hidden, flat) for block in self.blocks], 1))
        else:
            for block in self.blocks:
                hidden = block(hidden, flat)
        logits: Tensor = self.output(hidden)  # (B, T)
        return logits
