"""Modality alignment that trusts an id embedding as far as it was trained: what occurs seldom leaves its content alone.

Notation: B rows, F fields, D embedding width, V ids of a field.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.modality_alignment import LOSS_WEIGHT, PROJECTION_DIM, TEMPERATURE, ModalityAlignment
from sandboxes.kit.schema import FIRST_ID, Schema

CARD = Card(
    name="alignment_by_evidence",
    block="AlignmentByEvidence",
    slot="auxiliary",
    takes=("fields", "batch"),
    needs=("vectors",),
    summary="Aligns an item's id embedding with its content vectors contrastively, with a weight that grows with how often the "
    "item occurs in train.",
    equation="L = -1/2n sum_i w_i [ln softmax_j(a_i b_j / t)_i + ln softmax_j(b_i a_j / t)_i], w_i = n_i / (n_i + h mean n), "
    "n_i how often the value occurs in train (loss of Radford et al., ICML 2021, section 2.3; confidence by counts as in the "
    "shrinkage of Bell and Koren, ICDM 2007, section 3)",
    cues=(
        "adaptive behavior-content alignment",
        "behavior-content alignment",
        "behaviour-content alignment",
        "popularity-aware alignment",
        "frequency-aware alignment",
        "alignment strength",
        "adaptive alignment weight",
        "information richness",
        "weighted alignment loss",
        "alignment weighted by the number of interactions",
        "alignment controller",
        "noisy collaborative signals of long-tail items",
        "behavioral noise from long-tail items",
        "noise from long-tail items",
        "shield content representations from noise",
        "confidence of the behavioral embedding",
    ),
    descriptions=(
        "Items with many interactions are aligned strongly with their content, rare ones hardly at all.",
        "The weight of an item's alignment term grows with its number of interactions.",
        "Noisy behaviour vectors of the long tail must not corrupt content representations.",
        "How strictly behaviour and content are matched depends on how reliable the behaviour vector is.",
        "An adaptive coefficient scales the contrastive alignment of each item.",
        "Alignment is switched off gradually as the evidence for an id gets thin.",
        (
            "Indiscriminate alignment of collaborative and multimodal embeddings lets unreliable signals of long-tail items "
            "distort their semantics. We therefore compute an alignment strength from the richness of an item's behavioural "
            "information and multiply the item's contrastive term by it."
        ),
        (
            "Popular items have well-trained embeddings, whose agreement with content is worth learning; unpopular items have "
            "not. The alignment loss between the two views is weighted by popularity accordingly."
        ),
        (
            "Given normalised id and content projections, InfoNCE is evaluated in both directions and averaged over the batch "
            "with weights n / (n + c), where n is the frequency of the item in the training set."
        ),
        (
            "To protect cold items, whose id embeddings are close to their random initialisation, the cross-modal matching "
            "objective is discounted by a confidence that is a monotone function of interaction counts."
        ),
        (
            "A critic who has seen a film a hundred times may correct its synopsis; one who slept through a single showing may "
            "not. Keys of tracks correct sound vectors in this spirit: by as much as there were listeners."
        ),
        (
            "All articles take part in the matching game between learned number and text vector, but stakes differ. A headline "
            "with few readers plays for next to nothing."
        ),
        (
            "One coefficient for the whole matching term treats the best-selling app and yesterday's upload alike. We give each "
            "app its own coefficient, between nought and one, rising with installs and reaching one half at the average app."
        ),
        (
            "Let w be n over n plus the mean of n. The penalty for a hotel whose photo is not found by its booking-derived code "
            "is w times minus the log of the softmax share. Seldom-booked hotels thus keep the photo's view of themselves."
        ),
        (
            "The bank knows much of some merchants and little of most. Drawing the trainable row and the document encoding "
            "together is done in proportion to what is known, lest chance purchases bend the encoding."
        ),
        (
            "What is noisy should not teach what is clean. Content of a game is clean from day one, its behaviour row is noisy "
            "until many have played, and so the rope between the two is slack at first and tightens with every session."
        ),
        (
            "Implementation differs from plain id-to-image matching in one line: the per-sample cross-entropies are multiplied "
            "by a lookup in a vector of saturating counts, computed before training, and only then averaged."
        ),
        (
            "Places off the beaten track appear in a handful of rows. Their embedding says next to nothing, and forcing their "
            "review vector to resemble it would spread that nothing; a trust factor derived from visits forbids it."
        ),
        (
            "Like a sailor who gives a landmark on the chart more weight the more ships have reported it, the loss heeds the "
            "agreement of creative and code in step with impressions of the creative."
        ),
        (
            "The head of the catalogue pulls, the tail is spared: gradients into the projection of product texts are shaded by "
            "a saturating function of sales, which keeps long-tail semantics intact and still bridges the gap for bestsellers."
        ),
        (
            "We couple each video's lookup vector to the encoding of its frames and title through a symmetric in-batch "
            "contrastive term, and scale every example's share of that term by a saturating transform of the video's watch "
            "count, so that barely watched videos exert almost no pull on the visual side."
        ),
        (
            "In contrast to uniform tying of the two spaces, our regulariser is sample-weighted: the strength with which a "
            "product's trainable vector and its text vector attract each other follows how much purchase evidence the former "
            "has absorbed."
        ),
        (
            "The authors observe that a vacancy with three applicants has a learned representation that is mostly chance. "
            "Pulling the job-text representation towards chance does harm, hence their two-way matching objective is "
            "down-weighted for such vacancies and fully applied only to those with ample traffic."
        ),
        (
            "Our model estimates how trustworthy an entity's interaction-derived vector is from the amount of feedback behind "
            "it. This reliability score enters the agreement objective between the interaction view and the picture-and-word "
            "view as a multiplicative factor, which leaves sparsely observed entities' semantics unpolluted."
        ),
        (
            "Engineer's note: do not pull the cold courses. Each course gets a scalar from its enrolments, near nought for new "
            "ones and near one for those everybody takes, and the cross-view retrieval loss (find my syllabus vector among the "
            "batch, and the reverse) is averaged with these scalars."
        ),
        (
            "Read aloud: the total is a weighted mean of two cross-entropies, of finding the poster given the ticket code and "
            "of finding the ticket code given the poster; the weight of an event is its sales divided by its sales plus the "
            "usual sales."
        ),
        (
            "A well-fed embedding is a witness worth hearing and a starved one is a rumour. Text and photograph of a dish are "
            "asked to agree with the witness in proportion to the orders it has seen, and nobody asks them to agree with a "
            "rumour."
        ),
        (
            "Before: one global coefficient for bringing behavioural and semantic spaces together, with the result that sparse "
            "profiles smeared their randomness over perfectly good semantics. After: a per-entity coefficient, small where "
            "observations are scarce and large where they abound."
        ),
        (
            "The proposed module treats behaviour-to-semantics matching as a matter of degree. It derives from each track's "
            "play statistics a scalar of informativeness and strengthens or relaxes the attraction between collaborative and "
            "acoustic representations accordingly, rather than enforcing the same closeness for hits and obscurities."
        ),
        (
            "For dating profiles, a vector trained on replies is only as good as the number of replies. We let that number "
            "decide how tightly it is bound to the representation of portrait and self-description; fresh members are "
            "practically unbound."
        ),
        (
            "Representations from a language encoder are reliable for all articles, whereas those from clicks are reliable only "
            "for much-read ones. We therefore make the distance penalty between both conditional on readership, with a "
            "shrinkage formula familiar from rating averages: support over support plus a constant."
        ),
        (
            "Two spaces of a shop's goods are to be made comparable: one born from baskets, the other from packaging photos. "
            "Goods with a long record in baskets set the correspondence, goods with hardly any are excused from it, by weights "
            "fixed from training counts before the first step."
        ),
        (
            "A reviewer would say: this is ordinary id-to-multimodal contrast plus a confidence per sample. The confidence does "
            "not come from attention or from the similarity itself but from the exposure of the sample, since tail vectors lack "
            "the updates that would make them meaningful teachers."
        ),
        (
            "We propose to control the intensity of cross-view consistency instance by instance: mobile games with rich player "
            "feedback are strictly required to be recognised from their screenshots, those with poor feedback are required only "
            "loosely, because otherwise their unconverged embeddings would contaminate the screenshot projection."
        ),
    ),
    arguments=(
        TEMPERATURE,
        PROJECTION_DIM,
        Argument(
            "half_weight_at", 1.0, ("count of half weight, in mean counts", "shrinkage of the alignment"), low=1e-6, high=1e6
        ),
        LOSS_WEIGHT,
    ),
    example="fields = FeatureEmbedding(illustrated_schema, 8)(illustrated_batch)\n"
    "layer = AlignmentByEvidence(illustrated_schema, 8, projection_dim=4)\nlayer.survey(illustrated_batch)\n"
    "output = layer(fields, illustrated_batch)",
)


class AlignmentByEvidence(ModalityAlignment):
    """(fields (B, F, D), batch) -> a scalar, as `ModalityAlignment`, but that each row's losses are weighed by n / (n + h m): n
    the occurrences of its value in train, m their mean over known values, and h `half_weight_at`.

    It must `survey` training rows, and until then all weights are 0.
    """

    def __init__(
        self,
        schema: Schema,
        embedding_dim: int,
        temperature: float = 0.2,
        projection_dim: int = 32,
        half_weight_at: float = 1.0,
        loss_weight: float = 0.1,
    ) -> None:
        super().__init__(schema, embedding_dim, temperature, projection_dim, loss_weight)
        self.half_weight_at = half_weight_at
        for column in {schema.index_of(v.of) for v in schema.vectors}:
            self.register_buffer(f"trust_{column}", torch.zeros(schema.categorical[column].cardinality))  # (V,)

    @torch.no_grad()
    def survey(self, rows: Batch) -> None:
        for name, trust in self.named_buffers():
            counts = torch.bincount(rows.ids[:, int(name.rpartition("_")[2])], minlength=len(trust)).to(trust.dtype)
            trust.copy_(counts / (counts + self.half_weight_at * counts[FIRST_ID:].mean()).clamp(min=1e-12))

    def weights(self, column: int, ids: Tensor) -> Tensor:
        trust: Tensor = getattr(self, f"trust_{column}")[ids]
        return trust
