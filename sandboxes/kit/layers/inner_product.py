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
    needs=("several_fields",),
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
        (
            "A product layer computes the inner product of every pair of field embeddings. The resulting scalars are "
            "concatenated with the embeddings themselves and given to the fully connected layers, so that the network receives "
            "explicit second-order signals as inputs."
        ),
        (
            "Instead of summing the pairwise dot products into a logit, we keep them as a vector of n(n-1)/2 features and feed "
            "it, next to the original embeddings, into the MLP."
        ),
        (
            "The first hidden layer takes both linear signals, the concatenated embeddings, and quadratic signals, the dot "
            "products between all pairs of fields. The deep network learns how to weigh and combine them nonlinearly."
        ),
        (
            "Adding embeddings is an insufficient operation for multi-field categorical data; we use multiplication. Between "
            "embedding and hidden layers, each two field vectors are reduced to one similarity value, and all values are inputs "
            "of the network."
        ),
        (
            "For every two columns we note one number, how well their codes agree. The list of these numbers is appended to the "
            "codes, and a dense tower reads the whole, so that it need not find out agreements on its own."
        ),
        (
            "The tower is told, couple by couple, how strongly guest and hotel, hotel and season, season and guest match: "
            "matching coordinates multiplied and added. The matches are not totalled; each has its own place in the tower's "
            "input."
        ),
        (
            "We compute the Gram matrix of the slots' vectors, take the part above its diagonal, flatten it, and join it to the "
            "vectors themselves. The joined row enters a feed-forward network, in which hidden neurons may treat each entry of "
            "the matrix in their own manner."
        ),
        (
            "A hidden neuron in our song ranker sees not only what artist, listener and hour are, but also a scalar closeness "
            "for each two of them. Each closeness has an incoming weight at each neuron, so one neuron can heed artist-listener "
            "and another artist-hour."
        ),
        (
            "Factorised quadratic models end with the sum of pairwise agreements. We begin there: the agreements, separately "
            "and unsummed, are raw material for several nonlinear layers, which combine them into effects of higher degree for "
            "the fraud score."
        ),
        (
            "Dense layers add and threshold; they are clumsy at multiplying. We spare them the effort by supplying the products "
            "of interest ready-made: one scalar product for each twosome of properties, set beside the property vectors in the "
            "input row of the net."
        ),
        (
            "With thirty columns there are 435 two-column similarities. All of them are laid out as additional inputs to the "
            "multi-layer perceptron that predicts the install, one value a couple, in place of a whole vector or matrix a "
            "couple, which would be costlier."
        ),
        (
            "Before the deep layers of our news model comes a stage of comparisons. Reader is compared with topic, topic with "
            "publisher, and so on for all twosomes, the comparison being a projection of one point on the other; the deep "
            "layers are fed with the points and the comparison values."
        ),
        (
            "The model's lower part has no trainable weights besides the lookup tables: it lists dot products between all game "
            "and player attributes. The upper part, a stack of rectified layers, decides by learning which entries in the list "
            "matter and how they act together."
        ),
        (
            "Joint occurrence is signalled to the network through scalars, each belonging to a definite couple of attributes "
            "and measuring whether their latent factors point the same way. They are neither pooled nor weighted beforehand, "
            "but delivered individually to the first dense layer."
        ),
        (
            "For any two columns we calculate how well their codes agree, one number per couple. These numbers are not added "
            "together; they are listed one after another next to the codes and given to the first hidden layer, which decides "
            "what to make of each."
        ),
        (
            "A dense layer sees sums, hardly ever products. We help it by computing the scalar match between every two field "
            "vectors beforehand and offering all n(n-1)/2 of these scalars as extra inputs, so that it can weigh, combine and "
            "bend them nonlinearly."
        ),
        (
            "Recipe: embed m slots; for each i less than j multiply the two vectors coordinate by coordinate and sum; write the "
            "result in a list; join the list to the chained vectors; run rectified layers on the whole. Each couple takes up "
            "exactly one input unit of the network."
        ),
        (
            "It is like giving a judge a table of similarity scores between all the witnesses' stories besides the stories "
            "themselves, rather than only the grand total. The entries are overlaps of latent lists, one for every twosome of "
            "properties, and the judge is a multilayer perceptron."
        ),
        (
            "Between the lookup tables and the fully linked layers sits a product stage. It outputs first-order signals, i.e. "
            "the codes, and second-order signals, i.e. a Gram matrix of the codes written out entry by entry; the layers above "
            "take both and produce the install probability."
        ),
        (
            "Input to the tower: e_1 up to e_m, followed by all scalars e_i transposed e_j. Contrary to a factorised quadratic "
            "score, the scalars stay separate and pass through hidden units; contrary to products kept coordinate by "
            "coordinate, just one figure for each couple is retained."
        ),
        (
            "Whether traveller and city are aligned, whether city and season are aligned, whether device and hour are aligned: "
            "each alignment is measured by a cosine-like, unnormalised matching and becomes an attribute in its own right. A "
            "deep net then learns nonlinear rules over these alignments."
        ),
        (
            "We hand the nonlinear part ready-made evidence of affinity. Every duo of bank-client attributes yields a single "
            "coordinate-summed product, and the collection of such values, unpooled and unweighted, enters the deep predictor "
            "together with the plain representations. No matrix is fitted between the two attributes; the number of inputs "
            "grows with the square of the columns."
        ),
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
