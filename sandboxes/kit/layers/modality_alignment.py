"""Modality alignment: an id embedding should be closer to its own value's vector made elsewhere than to those of others.

Notation: B rows, F fields, D embedding width, P projection width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.contrastive_loss import losses_of_both
from sandboxes.kit.schema import FIRST_ID, Schema

LEAST_NORM = 1e-6  # of a projection, before it is divided by its norm

# What several cards that align modalities have in common.
TEMPERATURE = Argument(
    "temperature",
    0.2,
    ("temperature of the alignment loss", "alignment temperature", "temperature"),
    low=0.001,
    high=10,
)
PROJECTION_DIM = Argument(
    "projection_dim", 32, ("dimension of the common space", "dimension of the shared space"), low=1, high=4096
)
LOSS_WEIGHT = Argument(
    "loss_weight",
    0.1,
    ("weight of the alignment loss", "alignment loss weight", "coefficient of the alignment loss"),
    low=1e-6,  # at 0 there would be no such loss
    high=100,
)

CARD = Card(
    name="modality_alignment",
    block="ModalityAlignment",
    slot="auxiliary",
    takes=("fields", "batch"),
    needs=("vectors",),
    summary="Adds a loss that draws an item's id embedding and its image, text or other content vector together, and apart from "
    "those of other items in the batch.",
    equation="L = -1/2n sum_i [ln softmax_j(a_i b_j / t)_i + ln softmax_j(b_i a_j / t)_i], a = W_a e_id and b = W_b h_content at"
    " unit length, over the n rows whose value has a vector, negatives of another value (the symmetric loss of Radford et al.,"
    " ICML 2021, section 2.3, between an embedding and a content vector)",
    cues=(
        "cross-modal alignment",
        "modality alignment",
        "modal alignment",
        "multimodal alignment",
        "multi-modal alignment",
        "align the id embedding",
        "align id embeddings with",
        "alignment between id and modality",
        "alignment between id embeddings and content",
        "align the modalities",
        "aligning modalities",
        "alignment loss between modalities",
        "cross-modal contrastive",
        "id-modality alignment",
        "semantic alignment of id embeddings",
        "align collaborative and semantic",
    ),
    descriptions=(
        "An alignment loss draws the id embedding of an item and its content representation together.",
        (
            "The id embedding and the image representation of the same item form a positive pair, those of different items "
            "negatives."
        ),
        "Collaborative and semantic spaces are aligned by a symmetric contrastive objective between ids and modalities.",
        "A cross-modal loss makes it possible to tell from an item's embedding which text belongs to it.",
        (
            "To bridge the gap between pre-trained content vectors and learned ids, both are projected into a common space "
            "and aligned."
        ),
        "Besides the click loss, the model learns to match each id with its own visual features within the batch.",
        (
            "There is a semantic gap between id embeddings, learned from behaviours, and modality features, extracted by pre-"
            "trained encoders. We align the two with an in-batch contrastive loss in which an item's id embedding and its own "
            "modality feature are positives and the modality features of other items are negatives."
        ),
        (
            "As an auxiliary objective we adopt cross-modal alignment: both the id representation and the textual "
            "representation of an item are mapped to a shared space by separate heads, and a temperature-scaled softmax in "
            "both directions is added to the recommendation loss."
        ),
        (
            "The alignment module maximises the agreement between the collaborative embedding and the multimodal embedding of "
            "the same item, so that knowledge of content regularises the embeddings of items with few interactions."
        ),
        (
            "We regularise the embedding table with content: for each item in the mini-batch, the cosine similarity of its id "
            "vector to its image vector should exceed that to other images, which a symmetric cross-entropy enforces."
        ),
        (
            "Every track has a learnt key and a sound fingerprint made once by an audio network. During training we play a "
            "matching game: which fingerprint belongs to which key? Losing costs a little, and the keys come to sound like "
            "their tracks."
        ),
        (
            "An article's learnt vector and the vector a language model gave its body should recognise one another among all "
            "articles of the batch. Whoever mixes them up pays; the price is added to that of wrong clicks."
        ),
        (
            "Let a be the unit-length image of the product code, b that of the photo code. Fill a square with a_i b_j over "
            "the batch, divide by tau, and demand that rows and columns peak on the diagonal. Cells of the same product "
            "elsewhere in the square are struck out."
        ),
        (
            "Two alphabets describe the same apps: the one our system invents from installs, the other found in screenshots. "
            "We train a dictionary between them on the fly by insisting that translations of one app find each other in a "
            "crowd."
        ),
        (
            "The hotel's trainable row knows who booked, the hotel's photo descriptor knows what it looks like. A side task "
            "asks, given the one, to pick the other out of the other hotels at hand, and backwards, whereby both come to "
            "agree."
        ),
        (
            "Not two noisy copies of a sample are compared, but two accounts of the same thing from different sources: the "
            "place's number in our table and the sentence encoder's reading of its reviews. Both are taken through a linear "
            "head first."
        ),
        (
            "Like pairing gloves from a heap: left ones are looked-up codes of advertisements, right ones are descriptors of "
            "their creatives. For each left the right partner must score highest among the heap, and the other way round."
        ),
        (
            "Implementation: two linear maps, row-wise unit norm, a B by B product, a mask for repeated items and for those "
            "without a picture, cross-entropy along either axis, mean, times a constant, added to the log loss."
        ),
        (
            "Rarely sold goods have hardly trained rows. Tying each row to the fixed description of the article, by making "
            "the description retrievable from it, gives such rows a sensible direction long before sales do."
        ),
        (
            "We want what was learnt from purchases and what a vision model says to speak one language. Hence an additional "
            "term: the game's code should have a large inner product with its own cover and small ones with the covers of "
            "others."
        ),
        (
            "A fund's embedding is pulled towards the encoding of its prospectus and pushed from the prospectuses of other "
            "funds held by the clients in the batch; the reverse pull acts on the encoding's projection. Ranking remains the "
            "main goal."
        ),
        (
            "In training only, each recipe's identifier is quizzed about its text: among the hundred texts present, which is "
            "yours? The softmax over similarities gives the penalty. Nothing of the quiz is left when recipes are ranked."
        ),
        (
            "Behavioural vectors and content vectors live on different planets. A bridge of two projections is built, and "
            "traffic over it is rewarded when a citizen of one planet lands at its own twin on the other rather than at a "
            "stranger."
        ),
        (
            "The term reads: minus the logarithm of exp(sim(id, own clip)/t) over the sum of exp(sim(id, any clip)/t), plus "
            "the same with the roles exchanged, halved and averaged over videos that have a clip vector at all."
        ),
    ),
    arguments=(
        TEMPERATURE,
        PROJECTION_DIM,
        LOSS_WEIGHT,
    ),
    example="fields = FeatureEmbedding(illustrated_schema, 8)(illustrated_batch)\n"
    "layer = ModalityAlignment(illustrated_schema, 8, projection_dim=4)\noutput = layer(fields, illustrated_batch)",
)


class ModalityAlignment(nn.Module):
    """(fields (B, F, D), batch) -> a scalar: `loss_weight` times the losses of all vector fields, added up; 0 where a batch has
    nothing to tell apart.

    Only rows count whose value train teaches and has a vector, and only those of another value are negatives. A model that
    predicts items holds no fields of the item, and then there is nothing to align of it.
    """

    def __init__(
        self,
        schema: Schema,
        embedding_dim: int,
        temperature: float = 0.2,
        projection_dim: int = 32,
        loss_weight: float = 0.1,
    ) -> None:
        super().__init__()
        self.temperature, self.loss_weight = temperature, loss_weight
        held = schema.query_fields if schema.scores_items else list(range(schema.n_fields))
        before = len(schema.categorical) + len(schema.numeric)
        self._pairs = [  # places among the fields of the id and of the vector, and the latter's name
            (column, held.index(schema.index_of(v.of)), held.index(before + i), v.name)
            for i, v in enumerate(schema.vectors)
            if before + i in held and (column := schema.index_of(v.of)) in held
        ]
        self.of_id, self.of_vector = (
            nn.ModuleList(nn.Linear(embedding_dim, projection_dim, bias=False) for _ in self._pairs) for _ in range(2)
        )

    def forward(self, fields: Tensor, batch: Batch) -> Tensor:
        loss = fields.new_zeros(())
        for (column, id_place, place, name), of_id, of_vector in zip(self._pairs, self.of_id, self.of_vector, strict=True):
            ids = batch.ids[:, column]
            counts = (ids >= FIRST_ID) & (batch.vectors(name)[:, -1] == 1)  # (B,)
            similarity = _unit(of_id(fields[:, id_place])) @ _unit(of_vector(fields[:, place])).T / self.temperature  # (B, B)
            both = losses_of_both(similarity, (ids[:, None] == ids) | ~counts)
            weighed = torch.where(counts, both, 0.0) * self.weights(column, ids)
            loss = loss + weighed.sum() / (2 * counts.sum().clamp(min=1))
        return self.loss_weight * loss

    def weights(self, column: int, ids: Tensor) -> Tensor:
        """How much each of the values (B,) of a categorical field counts: (B,), here all alike."""
        return torch.ones_like(ids)


def _unit(vectors: Tensor) -> Tensor:
    return functional.normalize(vectors, dim=1, eps=LEAST_NORM)
