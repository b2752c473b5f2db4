"""Squeeze-and-excitation over fields: a learned weight for each field, from all fields of the row.

Notation: B rows, F fields, D embedding width, S squeezed width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

CARD = Card(
    name="squeeze_excitation",
    block="SqueezeExcitation",
    slot="feature",
    summary="Re-weighs each field's embedding by its importance for the row, found by a small bottleneck network "
    "on field summaries.",
    equation="z_i = mean_d e_id; a = sigmoid(W_2 relu(W_1 z)); v_i = a_i e_i, with W_1 reducing F to F / r"
    " (Huang, Zhang and Zhang, RecSys 2019, section 3.3; the gate is a sigmoid as in Hu et al., CVPR 2018, so no field can die)",
    cues=(
        "squeeze-and-excitation",
        "squeeze and excitation",
        "squeeze-excitation network",
        "senet",
        "squeeze step",
        "excitation step",
        "squeeze operation",
        "feature importance dynamically",
        "dynamically learn the importance of features",
        "field importance weights",
        "importance of each field",
        "re-weight the field embeddings",
        "reweight the original embeddings",
        "re-weigh step",
        "reduction ratio",
        "field-wise gating",
        "summary statistics of each field",
        "boost informative features and suppress uninformative features",
    ),
    descriptions=(
        (
            "A squeeze step summarises each field embedding by its mean, and two fully connected layers turn the "
            "summaries into weights."
        ),
        "The importance of each field is learned dynamically per sample and multiplies the field's embedding.",
        "The bottleneck with a reduction ratio captures dependencies between fields when computing their importance.",
        "The network strengthens informative features and suppresses those that carry little for the present instance.",
        "Original embeddings are rescaled field by field with the output of an excitation network to give attended embeddings.",
        (
            "Field importance is learned dynamically: each embedding is summarised into one statistic by mean pooling, the "
            "statistics of all fields pass through two fully connected layers with a reduction ratio, and the resulting "
            "weights, one per field, rescale the original embeddings."
        ),
        (
            "To boost informative features and suppress noisy ones, we assign every field a scalar weight conditioned on the "
            "instance. The weights come from a narrow two-layer network applied to the pooled values of all field embeddings "
            "and multiply the whole embedding of the field."
        ),
        (
            "Three steps are performed: pooling each field embedding to a scalar, learning weights from the vector of f scalars "
            "with a dimension-reducing and a dimension-increasing layer, and multiplying each embedding by its weight. The "
            "re-weighted embeddings then enter the interaction layer."
        ),
        (
            "Different fields matter to a different degree for different samples. From a global descriptor containing one "
            "number per field, a bottleneck MLP infers an importance vector of length f, and every field's embedding is scaled "
            "uniformly in all its dimensions accordingly."
        ),
        (
            "We shrink each column's code to its average, obtaining one number per column. A small hourglass of two layers "
            "turns these numbers into as many loudness values, and each column's code is turned up or down as a whole by its "
            "own value."
        ),
        (
            "In a row of a game log some slots are noise. Our model takes the mean of every slot's vector, lets a narrow "
            "network see all the means together, and receives back a volume knob for each slot; the vector's coordinates all "
            "share the one knob."
        ),
        (
            "How much should the hotel's star rating count for this guest, and how much the weekday? A tiny network with few "
            "hidden units looks at one-number digests of all attributes and answers with one multiplier an attribute, used "
            "before any crossing happens."
        ),
        (
            "The recalibration costs almost nothing: with f properties it has two weight matrices, f by f/r and back. Inputs "
            "are the properties' averaged codes, outputs the properties' strengths, and a strength multiplies the complete code "
            "it belongs to, never a single coordinate differently."
        ),
        (
            "Rare and useless attributes should be hushed rather than removed. We compress each attribute to a summary value, "
            "pass all values through a pinched pair of dense layers, and stretch or shrink attribute vectors in proportion to "
            "what comes out, row by row."
        ),
        (
            "Importance here is not a fixed number for each column but depends on the present row. It is computed from the "
            "columns' mean activations, through a layer with fewer units than columns and another restoring the count, and "
            "applied as one factor for each column."
        ),
        (
            "Borrowing from image networks, where channels are recalibrated, we treat every slot as a channel. Its latent "
            "factors are averaged into a channel summary, the summaries excite each other in a tight two-layer net, and the "
            "excited values multiply the channels."
        ),
        (
            "First reduce, then infer, then rescale. Reduction gives a list with a number for each property of the news "
            "impression; inference passes that list through a thin middle layer and out to the same length; rescaling "
            "strengthens the vectors of properties found relevant here."
        ),
        (
            "The module leaves the shape of the input alone. Each song, artist and user slot retains its direction in latent "
            "space and only its length changes, by a factor which a slim network predicts from the average coordinates of all "
            "the slots."
        ),
        (
            "A bank's form has forty entries of unequal worth. We digest each entry's representation to a scalar, have a "
            "low-width network judge all forty scalars jointly, and weigh every representation by the scalar judgement passed "
            "on it, prior to handing them to the predictor."
        ),
        (
            "Every slot vector is first boiled down to a single number, its mean. The list of these numbers passes through a "
            "narrow hidden layer and back out to one number per slot, and each slot vector is then enlarged or shrunk as a "
            "whole by its number. Useless slots fade; useful ones grow louder."
        ),
        (
            "Like a sound engineer with one fader per microphone, our module sets a single volume for each attribute. It looks "
            "only at the loudness of every channel (the average of its code), reasons about all loudnesses together in a small "
            "hourglass-shaped net, and moves the faders before anything is combined."
        ),
        (
            "Step one: average the coordinates of each column's code, giving as many scalars as columns. Step two: compress "
            "those scalars to a third of their count with a rectified linear map and expand them again. Step three: multiply "
            "all coordinates of column i by the i-th scalar obtained, leaving the direction of the code unchanged."
        ),
        (
            "Not all properties of a song request deserve equal trust, and trust depends on the request. We therefore derive "
            "one trust coefficient per property from summaries of all the properties, by two thin dense layers with a reduction "
            "in between, and rescale the property's whole latent point with it."
        ),
        (
            "The unit costs almost nothing: for forty fields it has a forty-to-ten and a ten-to-forty matrix. Its input is the "
            "maximum or mean of every field's vector and its output forty importance scores, each of which is applied uniformly "
            "to all the coordinates of its field before pairs are formed."
        ),
        (
            "Written tersely: z_i is the mean of e_i; a equals relu of W2 times relu of W1 times z, where W1 shrinks and W2 "
            "restores the number of fields; the recalibrated v_i is a_i times e_i. The rest of the predictor sees v in place of "
            "e."
        ),
        (
            "Sparse rare attributes bring noise, and we want the network itself to turn them down. A tiny side branch reads a "
            "one-number digest of each attribute, lets the digests influence one another through a constricted middle layer, "
            "and returns a single gain for each attribute, never one for each coordinate."
        ),
        (
            "For our banking data we insert a dynamic weighting stage between the lookup tables and the predictor. Pooling "
            "reduces each variable to a statistic, the statistics travel through a contracting and an expanding layer, and the "
            "resulting vector, as long as there are variables, tells by what factor to scale each variable's code in this "
            "particular case."
        ),
        (
            "First, each column's vector is averaged to one number. The string of numbers, one per column, is pressed through a "
            "layer of a third of its length and then widened again, and the outcome is one multiplier for each column. All "
            "coordinates of a column's vector are multiplied by the same multiplier, and so for this very impression a "
            "worthless column is turned down as a whole."
        ),
        (
            "Each column of the news impression is first summarised by a single figure, the mean of its coordinates. The thirty "
            "figures are pressed together to ten by one small layer and expanded to thirty again by another. What comes out is "
            "used as a volume knob: the whole vector of a column is made louder or quieter by its own figure, so that the "
            "useless columns of this impression fade."
        ),
    ),
    arguments=(Argument("reduction_ratio", 3, ("reduction ratio", "squeeze ratio", "reduction rate"), low=1, high=64),),
    example="layer = SqueezeExcitation(fields.shape[1], fields.shape[2], reduction_ratio=3)\noutput = layer(fields)",
)


class SqueezeExcitation(nn.Module):
    """(B, F, D) -> (B, F, D)."""

    def __init__(self, n_fields: int, embedding_dim: int, reduction_ratio: int = 3) -> None:
        super().__init__()
        squeezed = max(2, n_fields // reduction_ratio)  # S; a single ReLU unit could be silent on every row
        self.squeeze = nn.Linear(n_fields, squeezed, bias=False)
        self.excite = nn.Linear(squeezed, n_fields, bias=False)

    def forward(self, fields: Tensor) -> Tensor:
        summary = fields.mean(2)  # (B, F)
        importance = torch.sigmoid(self.excite(torch.relu(self.squeeze(summary))))  # (B, F)
        return fields * importance.unsqueeze(2)  # (B, F, D)
