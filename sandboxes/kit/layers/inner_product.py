"""Inner product layer: each pair's inner product as a feature of its own. Notation: B rows, F fields, D width, P pairs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Card
from sandboxes.kit.layers.pairs import field_pairs

CARD = Card(
    name="inner_product",
    block="InnerProduct",
    slot="interaction",
    placement="input",
    summary="Computes the inner product of each pair of field embeddings and hands all of them to the deep network as inputs.",
    equation="p_{ij} = <f_i, f_j> for i < j, concatenated with the embeddings below the first hidden layer, whose weights on p"
    " take the role of W_p (Qu et al., ICDM 2016, eq. 3, 7 and section III-B; pairs counted once, without i = j)",
    cues=(
        "product layer",
        "inner product layer",
        "inner product-based",
        "inner-product based neural network",
        "pairwise inner product",
        "inner products of field embeddings",
        "inner product of each pair of embeddings",
        "inner product between pairwise feature embeddings",
        "quadratic signals",
        "product operations between field embeddings",
        "product signals",
        "concatenate inner products with the embeddings",
        "dot products of all pairs of embeddings are concatenated",
        "dot interaction of embeddings fed into the top mlp",
        "pairwise dot interaction",
    ),
    descriptions=(
        "A product layer between the embedding layer and the first hidden layer explores interactions of field pairs.",
        "The inner products of all pairs of embedding vectors form a vector that is fed to the fully connected layers.",
        "The layer has linear signals, which keep the embeddings, and quadratic signals, which hold the pairwise products.",
        "Each entry of the product vector is the dot product of two field embeddings and is an input of the deep network.",
        "Explicit dot product interactions of pairs of embeddings are concatenated with the original features before the MLP.",
        "Multiplying pairs of fields gives the network information that additions in a perceptron capture poorly.",
    ),
    example="layer = InnerProduct(fields.shape[1], fields.shape[2])\noutput = layer(fields)",
)


class InnerProduct(nn.Module):
    """(B, F, D) -> (B, P)."""

    first: Tensor
    second: Tensor

    def __init__(self, n_fields: int, embedding_dim: int) -> None:
        super().__init__()
        first, second = field_pairs(n_fields)
        self.register_buffer("first", first, persistent=False)  # (P,)
        self.register_buffer("second", second, persistent=False)  # (P,)
        self.out_dim = len(first)

    def forward(self, fields: Tensor) -> Tensor:
        return torch.bmm(fields, fields.transpose(1, 2))[:, self.first, self.second]  # (B, P)
