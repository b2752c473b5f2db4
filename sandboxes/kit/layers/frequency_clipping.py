"""Clipping by frequency: a row of an embedding table may move by no more than its occurrences in the batch allow.

Notation: B rows of a batch, U rows of a table that the batch looked up, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.contract import Stage, Step

CARD = Card(
    name="frequency_clipping",
    block="FrequencyClipping",
    slot="update",
    summary="Clips the gradient of each embedding row to a bound of its norm times how often the batch holds the id.",
    equation="g_id <- min(1, c_id / ||g_id||) g_id, c_id = n_id max(r ||w_id||, zeta), n_id the occurrences"
    " of the id in the batch (Zheng et al., AAAI 2023, algorithm 1, without its scaling of learning rate and L2)",
    cues=(
        "column-wise clipping",
        "adaptive clipping of embedding gradients",
        "clip the gradients of the embeddings",
        "gradient clipping on the embedding layer",
        "embedding gradients are clipped",
        "clipping threshold for each id",
        "large batch training",
        "large-batch training",
        "scaling up the batch size",
        "scale the batch size",
        "batch size scaling",
        "linear scaling rule",
        "square root scaling rule",
        "occurrences of the id in the batch",
        "different frequencies of ids",
        "infrequent ids in a large batch",
    ),
    descriptions=(
        (
            "The gradient of each id's embedding is clipped by a threshold that grows with the number of its occurrences in "
            "the batch."
        ),
        (
            "With very large batches, ids of different frequency need different treatment, so that each embedding row has its "
            "own bound."
        ),
        "The threshold of an id is its count in the batch times the norm of its embedding, and never less than a small constant.",
        "Dense layers are updated as usual, while gradients of embedding vectors are clipped id by id.",
        "Clipping keeps training stable when the batch grows a hundredfold and the learning rate with it.",
        "An embedding's update may not be large in comparison with the embedding itself.",
        (
            "Scaling the batch size up by large factors loses accuracy because infrequent ids receive as many updates per "
            "epoch as before while frequent ones receive fewer. We clip the gradient of every embedding vector adaptively, "
            "with a norm bound proportional to the weight norm and to the number of samples in the batch that contain the id."
        ),
        (
            "For each field and each id in it we compute how many times the id occurs in the current batch, multiply this "
            "count by the norm of its embedding, bounded from below, and rescale the gradient of the embedding whenever it "
            "exceeds the product."
        ),
        (
            "We enable training with batches of over one hundred thousand samples on one graphics card. A clipping rule "
            "restricted to the embedding table, with a threshold adapted to every id, prevents the divergence seen under "
            "larger learning rates."
        ),
        (
            "Global gradient clipping treats the table as one tensor and lets rare ids suffer from frequent ones. Our rule "
            "treats each row separately and takes the row's magnitude and its count within the batch into account."
        ),
        (
            "A track that fifty listeners of this batch have played may move fifty times as far as one played once, and "
            "neither may jump by more than its own size for each play. That is the entire leash we put on the table."
        ),
        (
            "Tersely: n is how often the key is seen in the chunk, w its vector, g its slope. If g is longer than n times the "
            "longer of r times w's length and a floor, shorten it to just that. Everything above the table is let alone."
        ),
        (
            "Airports differ wildly in popularity, and so do the error signals that their vectors collect in one giant step. "
            "We give every airport a speed limit that depends on how many itineraries of the step pass through it and on how "
            "long its vector is."
        ),
        (
            "When we made the batches sixteen times bigger the click model fell apart, and the culprit was the lookup table. "
            "Giving each table line a cap on its correction, relative to the line's own length and to its tally in the batch, "
            "cured it."
        ),
        (
            "Engineering view: after the backward pass we have, for the distinct keys of the batch, a summed derivative and a "
            "tally. One vectorised expression computes tally times norm, compares it with the length of the derivative, and "
            "multiplies the derivative with the ratio where it is below one. The optimiser then proceeds as ever."
        ),
        (
            "Think of each merchant's vector as a boat and of its transactions in the batch as rowers. The boat's permitted "
            "speed is rowers times length; a lone rower in a tiny boat cannot be flung across the lake by one odd "
            "transaction."
        ),
        (
            "To retrain the ad model in minutes we feed it enormous chunks of log at once. The sparse part is then protected "
            "by a rule that shrinks the correction of any identifier whose correction is out of proportion to its present "
            "weight vector, with more room for identifiers that many lines of the chunk share."
        ),
        (
            "Rare games have small vectors and noisy slopes. A proportionate limit, so and so much of the vector's own length "
            "per appearance in the step, stops the noise from throwing them about, and a floor on the limit lets newborn "
            "vectors get off the ground."
        ),
        (
            "The limit is not one number for the network, nor one for a layer, but one for each line of the dictionary: it is "
            "recomputed at every step from that line's length and from the number of rows in the step that consult it."
        ),
        (
            "With eight times the rows in a step and a bigger stride, news ids seen once per step are shaken too hard. We "
            "scale down the stride of a single id's vector until it is at most the vector's length multiplied by its "
            "appearances."
        ),
        (
            "Nothing in the network or its objective changes; only the derivative that reaches the table is bounded, "
            "separately for every category value, before the moment estimates of the optimiser see it. The bound is relative "
            "to the value's vector and widens with its share of the batch."
        ),
        (
            "Hourly training over all the city's places fits into a few huge steps. What makes huge steps safe is that a "
            "place's code may change by a limited fraction of itself for each visit that the step contains; whatever exceeds "
            "this is cut back."
        ),
        (
            "In our shop's system, more rows per step means fewer steps, and each must go further. Product vectors that few "
            "rows mention overshoot first. We therefore trim each product's gradient to a length it can bear, which is judged "
            "by how long its vector is and how many of the rows mention it."
        ),
        (
            "The trimming is applied row by row of the parameter matrix holding the categories; its threshold is a product of "
            "three things: how many times the category was hit, a coefficient near one, and the present norm of the row, "
            "replaced by a tiny floor when the row is almost zero."
        ),
    ),
    arguments=(
        Argument("ratio", 1.0, ("clipping ratio", "clip ratio", "coefficient of the clipping threshold"), low=1e-4, high=1000.0),
        Argument(
            "zeta", 1e-5, ("zeta", "lower bound of the clipping threshold", "lower bound on the weight norm"), low=0.0, high=1.0
        ),
    ),
    example="stages = FrequencyClipping(ratio=1.0, zeta=1e-4).staged((Stage('train'),))",
)


@dataclass(frozen=True)
class FrequencyClipping:
    """An `Update`: Adam follows the gradients of the loss, those of embedding rows clipped to n_id max(ratio ||w_id||, zeta).

    An entry of a history is an occurrence of its id. Rows that the batch did not look up, but that a model uses in another way,
    are not clipped. The learning rate and the penalty on tables, which the paper scales with the batch, are settings of the
    comparison and stay as they are. In one process only: members of a team do not tell each other how often they look up a row.
    """

    ratio: float = 1.0
    zeta: float = 1e-5

    def __post_init__(self) -> None:
        if not (self.ratio > 0 and self.zeta >= 0):
            raise ValueError(f"ratio must be positive and zeta not negative, not {self.ratio} and {self.zeta}")

    def staged(self, stages: Sequence[Stage]) -> tuple[Stage, ...]:
        return tuple(stage.under(self) for stage in stages)

    def gradients(self, step: Step) -> Tensor:
        if step.team.size > 1:
            raise ValueError(
                "clipping by frequency needs to know how often the whole batch looks a row up, which several processes do not "
                "tell each other; train this model with one process"
            )
        loss = step.backward()
        for parameter in step.parameters:
            rows, counts = torch.unique(step.looked_up(parameter), return_counts=True)  # each (U,)
            if parameter.grad is not None and len(rows):
                parameter.grad = self._clipped(parameter, parameter.grad, rows, counts)
        return loss

    @torch.no_grad()
    def _clipped(self, weight: Tensor, gradient: Tensor, rows: Tensor, counts: Tensor) -> Tensor:
        if gradient.is_sparse:  # it may lack rows that were only padding
            gradient = gradient.coalesce()
            found = torch.searchsorted(rows, gradient.indices()[0])
            rows, counts, slopes = rows[found], counts[found], gradient.values()  # (U,), (U,), (U, D)
        else:
            slopes = gradient[rows]
        bound = counts * (self.ratio * weight[rows].norm(dim=1)).clamp_min(self.zeta)  # (U,)
        length = slopes.norm(dim=1)  # (U,)
        slopes = slopes * torch.where(length > bound, bound / length, 1.0)[:, None]
        if not gradient.is_sparse:
            return gradient.index_copy(0, rows, slopes)
        return torch.sparse_coo_tensor(rows[None], slopes, weight.shape, is_coalesced=True, check_invariants=False)
