"""A linear term, a compressed interaction network and a deep network side by side on the same embeddings."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import DNN, CompressedInteraction, FeatureEmbedding, LinearTerm
from sandboxes.kit.schema import Schema


class XDeepFM(nn.Module):
    """(batch) -> (B, T): Lian et al., KDD 2018, sections 3.1 and 3.3.

    The interaction's maps have biases, beyond the paper's equation 6: without them it overshoots where it trains long.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        feature_maps: Sequence[int] = (64, 64),
        hidden_units: Sequence[int] = (400, 400),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        n_fields, n_tasks = schema.n_fields + len(schema.sequences), len(schema.tasks)
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.linear = LinearTerm(schema, n_tasks)
        self.interaction = CompressedInteraction(n_fields, embedding_dim, feature_maps, biased=True)
        self.deep = DNN(n_fields * embedding_dim, hidden_units, dropout)
        self.output = nn.Linear(self.interaction.out_dim + self.deep.out_dim, n_tasks)
        self._start()

    def _start(self) -> None:
        """Output weights as in Glorot and Bengio, AISTATS 2010, of each branch by itself, as if it had an output of its own: the
        interaction, a polynomial without bounds, then grows less."""
        weights, n = self.output.weight.detach(), self.interaction.out_dim
        for of_branch in (weights[:, :n], weights[:, n:]):
            nn.init.xavier_normal_(of_branch)
        nn.init.zeros_(self.output.bias)

    def forward(self, batch: Batch) -> Tensor:
        fields = self.embedding.with_histories(batch)  # (B, F, D)
        both = torch.cat([self.interaction(fields), self.deep(fields.flatten(1))], 1)  # (B, K)
        logits: Tensor = self.linear(batch) + self.output(both)  # (B, T)
        return logits
