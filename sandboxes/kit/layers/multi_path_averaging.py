"""Multi-path averaging: at prediction, the mean of several passes, each without some of the fields.

Notation: B rows, F fields, D embedding width, T tasks, P paths.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

MASK_SEED = 20231  # of the paths' masks, which are the same in every model

CARD = Card(
    name="multi_path_averaging",
    block="MultiPathAveraging",
    slot="inference",
    summary="Predicts each row several times with different fields switched off and averages the probabilities; training is "
    "unchanged.",
    equation="p = 1/P sum_p sigmoid(f(m_p * e)), m_1 = 1, m_p with k random fields at 0 and the rest at 1"
    " (Monte-Carlo averaging of Gal and Ghahramani, ICML 2016, eq. 6, over masks that are drawn once and kept)",
    cues=(
        "multi-path inference",
        "multiple feature paths",
        "feature paths",
        "feature path exploration",
        "stochastic feature-path explorations",
        "test-time compute",
        "test-time compute scaling",
        "test-time inference scaling",
        "test-time augmentation",
        "test-time ensembling",
        "monte carlo dropout",
        "multiple stochastic forward passes",
        "several forward passes at inference",
        "average the predictions of several passes",
        "predictions aggregated over paths",
        "aggregated at inference time without retraining",
        "training-free inference",
    ),
    descriptions=(
        "At inference the same instance is scored along several feature paths, and their predictions are averaged.",
        "Several forward passes with different random subsets of features give an ensemble from one trained model.",
        "More computation is spent at test time: stochastic passes explore different feature combinations.",
        "No retraining is needed, since only the prediction step is repeated under different masks of the features.",
        "The outputs of the perturbed passes are aggregated, which lowers the variance of uncertain predictions.",
        (
            "At inference we run several forward passes for the same impression, each pass with a different subset of feature "
            "fields masked out, and report the mean of the predicted click probabilities. The averaging reduces variance like "
            "an ensemble while needing only a single set of trained parameters."
        ),
        (
            "During serving, each test sample is evaluated K times under K different field masks that zero out some embeddings. "
            "The K logits are averaged into the final CTR estimate, so one network acts as an implicit ensemble of sub-models "
            "at prediction time."
        ),
        (
            "Instead of a single deterministic forward pass, our predictor aggregates the outputs obtained when different "
            "groups of input fields are disabled. The final score is the mean over these partial views, computed at test time "
            "with the same trained weights."
        ),
        (
            "We propose test-time ensembling over feature subsets: for every request the model scores several copies of the "
            "instance in which distinct fields have been removed, and the scores are then averaged. Serving cost grows linearly "
            "with the number of copies."
        ),
        (
            "When a song is to be rated for a listener, we ask the finished model more than once. Each time a few of the "
            "attributes are hidden, a different few on every occasion, and the answer we give is the arithmetic mean of all the "
            "replies."
        ),
        (
            "A forecast that leans on one unreliable column is fragile. Once learning is over, we therefore compute the "
            "forecast again and again with varying columns blanked, and let the several verdicts vote by taking their average; "
            "no additional model has to be learned."
        ),
        (
            "For a hotel query the row travels through the net along several routes. On each route certain slots contribute "
            "nothing, and a different choice of slots is silenced on every route. The booking likelihoods from the routes are "
            "summed and divided by their number."
        ),
        (
            "Our answer to uncertain scores is a committee drawn from a single trained network: every committee member sees the "
            "bank customer with some properties withheld, the properties differ among members, and the reported risk is the "
            "members' mean. The price is several evaluations for each customer instead of one."
        ),
        (
            "The live system replicates each incoming record, erases a distinct portion of its characteristics in every "
            "replica, evaluates all replicas in one batch, and returns the mean of their outputs as the install rate. Nothing "
            "about the learning phase has to change."
        ),
        (
            "Given a game and a player, the scorer produces not one number but a handful, one for every pattern of switched-off "
            "inputs in a fixed list. Collapsing the handful into its mean yields a steadier estimate that no individual missing "
            "input can overturn."
        ),
        (
            "We keep the random omission of attributes alive after learning has ended: a news item is judged repeatedly, with "
            "other attributes omitted at each attempt, and the judgements are pooled by a simple mean. This gives the benefit "
            "of many models from stored weights of just one."
        ),
        (
            "Prediction proceeds in rounds. In round r the vectors of the slots listed in pattern r are replaced by zeros, the "
            "rest of the net is executed, and the output is kept; after the last round the kept outputs are averaged and shown "
            "to the ranking stage."
        ),
        (
            "Rather than deploying ten networks, the authors deploy one and consult it ten times per advert, each consultation "
            "ignoring other pieces of the evidence. Averaging the ten consultations at scoring time smooths errors that come "
            "from any single piece."
        ),
        (
            "The estimate for a shop visit is the mean response over several incomplete versions of the same visit, where each "
            "version lacks some of its descriptors. This is done when answering queries, with frozen parameters, and its "
            "expense is the number of versions multiplied by one evaluation."
        ),
        (
            "When a request arrives we do not ask the network once. We ask it a handful of times, each time with another group "
            "of attributes blanked, and report the mean of the answers; training is not altered by this, but each prediction "
            "costs as many passes as there are groups."
        ),
        (
            "Like a doctor who seeks several opinions, each from a colleague who has seen only part of the file, our server "
            "evaluates the same trained model on several reduced versions of the row and takes the mean probability. The "
            "versions differ in which columns are withheld."
        ),
        (
            "Recipe at inference: choose K patterns of kept and suppressed slots; for each pattern zero the suppressed slots' "
            "codes and run the model forward; average the K logits (or probabilities) and output that. One set of weights "
            "serves all the runs."
        ),
        (
            "A forecast resting on one dominant field is brittle. We smooth it at serving by combining the outputs of one "
            "network along different routes, each lacking certain fields, giving the effect of an ensemble without having to "
            "train or store several networks."
        ),
        (
            "Random hiding of inputs is commonly switched off once learning is over; we leave it on while scoring. The row is "
            "scored repeatedly with distinct inputs hidden and the scores are pooled by their arithmetic mean, and their "
            "scatter can be read as uncertainty about this ad."
        ),
        (
            "Tersely: final p(x) equals one over K times the sum over k of f(m_k times x), where each m_k is a zero-one pattern "
            "over whole fields, and f is frozen. K equal to one with m all ones would be the customary forward pass."
        ),
        (
            "For hotels seldom booked the id vector is unreliable, whereas for popular ones it is best. Rather than decide, at "
            "prediction we compute a rating with the id, one without it, one without the guest's history and so on, all by the "
            "same model, and answer with the average of those ratings."
        ),
        (
            "The test-time procedure makes several passes per candidate. Each pass shuts a different subset of the property "
            "vectors, leading the computation through another part of the network, and the committee of results is averaged; "
            "the gain comes from variance reduction and the price is a multiple of the scoring time."
        ),
        (
            "A request that arrives at the ranking server is evaluated eight times by one and the same trained model. In each "
            "evaluation another handful of columns is blanked, following a fixed plan, and what the auction receives is the "
            "mean of the eight probabilities. No second model has to be trained or stored, and the estimate is noticeably less "
            "jumpy for new apps."
        ),
        (
            "Nothing of the learning procedure is altered; our proposal concerns the answering only. A bank offer to be valued "
            "is shown to the finished model seven times, and at each showing another group of its columns is silenced. The "
            "seven answers are summed and divided by seven. The spread of them can moreover tell the campaign manager how sure "
            "the model is."
        ),
    ),
    arguments=(
        Argument(
            "n_paths",
            4,
            ("paths", "number of paths", "forward passes", "number of forward passes", "feature paths"),
            low=1,
            high=256,
        ),
        Argument(
            "drop_rate",
            0.2,
            ("drop rate of the paths", "path drop rate", "feature drop rate at inference", "share of features dropped per path"),
            low=0,
            high=0.95,
        ),
    ),
    example="layer = MultiPathAveraging(fields.shape[1], n_paths=3)\noutput = layer(lambda f: f.mean(2)[:, :2], fields)",
)


class MultiPathAveraging(nn.Module):
    """(function from fields (B, F, D) to logits (B, T), fields (B, F, D)) -> probabilities (B, T).

    The first path keeps all fields. The others lose `drop_rate` of them, rounded, at least one and never all, the same ones in
    every row. What they keep is not scaled up: a network that normalises its input, or was trained without dropout, knows no such
    scale.
    """

    masks: Tensor

    def __init__(self, n_fields: int, n_paths: int = 4, drop_rate: float = 0.2) -> None:
        super().__init__()
        self.register_buffer("masks", path_masks(n_fields, n_paths, drop_rate), persistent=False)  # (P, F)

    def forward(self, logits_of: Callable[[Tensor], Tensor], fields: Tensor) -> Tensor:
        paths = [torch.sigmoid(logits_of(fields * mask.unsqueeze(1))) for mask in self.masks]  # each (B, T)
        return torch.stack(paths).mean(0)


def path_masks(n_fields: int, n_paths: int, drop_rate: float) -> Tensor:
    """Which fields a path keeps, (P, F): 1 or 0."""
    if not 0 <= drop_rate < 1:
        raise ValueError(f"the share of fields to switch off must be at least 0 and below 1, not {drop_rate}")
    n_off = min(max(1, round(drop_rate * n_fields)), n_fields - 1) if drop_rate else 0
    generator = torch.Generator().manual_seed(MASK_SEED)
    masks = torch.ones(n_paths, n_fields)
    for mask in masks[1:]:
        mask[torch.randperm(n_fields, generator=generator)[:n_off]] = 0
    return masks
