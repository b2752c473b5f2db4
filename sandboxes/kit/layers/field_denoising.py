"""Absorbing discrete diffusion over a row's ids: a noise level is drawn, fields are hidden, and a network tells their ids.

Notation: B rows, C categorical fields, G fields and histories, D embedding width, W width of the network, K candidates.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.layers.self_attention_interaction import FieldAttention
from sandboxes.kit.schema import UNKNOWN_ID, Schema

N_LAYERS, N_HEADS = 2, 2  # of the denoising network
LEAST_VARIANCE = 1e-8  # vectors start with a deviation of 0.01


# What several cards whose blocks denoise fields have in common.
N_STEPS = Argument(
    "n_steps",
    100,
    ("number of diffusion steps", "diffusion steps", "number of timesteps", "noise levels"),
    low=2,
    high=10000,
)
N_CANDIDATES = Argument(
    "n_candidates",
    128,
    ("sampled vocabulary size", "number of sampled ids per field", "candidates per field"),
    low=1,
    high=100000,
)
HEAD_DIM = Argument(
    "head_dim",
    16,
    ("dimension of each head of the denoising network", "head dimension of the denoiser"),
    low=1,
    high=512,
)


class FieldDenoising(nn.Module):
    """(embedding, batch) -> cross-entropies (B, C) of the fields' ids, and which of them were hidden (B, C).

    Every row draws a step s of 1 .. S, and hides each categorical field with probability s / S: at step S all are hidden. The
    network sees the raw vectors of what is left, numeric fields and the means of histories among them, and s / S. An id is
    told from the field's other ids: all, or where a field has more than `n_candidates`, as many drawn evenly for the whole
    batch, each standing for its share of them. The schema has labels, so that every field of a row is known.
    """

    def __init__(self, schema: Schema, embedding_dim: int, n_steps: int, n_candidates: int, head_dim: int) -> None:
        super().__init__()
        self.schema, self.n_steps, self.n_candidates = schema, n_steps, n_candidates
        n_seen = schema.n_fields + len(schema.sequences)  # G, of which the first C are categorical
        self.network = DenoisingNetwork(n_seen, len(schema.categorical), embedding_dim, head_dim)

    def forward(self, embedding: FeatureEmbedding, batch: Batch) -> tuple[Tensor, Tensor]:
        seen = embedding.with_histories(batch)  # (B, G, D)
        steps = torch.randint(1, self.n_steps + 1, (len(batch), 1), device=seen.device)
        level = steps.to(seen.dtype) / self.n_steps  # (B, 1)
        hidden = torch.rand(batch.ids.shape, dtype=seen.dtype, device=seen.device) < level  # (B, C)
        told = self.network(seen, hidden, level)  # (B, C, D)
        each = [self._cross_entropy(embedding, batch, i, told[:, i]) for i in range(told.shape[1])]
        return torch.stack(each, 1), hidden

    def _cross_entropy(self, embedding: FeatureEmbedding, batch: Batch, column: int, told: Tensor) -> Tensor:
        """(B,), of the ids in `column` under the softmax of their vectors' products with what was `told` (B, D)."""
        field, ids = self.schema.categorical[column], batch.ids[:, column]
        others, share = self._candidates(field.cardinality, ids.device)  # (K,)
        vectors = embedding.vectors_of(field.name, others, batch)  # (K, D)
        own = (told * embedding.vectors_of(field.name, ids, batch)).sum(1, keepdim=True)  # (B, 1)
        against = (told @ vectors.T + math.log(share)).masked_fill(ids[:, None] == others, -torch.inf)  # (B, K)
        return functional.cross_entropy(torch.cat([own, against], 1), torch.zeros_like(ids), reduction="none")

    def _candidates(self, cardinality: int, device: torch.device) -> tuple[Tensor, float]:
        """Ids (K,) of a field, and how many of its ids each stands for."""
        known = cardinality - UNKNOWN_ID
        if known <= self.n_candidates:
            return torch.arange(UNKNOWN_ID, cardinality, device=device), 1.0
        drawn = torch.randint(UNKNOWN_ID, cardinality, (self.n_candidates,), device=device)
        return drawn, known / self.n_candidates


class DenoisingNetwork(nn.Module):
    """(vectors (B, G, D), which of the first C are hidden (B, C), noise level (B, 1)) -> what is told of these (B, C, D).

    Layers of self-attention over the fields, of which each knows its place and the level.
    """

    def __init__(self, n_seen: int, n_told: int, embedding_dim: int, head_dim: int) -> None:
        super().__init__()
        width = N_HEADS * head_dim
        self.n_told = n_told
        self.enter = nn.Sequential(
            nn.LayerNorm(embedding_dim, eps=LEAST_VARIANCE, elementwise_affine=False), nn.Linear(embedding_dim, width)
        )
        self.mask_vector = nn.Parameter(torch.randn(width))  # (W,)
        self.place = nn.Parameter(torch.randn(n_seen, width))  # (G, W)
        self.level = nn.Linear(1, width)
        self.layers = nn.ModuleList(FieldAttention(width, N_HEADS, head_dim) for _ in range(N_LAYERS))
        self.leave = nn.Linear(width, embedding_dim)

    def forward(self, seen: Tensor, hidden: Tensor, level: Tensor) -> Tensor:
        masked = functional.pad(hidden, (0, seen.shape[1] - self.n_told)).unsqueeze(2)  # (B, G, 1)
        x = torch.where(masked, self.mask_vector, self.enter(seen))  # (B, G, W)
        x = x + self.place + self.level(level).unsqueeze(1)
        for layer in self.layers:
            x = layer(x) / x.shape[2] ** 0.5 + x
        told: Tensor = self.leave(x[:, : self.n_told])
        return told
