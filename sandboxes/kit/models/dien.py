"""A deep network over the fields and where the user's interest has gone, as far as it concerns the row at hand."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import DNN, FeatureEmbedding, InterestEvolution, drawn_instead
from sandboxes.kit.layers.real_first import real_first
from sandboxes.kit.losses import observed_bce
from sandboxes.kit.schema import Schema, SequenceField

States = tuple[Tensor, Tensor]  # interest states (B, L, D), real ones first, and which they are (B, L)


class DIEN(nn.Module):
    """(batch) -> (B, T): Zhou et al., AAAI 2019. States are as wide as embeddings, so that a state can be compared with a
    behaviour.

    `loss` adds `auxiliary_weight` times the auxiliary loss of every history: a state's inner product with the next behaviour
    tells it from a value drawn from the same field.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        hidden_units: Sequence[int] = (400, 400),
        auxiliary_weight: float = 1.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.sequences, self.auxiliary_weight = schema.sequences, auxiliary_weight
        self.n_values = {f.name: f.cardinality for f in schema.categorical}
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.interests = nn.ModuleList(InterestEvolution(embedding_dim, embedding_dim) for _ in schema.sequences)
        width = (schema.n_fields + len(schema.sequences)) * embedding_dim  # what comes of a history is as wide as a field
        self.deep = DNN(width, hidden_units, dropout)
        self.output = nn.Linear(self.deep.out_dim, len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        return self.logits(batch, self.states(batch))

    def loss(self, batch: Batch) -> Tensor:
        assert batch.labels is not None
        states = self.states(batch)
        loss = observed_bce(self.logits(batch, states), batch.labels)
        for sequence, of_history in zip(self.sequences, states, strict=True):
            if sequence.records == "outcomes":  # what came of the next event is no behaviour
                continue
            loss = loss + self.auxiliary_weight * self.auxiliary(batch, sequence, of_history)
        return loss

    def states(self, batch: Batch) -> list[States]:
        histories = (self.embedding.history(batch, s.name) for s in self.sequences)
        return [block.states(*history) for block, history in zip(self.interests, histories, strict=True)]  # type: ignore[operator]

    def logits(self, batch: Batch, states: Sequence[States]) -> Tensor:
        interests = []
        for sequence, block, of_history in zip(self.sequences, self.interests, states, strict=True):
            target = self.embedding.target(batch, sequence.name)  # (B, D)
            interests.append(block.evolved(target, *of_history))  # type: ignore[operator]  # (B, D)
        flat = torch.cat([self.embedding(batch).flatten(1), *interests], 1)  # (B, K)
        logits: Tensor = self.output(self.deep(flat))  # (B, T)
        return logits

    def auxiliary(self, batch: Batch, sequence: SequenceField, of_history: States) -> Tensor:
        """The mean cross-entropy over pairs of a state and the next behaviour, or one that was not next; 0 without any."""
        ids, real = real_first(batch.history[sequence.name], batch.history[sequence.name] != 0)
        states, has_next = of_history[0][:, :-1], real[:, 1:]  # (B, L - 1, D), (B, L - 1)
        losses = []
        for values, label in ((ids[:, 1:], 1.0), (drawn_instead(ids[:, 1:], self.n_values[sequence.of]), 0.0)):
            fit = (states * self.embedding.vectors_of(sequence.of, values, batch)).sum(2)  # (B, L - 1)
            losses.append(functional.binary_cross_entropy_with_logits(fit, torch.full_like(fit, label), reduction="none"))
        return ((losses[0] + losses[1]) * has_next).sum() / (2 * has_next.sum()).clamp(min=1)
