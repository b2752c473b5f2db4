"""Instance-guided mask: element-wise weights on normalised embeddings, computed from the row itself.

Notation: B rows, F fields, D embedding width, A width of the aggregation layer.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

CARD = Card(
    name="instance_guided_mask",
    block="InstanceGuidedMask",
    slot="feature",
    summary="Multiplies the normalised embeddings element by element with a mask that a two-layer network "
    "computes from the whole row.",
    equation="mask = W_2 relu(W_1 e + b_1) + b_2 on the flat embeddings e; v = mask * LayerNorm(e_i), element-wise, each field"
    " normalised by itself (Wang, She and Zhang, DLP-KDD 2021, sections 3.2 and 3.3)",
    cues=(
        "instance-guided mask",
        "instance guided mask",
        "mask block",
        "mask generator",
        "element-wise mask",
        "mask on the feature embedding",
        "aggregation layer and projection layer",
        "global contextual information of the instance",
        "element-wise gating of embeddings guided by the input instance",
        "bit-wise gating of embeddings",
        "multiplicative operation into the dnn",
        "element-wise product between the mask and the embedding",
        "bit-level attention weights",
        "dynamically highlight informative elements",
    ),
    descriptions=(
        (
            "An aggregation layer collects global context from all embeddings, and a projection layer gives a mask "
            "over every element."
        ),
        (
            "The mask is multiplied element-wise with the layer-normalised embedding to highlight informative "
            "elements of an instance."
        ),
        "Multiplication by an input-dependent mask brings interactions into a network whose layers are otherwise additive.",
        "Each instance produces its own element-wise weights that strengthen or weaken bits of the feature embedding.",
        "The aggregation layer is wider than the projection layer by a reduction ratio.",
        (
            "All embeddings of the instance are fed to two fully connected layers, an aggregation layer wider than the output "
            "and a projection layer, which give a vector of the same size as the target. This is multiplied element-wise with "
            "the embedding or hidden layer to highlight informative bits."
        ),
        (
            "We introduce multiplicative operations into the DNN: a bit-wise gate generated from the concatenated embeddings of "
            "the current sample is applied by Hadamard product to the feature embedding layer, followed by layer normalisation "
            "and a feed-forward layer; such blocks run serially or in parallel."
        ),
        (
            "Global context is collected from the entire input row by a two-layer perceptron, and the output modulates every "
            "single dimension of the embeddings rather than a field as a whole. Thus additive feed-forward layers obtain "
            "multiplicative interactions between the row and its features."
        ),
        (
            "The weighting vector has as many entries as the hidden layer it is applied to and depends on the whole sample. A "
            "wide aggregation layer and a projection back produce it, and the element-wise product with the normalised "
            "embeddings feeds the next layer."
        ),
        (
            "From everything known about the current row we compute a long list of factors, one for each single coordinate of "
            "the input codes. The codes are multiplied by the factors position by position, so that within one attribute some "
            "latent dimensions rise while others fall."
        ),
        (
            "A broad hidden layer reads the complete row, a second layer narrows it to exactly the width of the codes, and its "
            "outcome is used as a filter laid over those codes. The filter is made anew for every ad impression and has no "
            "squashing at its end."
        ),
        (
            "Ordinary dense layers only add. Our block multiplies: what the entire record says, as worked out by two dense "
            "layers of which the first is the wider, is multiplied at every position into the representation, and then "
            "normalisation, a linear layer and ReLU follow."
        ),
        (
            "Each number in the long joined vector of a music session gets its private amplifier setting. The settings are "
            "derived from that same joined vector, without first averaging the slots, by an expand-then-project network; "
            "afterwards the adjusted vector goes into a dense layer."
        ),
        (
            "The row judges its own parts down to the single latent factor. A two-storey network that sees all columns at full "
            "resolution emits a vector as long as the input, and the coordinatewise product of both is what later layers "
            "receive, several such units standing side by side."
        ),
        (
            "For loan offers, a coordinate may be telling in one customer's row and idle in another's. We let a small network "
            "with a generous middle layer look at the raw codes of the row and emit coordinate weights, applied to the codes or "
            "again to deeper hidden vectors."
        ),
        (
            "The same context vector, all codes of the present record, steers each block of our tower: through an aggregating "
            "and a projecting layer it becomes a multiplier pattern as wide as that block's hidden vector, so hidden units are "
            "emphasised record by record."
        ),
        (
            "We avoid one-weight-per-attribute gating as too blunt. Every element of every attribute's vector is multiplied by "
            "an element of a pattern predicted from the complete input via a hidden layer larger than the input, and the result "
            "is normalised and passed on."
        ),
        (
            "In hotel search we place multipliers before the usual dense layers. They number as many as the entries of the "
            "joined representation, come out of a two-layer net which reads that very representation in full, and pick out the "
            "entries that count for this query."
        ),
        (
            "A product between the row as a whole and each of its entries is realised cheaply. The whole is first gathered in a "
            "wide layer, mapped to the needed length, and then multiplied entry against entry with the stacked codes; neither "
            "domain identity nor couples of columns are needed."
        ),
        (
            "From the complete concatenated row we compute, with a wide hidden layer followed by a projection, a vector exactly "
            "as long as the layer to be modified. The two are multiplied number by number, so every single coordinate gets a "
            "gain of its own which depends on everything else in the row."
        ),
        (
            "Lay a sheet of tinted glass over the input, with a different tint over every pixel, and let the picture itself "
            "determine the tints. Concretely, two dense layers read the entire joined code of the example and output "
            "coordinate-wise multipliers; the normalised codes or hidden units beneath are multiplied by them before the next "
            "feed-forward layer."
        ),
        (
            "Ordinary layers only add up weighted inputs and struggle to express products. We bring multiplication in by "
            "letting the raw example produce, through an expansion layer and a contraction layer, a set of elementwise factors "
            "which is applied to each hidden block's input; blocks are placed in a chain or next to each other."
        ),
        (
            "Recipe: join all attribute codes; feed them to a layer wider than the input with rectifier; project to the size of "
            "the target vector; take the element-by-element product with the layer-normalised target; pass through a linear "
            "layer, normalise, rectify. Every block has its own generator, always fed by the same joined codes."
        ),
        (
            "Whether the seventh coordinate of the destination's vector is informative depends on the traveller, dates and "
            "device seen together. Our generator therefore sees the complete query and delivers a gain for every coordinate "
            "separately, rather than one for each attribute, and the gains multiply the vectors and later the activations."
        ),
        (
            "The factors are not tied to the market or page the row comes from, nor to one summary number per column: they are "
            "a two-layer function of the full row and have the full resolution of the vector on which they act. Multiplying "
            "them in highlights informative elements and suppresses noise element by element."
        ),
        (
            "In short notation: m equals W2 times relu of (W1 times x), with W1 mapping to several times the width of x; output "
            "equals relu of the normalised W3 times (m times, coordinatewise, the normalised input). Here x is all the "
            "looked-up vectors of the current sample, laid end to end."
        ),
        (
            "A hidden layer of our news ranker is steered by the sample being ranked. An auxiliary pair of dense layers turns "
            "the whole sample into a fine-grained gain pattern, one entry for each neuron, and the layer's neurons are "
            "multiplied by the pattern; the same trick is used at the embedding level and repeated at each depth."
        ),
        (
            "From the complete string of the row's vectors, a wide rectified layer and a subsequent affine layer bring forth "
            "another string of exactly the same length. The two strings, the former after standardisation, are multiplied "
            "position by position. In this way each single coordinate, and not only each column, is made louder or quieter in "
            "view of all that is known on the present impression."
        ),
    ),
    arguments=(Argument("reduction_ratio", 2.0, ("reduction ratio", "aggregation ratio"), low=0.1, high=16),),
    example="layer = InstanceGuidedMask(fields.shape[1], fields.shape[2], reduction_ratio=2.0)\noutput = layer(fields)",
)


class InstanceGuidedMask(nn.Module):
    """(B, F, D) -> (B, F, D). The aggregation layer is `reduction_ratio` times as wide as the flat embeddings."""

    def __init__(self, n_fields: int, embedding_dim: int, reduction_ratio: float = 2.0) -> None:
        super().__init__()
        width = n_fields * embedding_dim
        aggregated = max(1, round(width * reduction_ratio))  # A
        self.aggregate, self.project = nn.Linear(width, aggregated), nn.Linear(aggregated, width)
        self.norm = nn.LayerNorm(embedding_dim)

    def forward(self, fields: Tensor) -> Tensor:
        mask = self.project(torch.relu(self.aggregate(fields.flatten(1))))  # (B, F * D)
        masked: Tensor = mask.view_as(fields) * self.norm(fields)  # (B, F, D)
        return masked
