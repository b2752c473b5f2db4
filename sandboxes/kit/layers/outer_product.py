"""Outer product layer, superposed over pairs. Notation: B rows, F fields, D embedding width."""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.card import Card

CARD = Card(
    name="outer_product",
    block="OuterProduct",
    slot="interaction",
    placement="input",
    summary="Computes the outer products of all pairs of field embeddings, superposed into one D x D matrix, as "
    "inputs of the deep network.",
    equation="p = sum_i sum_j f_i f_j^T = f_S f_S^T with f_S = sum_i f_i, flattened; the superposed variant"
    " (Qu et al., ICDM 2016, eq. 14)",
    cues=(
        "outer product",
        "outer product layer",
        "outer product-based",
        "outer-product based neural network",
        "outer product of field embeddings",
        "outer product of two embedding vectors",
        "superposition of outer products",
        "sum pooling of the outer products",
        "superposition",
        "matrix of pairwise products of embedding elements",
        "outer product interaction",
    ),
    descriptions=(
        "The interaction of two fields is the matrix that the outer product of their embedding vectors gives.",
        (
            "The outer product matrices of all pairs are added element by element, which equals the outer product of "
            "the summed embeddings."
        ),
        "Superposition of the pairwise matrices reduces the cost from quadratic in the number of fields to linear.",
        "Every element of one embedding is multiplied with every element of another, and the matrix feeds the hidden layers.",
        "The product layer uses a vector outer product, so that a field pair is described by a matrix and not by one number.",
    ),
    example="layer = OuterProduct(fields.shape[1], fields.shape[2])\noutput = layer(fields)",
)


class OuterProduct(nn.Module):
    """(B, F, D) -> (B, D * D)."""

    def __init__(self, n_fields: int, embedding_dim: int) -> None:
        super().__init__()
        self.out_dim = embedding_dim * embedding_dim

    def forward(self, fields: Tensor) -> Tensor:
        total = fields.sum(1)  # (B, D)
        return (total.unsqueeze(2) * total.unsqueeze(1)).flatten(1)  # (B, D * D)
