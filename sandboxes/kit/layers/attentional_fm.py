"""Factorization machine with attention over pairs. Notation: B rows, F fields, D embedding width, P pairs, A attention width."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.pairs import field_pairs

CARD = Card(
    name="attentional_fm",
    block="AttentionalFM",
    slot="interaction",
    placement="logit",
    summary="Sums the element-wise products of all pairs of embeddings, each weighed by an attention network, into one score.",
    equation="a_ij = softmax_ij h^T relu(W (v_i * v_j) + b); y = p^T sum_{i<j} a_ij (v_i * v_j)  (Xiao et al., "
    "IJCAI 2017, section 3)",
    cues=(
        "attentional factorization machine",
        "attention-based pooling",
        "attention-based pooling layer",
        "attention over feature interactions",
        "attention network to learn the importance of each feature interaction",
        "importance of each feature interaction",
        "discriminating the importance of feature interactions",
        "attention score of the feature interaction",
        "attention weights on pairwise interactions",
        "pair-wise interaction layer",
        "weighted sum of interacted vectors",
        "attentive pooling of pairwise interactions",
    ),
    descriptions=(
        "An attention network gives each pairwise interaction a weight before the interacted vectors are summed.",
        "Not all feature interactions are equally useful, so attention discriminates which pairs matter for the prediction.",
        "The element-wise products of pairs of embeddings are pooled by attention and projected to the prediction score.",
        "A one-layer perceptron on the interacted vector estimates its attention score, which is normalised by a softmax.",
        "Useless interactions get a small weight, since they would otherwise add noise to a factorization machine.",
    ),
    arguments=(
        Argument(
            "attention_dim", 16, ("attention factor", "attention size", "hidden size of the attention network"), low=1, high=512
        ),
    ),
    example="layer = AttentionalFM(fields.shape[1], fields.shape[2], attention_dim=4)\noutput = layer(fields)",
)


class AttentionalFM(nn.Module):
    """(B, F, D) -> (B, 1)."""

    first: Tensor
    second: Tensor

    def __init__(self, n_fields: int, embedding_dim: int, attention_dim: int = 16) -> None:
        super().__init__()
        first, second = field_pairs(n_fields)
        self.register_buffer("first", first, persistent=False)  # (P,)
        self.register_buffer("second", second, persistent=False)  # (P,)
        self.attention = nn.Linear(embedding_dim, attention_dim)
        self.score = nn.Linear(attention_dim, 1, bias=False)
        self.project = nn.Linear(embedding_dim, 1, bias=False)
        self.out_dim = 1

    def forward(self, fields: Tensor) -> Tensor:
        products = fields[:, self.first] * fields[:, self.second]  # (B, P, D)
        shares = torch.softmax(self.score(torch.relu(self.attention(products))), 1)  # (B, P, 1)
        score: Tensor = self.project((shares * products).sum(1))  # (B, 1)
        return score
