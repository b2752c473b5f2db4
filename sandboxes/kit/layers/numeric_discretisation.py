"""Automatic soft discretisation of numeric fields: a value's vector is a mixture of learned vectors.

Notation: B rows, N numeric fields, D embedding width, H meta-embeddings (soft buckets) a field.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card

LEAK = 0.01

CARD = Card(
    name="numeric_discretisation",
    block="NumericDiscretisation",
    slot="numeric",
    needs=("numeric",),
    summary="Embeds a number as a softmax mixture of the field's learned bucket vectors; the bucketing is trained end to end.",
    equation="h = leaky_relu(w_j x_j); s = W_j h + alpha h; p = softmax(s / tau); e_j = sum_h p_h M_jh"
    " (Guo et al., KDD 2021, section 3.2; one temperature for all fields)",
    cues=(
        "automatic discretization",
        "automatic discretisation",
        "meta-embeddings",
        "meta embeddings of numerical features",
        "soft discretization",
        "soft discretisation",
        "soft bucket",
        "soft buckets",
        "learnable discretization",
        "differentiable discretization",
        "numerical feature embedding",
        "embedding learning for numerical features",
        "discretize numerical features end-to-end",
        "weighted aggregation of bucket embeddings",
        "softly assigned to several buckets",
        "correlation between the feature value and each meta-embedding",
        "bucket embeddings weighted by probabilities",
    ),
    descriptions=(
        "Each numerical field has a set of meta-embeddings, and a value's embedding is their weighted average.",
        "A differentiable soft discretisation assigns a continuous value to several buckets with probabilities.",
        "The buckets of continuous features are learned together with the prediction model and not fixed beforehand.",
        (
            "A small network with a skip connection maps the scalar to logits over buckets, followed by a softmax "
            "with a temperature."
        ),
        "Every continuous value gets a representation of its own while close values share the field's embeddings.",
        (
            "Each numerical field owns a set of meta-embeddings. A small network maps the scalar value to a probability over "
            "them by temperature softmax, and the embedding of the value is their weighted average, learned jointly with the "
            "CTR model instead of by pre-computed bins."
        ),
        (
            "We learn soft binning of continuous features in an end-to-end manner. A value is projected to H scores, the scores "
            "normalised with softmax, and the field's H trainable bucket embeddings aggregated, thus avoiding both hard "
            "boundaries and one vector scaled by the value."
        ),
        (
            "Off-line binning with equal-width or equal-frequency buckets is not optimised for the final objective. Our "
            "differentiable alternative assigns a numerical feature to all the buckets of its field with learned probabilities "
            "and sums the corresponding embeddings."
        ),
        (
            "Continuous values receive high-capacity embeddings: a two-layer network with leaky ReLU and a skip connection "
            "outputs bucket logits per field, an adaptive temperature sharpens the distribution, and the mixture of the shared "
            "bucket vectors of the field is passed on."
        ),
        (
            "A price is no longer put into one drawer. It belongs to all drawers in fractions that sum to one, the fractions "
            "being computed by a tiny net from the price itself, and its code is the drawers' codes blended accordingly. "
            "Boundaries are thereby learned, not set."
        ),
        (
            "Age 39 and age 40 used to land in different bins and became strangers. With our scheme a quantity is given "
            "smoothly changing membership in a number of learned bins, and its vector slides continuously between the bins' "
            "vectors as the quantity grows."
        ),
        (
            "For each measured column, say distance to the hotel, the model keeps twenty anchor vectors. The measurement enters "
            "a little network which says how much of every anchor to take; the blend represents it, and the error of the click "
            "forecast corrects anchors and network alike."
        ),
        (
            "Cutting amounts into ranges beforehand is a separate stage that knows nothing of the target. We fold the cutting "
            "into training: amounts pass through a learned scoring of ranges, exponentiated and normalised, and pick up a "
            "mixture of range vectors through which gradients flow."
        ),
        (
            "How should a real number, such as play time in hours, get a representation as rich as that of a category? By a "
            "weighted average of learned prototypes belonging to that column, where the weights are a smooth function of the "
            "number and are trained with everything else."
        ),
        (
            "Multiplying one vector by the value makes all values of a column lie on a line. We let them lie on a learned curve "
            "among several points instead, the position on the curve being the softened choice among the points which a scoring "
            "net makes for this value."
        ),
        (
            "A knob controls how decisive the assignment is: at low heat a balance on the account falls nearly into a single "
            "learned interval, at high heat it spreads over many. Interval vectors, interval scores and even the heat are "
            "fitted along with the response model."
        ),
        (
            "Only the count-like and money-like columns are touched. There the raw quantity is turned into shares over a "
            "codebook of the column, and the share-weighted sum of the codebook entries replaces the quantity at the input; no "
            "history and no other columns take part."
        ),
        (
            "Similar magnitudes obtain similar codes, yet far magnitudes need not be proportional. This is gained by a fuzzy "
            "and trainable grouping of magnitudes: degrees of belonging from a softmax on a net of the magnitude, and one "
            "learned vector for each group to be averaged."
        ),
        (
            "Our news logs contain dwell times, ages and counts. Each is read by its own small scorer, which distributes one "
            "unit of mass over learned levels; the levels' vectors, weighed by mass, give a dense code, and no analyst has to "
            "choose thresholds any more."
        ),
        (
            "A real number such as price or age is not chopped at fixed cut points. A small net looks at it and says how much "
            "it belongs to each of twenty learned levels, the belongings sum to one, and the number's code is the corresponding "
            "blend of the level vectors; the cuts are trained together with everything else."
        ),
        (
            "Picture a row of paint pots for every measured quantity. The measured value determines through two thin layers and "
            "a temperature-sharpened normalisation how much to take from each pot, and the mix is its colour. Pots and mixing "
            "rule are learned by gradient from the click error, so close values get close colours."
        ),
        (
            "Recipe for a continuous column: pass the scalar through a linear layer with leaky rectifier and a skip connection "
            "to get one score per bin; divide by a temperature and apply the exponential normalisation; sum the bin vectors "
            "with these weights. No quantiles and no logarithm need to be picked beforehand."
        ),
        (
            "Hand-cut intervals give 39 and 41 euros unrelated vectors and 41 and 99 euros the same one. We remedy both by "
            "assigning the amount softly and differentiably to several intervals at a time, the assignment itself being "
            "trained, and averaging their vectors by degree of membership."
        ),
        (
            "Merely multiplying the magnitude by one shared vector has low capacity, whereas a table for each distinct "
            "magnitude is too large. Between these we keep a few anchor vectors per quantity and let a learned function of the "
            "magnitude distribute a unit of weight over the anchors; the weighted sum enters the predictor like any categorical "
            "code."
        ),
        (
            "Tersely: for scalar x, s equals net(x) with H outputs, p equals softmax of s over tau, code equals the sum over h "
            "of p_h times M_h. M, net, and possibly tau belong to the particular numeric field and receive gradients from the "
            "main objective."
        ),
        (
            "In credit scoring most inputs are counts, balances and ratios. Each gets a private set of meta-codes, and an "
            "automatic soft binning function decides, for a given balance, the proportions in which the meta-codes are "
            "combined, so that bucket boundaries are part of the optimisation instead of a preprocessing step."
        ),
        (
            "Dwell time in seconds, number of plays, and similar quantities must be made comparable to ids. We let the model "
            "learn its own fuzzy histogram: a value lights up several cells to varying degree summing to one, each cell owns a "
            "trainable vector, and the lit-up cells' vectors are averaged by brightness."
        ),
        (
            "We do not cut the price per night into ranges beforehand. A small network turns the price into 40 scores, one for "
            "each of 40 trainable vectors; the scores are sharpened by a constant, exponentiated and normalised, and the price "
            "is represented through the corresponding blend of the vectors. Neighbouring prices hence have similar, but not "
            "equal representations. The click error flows back to the scores and to the vectors alike."
        ),
        (
            "For the distance to a restaurant we do not fix by hand where near ends and far begins. Forty anchors, each one a "
            "trainable vector, are held for this quantity, and a light network turns the measured metres into forty shares "
            "which are positive and total one. The anchors are averaged by these shares. Because everything is smooth, the "
            "errors on taps reach the anchors as well as the sharing network."
        ),
    ),
    arguments=(
        Argument(
            "n_buckets",
            20,
            ("number of meta-embeddings", "meta-embeddings", "number of buckets", "soft buckets", "buckets"),
            low=2,
            high=1000,
        ),
        Argument("temperature", 1.0, ("temperature coefficient", "softmax temperature", "temperature"), low=1e-5, high=100),
        Argument(
            "skip",
            0.1,
            ("skip-connection control factor", "control factor of skip-connection", "skip connection factor"),
            low=0,
            high=10,
        ),
    ),
    example="layer = NumericDiscretisation(batch.numeric.shape[1], 8, n_buckets=5)\noutput = layer(batch.numeric)",
)


class NumericDiscretisation(nn.Module):
    """(B, N) -> (B, N, D); used as `FeatureEmbedding(schema, embedding_dim, numeric=...)`."""

    def __init__(
        self, n_numeric: int, embedding_dim: int, n_buckets: int = 20, temperature: float = 1.0, skip: float = 0.1
    ) -> None:
        super().__init__()
        self.temperature, self.skip = temperature, skip
        self.project = nn.Parameter(torch.randn(n_numeric, n_buckets))  # (N, H)
        self.mix = nn.Parameter(torch.randn(n_numeric, n_buckets, n_buckets) * n_buckets**-0.5)  # (N, H, H)
        self.meta = nn.Parameter(torch.randn(n_numeric, n_buckets, embedding_dim) * n_buckets**-0.5)  # (N, H, D)

    def forward(self, values: Tensor) -> Tensor:
        hidden = functional.leaky_relu(values.unsqueeze(2) * self.project, LEAK)  # (B, N, H)
        scores = torch.einsum("bnh,nhk->bnk", hidden, self.mix) + self.skip * hidden  # (B, N, H)
        shares = torch.softmax(scores / self.temperature, 2)  # (B, N, H)
        return torch.einsum("bnh,nhd->bnd", shares, self.meta)  # (B, N, D)
