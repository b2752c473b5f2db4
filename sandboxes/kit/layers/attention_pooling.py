"""Attention pooling: behaviours weighed by a learned query, whatever the candidate.

Notation: B rows, L history length, D embedding width, A attention width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.masked_softmax import masked_softmax

CARD = Card(
    name="attention_pooling",
    block="AttentionPooling",
    slot="history",
    needs=("history",),
    summary="Averages the user's past behaviours with softmax weights from a learned query vector; the candidate plays no part.",
    equation="a_j = softmax_j q^T tanh(W e_j + b); u = sum_j a_j e_j, over the real entries (Yang et al., NAACL "
    "2016, eq. 5 to 7)",
    cues=(
        "attention pooling over behaviors",
        "attention pooling over the history",
        "attentive pooling of clicked items",
        "attention pooling layer over the behavior sequence",
        "additive attention over clicked items",
        "additive attention over behaviors",
        "self-attentive pooling of the sequence",
        "learned query vector over the behaviors",
        "learnable query attends to the history",
        "attention query vector",
        "global attention vector over the history",
        "informative behaviors for representing the user",
        "weights of historical behaviors independent of the candidate",
        "aggregate the behavior sequence by attention",
        "weighted pooling of the user history",
    ),
    descriptions=(
        "The embeddings of clicked items are averaged with attention weights that a trainable query vector gives.",
        "Some past behaviours say more about a user than others, so an additive attention selects the important ones.",
        "One user vector is pooled from the history by attention and is the same for every candidate item.",
        "Each behaviour is passed through a tanh layer and compared with a learned context vector to find its weight.",
        "Instead of mean pooling over the behaviour sequence, the weights of the sum are learned and normalised by softmax.",
    ),
    arguments=(
        Argument(
            "attention_dim",
            64,
            (
                "attention query dimension",
                "dimension of the attention query",
                "dimension of the query vector",
                "additive attention size",
                "hidden size of the attention",
            ),
            low=1,
            high=1024,
        ),
    ),
    example="layer = AttentionPooling(history.shape[2], attention_dim=8)\noutput = layer(target, history, mask)",
)


class AttentionPooling(nn.Module):
    """(target (B, D), history (B, L, D), mask (B, L)) -> (B, D); the target is ignored, an empty history gives zeros."""

    def __init__(self, embedding_dim: int, attention_dim: int = 64) -> None:
        super().__init__()
        self.key = nn.Linear(embedding_dim, attention_dim)
        self.query = nn.Parameter(torch.randn(attention_dim) * attention_dim**-0.5)  # (A,)
        self.out_dim = embedding_dim

    def forward(self, target: Tensor, history: Tensor, mask: Tensor) -> Tensor:
        shares = masked_softmax(torch.tanh(self.key(history)) @ self.query, mask)  # (B, L)
        return torch.einsum("bl,bld->bd", shares, history)
