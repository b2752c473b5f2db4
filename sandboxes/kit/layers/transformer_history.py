"""Transformer encoder over the history and the target, with learned positions.

Notation: B rows, L history length, D embedding width, H heads, A width of a head.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.table import INITIAL_STD

CARD = Card(
    name="transformer_history",
    block="TransformerHistory",
    slot="history",
    needs=("history",),
    summary="Encodes the user's behaviours, followed by the target, with layers of multi-head self-attention; the "
    "target's output is kept.",
    equation="z_j = e_j + p_j, p by the distance from the end; S = LayerNorm(z + concat_h softmax(Q_h K_h^T / sqrt(A)) V_h W_O);"
    " z' = LayerNorm(S + W_2 leaky_relu(W_1 S + b_1) + b_2), for each layer (Chen et al., DLP-KDD 2019, eq. 2 to 7, with learned"
    " positions as in Kang and McAuley, ICDM 2018, eq. 1; only the target's output is read)",
    cues=(
        "transformer over the behavior sequence",
        "transformer layer over behaviors",
        "transformer encoder over user behaviors",
        "transformer-based sequence encoder",
        "behavior sequence transformer",
        "self-attention over the behavior sequence",
        "self-attention between behaviors",
        "multi-head self-attention over historical behaviors",
        "multi-head self-attention to model the behavior sequence",
        "sequential signals underlying users' behavior sequences",
        "positional embeddings for the sequence",
        "positional embedding",
        "position embedding of the behavior",
        "self-attention blocks over clicked items",
        "point-wise feed-forward network after self-attention",
        "transformer block for sequence modeling",
        "causal self-attention over the sequence",
    ),
    descriptions=(
        "A transformer encodes the user's behaviour sequence, so that each past item is represented in the light of the others.",
        "Self-attention layers capture the relations among the items of the click history and between them and the target item.",
        "Position embeddings are added to the item embeddings to keep the order of the behaviours.",
        "Each block is multi-head self-attention and a point-wise feed-forward network, with residual connections and layer "
        "normalisation.",
        "The sequence of historical behaviours together with the target item is fed into stacked transformer layers.",
        "Several heads attend to different kinds of dependency inside the sequence of user actions.",
    ),
    arguments=(
        Argument(
            "n_layers",
            1,
            (
                "transformer layers",
                "transformer blocks",
                "self-attention blocks",
                "encoder layers",
                "number of transformer layers",
            ),
            low=1,
            high=24,
        ),
        Argument(
            "n_heads",
            2,
            ("attention heads", "number of heads", "number of attention heads", "heads of the transformer"),
            low=1,
            high=64,
        ),
        Argument(
            "max_length", 200, ("maximum sequence length", "maximum length of the sequence", "sequence length"), low=1, high=8192
        ),
    ),
    example="layer = TransformerHistory(history.shape[2], n_layers=2, n_heads=2)\noutput = layer(target, history, mask)",
)


class TransformerHistory(nn.Module):
    """(target (B, D), history (B, L, D), mask (B, L)) -> (B, D); from the target alone for an empty history.

    Positions are counted back from the target, which is position 0; entries older than `max_length` share the last one.
    """

    def __init__(
        self, embedding_dim: int, n_layers: int = 1, n_heads: int = 2, max_length: int = 200, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(max_length + 1, embedding_dim) * INITIAL_STD)
        self.layers = nn.ModuleList(EncoderLayer(embedding_dim, n_heads, dropout) for _ in range(n_layers))
        self.out_dim = embedding_dim

    def forward(self, target: Tensor, history: Tensor, mask: Tensor) -> Tensor:
        length, oldest = history.shape[1], self.positions.shape[0] - 1
        age = torch.arange(length, -1, -1, device=history.device).clamp(max=oldest)  # (L + 1,)
        tokens = torch.cat([history, target.unsqueeze(1)], 1) + self.positions[age]  # (B, L + 1, D)
        real = functional.pad(mask, (0, 1), value=True)  # (B, L + 1)
        for layer in self.layers:
            tokens = layer(tokens, real)
        return tokens[:, -1]  # (B, D)


class EncoderLayer(nn.Module):
    """(tokens (B, L, D), which of them are real (B, L)) -> (B, L, D). A head has D // H columns, at least one."""

    def __init__(self, width: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads, self.head_dim = n_heads, max(1, width // n_heads)
        inner = self.n_heads * self.head_dim
        self.query, self.key, self.value = (nn.Linear(width, inner, bias=False) for _ in range(3))
        self.mix = nn.Linear(inner, width, bias=False)
        self.feed_forward = nn.Sequential(nn.Linear(width, 4 * width), nn.LeakyReLU(), nn.Linear(4 * width, width))
        self.first_norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, real: Tensor) -> Tensor:
        query, key, value = (self._heads(m(tokens)) for m in (self.query, self.key, self.value))  # each (B, H, L, A)
        heads = functional.scaled_dot_product_attention(query, key, value, attn_mask=real[:, None, None, :])  # (B, H, L, A)
        attended = self.mix(heads.transpose(1, 2).flatten(2))  # (B, L, D)
        tokens = self.first_norm(tokens + self.dropout(attended))
        normed: Tensor = self.second_norm(tokens + self.dropout(self.feed_forward(tokens)))
        return normed

    def _heads(self, projected: Tensor) -> Tensor:
        rows, length, _ = projected.shape
        return projected.view(rows, length, self.n_heads, self.head_dim).transpose(1, 2)  # (B, H, L, A)
