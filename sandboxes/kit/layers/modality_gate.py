"""Modality gate: a value's id embedding and its vectors of images, texts and the like are fused in proportions of the row's own.

Notation: B rows, F fields, D embedding width, G values that are fused for one field: its embedding and its vectors.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Card
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.schema import Schema

CARD = Card(
    name="modality_gate",
    block="ModalityGate",
    slot="embedding",
    needs=("vectors",),
    summary="Fuses an item's id embedding with its projected vectors of images, texts or sounds, each weighed by a gate that "
    "looks at the whole row.",
    equation="h = sum_k z_k h_k, h_k = V_k x_k, z = softmax(W [fields of the row]) over the modalities k that the item has, its"
    " id among them; the field's vector becomes h, and a modality's own z_k h_k (the gated sum of Arevalo et al., ICLR workshop"
    " 2017, section 3.1, with shares that add up to one)",
    cues=(
        "multimodal fusion",
        "multi-modal fusion",
        "gated multimodal fusion",
        "modality gate",
        "modality-aware gate",
        "modality weights",
        "weight of each modality",
        "fuse visual and textual features",
        "fuse image and text features",
        "fusion of modalities",
        "gated fusion of modalities",
        "attention over modalities",
        "importance of each modality",
        "visual, textual and acoustic",
        "multimodal item representation",
        "multimodal features are fused with the id embedding",
    ),
    descriptions=(
        (
            "A gate decides for each sample how much the image, the text and the id of an item count, and their weighted sum "
            "represents it."
        ),
        (
            "Visual and textual features from pre-trained encoders are projected to the embedding space and fused by learned "
            "weights."
        ),
        "The weights of the modalities are produced by a softmax over scores that depend on the user and the context.",
        "Modalities differ in importance from user to user, so the fusion of id, image and text is personalised.",
        (
            "Pre-extracted content vectors are mapped by a linear layer, and a gating network balances them against the id "
            "embedding."
        ),
        "An item that lacks a modality is represented by those that it has, whose shares are normalised again.",
        (
            "Each item comes with an image vector and a text vector taken from frozen pre-trained encoders. We transform them "
            "into the space of id embeddings by modality-specific projections, and combine the three by modality weights "
            "that a gating network computes from the concatenated features of the sample."
        ),
        (
            "To exploit multimodal content, we introduce a modality-aware gate: given the embeddings of the user, the context "
            "and the item's modalities, it outputs a distribution over the modalities, by which their projected "
            "representations are averaged before they enter the interaction layers."
        ),
        (
            "Since users attend to visual, acoustic and textual signals to different degrees, the multimodal representation "
            "of an item is a weighted sum of its unimodal representations, the weights being learned per instance with a "
            "softmax."
        ),
        (
            "Id embeddings capture collaborative signals, pre-trained content features capture semantics. A fusion gate "
            "conditioned on the input adaptively trades them off, relying on content for cold items."
        ),
        (
            "A song is three things to us: a key in a table, a spectrogram boiled down to numbers by somebody else's network, "
            "and its lyrics, likewise. Who listens and when decides how loud each of the three is played in the mix."
        ),
        (
            "For a headline nobody has clicked yet the number of the article says nothing, but its words do. A small softmax "
            "layer, fed with everything known about the impression, shifts the belief from the former to the latter."
        ),
        (
            "Dish photos and menu texts arrive as fixed arrays. They are squeezed to the width of our look-up vectors by one "
            "matrix for each source; then shares, positive and summing to one, blend photo, text and look-up vector of the "
            "dish into one."
        ),
        (
            "Let h0 be the looked-up vector of the flat, h1 = V1 photo, h2 = V2 description. With z = softmax(W r + b), r "
            "being the whole request, the flat enters the ranker as z0 h0 + z1 h1 + z2 h2."
        ),
        (
            "Some shoppers buy with their eyes, others read. Our ranker therefore does not settle once and for all what the "
            "picture of a dress is worth beside its wording, but lets the request tell, and mixes the sources accordingly."
        ),
        (
            "Three witnesses testify about a film: its catalogue number, its trailer and its plot summary. A judge who knows "
            "the viewer hears all, gives each a fraction of credence, and passes on the average of what they said."
        ),
        (
            "Engineering notes: embeddings of icons and store pages are computed offline and shipped as a column. Online, a "
            "dense map per source and one extra dense map with a normalised exponential for the shares are all that is added; "
            "missing sources get minus infinity before normalising."
        ),
        (
            "We do not append the encoder outputs as further columns and hope for the best. A controller reads the example "
            "and states fractions for appearance, wording and identity; only the combination so weighted stands for the "
            "advert."
        ),
        (
            "The creative's picture descriptor and its slogan descriptor were made by large networks trained on other data "
            "and stay as they are. What is learnt is how to rotate them into our space and how strongly to believe each of "
            "them for the person at hand."
        ),
        (
            "Places have reviews, street views and an identifier. Where street views are missing the remaining two take over "
            "their part. The proportions are not constants: a tourist's query shifts them to the views, a local's to the "
            "reviews."
        ),
        (
            "A mixing desk with one fader per channel: cover art, blurb, and the book's own learnt code. The faders move with "
            "every reader, driven by a linear readout of the reader's and the shelf's codes, and their positions always "
            "total one."
        ),
        (
            "Game capsules carry screenshots and tags as dense descriptors. Summing them blindly with the id code let noise "
            "in; a learned allotment, different for each player, raised the quality on titles released last week, for which "
            "the id code is untrained."
        ),
        (
            "In the bank's offer feed, each offer has a text code from a language model. Its influence relative to the "
            "offer's trainable code is set by a softmax unit that sees the client's record; the two are then added in that "
            "ratio."
        ),
        (
            "Short: sources of content projected, scores for sources from the row, exponentiate, normalise over what is "
            "present, weighted sum replaces the item's embedding, weighted parts stay available to later layers."
        ),
    ),
    example="layer = ModalityGate(illustrated_schema, 8)\noutput = layer(illustrated_batch)",
)


class ModalityGate(FeatureEmbedding):
    """A `FeatureEmbedding` whose vectors of fields are weighed: (batch) -> (B, F, D). Histories and what they are asked about
    stay as they are.

    Where a field has vectors made elsewhere, its own vector becomes the weighted sum of its embedding and of what the vectors are
    projected to, and each of these stands in its place with its weight. A value without a vector gives it no weight.
    """

    def __init__(self, schema: Schema, embedding_dim: int, numeric: nn.Module | None = None) -> None:
        super().__init__(schema, embedding_dim, numeric)
        before = len(schema.categorical) + len(schema.numeric)
        self._fused = {
            schema.index_of(name): [before + i for i, v in enumerate(schema.vectors) if v.of == name]
            for name in dict.fromkeys(v.of for v in schema.vectors)
        }
        scores = len(schema.vectors) + len(self._fused)
        self.gate = nn.Linear(schema.n_fields * embedding_dim, scores) if scores else None

    def forward(self, batch: Batch) -> Tensor:
        fields = super().forward(batch)  # (B, F, D)
        if self.gate is None:
            return fields
        scores = torch.split(self.gate(fields.flatten(1)), [1 + len(own) for own in self._fused.values()], 1)
        vectors = list(fields.unbind(1))
        for (field, own), score in zip(self._fused.items(), scores, strict=True):
            places = [field, *own]
            shares = torch.softmax(score.masked_fill(~self._present(batch, own), -torch.inf), 1)  # (B, G)
            weighed = fields[:, places] * shares.unsqueeze(2)  # (B, G, D)
            vectors[field] = weighed.sum(1)
            for place, vector in zip(own, weighed.unbind(1)[1:], strict=True):
                vectors[place] = vector
        return torch.stack(vectors, 1)  # (B, F, D)

    def _present(self, batch: Batch, own: list[int]) -> Tensor:
        """Whether the row's value has each of what is fused (B, G); its embedding it always has."""
        names = [self.schema.vectors[place - self.schema.n_fields].name for place in own]
        always = torch.ones(len(batch), 1, dtype=torch.bool, device=batch.device)
        return torch.cat([always, *((batch.vectors(name)[:, -1:] == 1) for name in names)], 1)
