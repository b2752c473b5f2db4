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
    needs=("several_fields",),
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
        "projected embedding multiplied element-wise with the other embedding",
    ),
    descriptions=(
        "The interaction of two fields multiplies one embedding by a matrix and takes the element-wise product with the other.",
        "A bilinear function models finer interactions of two fields than a plain inner product or Hadamard product.",
        "The matrix may be shared by all pairs, owned by each field, or owned by each pair of fields.",
        "The pairwise bilinear vectors are concatenated and fed into the fully connected layers.",
        "Extra parameters between two embedding vectors let the model learn how the fields of a pair relate.",
        (
            "To model fine-grained pairwise interactions, the embedding of one field is first multiplied by a trainable weight "
            "matrix and the result is combined by Hadamard product with the embedding of the other. The vectors of all pairs "
            "are concatenated and fed into the deep network."
        ),
        (
            "We combine inner and Hadamard product: for fields i and j we compute v_i W element-wise times v_j, where W is a "
            "parameter matrix that may be shared by all, owned by a field, or owned by a pair. The outputs of all pairs are the "
            "input of a DNN."
        ),
        (
            "A plain element-wise product between two embeddings has no parameters and cannot model sparse interactions well. "
            "We insert a learned square matrix between the two vectors, keep one product vector per pair of fields, and pass "
            "the concatenation to fully connected layers."
        ),
        (
            "Each feature pair yields an interaction vector obtained by linearly transforming the left embedding and "
            "multiplying it coordinate-wise with the right embedding. Depending on the variant, the transformation matrix "
            "belongs to everything, each field or each field pair; a deep network consumes the vectors."
        ),
        (
            "Before two attribute codes meet, one of them is rotated and stretched by a trained matrix. Then they are "
            "multiplied coordinate by coordinate. The resulting vectors, one for each couple of attributes, stand side by side "
            "as input of the multi-layer part."
        ),
        (
            "In a hotel search, city and device should not be compared with their raw coordinates. We push the city vector "
            "through a learned square map, multiply what comes out with the device vector entry by entry, and hand this little "
            "vector, unsummed, to the dense layers."
        ),
        (
            "Two columns are crossed in two steps: a trainable d-by-d table of weights acts on the first, and the second is "
            "then laid over it, position by position. No summing across couples takes place; all the crossed vectors are joined "
            "end to end for the network above."
        ),
        (
            "We make the meeting of two properties itself trainable. One weight table for the whole system is the cheapest "
            "choice, one for each property the middle, one for each couple the richest; in all three the mapped left vector "
            "multiplies the right vector componentwise and feeds a perceptron."
        ),
        (
            "Raw coordinate-wise multiplication of two slots assumes that their latent axes line up. A learned square map "
            "placed on one of the slots realigns the axes before multiplication, and the products for every couple of slots "
            "become the inputs of a feed-forward predictor."
        ),
        (
            "For every couple among the n attributes of an app install event, a vector of joint evidence is produced: left "
            "code, times weight matrix, times right code without summation. The n(n-1)/2 vectors are strung together and the "
            "hidden layers decide which of them matter."
        ),
        (
            "The listener's vector is transformed by a matrix that training has found for this kind of couple, and the track's "
            "vector scales the outcome in every dimension. These pairwise vectors, rather than one number per couple, are what "
            "our neural classifier reads."
        ),
        (
            "Our crossing is asymmetric: only one partner of the couple passes through the weight matrix, the other enters as "
            "is, and the two are multiplied at equal positions. It happens once, not in stacked layers, and every couple's "
            "vector goes on to the dense part."
        ),
        (
            "Parameters sit in the middle of each couple: x, then a trainable square array, then y, the final multiplication "
            "being kept per coordinate. We tried a common array and arrays private to the couple of columns; the joined results "
            "are the material for the deep classifier."
        ),
        (
            "How an advertiser and a web site affect one another is learned with a matrix between their representations, so "
            "that any latent factor of the former may modulate any of the latter. The outcome remains a vector for each such "
            "couple and is stacked as input of several ReLU layers."
        ),
        (
            "When two columns of a video impression are to be combined, the vector of the left one is first sent through a "
            "trained square matrix reserved for that couple of columns; only then is it multiplied, coordinate by coordinate, "
            "with the vector of the right one. A couple thus yields a vector, not a number. The vectors of all couples are laid "
            "side by side and handed to the multi-layer predictor."
        ),
        (
            "Before two columns meet, one of them is turned by a trainable square table which belongs to this couple alone. The "
            "turned vector is then multiplied with its partner position by position, and the product stays a vector, it is not "
            "totalled. The products of all couples are put in a row and make up what the layers above receive."
        ),
        (
            "Before two codes are multiplied coordinate by coordinate, the first is sent through a trained square matrix. Every "
            "couple of columns thus gives a vector, and the vectors of all couples are chained, not summed, as input of the "
            "hidden layers."
        ),
        (
            "Neither a plain match nor an entrywise product has anything to learn. We put a weight matrix in the middle: left "
            "vector times matrix, then times the right vector entry by entry. The matrix may be common to all, one for each "
            "column, or one for each couple; all outcomes are laid side by side for the deep net."
        ),
        (
            "For i less than j: rotate and stretch v_i by W; multiply with v_j in place; store. When finished, join all stored "
            "vectors end to end and run dense rectified layers over them to obtain the response probability."
        ),
        (
            "As an adapter lets a plug from one country fit a socket of another, a learned linear conversion takes user "
            "coordinates into the coordinates in which an ad is expressed, and only then are they multiplied place by place. "
            "Each duo of attributes keeps its own product vector when handed to the perceptron."
        ),
        (
            "The way hotel and city act on each other need not be along matching latent axes. A fitted k-by-k table "
            "re-expresses the hotel first, after which dimension-wise multiplication with the city captures fine-grained "
            "dependence; results for all duos are collected unpooled and go to the stacked layers."
        ),
        (
            "The product p_ij is (v_i W) elementwise v_j, with W shared or specific to i or to the couple; the collection of "
            "p_ij, each a "
            "vector of length k, feeds a multilayer net. There is one pass over couples, and no recursion back to the original "
            "input."
        ),
        (
            "This layer sits between importance-adjusted or raw codes and the fully linked network. Each twosome of game, "
            "player and device properties is combined by a linear change of basis on one side and a Hadamard product with the "
            "other side; thus the twosome's effect has trainable parameters, while its output stays a vector."
        ),
        (
            "Two things are mixed for any two facts about a client: a full matrix, which lets each coordinate consult all "
            "coordinates of the first fact, and place-by-place multiplying, which keeps the answer as a vector instead of "
            "collapsing it to a scalar. Answers for all combinations are concatenated and a nonlinear tower judges them."
        ),
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
