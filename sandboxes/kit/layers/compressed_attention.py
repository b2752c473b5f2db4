"""Compressed attention: the target attends to a few slots that a history was condensed to, as it would have to all of it.

Notation: B rows, L history length, D embedding width, r slots.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.low_rank_attention import MAX_LENGTH
from sandboxes.kit.layers.masked_softmax import masked_softmax
from sandboxes.kit.layers.most_similar import agreement

CARD = Card(
    name="compressed_attention",
    block="CompressedAttention",
    slot="history",
    needs=("history", "target_item"),
    summary="Condenses a history to a few slots that do not depend on the target, lets the target attend to these, and adds a "
    "loss that keeps this attention close to softmax attention over all behaviours.",
    equation="P = softmax over L of (W e_l + p_l), r rows, p by the distance from the end; c = P e; b = softmax_j((M v)^T c_j / "
    "sqrt(D)); output sum_j b_j c_j; loss + kl_weight KL(a || P^T b) with a = softmax_l((M v)^T e_l / sqrt(D)) held fixed, or "
    "the squared distance of the outputs (attention reconstruction of Rae et al., ICLR 2020; of weights rather than outputs in "
    "Zhang et al., ICLR 2024)",
    cues=(
        "attention reconstruction loss",
        "attention-reconstruction loss",
        "nonlinearity of attention",
        "nonlinearity of softmax attention",
        "approximates the softmax attention",
        "attention approximation loss",
        "mimic softmax attention",
        "distillation of attention weights",
        "attention distillation",
        "close to the full attention",
        "difference between compressed attention and full attention",
        "compressed memory",
        "matrix absorption",
        "compressed sequence is stored in advance",
        "target attends to the compressed sequence",
        "precompute the compressed representation offline",
    ),
    descriptions=(
        "The target attends to a few compressed slots, and an auxiliary loss keeps the result close to full softmax attention.",
        "An attention-reconstruction loss trains the compression to lose as little as possible of what attention needs.",
        "Slots are computed without the candidate, stored in advance, and only looked at when candidates are scored.",
        "The weights that compressed attention implies for the single behaviours are compared with exact weights.",
        "Low-rank attention alone loses the sharpness of the softmax, which an extra objective restores.",
        "The cost per candidate falls from the sequence's length to the number of slots.",
        (
            "We learn low-rank projections that compress the behaviour sequence of length L to r vectors. So that the "
            "nonlinearity of softmax attention is not lost, a dedicated loss minimises the divergence between the attention "
            "distribution over all behaviours and the one implied by the compressed attention."
        ),
        (
            "Compression is trained with two signals, the click loss and the difference between attention over the original "
            "memory and attention over the compressed memory. Gradients of the latter are stopped at the original attention, "
            "which serves as the teacher."
        ),
        (
            "At inference the query and key projections are absorbed in one matrix, and compressed representations of the user's "
            "sequence are prestored, so that online each candidate needs r inner products and no pass over the sequence."
        ),
        (
            "Efficient attention differs from the exact one when trained for the task only. Following the idea of attention "
            "transfer, we add a distillation term in which the exact softmax weights, computed in training alone, are the soft "
            "labels of the cheap ones."
        ),
        (
            "Eight notebooks hold what is worth keeping of a reader's ten thousand articles. When a headline comes up, only the "
            "notebooks are consulted. During training an examiner compares: does the answer from the notebooks resemble the one "
            "a complete search of the archive would have given? The difference is fined."
        ),
        (
            "Think of a zip file for taste. It must unpack, for whatever song is asked about, to nearly the same emphasis on the "
            "plays as if nothing had been zipped; how much emphasis is misplaced is measured in nats and becomes part of the "
            "objective."
        ),
        (
            "Let c = P e with r rows; b = softmax(v M c); w = b P is a distribution over the L bookings. Beside the label's loss "
            "we minimise the relative entropy of softmax(v M e) to w. The former distribution is a constant here, and in serving "
            "it is never computed."
        ),
        (
            "Instead of throwing most payments away, as a search does, the bank blends all of them into a handful of summaries "
            "once a night. For the product at issue the summaries are weighed. That they be weighed, in effect, as the payments "
            "would have been is demanded of the blender by a second criterion."
        ),
        (
            "A student and a master listen to the same candidate. The master goes through every past order with a sharp eye; the "
            "student knows digests only. It is the digests that get better, for the student's error against the master is "
            "propagated into how they are made, and the master does not move."
        ),
        (
            "Our latency budget forbids touching the long log per candidate. The log is condensed per user, in numbers fixed "
            "beforehand, by learned mixtures over positions and contents; fidelity is a training target of its own: the mixtures "
            "must let through the peaks that an uncompressed lookup shows."
        ),
        (
            "The summary vectors of an app user do not interact with each other, nor do events interact with them again. Their "
            "only duty is to answer as the whole log would. In each training step some answers of the whole log are computed "
            "too, and the squared discrepancy of both answers is added, weighted."
        ),
        (
            "What a plain linear shortcut misses is that exact lookups are peaked: one stay out of a thousand may take half of "
            "the weight. We charge the shortcut for every stay to which it gives less than the exact lookup does, in proportion "
            "to the logarithm of the ratio."
        ),
        (
            "Long viewing records pass a narrow gate before any candidate is known. Which records share a lane in the gate is "
            "learned so that, seen from behind it, the importance of each record for the film in question is still recognisable. "
            "Without this demand lanes fill with averages."
        ),
        (
            "The system has two paths to a player's past. The wide one, over all sessions, exists in the laboratory only, and "
            "shows the narrow one, over sixteen condensed sessions, how its attention should have been spread. The narrow path "
            "alone is shipped, with its condensed sessions computed ahead of the request."
        ),
        (
            "A map of a city for delivery riders omits most houses and still leads to the right street. Likewise our condensed "
            "visits should lead a query to the same neighbourhood of the past as all visits would: it is this agreement, over "
            "the queries seen in training, that we optimise in addition to clicks."
        ),
        (
            "Exact soft lookup is the reference, blockwise soft lookup the product. A term of the objective is the reference's "
            "surprise at the product. It vanishes if blocks are such that no query needs to tell their members apart, which is "
            "precisely when nothing is lost by having condensed the shopping history to them."
        ),
        (
            "We factorise the long click log into a small number of candidate-agnostic prototypes by a learned row-stochastic "
            "matrix. Since a low-rank softmax is not the softmax of the full log, we regularise the induced per-click "
            "distribution towards the latter with a divergence whose full side carries no gradient."
        ),
        (
            "Our model stores, per member, a fixed-size digest of lifelong plays which is refreshed offline. Candidate scoring "
            "reads the digest alone, and a fidelity term during fitting penalises any departure from what scoring against every "
            "single play would have returned."
        ),
        (
            "The proposed training scheme has the cheap reader imitate the expensive reader. Both receive the same candidate "
            "and the same log of visits; the expensive one weighs visits singly, the cheap one weighs summaries of visits; "
            "their weightings, once brought to the same length, should coincide."
        ),
        (
            "Lifelong sequences cannot be scanned for each of five hundred candidates within twenty milliseconds. We squeeze "
            "them to a constant number of memory cells that are shared by all candidates, and make sure by an additional "
            "objective that reading the cells is as selective as reading the sequence."
        ),
        (
            "A linear reduction of keys and values commutes with sums but not with exponentials, which is why reduced readers "
            "become blurry. The remedy is to add to the prediction loss the mismatch between blurry and exact readings, and to "
            "let it shape the reduction matrix."
        ),
        (
            "A diplomat carries sixteen briefing sheets instead of the archive. The sheets were written before anyone knew what "
            "would be asked, and the writers are judged by whether the diplomat, asked about this or that loan, stresses the "
            "same files a full archivist would have stressed."
        ),
        (
            "Serving note: the user tower emits r rows once per session and caches them; the matching matrix between ad and row "
            "is premultiplied; per ad we do r dot products and a softmax. Training adds one more head that compares against the "
            "uncompressed pass and is dropped at export."
        ),
        (
            "In formula: minimise log loss plus lambda times the sum over l of a_l log(a_l / (b P)_l), where a is how much the "
            "target heeds past stay l if it looks at all stays, b how much it heeds each of r condensates, and P what each "
            "condensate is made of."
        ),
        (
            "Unlike hard retrieval, which discards all but a few hundred events, every event leaves a trace in the condensed "
            "memory; unlike plain pooling, the memory is asked a question by the candidate. What makes it work is a supervision "
            "signal from the undiluted lookup, available only while training."
        ),
        (
            "The reviewer's gist: a bottleneck of learned queries summarises the past of a gamer, the item on offer reads the "
            "bottleneck, and knowledge is distilled from a full-length target-aware reader of the same weights into the "
            "bottleneck so that the summary preserves who would have been looked at."
        ),
        (
            "A viewer's ten thousand films become a dozen mixtures. To a proposed film, a dozen answers should feel like ten "
            "thousand: the gap between the two resulting interest vectors, squared, is part of what gradient descent brings "
            "down, and the ten-thousand side is frozen as reference."
        ),
        (
            "We decouple how a shopper's past is stored from how it is questioned. Storage is a set of weighted averages "
            "determined by content and recency and is blind to the product; questioning is a short softmax over these averages; "
            "a consistency loss ties questioning the store to questioning the raw past."
        ),
        (
            "Before, our matching layer looked at each of the course-taker's thousand lessons anew for each course offered, and "
            "cost grew with the thousand. Now it looks at r lesson blends made in advance, at constant cost, and a penalty sees "
            "to it that sharp preferences for a single lesson survive the blending."
        ),
        (
            "What is compressed is not the model but the log, and the compressor is graded on emphasis: for recorded queries it "
            "must hand the same importance to each old trip, through the blends, that a lossless reader assigns directly. "
            "Without such grading the blends minimise clicks' loss but flatten peaks."
        ),
    ),
    arguments=(
        Argument(
            "n_slots",
            16,
            ("number of slots", "compressed length", "rank of the projection", "number of memory slots", "rank r"),
            low=2,
            high=1024,
        ),
        MAX_LENGTH,
        Argument(
            "kl_weight",
            0.1,
            ("weight of the attention loss", "weight of the reconstruction loss", "weight of the approximation loss"),
            low=0,
            high=10,
        ),
        Argument(
            "of_outputs",
            False,
            (
                "squared distance of the attention outputs",
                "mean squared error of the attention outputs",
                "mse of the outputs",
            ),
        ),
    ),
    example="layer = CompressedAttention(history.shape[2], n_slots=3)\noutput = layer(target, history, mask)\n"
    "divergence = layer.kl()",
)
TINY = 1e-30  # keeps the logarithm of a weight that came to nothing finite


class _Asked(NamedTuple):
    """What `kl` needs of a forward pass."""

    target: Tensor  # (B, D)
    history: Tensor  # (B, L, D)
    mask: Tensor  # (B, L)
    implied: Tensor  # (B, L): the weights of single behaviours
    output: Tensor  # (B, D)


class CompressedAttention(nn.Module):
    """(target (B, D), history (B, L, D), mask (B, L)) -> (B, D); zeros for an empty history.

    `compressed` knows nothing of the target and can be stored for a user; `attend` costs the same for histories of any length.
    `match` is the product of a query's and a key's projection, absorbed in one matrix. Positions count back from the newest
    entry; entries older than `max_length` share the last one.
    """

    def __init__(
        self, embedding_dim: int, n_slots: int = 16, max_length: int = 1000, kl_weight: float = 0.1, of_outputs: bool = False
    ) -> None:
        super().__init__()
        self.kl_weight, self.of_outputs = kl_weight, of_outputs
        self.content = nn.Linear(embedding_dim, n_slots, bias=False)
        self.position = nn.Parameter(torch.randn(max_length, n_slots))
        self.match = nn.Linear(embedding_dim, embedding_dim, bias=False)
        self.out_dim = embedding_dim
        self._last: _Asked | None = None

    def forward(self, target: Tensor, history: Tensor, mask: Tensor) -> Tensor:
        projection = self.projection(history, mask)  # (B, r, L)
        output, shares = self.attend(target, projection @ history)
        implied = torch.einsum("br,brl->bl", shares, projection)
        self._last = _Asked(target, history, mask, implied, output)
        return output

    def projection(self, history: Tensor, mask: Tensor) -> Tensor:
        """Which share of each slot every behaviour is: (B, r, L), rows with sum 1, or 0 for an empty history."""
        age = torch.arange(history.shape[1] - 1, -1, -1, device=history.device).clamp(max=len(self.position) - 1)  # (L,)
        return masked_softmax((self.content(history) + self.position[age]).transpose(1, 2), mask.unsqueeze(1))

    def compressed(self, history: Tensor, mask: Tensor) -> Tensor:
        """The slots (B, r, D)."""
        return self.projection(history, mask) @ history

    def attend(self, target: Tensor, slots: Tensor) -> tuple[Tensor, Tensor]:
        """What a target (B, D) finds in slots (B, r, D): a vector (B, D), and the slots' shares of it (B, r)."""
        shares = torch.softmax(agreement(self.match(target), slots), 1)
        return torch.einsum("br,brd->bd", shares, slots), shares

    def kl(self) -> Tensor:
        """`kl_weight` times how far the last forward's attention is from softmax attention over all behaviours, which is held
        fixed: a scalar, the mean over rows with a history. It is a divergence of weights, or a squared distance of outputs."""
        if self._last is None:
            raise RuntimeError("kl() speaks of the last forward, and there was none; call the block first")
        target, history, mask, implied, output = self._last
        with torch.no_grad():
            exact = masked_softmax(agreement(self.match(target), history), mask)  # (B, L)
        if self.of_outputs:
            apart = (torch.einsum("bl,bld->bd", exact, history.detach()) - output).square().sum(1)  # (B,)
        else:
            apart = (torch.xlogy(exact, exact) - exact * implied.clamp_min(TINY).log()).sum(1)
        return self.kl_weight * apart.sum() / mask.any(1).sum().clamp(min=1)
