"""Convolutions over the history: filters that look at a few successive behaviours, and the strongest answer of each.

Notation: B rows, L history length, D embedding width, N filters of a height, H heights.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card

CARD = Card(
    name="convolutional_history",
    block="ConvolutionalHistory",
    slot="history",
    needs=("history",),
    summary="Slides filters of several heights over the sequence of the user's behaviours and keeps each filter's strongest "
    "response over time.",
    equation="c_kt = relu(b_k + sum_{s<h} F_ks^T e_{t-s}), zeros before the first behaviour; o_k = max_t c_kt, for N filters "
    "k of each height h (Tang and Wang, WSDM 2018, section 3.2, horizontal convolutional layer; without the vertical "
    "filters, whose weights are of fixed places)",
    cues=(
        "horizontal convolutional filters",
        "horizontal filters",
        "convolutional sequence embedding",
        "convolutional filters over the behavior sequence",
        "convolutions over the behavior sequence",
        "convolutional neural network over the behavior sequence",
        "1d convolution over the sequence",
        "one-dimensional convolution over user behaviors",
        "convolutional filters over recent items",
        "max pooling over time",
        "max-over-time pooling",
        "filters of different heights",
        "filter heights",
        "union-level sequential patterns",
        "local sequential patterns",
        "text-cnn over clicked items",
    ),
    descriptions=(
        "Filters of several heights slide over the embeddings of successive behaviours, and each keeps its largest response.",
        "The sequence is treated as an image of L rows and D columns, on which convolutional filters search for local patterns.",
        "A filter of height two responds to pairs of adjacent actions, a filter of height three to triples.",
        "Max pooling over time reduces each feature map to one number, whatever the length of the history.",
        "Short sequential patterns in the click history are detected by one-dimensional convolutions.",
        "The pooled outputs of all filters form the vector of the user's history.",
        (
            "The embedding matrix of the most recent L items is convolved with horizontal filters, whose width is the "
            "embedding size and whose height varies from one to a few items. Every filter's activations go through max "
            "pooling, so that it reports the most significant pattern it has found."
        ),
        (
            "To capture union-level patterns, where several successive actions jointly influence the next, we apply "
            "convolutional filters to windows of the behaviour sequence. Feature maps are passed through a rectifier and "
            "pooled over time, and the results of all filter sizes are concatenated."
        ),
        (
            "In contrast to recurrent encoders, our encoder looks at windows of the sequence in parallel. Each kernel covers h "
            "consecutive behaviours; shifting it along the sequence yields a response at each step, of which only the maximum "
            "is used in the subsequent fully connected layers."
        ),
        (
            "We encode the user's browsing sequence with a shallow convolutional network borrowed from sentence "
            "classification: kernels of sizes 1 to 4 over item embeddings, ReLU, and a global maximum per kernel."
        ),
        (
            "A song, then its cover version, then the original again: such little motifs betray a mood. Our detectors are "
            "small stencils laid over any few neighbouring plays. Each stencil shouts as loudly as its best match anywhere in "
            "the log, and the shouts are what we hand on."
        ),
        (
            "Like a stamp collector with a magnifying glass of fixed width, each detector moves along the row of past "
            "bookings, sees two or three at once, and remembers the most exciting sight. Where along the row it was seen is "
            "forgotten."
        ),
        (
            "For h in 1, 2, 3: for n filters: take the dot product of a learned h by D window with each run of h successive "
            "rows, add a bias, clip at zero, take the maximum over the runs. Join all maxima."
        ),
        (
            "Reading a sports piece straight after a weather piece means something that neither means alone. N-gram detectors "
            "with learned weights cover runs of adjacent articles; the top activation per detector summarises the reader."
        ),
        (
            "Installs come in bursts. A bank of learned templates, a couple of installs long, is matched against the log at "
            "all offsets, the fit is rectified, and the best offset's fit is retained per template. The candidate app plays no "
            "part in it."
        ),
        (
            "The memory of our encoder reaches no farther than its widest window, three transactions. That is enough: what "
            "matters are combinations such as cash withdrawal after transfer, wherever in the month they occur, and weight "
            "sharing over time finds them with few parameters."
        ),
        (
            "Moves of a player are pictures, one row each. Edge detectors from vision become habit detectors here: they sweep "
            "from the oldest row to the newest, spanning all columns and a few rows, and pooling makes the outcome invariant "
            "to when the habit showed."
        ),
        (
            "Neither a bag nor a chain: local order counts, global order does not. Windows of neighbouring product views are "
            "projected to a number by shared weights; over all windows the peak survives."
        ),
        (
            "The computation is one strided matrix product per window size, so all steps are done at once on the accelerator, "
            "unlike with recurrent cells. Peaks along the time axis are read out and concatenated for the dense layers."
        ),
        (
            "Visits to a museum followed by a café, in that order and without anything in between, excite one of our learned "
            "kernels. Kernels have a small receptive field along the sequence and full extent along the latent axis; the "
            "itinerary is described by each kernel's highest excitation."
        ),
        (
            "A user's last fifty impressions are scanned by feature extractors with shared weights that see k impressions at a "
            "time. Their outputs over the fifty places collapse into extremes, a vector as long as the number of extractors."
        ),
        (
            "Instead of asking which single click resembles the ad, we ask which short phrase of clicks has occurred. Phrases "
            "are scored by trained filters with a rectifier; the score of the best occurrence of each goes on to the predictor."
        ),
        (
            "Skip-free subsequences of length two or three carry intent: search, compare, buy. Trained pattern matchers, slid "
            "over the log, light up upon such subsequences, and a maximum over positions tells if, not when, they did."
        ),
        (
            "Filters with a view of one behaviour act as soft membership tests, those with a view of several as tests of "
            "succession. All are translation-invariant along time. Their pooled verdicts form the sequence part of the input."
        ),
    ),
    arguments=(
        Argument(
            "n_filters",
            16,
            (
                "number of filters",
                "horizontal filters",
                "filters per height",
                "number of convolutional filters",
                "number of kernels",
            ),
            low=1,
            high=1024,
        ),
        Argument(
            "heights",
            (1, 2, 3),
            ("filter heights", "heights of the filters", "filter sizes", "kernel sizes", "window sizes"),
            low=1,
            high=64,
        ),
    ),
    example="layer = ConvolutionalHistory(history.shape[2], n_filters=4, heights=(2, 3))\noutput = layer(target, history, mask)",
)


class ConvolutionalHistory(nn.Module):
    """(target (B, D), history (B, L, D), mask (B, L)) -> (B, H * n_filters); the target is ignored, an empty history gives zeros.

    Windows end at a real behaviour, and reach over its beginning where the history is shorter than they are.
    """

    def __init__(self, embedding_dim: int, n_filters: int = 16, heights: Sequence[int] = (1, 2, 3)) -> None:
        super().__init__()
        self.filters = nn.ModuleList(nn.Conv1d(embedding_dim, n_filters, height) for height in heights)
        self.heights = tuple(heights)
        self.out_dim = n_filters * len(self.heights)

    def forward(self, target: Tensor, history: Tensor, mask: Tensor) -> Tensor:
        real = mask.unsqueeze(1)  # (B, 1, L)
        over_time = history.transpose(1, 2) * real  # (B, D, L)
        strongest = []
        for height, filters in zip(self.heights, self.filters, strict=True):
            responses = filters(functional.pad(over_time, (height - 1, 0))).relu() * real  # (B, N, L)
            strongest.append(responses.amax(2))  # (B, N)
        return torch.cat(strongest, 1)
