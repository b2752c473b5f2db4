"""Kernel product: each pair of fields meets through a matrix of its own and gives one number.

Notation: B rows, F fields, D embedding width, P pairs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Card
from sandboxes.kit.layers.pairs import field_pairs

CARD = Card(
    name="kernel_product",
    block="KernelProduct",
    slot="interaction",
    needs=("several_fields",),
    placement="input",
    summary="Computes one number for each pair of fields, their embeddings' product under a matrix that belongs to the pair, "
    "and hands all numbers to the deep network.",
    equation="p_ij = e_i^T W_ij e_j for i < j, W_ij a full D x D matrix; all p_ij join the embeddings below the first hidden "
    "layer (Qu et al., TOIS 2018, kernel product as the product layer of a deep network; summed into the logit "
    "instead, it is their kernel factorization machine)",
    cues=(
        "kernel product",
        "kernel products",
        "kernel factorization machine",
        "kernel product layer",
        "kernel matrix for each pair of fields",
        "kernel matrix of each field pair",
        "field-aware kernel",
        "field-pair kernel",
        "field-specific kernel",
        "inner product under a field-pair matrix",
        "projection matrix for each field pair",
        "field-pair-specific projection matrix",
        "field matrix of each pair",
        "bilinear form of two embeddings",
        "generalized inner product of two fields",
    ),
    descriptions=(
        (
            "For every two fields a kernel matrix is learned, and the quadratic form of the two embeddings under it is one "
            "input of the network."
        ),
        "Each pair of fields has its own inner product, defined by a trainable matrix between the two vectors.",
        "The embeddings of fields i and j interact as a row vector times a pair-specific matrix times a column vector.",
        "A field-aware product gives one scalar per pair, computed with parameters that no other pair uses.",
        "The scalars from all pair-specific bilinear forms are concatenated with the embeddings and fed into the hidden layers.",
        "One embedding per feature is kept, and what changes from one pair of fields to the next is the matrix in between.",
        (
            "Fields of different kinds do not share a latent space. We therefore generalise the inner product by a kernel: "
            "every pair of fields owns a D by D matrix, the two embeddings are multiplied from left and right, and the "
            "resulting scalar enters the product layer of the network."
        ),
        (
            "Keeping a latent vector per opposite field costs memory in proportion to the vocabulary. We keep one embedding "
            "per feature and learn a projection for each pair of fields instead, in which their product is taken; the number "
            "of parameters grows with fields squared, and not with features times fields."
        ),
        (
            "We extend the product layer. Instead of plain inner products, it computes e_i^T W_ij e_j with a separate W_ij for "
            "each pair of fields. The products, one number per pair, are joined with the embedding vectors and processed by "
            "several fully connected layers."
        ),
        (
            "To adapt feature interactions to the fields involved, two embeddings are compared in a space that belongs to "
            "their pair of fields. The comparison yields a scalar, the learned metric of that pair, and all scalars together "
            "form the input of a multilayer perceptron."
        ),
        (
            "How well listener and track agree is measured with one yardstick, and how well track and hour agree with another. "
            "Each yardstick is a square array of trained numbers, put between the two vectors, and it returns a single "
            "reading; the readings of all couples go to the hidden layers."
        ),
        (
            "When publisher meets advertiser, coordinate two of the one may speak to coordinate five of the other. A table of "
            "weights, reserved for this couple of columns, says how much each such crossing counts. Everything is summed to "
            "one figure for the couple, and a dense net reads the figures."
        ),
        (
            "Take the vectors x of one column and y of another. Form x transposed, times M, times y, where M was learned for "
            "just these two columns. Do this for all couples; write down the numbers; append them to the vectors themselves; "
            "apply rectified layers."
        ),
        (
            "A plain dot product matches equal coordinates only, and in the same way for all couples. We allow any coordinate "
            "to match any other and let each couple of slots have its own matching table, but we still keep only one total per "
            "couple, not a vector."
        ),
        (
            "In a bank's application form, income and profession relate otherwise than profession and postcode do. So the "
            "relation itself is a parameter: a full matrix per duo of entries, by which the two codes are contracted to a "
            "scalar. The scalars complement the codes as inputs to the scoring network."
        ),
        (
            "Every duo of attributes speaks its own dialect, and a translator of its own turns the first vector into the "
            "dialect before the second one judges how similar they are. What the judge says is one number, and the network "
            "above hears all judges."
        ),
        (
            "For hotels, city and season have an affinity, as do season and price. We learn each affinity as a bilinear map "
            "from two vectors to the reals. The F(F-1)/2 values thus obtained, with the raw embeddings, are the first layer of "
            "the deep part."
        ),
        (
            "The layer holds a tensor of size P by D by D, a slice a pair. Each slice contracts with the left embedding and "
            "with the right embedding, which leaves P numbers per row. There is no sum over pairs: the multilayer part decides "
            "which of them matter."
        ),
        (
            "Think of sockets and plugs: user codes do not fit item codes as they are, nor do they fit context codes. An "
            "adapter per combination makes the fit possible, and the strength of the contact, a scalar, is what gets reported "
            "to the predictor."
        ),
        (
            "Game, player and device each have one vector. Their mutual influence is scored by three learned scoring matrices, "
            "one for game and player, one for player and device, one for game and device. The three scores stand beside the "
            "vectors in front of the perceptron."
        ),
        (
            "The similarity of two values is not universal, for it depends on which columns they come from. Our similarity is "
            "parametrised by the couple of columns and reduces to the ordinary dot product if the couple's array is the "
            "identity, which is where training begins."
        ),
        (
            "Articles interact with readers under one metric, with positions on the page under another. The metrics are "
            "arbitrary square matrices, neither symmetric nor shared. Each interaction collapses into a number before the "
            "fully connected layers see it."
        ),
        (
            "We put parameters inside the product and let the product collapse. First the left code is mapped linearly by "
            "weights that only this couple of fields uses; then an ordinary scalar product with the right code is taken; then "
            "all scalar products are strung together for the deep net."
        ),
        (
            "Per app install event the model lists, for each two attributes, how strongly they excite each other. The list has "
            "one entry a couple; an entry is the double sum over k and l of u_k times w_kl times v_l with w private to the "
            "couple. Dense layers process list and codes."
        ),
    ),
    example="layer = KernelProduct(fields.shape[1], fields.shape[2])\noutput = layer(fields)",
)


class KernelProduct(nn.Module):
    """(B, F, D) -> (B, P), pairs in the order (0, 1), (0, 2), ... Every kernel starts as the identity: an inner product."""

    first: Tensor
    second: Tensor

    def __init__(self, n_fields: int, embedding_dim: int) -> None:
        super().__init__()
        first, second = field_pairs(n_fields)
        self.register_buffer("first", first, persistent=False)  # (P,)
        self.register_buffer("second", second, persistent=False)  # (P,)
        self.kernel = nn.Parameter(torch.eye(embedding_dim).repeat(len(first), 1, 1))  # (P, D, D)
        self.out_dim = len(first)

    def forward(self, fields: Tensor) -> Tensor:
        projected = torch.einsum("bpd,pde->bpe", fields[:, self.first], self.kernel)  # (B, P, D)
        return (projected * fields[:, self.second]).sum(2)  # (B, P)
