"""Interests in a history, found by convolutions, that contrast with those of other users: a loss without labels.

Notation: B rows, L history length, D embedding width, W width of a kernel along time, V width across dimensions, P projection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.contrastive_loss import PROJECTION_DIM, TEMPERATURE, losses_of_both

LEAST_NORM = 1e-6  # of a view, before it is divided by its norm

CARD = Card(
    name="interest_contrast",
    block="InterestContrast",
    slot="auxiliary",
    takes=("history", "mask"),
    needs=("history",),
    summary="Adds an InfoNCE loss on interests: convolutions of several widths over the history give interest representations, "
    "of which two of one user, near in time, attract each other, those of other users repel.",
    equation="g_t = f(sum_{s<w} a_ws e_{t-s}), u_t = f(c * g_t) across dimensions, f a leaky relu, z_t = P_w u_t at unit length; "
    "L = -1/2n sum_b [ln softmax_c(z_{b,t} z_{c,t'} / tau)_b + the same of t'], t' = t - d, d <= h at random, averaged over "
    "widths w (InfoNCE of van den Oord et al., 2018, eq. 4, between places of one sequence as in its section 2.2; kernels of "
    "several widths along the sequence: Tang and Wang, WSDM 2018, section 3.2)",
    cues=(
        "interest-level self-supervision",
        "interest-level self-supervised",
        "interest-level contrastive",
        "self-supervised multi-interest",
        "multi-interest self-supervised",
        "multi-interest extractor with convolutions",
        "cnn-based multi-interest extractor",
        "point-wise and union-wise interests",
        "union-wise interest",
        "interest representations as views",
        "augmented views of interest representations",
        "contrastive learning on user interests",
        "contrastive learning over behavior sequences",
        "inter-item and intra-item",
        "short-range and long-range interest",
        "views of the same interest",
    ),
    descriptions=(
        "Self-supervision is applied to interests within a history instead of to whole samples.",
        "Convolutional extractors of several widths read single behaviours and unions of successive ones.",
        "Two interest representations of one user at nearby places form a positive pair.",
        "Interests of other users in the batch are the negatives.",
        "Label sparsity is eased by contrastive signals hidden in the behaviour sequence.",
        "The auxiliary loss improves the embeddings of items and is dropped at serving.",
        (
            "Interest representations are extracted from the behaviour sequence by convolutions, point-wise with a kernel of one "
            "and union-wise with wider kernels. Two representations at a short or long distance are regarded as views of the "
            "same interest, and a contrastive loss maximises their agreement against those of other users."
        ),
        (
            "Rather than perturbing the whole sample, which may mix several interests, we contrast at the granularity of "
            "interests: horizontal convolutions capture dependencies between items, vertical ones correlations within an item."
        ),
        (
            "The multi-interest extractor slides kernels along the sequence; sub-sequences that follow one another are assumed "
            "to express the same intent. Their encodings are pulled together by InfoNCE and added to the click loss with a "
            "weight."
        ),
        (
            "As a plug-in to a CTR model, a self-supervised task over user behaviours shares the embedding table and consists of "
            "interest extraction, view generation by distance along time, and in-batch contrast."
        ),
        (
            "Whoever plays two ballads plays a third. We cut short runs out of a listener's log by learned templates, and ask "
            "that a run resemble the next run of the same listener more than any run of somebody else."
        ),
        (
            "A log holds its own lessons. Take the summary of Monday's three articles and that of Wednesday's three: same "
            "reader, presumably same mood. Take another reader's: different. A softmax over products turns this into a loss."
        ),
        (
            "No dropout makes the two versions here. They are two stretches of one and the same record, close to each other, "
            "seen through filters of width one, two and three, then through a narrow filter over coordinates."
        ),
        (
            "For w in widths: h = relu of a w-tap filter over behaviours; pick t, pick d up to the reach; p = head(h[t]), q = "
            "head(h[t - d]); cross-entropy of the B by B matrix p q / tau with its diagonal, in both directions."
        ),
        (
            "Bookings are few, clicks before them many. Without any label, clicks can be asked to agree with their neighbours "
            "in time about what is wanted; travellers wanting different things provide the contrast."
        ),
        (
            "Recurring motifs of spending betray intentions. Detectors scan a client's transactions at several time scales, and "
            "what one detector reports now and shortly before must be recognisable as the same client's among others."
        ),
        (
            "Unlike pooling filter responses over time for the predictor, the responses serve a puzzle alone: match each with "
            "its sibling from a few moves earlier. What the player's next move will be is not asked."
        ),
        (
            "Sparse feedback leaves app embeddings under-trained. A side task squeezes more from the same logs: windows of the "
            "install sequence, summarised by tiny kernels, must pair up within a user."
        ),
        (
            "Like tearing a letter into strips and asking which strips are from the same hand, the task takes strips of a "
            "shopper's clicks, thin ones and broad ones, and looks for the partner among strips of the crowd."
        ),
        (
            "The chain of visits is convolved lengthwise and crosswise. Outputs a bounded number of visits apart count as two "
            "sights of one desire. Desires of strangers are pushed away on the sphere."
        ),
        (
            "We derive training signals from unlabelled logs at the level of tastes. Small temporal filters of different "
            "lengths summarise single plays and runs of plays; summaries taken a few steps apart within one log are declared "
            "a matching couple, and summaries from different logs are declared mismatched."
        ),
        (
            "Our auxiliary task rests on the assumption that what a person wants changes slowly. Therefore encodings of two "
            "adjacent segments of the person's click stream should agree, and should agree more than either does with a "
            "segment of anybody else's stream in the mini-batch; a normalised exponential loss enforces this."
        ),
        (
            "The proposed plug-in consists of a multi-scale convolutional encoder over the event sequence, a sampler that "
            "picks two positions with a bounded gap, and a contrastive criterion with temperature. It shares item vectors "
            "with the main click network, regularising them, and is removed when serving."
        ),
        (
            "Contrary to augmentation by cropping, masking or shuffling a complete sequence, our two views are extracted from "
            "inside the sequence by the encoder itself. Each view embodies one taste, so dissimilar tastes of the same person "
            "are not forced onto each other."
        ),
        (
            "We apply filters in two directions: along time, fusing one, two or three consecutive bookings, and along the "
            "coordinates of the fused vector, modelling correlations inside it. The resulting maps are sampled at nearby time "
            "indices to form positive couples; the same index of other travellers supplies negatives."
        ),
        (
            "To fight the scarcity of labelled conversions, we add to the supervised loss a self-made one. It asks whether "
            "two excerpts, each condensed by a narrow or a wide kernel, originate in the same customer's record at close "
            "times, against excerpts of the other customers in the batch."
        ),
        (
            "In our formulation an intention may show in a lone action or in a combination of successive actions. We thus use "
            "a bank of kernels with increasing receptive field, and for each field size maximise the agreement between "
            "close-by outputs relative to outputs from other sessions."
        ),
        (
            "The trick in one paragraph: run 1D convs over the watch history, choose index t at random and index t minus d "
            "with small d, project both, normalise, compute all-against-all dot products in the batch, and demand that the "
            "diagonal wins. Add a tenth of that to the BCE."
        ),
        (
            "Without it, item vectors learn only from the click label, one bit per impression. With it, every history, "
            "clicked or not, provides lessons: neighbouring stretches of one history should resemble one another, stretches "
            "of different histories should not."
        ),
        (
            "Two snapshots of a river taken ten paces apart look alike; a snapshot of another river does not. Our snapshots "
            "are filtered excerpts from a shopper's trail of groceries, and the network is trained to tell by them which "
            "river it is looking at."
        ),
        (
            "Reviewer's summary: contrastive pre-text task for click prediction, run as a side loss. Novelty is the unit of "
            "comparison: not users, not sessions, not augmented samples but local motifs pulled from the log by convolution, "
            "with locality in time defining what matches."
        ),
        (
            "Take a player's list of matches. A tiny kernel looks at one match at a time, a larger one at pairs, a still "
            "larger one at triples. For each kernel, what it reports here and what it reports three matches ago are made "
            "similar; what it reports for strangers is made dissimilar."
        ),
        (
            "A course platform has plenty of page views and few enrolments. The views are used thus: local patterns of views, "
            "found by sliding windows with trainable taps, must be identifiable by a slightly earlier pattern of the same "
            "learner within a line-up of patterns from other learners."
        ),
        (
            "Slow drift as supervision: h(t) and h(t - d), both sliding-window features of one job seeker's searches, are "
            "attracted on the unit sphere, h(t) and h'(t) of another seeker are repelled, averaged over window sizes. No "
            "next-item target, no dropout noise, no graph is involved."
        ),
    ),
    arguments=(
        Argument(
            "widths",
            (1, 2, 3),
            ("kernel widths", "kernel sizes", "widths of the convolution kernels", "window sizes"),
            low=1,
            high=64,
        ),
        Argument("across", 2, ("width of the vertical kernel", "intra-item kernel size", "vertical kernel size"), low=1, high=64),
        Argument("reach", 3, ("maximum distance between views", "interest dependency range"), low=1, high=64),
        TEMPERATURE,
        replace(PROJECTION_DIM, default=32),
        Argument(
            "loss_weight",
            0.1,
            ("weight of the self-supervised loss", "weight of the contrastive loss", "contrastive loss weight"),
            low=1e-6,  # at 0 there would be no such loss
            high=100,
        ),
    ),
    example="layer = InterestContrast(history.shape[2], widths=(1, 2), projection_dim=4)\noutput = layer(history, mask)",
)


class InterestContrast(nn.Module):
    """(history (B, L, D), mask (B, L)) -> a scalar, `loss_weight` times the mean loss over widths.

    An interest is what a kernel makes of as many successive behaviours, up to a real one; over the beginning of a history it
    reaches into zeros. Of each row two are drawn, at most `reach` behaviours apart. Rows of less than two behaviours do not
    count, nor as negatives.
    """

    def __init__(
        self,
        embedding_dim: int,
        widths: Sequence[int] = (1, 2, 3),
        across: int = 2,
        reach: int = 3,
        temperature: float = 0.2,
        projection_dim: int = 32,
        loss_weight: float = 0.1,
    ) -> None:
        super().__init__()
        self.reach, self.temperature, self.loss_weight = reach, temperature, loss_weight
        # One weight for a behaviour and all its dimensions, so that what comes out is still of the embedding's dimensions.
        self.along = nn.ParameterList(torch.ones(w) / w + 0.1 * torch.randn(w) for w in widths)  # each (W,)
        self.across = nn.Conv1d(1, 1, min(across, embedding_dim), bias=False)
        nn.init.constant_(self.across.weight, 1 / min(across, embedding_dim))
        self.heads = nn.ModuleList(
            nn.Linear(embedding_dim - min(across, embedding_dim) + 1, projection_dim, bias=False) for _ in widths
        )

    def forward(self, history: Tensor, mask: Tensor) -> Tensor:
        counts = mask.sum(1) > 1  # (B,)
        losses = []
        for along, head in zip(self.along, self.heads, strict=True):
            views = functional.normalize(head(self.interests(history, mask, along)), dim=2, eps=LEAST_NORM)  # (B, L, P)
            rows = torch.arange(len(views), device=views.device)
            later, earlier = (views[rows, place] for place in self._drawn(mask))  # (B, P)
            losses.append(self._contrast(later, earlier, counts))
        return self.loss_weight * torch.stack(losses).mean()

    def interests(self, history: Tensor, mask: Tensor, along: Tensor) -> Tensor:
        """(B, L, D - V + 1): of every place, where the kernel `along` (W,), latest first, ends."""
        over_time = functional.pad(history * mask.unsqueeze(2), (0, 0, len(along) - 1, 0))  # (B, L + W - 1, D)
        united = functional.leaky_relu(over_time.unfold(1, len(along), 1) @ along.flip(0))  # (B, L, D)
        return functional.leaky_relu(self.across(united.flatten(0, 1).unsqueeze(1))).view(*united.shape[:2], -1)

    def _contrast(self, later: Tensor, earlier: Tensor, counts: Tensor) -> Tensor:
        """The mean loss of the rows that count (B,); others are nobody's negatives."""
        both = losses_of_both(later @ earlier.T / self.temperature, ~counts.expand(len(later), -1))
        return torch.where(counts, both, 0.0).sum() / (2 * counts.sum().clamp(min=1))

    def _drawn(self, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Two places (B,) in each history, the second at most `reach` before the first. Histories are padded on the left, so that
        real places follow one another up to the last."""
        real, last = mask.sum(1), mask.shape[1] - 1
        apart = 1 + (torch.rand(len(mask), device=mask.device) * (real - 1).clamp(1, self.reach)).long()
        back = (torch.rand(len(mask), device=mask.device) * (real - apart).clamp(min=1)).long()  # of the later one
        later = (last - back).clamp(min=0)
        return later, (later - apart).clamp(min=0)
