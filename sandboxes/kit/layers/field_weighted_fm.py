"""Field-weighted factorization machine: inner products weighed per pair of fields.

Notation: B rows, F fields, D embedding width, P = F (F - 1) / 2 pairs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Card
from sandboxes.kit.layers.pairs import field_pairs

CARD = Card(
    name="field_weighted_fm",
    block="FieldWeightedFM",
    slot="interaction",
    needs=("several_fields",),
    placement="logit",
    summary="Sums pairwise inner products of embeddings, each scaled by a learned strength of its pair of fields.",
    equation="y = sum_{i<j} r_{ij} <v_i, v_j>, with one scalar r for each pair of fields (Pan et al., WWW 2018, section 3)",
    cues=(
        "field-weighted factorization machine",
        "field pair interaction strength",
        "weight of each field pair",
        "weights of field pairs",
        "interaction strength of field pairs",
        "interaction strengths of different field pairs",
        "field interaction strength",
        "field-pair weight",
        "field-wise interaction weights",
        "explicitly model the interaction strength of different field pairs",
        "field pair importance",
        "learnable scalar for each field pair",
        "field interaction matrix",
        "field-aware weight",
    ),
    descriptions=(
        "Pairs of fields differ in how strongly they interact, so each pair has a scalar weight on its inner product.",
        "A learned symmetric matrix over fields scales the dot products of the embeddings of features from these fields.",
        "It keeps one embedding for each feature and models field information through a weight for each pair of fields.",
        "Only a number per field pair is added, so it needs far fewer parameters than one latent vector for each opposing field.",
        "The interaction of two features is the dot product of their vectors multiplied by the importance of the two fields.",
        (
            "Different field pairs have different interaction strengths. We multiply the inner product of each two feature "
            "embeddings by a learned scalar specific to the pair of fields they belong to, and sum the results into the logit."
        ),
        (
            "For every two fields we introduce one additional weight that scales the dot product of the corresponding "
            "embeddings. This captures field-pair importance with far fewer parameters than keeping a separate embedding for "
            "each opposite field."
        ),
        (
            "The second-order term is the sum over feature pairs of the inner product times r_{F(i),F(j)}, a trainable matrix "
            "indexed by fields; the entries of the matrix are global and do not depend on the sample."
        ),
        (
            "Standard factorised interactions treat all pairs equally. Our model learns a symmetric field-by-field matrix whose "
            "entries modulate the strength of the pairwise inner products before they are added to the prediction."
        ),
        (
            "Publisher with advertiser tells much about an install; weekday with gender tells little. We keep a table holding "
            "one number for each couple of columns, multiply the couple's agreement by this number, and add everything up to "
            "the score."
        ),
        (
            "Each value has a single code used in all combinations. What changes from combination to combination is a volume "
            "knob: one knob for artist-and-listener, another for artist-and-hour, and so on. The knobs are trained, fixed at "
            "prediction, and scale the codes' scalar products in the total."
        ),
        (
            "The agreement between a guest's and a hotel's latent factors is first taken as usual, matching coordinates "
            "multiplied and added. It is then stretched or shrunk by a coefficient belonging to the two attributes as such, not "
            "to their values, and contributes to the sum over all attribute pairs."
        ),
        (
            "We extend the low-rank quadratic model by n(n-1)/2 scalars, n being the number of columns. Every scalar states how "
            "strongly two columns interact; the extended model outputs the scalar-weighted total of the couples' dot products, "
            "with no neural layer on top."
        ),
        (
            "After training, the matrix of column-to-column strengths can be read as a heat map: bright where merchant and "
            "amount matter jointly, dark elsewhere. In scoring, each couple's vector agreement is multiplied by its cell, and "
            "all cells are summed to one number."
        ),
        (
            "Keeping a vector per value and per opposite column would cost too much memory. We achieve most of its benefit by "
            "one vector per value and one trained number per couple of columns, the number multiplying the couple's inner "
            "product in the second-degree sum."
        ),
        (
            "No network decides the importance of a couple from its content; it is a parameter, looked up by which two slots "
            "are concerned. Importance times similarity of the two slots' vectors, totalled over all couples of slots, enters "
            "the log-odds."
        ),
        (
            "In the game store, dark couples of properties add noise to the equal-votes sum of similarities. Giving each couple "
            "of properties its own learned vote, positive, negative or about zero, lets the model silence them; the votes "
            "multiply the dot products, and the sum is a scalar."
        ),
        (
            "The score is a weighted sum of scalar products between the vectors of all two-slot combinations. The weights form "
            "a small square matrix, learned with the rest, of which row and column stand for kinds of information, such as "
            "topic, reader and hour, rather than single values."
        ),
        (
            "We let the model know that not all joint effects carry the same force. A joint effect of two values is the "
            "closeness of their points times the coupling constant of their two attributes; coupling constants are shared by "
            "all rows and may be pruned when near zero."
        ),
        (
            "How well the vectors of two values agree is measured by multiplying matching coordinates and adding. Before this "
            "agreement is allowed in the score, we multiply it with one trained number, which belongs to the two columns the "
            "values come from: one for advertiser and slot, another for weekday and browser, and so on. With 30 columns these "
            "are only 435 extra numbers, and when reading them afterwards our account managers recognised their own experience."
        ),
        (
            "It would be unjust if genre with hour of day counted as much as singer with listener. So to each couple of "
            "columns, not of values, there belongs one trainable coefficient. The agreement of the two looked-up vectors, that "
            "is the sum of their coordinate-wise products, is multiplied by the coefficient of the couple, and the total over "
            "all couples is directly the score."
        ),
        (
            "For each two columns we keep one trainable number telling how much that combination of columns matters. The "
            "agreement of the two values' latent lists is multiplied by this number, and the scaled agreements of all couples "
            "are added to form the score."
        ),
        (
            "Publisher with advertiser is a telling combination, weekday with browser hardly so. We let a symmetric table of "
            "scalars, one cell per combination of slots and fixed once training ends, turn up or down the matching of codes "
            "between these slots, and sum everything into the log-odds."
        ),
        (
            "Fetch vectors v_i, v_j of the entries in slots i and j; multiply and add over coordinates; multiply the result by "
            "r of i and j, a free parameter that depends on the slots alone and not on the entries; total over all i less than "
            "j. That is one additional scalar per duo of slots compared with the plain sum of agreements."
        ),
        (
            "A separate vector of every value for each other column would eat too much memory. We get most of the benefit by "
            "leaving one vector per value and introducing merely a scalar dial for every two columns; the dial multiplies their "
            "inner match before all matches are piled into the prediction."
        ),
        (
            "Think of a company where any two departments have a known cooperation factor. Two employees' joint output is how "
            "well their skills coincide, times the factor of their departments; the company's output is the total across "
            "couples. Here departments are attributes, employees are attribute values, and factors are learned with the skills."
        ),
        (
            "The quadratic part reads: sum over couples of columns, coupling strength of the columns times coordinate-wise "
            "overlap of the two codes. The strength is shared by all rows, so it can be inspected afterwards to see which "
            "columns work together, and weak couples can be pruned."
        ),
        (
            "Summing all two-way affinities with equal weight lets noisy couplings drown useful ones. A learned intensity per "
            "coupling of property types, such as genre with time of day, rescales the affinity of the concrete genre and the "
            "concrete time; no network calculates the intensity, it is looked up by the types only."
        ),
        (
            "Every client property has latent coordinates, and every two kinds of property have a trained multiplier, positive "
            "or negative. A row is rated by going through all twosomes, correlating coordinates, applying the multiplier of the "
            "kinds involved, and adding up; the rating enters the logit with no hidden layers."
        ),
    ),
    example="layer = FieldWeightedFM(fields.shape[1], fields.shape[2])\noutput = layer(fields)",
)


class FieldWeightedFM(nn.Module):
    """(B, F, D) -> (B, 1). Strengths start at 1, where the layer equals a factorization machine."""

    first: Tensor
    second: Tensor

    def __init__(self, n_fields: int, embedding_dim: int) -> None:
        super().__init__()
        first, second = field_pairs(n_fields)
        self.register_buffer("first", first, persistent=False)  # (P,)
        self.register_buffer("second", second, persistent=False)  # (P,)
        self.strength = nn.Parameter(torch.ones(len(first)))  # (P,)
        self.out_dim = 1

    def forward(self, fields: Tensor) -> Tensor:
        products = torch.bmm(fields, fields.transpose(1, 2))[:, self.first, self.second]  # (B, P)
        return (products @ self.strength).unsqueeze(1)  # (B, 1)
