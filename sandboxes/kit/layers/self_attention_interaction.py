"""Multi-head self-attention over fields. Notation: B rows, F fields, D input width, H heads, A width of a head."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

CARD = Card(
    name="self_attention_interaction",
    block="SelfAttentionInteraction",
    slot="interaction",
    placement="parallel",
    summary="Lets each field attend to all others in several heads and layers, with residual connections: "
    "explicit high-order interactions.",
    equation="a_mk = softmax_k <W_Q e_m, W_K e_k>; e~_m = sum_k a_mk W_V e_k; heads concatenated; e'_m = relu(e~_m + W_R e_m),"
    " repeated for each layer and flattened; no scaling by the root of the width (Song et al., CIKM 2019, section 4.4)",
    cues=(
        "multi-head self-attention over fields",
        "self-attentive neural network with residual connections",
        "interacting layer",
        "interacting layers",
        "self-attention mechanism to model feature interactions",
        "self-attention between feature fields",
        "self-attention over feature embeddings",
        "attention between feature fields",
        "self-attentive feature interaction",
        "multi-head attention for feature interactions",
        "feature interaction via self-attention",
        "field-wise self-attention",
        "query key and value of each feature",
        "key-value attention to determine which feature combinations are meaningful",
        "correlation between feature m and feature k under attention head",
        "transformer over feature fields",
        "attend to other features",
    ),
    descriptions=(
        (
            "Each feature field attends to all other fields through multi-head self-attention, so that relevant "
            "features are combined."
        ),
        "In several attention heads, features are projected to queries, keys and values, and combined by their similarity.",
        "Stacking attention layers over the field embeddings models feature combinations of higher and higher order.",
        "A residual connection keeps the original features, including single ones, next to the combinations found by attention.",
        "The attention weights say which pairs of features form a meaningful combination.",
        "The self-attentive layers take the embeddings of all fields as tokens, map them to one space and let them interact.",
    ),
    arguments=(
        Argument(
            "n_layers",
            3,
            (
                "attention layers",
                "interacting layers",
                "number of interacting layers",
                "number of attention layers",
                "self-attention layers",
            ),
            low=1,
            high=12,
        ),
        Argument("n_heads", 2, ("attention heads", "number of heads", "number of attention heads", "heads"), low=1, high=32),
        Argument(
            "head_dim",
            16,
            (
                "attention dimension",
                "dimension of each head",
                "attention size",
                "hidden units of the attention layer",
                "attention factor",
            ),
            low=1,
            high=512,
        ),
    ),
    example="layer = SelfAttentionInteraction(fields.shape[1], fields.shape[2], n_layers=2, n_heads=2, head_dim=8)\n"
    "output = layer(fields)",
)


class SelfAttentionInteraction(nn.Module):
    """(B, F, D) -> (B, F * n_heads * head_dim)."""

    def __init__(self, n_fields: int, embedding_dim: int, n_layers: int = 3, n_heads: int = 2, head_dim: int = 16) -> None:
        super().__init__()
        width = n_heads * head_dim
        widths = [embedding_dim, *[width] * (n_layers - 1)]
        self.layers = nn.ModuleList(FieldAttention(in_dim, n_heads, head_dim) for in_dim in widths)
        self.out_dim = n_fields * width

    def forward(self, fields: Tensor) -> Tensor:
        for layer in self.layers:
            fields = layer(fields)  # (B, F, H * A)
        return fields.flatten(1)  # (B, F * H * A)


class FieldAttention(nn.Module):
    """One layer: (B, F, D) -> (B, F, n_heads * head_dim)."""

    def __init__(self, in_dim: int, n_heads: int, head_dim: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.query, self.key, self.value, self.residual = (nn.Linear(in_dim, n_heads * head_dim, bias=False) for _ in range(4))

    def forward(self, fields: Tensor) -> Tensor:
        query, key, value = (self._heads(m(fields)) for m in (self.query, self.key, self.value))  # each (B, H, F, A)
        attention = torch.softmax(query @ key.transpose(-1, -2), -1)  # (B, H, F, F)
        mixed = (attention @ value).transpose(1, 2).flatten(2)  # (B, F, H * A)
        return torch.relu(mixed + self.residual(fields))

    def _heads(self, projected: Tensor) -> Tensor:
        rows, n_fields, width = projected.shape
        return projected.view(rows, n_fields, self.n_heads, width // self.n_heads).transpose(1, 2)  # (B, H, F, A)
