"""Quantised embedding: vectors of a few bits an element, with a step size that is learned along with them.

Notation: B rows, F fields, D embedding width, Q the largest code.
"""

from __future__ import annotations

from functools import partial

from torch import nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.layers.quantised_table import QuantisedTable
from sandboxes.kit.schema import Schema

CARD = Card(
    name="quantised_embedding",
    block="QuantisedEmbedding",
    slot="embedding",
    summary="Embeds categorical fields by low-precision integers times a learned step size, trained through the rounding.",
    equation="e = s round(clip(w / s, -Q, Q)), Q = 2^(b-1) - 1, de/dw = 1 within the range and 0 outside, s by gradient descent"
    " (Esser et al., ICLR 2020, eq. 1-3, with log s for s; for embedding tables Li et al., AAAI 2023, section 3)",
    cues=(
        "quantization-aware training",
        "quantisation-aware training",
        "low-precision training",
        "low-precision embeddings",
        "low-precision embedding",
        "quantized embeddings",
        "quantize the embeddings",
        "quantization step size",
        "learned step size",
        "learnable step size",
        "8-bit embeddings",
        "int8 embeddings",
        "bit width",
        "straight-through estimator for rounding",
        "stochastic rounding",
        "weight quantization",
        "embedding table compression by quantization",
    ),
    descriptions=(
        "Embedding vectors are stored as integers of a few bits, which a learned step size turns back into real numbers.",
        (
            "The table is quantised while it is trained: values are rounded in the forward pass, and gradients pass straight "
            "through."
        ),
        "To save memory each element of the table takes one byte in place of four.",
        "The resolution of the quantiser is not set by hand but found by gradient descent together with the weights.",
        "Rounding errors are seen during training, so that the network learns to live with coarse embeddings.",
        "Values outside the range of the integer code are clipped to its ends.",
        (
            "Embedding tables take most of the memory of click models. We compress them during training by representing each "
            "parameter by a low bit-width integer and a scale, and learn the scale adaptively in order to reduce the loss of "
            "accuracy caused by quantisation."
        ),
        (
            "In the forward pass the full-precision weight is divided by the step size, clipped, rounded and multiplied by "
            "the step size again. In the backward pass the derivative of the rounding function is approximated by one."
        ),
        (
            "Unlike post-training quantisation, which rounds a finished model and suffers at extremely low bit widths, our "
            "method optimises the quantised table end to end, so that the trained embeddings can be deployed directly as "
            "integers."
        ),
        (
            "A uniform quantiser with a trainable interval maps the embeddings to 2 to the power of b levels. Its interval "
            "receives a gradient from every element, and we initialise it from the mean absolute value of the weights."
        ),
        (
            "Every track's vector is kept on a ruler with 255 marks. While the model learns, it may only use positions on "
            "marks, and the distance between two marks is itself a number that the model adjusts."
        ),
        (
            "The app store's lookup dictionary shrank to a quarter: small whole numbers are stored, and one multiplier "
            "restores their magnitude on reading. The numbers were learned that way from the start, not cut down afterwards."
        ),
        (
            "Tersely: code equals round of w over s, kept between minus Q and Q; vector equals s times code; backward "
            "pretends that round is the identity; s gets its own derivative."
        ),
        (
            "A hotel id's row consists of sixteen tiny integers. On the serving hosts nothing else is held, and a "
            "multiplication after the fetch yields the reals that the upper layers expect; the coarse grid costs no "
            "measurable accuracy since it was there in learning."
        ),
        (
            "We let the news model see its own rounding. Each fetched vector is snapped to a grid before use, errors flow "
            "back as if it had not been snapped, and the grid's spacing widens or narrows as the errors ask."
        ),
        (
            "Four bytes for each coordinate are a luxury when billions of keys are kept. With one byte or less, plus a "
            "spacing that training itself chooses, the bank's table fits into a single machine."
        ),
        (
            "Like painting with a fixed box of crayons whose shades can be tuned, place vectors may take only a handful of "
            "values per coordinate, and the handful is stretched or squeezed until the picture is best."
        ),
        (
            "Coordinates are forced to take one of sixteen equally spaced levels. Because the levels are enforced at every "
            "training step, the ad ranking network adapts to them, and because the spacing is a parameter, large and small "
            "vectors alike find their scale."
        ),
        (
            "The discretisation is inside the computation graph: divide, clamp, round, multiply. Since rounding has no useful "
            "derivative, we substitute the identity for it on the way back, and only clamped coordinates get none."
        ),
        (
            "For a game catalogue on phones the size of the download matters. The item codes are therefore signed bytes with "
            "a common factor, obtained by training with simulated bytes, so that the shipped file equals what was evaluated."
        ),
        (
            "Retail keys are numerous and their vectors need little exactness. We allow them few distinct values each, teach "
            "the network under that constraint, and let the gap between neighbouring values be determined by the data."
        ),
        (
            "Reducing numerical exactness of the dictionary is done while learning, when the rest of the network can still "
            "compensate; the gap between levels is updated by its own slope, which sums what all rounded coordinates would "
            "gain from a finer or a wider grid."
        ),
    ),
    arguments=(
        Argument(
            "bits",
            8,
            ("bit width", "bit-width", "number of bits", "bits per parameter", "bits per embedding element"),
            low=2,
            high=8,
        ),
    ),
    example="layer = QuantisedEmbedding(schema, 8, bits=4)\noutput = layer(batch)",
)


class QuantisedEmbedding(FeatureEmbedding):
    """A `FeatureEmbedding` over a `QuantisedTable`: (batch) -> (B, F, D). Numeric fields and first-order weights stay as
    they are.

    Training saves no memory: it keeps float32 weights and simulates the codes. Serving does: there the table is int8, a quarter
    of its size, and predictions are the same. Steps are one for the whole table, and rounding is to the nearest code.
    """

    def __init__(self, schema: Schema, embedding_dim: int, numeric: nn.Module | None = None, bits: int = 8) -> None:
        super().__init__(schema, embedding_dim, numeric, partial(QuantisedTable, bits=bits))
