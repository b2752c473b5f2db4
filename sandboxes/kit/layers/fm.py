"""Factorization machine: the sum of all pairwise inner products. Notation: B rows, F fields, D embedding width."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from sandboxes.kit.card import Card

CARD = Card(
    name="fm",
    block="FactorizationMachine",
    slot="interaction",
    placement="logit",
    summary="Sums the inner products of the embeddings of all pairs of fields into one second-order score.",
    equation="y = sum_{i<j} <v_i, v_j> = 1/2 sum_d [(sum_i v_id)^2 - sum_i v_id^2]  (Rendle, ICDM 2010, eq. 1 and lemma 3.1)",
    cues=(
        "factorization machine",
        "factorisation machine",
        "fm component",
        "fm layer",
        "fm part",
        "second-order feature interactions",
        "order-2 feature interactions",
        "pairwise feature interactions as inner product",
        "inner product of feature latent vectors",
        "inner product of latent vectors",
        "inner product of respective feature latent vectors",
        "pairwise interactions via dot product of embeddings",
        "factorized parameters",
        "latent vector of feature",
        "inner product units",
        "sum of pairwise inner products",
        "square of sum minus sum of squares",
        "degree-2 interactions",
    ),
    descriptions=(
        "Every pair of features interacts through the dot product of their latent vectors, and all of these are added up.",
        "Low-order feature interactions are modelled by the inner product of the embedding vectors of the two features.",
        "The second-order part factorises the interaction weight of two features into the product of two low-rank vectors.",
        "Interactions between features that rarely occur together can still be estimated, as each has its own latent vector.",
        "The component captures pairwise interactions in linear time by reformulating the sum over pairs.",
        "It shares the feature embeddings with the deep part and outputs a sum of inner products.",
        "An addition unit reflects order-1 features and inner product units represent order-2 feature interactions.",
    ),
    example="layer = FactorizationMachine(fields.shape[1], fields.shape[2])\noutput = layer(fields)",
)


class FactorizationMachine(nn.Module):
    """(B, F, D) -> (B, 1), in O(F D) by the square of the sum; it has no parameters beyond the embeddings."""

    def __init__(self, n_fields: int, embedding_dim: int) -> None:
        super().__init__()
        self.out_dim = 1

    def forward(self, fields: Tensor) -> Tensor:
        scores: Tensor = _PairwiseSum.apply(fields)  # type: ignore[no-untyped-call]
        return scores


class _PairwiseSum(torch.autograd.Function):
    """With the gradient written down, dy/dv_i = sum_{j != i} v_j: the square of each embedding need not be kept or derived."""

    @staticmethod
    def forward(fields: Tensor) -> Tensor:
        total = fields.sum(1)  # (B, D)
        flat = fields.flatten(1)
        twice: Tensor = torch.linalg.vecdot(total, total) - torch.linalg.vecdot(flat, flat)  # (B,)
        return 0.5 * twice.unsqueeze(1)

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        fields: Tensor = ctx.saved_tensors[0]
        scale = gradient.unsqueeze(2)  # (B, 1, 1)
        return torch.addcmul(scale * fields.sum(1, keepdim=True), scale, fields, value=-1)  # (B, F, D), in one pass
