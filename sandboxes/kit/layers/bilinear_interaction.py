"""Bilinear interaction: pairs of fields through a learned matrix. Notation: B rows, F fields, D embedding width, P pairs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.pairs import field_pairs

KINDS = ("all", "each", "interaction")

CARD = Card(
    name="bilinear_interaction",
    block="BilinearInteraction",
    slot="interaction",
    placement="input",
    summary="Combines each pair of field embeddings by a learned matrix and an element-wise product; all results "
    "feed the deep network.",
    equation="p_ij = (v_i W) * v_j for i < j, element-wise; W shared by all pairs (kind all), one for each i "
    "(each) or one for each"
    " pair (interaction) (Huang, Zhang and Zhang, RecSys 2019, section 3.4)",
    cues=(
        "bilinear interaction",
        "bilinear-interaction layer",
        "bilinear feature interaction",
        "bilinear function to model feature interactions",
        "bilinear pooling of field pairs",
        "combine the inner product and hadamard product",
        "inner product and hadamard product to learn the feature interactions",
        "field-all type",
        "field-each type",
        "field-interaction type",
        "learned matrix for each field pair",
        "bilinear form of two embeddings",
        "projected embedding multiplied element-wise with the other embedding",
    ),
    descriptions=(
        "The interaction of two fields multiplies one embedding by a matrix and takes the element-wise product with the other.",
        "A bilinear function models finer interactions of two fields than a plain inner product or Hadamard product.",
        "The matrix may be shared by all pairs, owned by each field, or owned by each pair of fields.",
        "The pairwise bilinear vectors are concatenated and fed into the fully connected layers.",
        "Extra parameters between two embedding vectors let the model learn how the fields of a pair relate.",
    ),
    arguments=(Argument("kind", "interaction", ("bilinear type", "field type")),),
    example="layer = BilinearInteraction(fields.shape[1], fields.shape[2], kind='each')\noutput = layer(fields)",
)


class BilinearInteraction(nn.Module):
    """(B, F, D) -> (B, P * D). `kind` says who owns a matrix: "all" pairs one, "each" left field, or each "interaction"."""

    first: Tensor
    second: Tensor

    def __init__(self, n_fields: int, embedding_dim: int, kind: str = "interaction") -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"no bilinear kind {kind!r}; choose one of {', '.join(KINDS)}")
        self.kind = kind
        first, second = field_pairs(n_fields)
        self.register_buffer("first", first, persistent=False)  # (P,)
        self.register_buffer("second", second, persistent=False)  # (P,)
        n_matrices = {"all": 1, "each": n_fields - 1, "interaction": len(first)}[kind]  # the last field is never the left one
        self.weight = nn.Parameter(torch.randn(n_matrices, embedding_dim, embedding_dim) * embedding_dim**-0.5)
        self.out_dim = len(first) * embedding_dim

    def forward(self, fields: Tensor) -> Tensor:
        right = fields[:, self.second]  # (B, P, D)
        if self.kind == "interaction":
            left = torch.einsum("bpd,pde->bpe", fields[:, self.first], self.weight)  # (B, P, D)
        elif self.kind == "each":
            left = torch.einsum("bfd,fde->bfe", fields[:, :-1], self.weight)[:, self.first]  # (B, P, D)
        else:
            left = (fields @ self.weight[0])[:, self.first]  # (B, P, D)
        return (left * right).flatten(1)  # (B, P * D)
