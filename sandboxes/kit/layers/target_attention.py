"""Target attention: behaviours weighed by a small network that compares each of them with the candidate.

Notation: B rows, L history length, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

CARD = Card(
    name="target_attention",
    block="TargetAttention",
    slot="history",
    needs=("history", "target_item"),
    summary="Sums the user's past behaviours, each weighed by an activation unit that looks at the behaviour and "
    "the candidate item together.",
    equation="v_U(A) = sum_j a(e_j, v_A) e_j, with a = mlp([e_j, v_A, e_j - v_A, e_j * v_A]) and PReLU between its layers;"
    " the weights are not normalised (Zhou et al., KDD 2018, eq. 3 and section 4.3)",
    cues=(
        "target attention",
        "target-aware attention",
        "local activation unit",
        "activation unit",
        "locally activated",
        "attention between the target item and historical behaviors",
        "attention with respect to the target item",
        "attention with respect to the candidate ad",
        "relevance of historical behaviors to the candidate",
        "relevant to the candidate ad",
        "behaviors relevant to the target item",
        "adaptively calculating the representation of user interests",
        "user interest representation varies over different ads",
        "soft-search for relevant behaviors",
        "weighted sum of behavior embeddings given the candidate",
        "candidate-aware user representation",
        "interest in the candidate item",
    ),
    descriptions=(
        "The user's past behaviours get weights by how relevant they are to the candidate item, and are summed "
        "with these weights.",
        "An activation unit takes a behaviour's embedding and the candidate's embedding and gives the "
        "behaviour's attention weight.",
        "The vector of user interests differs from one candidate advertisement to the next instead of being fixed.",
        "Only the part of the history that has to do with the target item is activated, since interests are diverse.",
        "A feed-forward network on the behaviour, the target and their difference and product outputs the activation weight.",
        "The sum of the attention weights is not forced to be one, so the intensity of user interests is kept.",
    ),
    arguments=(
        Argument(
            "attention_units",
            (80, 40),
            (
                "hidden units of the attention network",
                "hidden units of the activation unit",
                "attention hidden units",
                "attention mlp",
                "attention layer sizes",
            ),
            low=1,
            high=4096,
        ),
    ),
    example="layer = TargetAttention(history.shape[2], attention_units=(16, 8))\noutput = layer(target, history, mask)",
)


class TargetAttention(nn.Module):
    """(target (B, D), history (B, L, D), mask (B, L)) -> (B, D); zeros for an empty history."""

    def __init__(self, embedding_dim: int, attention_units: Sequence[int] = (80, 40)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width, next_width in pairwise((4 * embedding_dim, *attention_units)):
            layers += [nn.Linear(width, next_width), nn.PReLU()]
        self.activation_unit = nn.Sequential(*layers, nn.Linear(attention_units[-1] if attention_units else 4 * embedding_dim, 1))
        self.out_dim = embedding_dim

    def forward(self, target: Tensor, history: Tensor, mask: Tensor) -> Tensor:
        candidate = target.unsqueeze(1).expand_as(history)  # (B, L, D)
        pairs = torch.cat([history, candidate, history - candidate, history * candidate], 2)  # (B, L, 4 D)
        weights = self.activation_unit(pairs) * mask.unsqueeze(2)  # (B, L, 1)
        interest: Tensor = (weights * history).sum(1)  # (B, D)
        return interest
