"""Selective paths: at prediction, uncertain rows are scored along several feature paths, and paths count by their agreement.

Notation: B rows, F fields, D embedding width, T tasks, P paths.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.multi_path_averaging import path_masks

CARD = Card(
    name="selective_paths",
    block="SelectivePaths",
    slot="inference",
    summary="Keeps confident predictions, and replaces uncertain ones by a mean over feature paths, weighted by their agreement.",
    equation="p_1 = sigmoid(f(e)); where max(p_1, 1 - p_1) < c: p = sum_q w_q p_q, p_q = sigmoid(f(m_q * e)), w = softmax_q(- "
    "1/P sum_r |p_q - p_r| / h), else p = p_1 (agreement of sampled paths as Wang et al., ICLR 2023, section 2, on masks as Gal "
    "and Ghahramani, ICML 2016, eq. 6; effort by confidence as Teerapittayanon et al., ICPR 2016, section III)",
    cues=(
        "uncertainty-triggered",
        "uncertainty-triggered inference",
        "selective test-time compute",
        "adaptive test-time compute",
        "per-instance uncertainty",
        "only uncertain instances",
        "uncertain instances additionally receive",
        "uncertain instances receive additional passes",
        "confident instances bypass",
        "confident instances skip",
        "consistency-weighted ensembling",
        "consistency-weighted aggregation",
        "paths weighted by their agreement",
        "inference depth proportional to uncertainty",
    ),
    descriptions=(
        "Instances whose first prediction is confident are answered at once; uncertain ones are explored along more paths.",
        "The number of forward passes depends on how uncertain the model is about the instance.",
        "Predictions of several feature paths are combined with weights that reward consistency among them.",
        "A path whose prediction differs from all others gets little weight in the ensemble.",
        "An uncertainty estimate from the logit triggers additional stochastic passes at deployment, without any retraining.",
        "Confident rows keep the output of the ordinary forward pass.",
        (
            "Inference effort is allocated selectively. A confidence threshold on the base prediction separates easy from "
            "uncertain instances; only for the latter are perturbed feature subsets evaluated and their outputs fused by "
            "consistency weights."
        ),
        (
            "Averaging all stochastic passes uniformly lets a single broken path spoil the estimate. We weight each pass by its "
            "mean agreement with the remaining passes, so that outlying predictions are suppressed."
        ),
        (
            "The framework is training-free and model-agnostic: uncertainty of the deployed model decides at test time whether "
            "an instance bypasses exploration, and explored instances are aggregated by a weighted vote."
        ),
        (
            "Spending the same extra compute on every request is wasteful, as most are predicted with high confidence. Ours "
            "grows with predictive uncertainty, and the worst case is bounded by the number of paths."
        ),
        (
            "A librarian who knows the answer says it. One who hesitates asks six colleagues, each of whom has seen other parts "
            "of the card, and trusts those most who say about the same."
        ),
        (
            "If the score for a song is near nought or near one it stands. Near the middle it is not believed: the track is "
            "scored again with various attributes covered, and the new scores are merged, eccentric ones counting least."
        ),
        (
            "Tersely: if |p - 1/2| is large return p; else compute p_1 .. p_K under masks, weights exp of minus mean absolute "
            "difference over h, return the weighted mean."
        ),
        (
            "The booking server has a fast lane and a slow lane. The first pass through the network tells which lane a request "
            "takes. In the slow lane several crippled copies of the request are passed as well, and opinions that nobody shares "
            "are discounted."
        ),
        (
            "For a bank it matters that borderline customers are judged with care. The clear cases need one look. For the "
            "others a jury is formed out of the same network with parts of the evidence withheld, and jurors far from the rest "
            "lose their influence."
        ),
        (
            "Which exploration path deserves belief cannot be known without a label. But right answers resemble each other more "
            "than wrong ones do, so the resemblance to the others is what we measure and weight by; and no exploration happens "
            "at all where the ad's score was decided already."
        ),
        (
            "Two switches distinguish the procedure from the ordinary committee of masked runs: one that leaves the plain run "
            "alone unless it is undecided, and one that turns down members of the committee who stand apart."
        ),
        (
            "A game's install rate comes from one evaluation in four cases of five. In the fifth the evaluation was lukewarm, "
            "and eight further ones with missing slots are asked to confirm it; those that contradict the crowd hardly enter."
        ),
        (
            "Hesitation is a signal. The news ranker, finished and frozen, reads it off its own output and reacts by looking at "
            "the article from other sides, then settles on what most of the sides agree about."
        ),
        (
            "At serving we gate by margin: a wide margin ends the computation; a narrow one starts a small ensemble on reduced "
            "inputs, fused robustly by a kernel on pairwise distances of the places' scores."
        ),
        (
            "We spend additional computation at inference time only where the first answer is doubtful. If neither outcome "
            "reaches a probability of nine tenths, the fitted network is re-run on several partially blanked versions of the "
            "input, and the re-runs are fused with coefficients that fall with their mean distance from one another."
        ),
        (
            "The proposed procedure leaves training untouched. A deployed click model first produces its ordinary estimate; a "
            "confidence test lets most requests leave at this point, and the remainder is evaluated on random subsets of its "
            "columns, whose estimates are combined in favour of those that corroborate each other."
        ),
        (
            "Our method turns self-agreement into a measure of reliability. Several views of a doubtful row, each lacking some "
            "attributes, are judged by the same frozen weights; a view that most others contradict is presumed to have lost "
            "something essential and is given a vanishing share of the final probability."
        ),
        (
            "Reviewer's summary: a post-hoc trick for ranking models. Sure rows exit early. Unsure rows get a handful of "
            "stochastic evaluations with feature dropping, and in lieu of the arithmetic mean the authors use a softmax over "
            "negative average disagreement. No parameter is learned for this."
        ),
        (
            "Engineer's note: p = sigmoid(f(e)). If max(p, 1 - p) >= 0.9, done. Otherwise P masks, one of them all ones; q = "
            "stack of sigmoids; d = mean absolute difference of each to the rest; w = softmax(-d / h); return (w * q).sum(). The "
            "checkpoint is the one already in production."
        ),
        (
            "A doctor who is sure sends the patient home. A doctor in doubt holds a consultation, gives each colleague an "
            "incomplete file, and goes by the opinions that lie close together; a colleague with a singular opinion is heard out "
            "and then all but ignored."
        ),
        (
            "With uniform Monte Carlo averaging each request costs the same and each run counts the same. Here both uniformities "
            "are dropped: the number of runs depends on the margin of the first one, and the influence of a run depends on how "
            "well it accords with its siblings."
        ),
        (
            "Hotel demand is easy to foresee for most queries. For the ambivalent few, we look at the query through several "
            "keyholes, every one of which hides other properties of the room, and trust whatever is seen through most of the "
            "keyholes; the rest of the queries never see a keyhole."
        ),
        (
            "Read aloud: if the probability is far from one half keep it; if it is not, replace it by the sum over routes of "
            "weight times the route's probability, where the weight is the exponential, normalised over the routes, of minus the "
            "average gap between this route and all the routes, divided by a bandwidth."
        ),
        (
            "We formulate test-time scaling for tabular recommenders: extra reasoning means extra routes through the input, "
            "obtained by knocking out signals, and the budget is directed by predicted entropy. Routes vote, and votes are "
            "discounted for eccentricity, so that a route which lost the decisive signal does no harm."
        ),
        (
            "Courses whose completion is forecast at 0.97 or 0.02 are settled. The forecast of 0.55 is sent to a review board, "
            "which consists of the very same network reading the file with pages torn out, different pages for each member; the "
            "board's finding is the centre of its densest opinions."
        ),
        (
            "Two economies are at work in the ad server. The first is triage, by which resolved auctions are spared any second "
            "look. The second is robust fusion, by which second looks that stray from the pack lose their say without anyone "
            "having to know the true outcome."
        ),
        (
            "The loan scorer, once trained, is not changed; only the way it is queried is. Borderline applicants are queried "
            "repeatedly under omission of random entries, and the replies are condensed by a kernel of their pairwise closeness, "
            "whereas clear applicants are queried once."
        ),
        (
            "Where a traveller is certain of the way he walks on. At an unclear fork he sends scouts down different trails, each "
            "carrying only part of the map, and follows the bunch whose reports tally. More scouts leave only when the fork is "
            "unclear, and a lone dissenting scout sways nobody."
        ),
    ),
    arguments=(
        Argument(
            "n_paths",
            5,
            ("number of paths", "number of exploration paths", "number of explorations", "feature paths"),
            low=2,
            high=256,
        ),
        Argument(
            "drop_rate",
            0.2,
            ("drop rate of the paths", "path drop rate", "share of features dropped per path"),
            low=0.01,
            high=0.95,
        ),
        Argument(
            "confidence",
            0.9,
            ("confidence threshold", "threshold of the confidence", "uncertainty threshold"),
            low=0.5,
            high=1.0,
        ),
        Argument(
            "bandwidth",
            0.1,
            ("consistency temperature", "temperature of the consistency weights", "bandwidth of the agreement"),
            low=0.001,
            high=100.0,
        ),
    ),
    example="layer = SelectivePaths(fields.shape[1], n_paths=3)\noutput = layer(lambda f: f.mean(2)[:, :2], fields)",
)


class SelectivePaths(nn.Module):
    """(function from fields (B, F, D) to logits (B, T), fields (B, F, D)) -> probabilities (B, T).

    Paths are those of `multi_path_averaging`, the first of which keeps all fields. Each task of a row is decided by itself: it is
    uncertain where neither answer has a probability of `confidence`, 1 for always. What is uncertain is the weighted mean of the
    paths; a wide `bandwidth` makes it their plain mean. All rows of a batch go along all paths, since what follows fields in a
    model knows the batch as a whole: it is their result that confident rows do without.
    """

    masks: Tensor

    def __init__(
        self, n_fields: int, n_paths: int = 5, drop_rate: float = 0.2, confidence: float = 0.9, bandwidth: float = 0.1
    ) -> None:
        super().__init__()
        if not bandwidth > 0:
            raise ValueError(f"the bandwidth of agreement must be positive, not {bandwidth}")
        self.confidence, self.bandwidth = confidence, bandwidth
        self.register_buffer("masks", path_masks(n_fields, n_paths, drop_rate), persistent=False)  # (P, F)

    def forward(self, logits_of: Callable[[Tensor], Tensor], fields: Tensor) -> Tensor:
        paths = torch.stack([torch.sigmoid(logits_of(fields * mask.unsqueeze(1))) for mask in self.masks])  # (P, B, T)
        apart = torch.stack([(paths - one).abs().mean(0) for one in paths])  # (P, B, T): from the others, on average
        explored = (torch.softmax(-apart / self.bandwidth, 0) * paths).sum(0)  # (B, T)
        plain = paths[0]
        uncertain = torch.maximum(plain, 1 - plain) < self.confidence
        return torch.where(uncertain, explored, plain)
