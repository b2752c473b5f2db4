"""Items as code words that go on being learned: the tokeniser hears what recommendation loses by its choices.

Notation: B rows, K width of a query, I ids of the target item, W width of content, Q levels, C codes, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.item_content import joined_modalities, modality_widths
from sandboxes.kit.layers.item_tokeniser import CODES, ITEMS_A_CODE, ITEMS_A_STEP, LEVELS, fit_quantiser
from sandboxes.kit.layers.residual_quantiser import ResidualQuantiser, straight_through
from sandboxes.kit.layers.table import INITIAL_STD
from sandboxes.kit.schema import FIRST_ID, Schema

CARD = Card(
    name="learned_codes",
    block="LearnedCodeScores",
    slot="item_scores",
    needs=("items",),
    summary="Goes on learning items' code words from the recommendation loss, through soft choices of codes with hard values, "
    "while a reconstruction loss keeps the content.",
    equation="a_l = one_hot(c_l) + p_l - sg p_l, p_l = softmax_k(-|r_{l-1} - b_lk|^2 / tau), c_l = argmax p_l, r_l = r_{l-1} - "
    "b_{l c_l}; s(q, i) = <W q, sum_l a_l E_l> + b_i; L = L_rec + lambda L_quantiser (differentiable choice of Chen et al., ICML "
    "2020, section 2.2, at the residuals of Zeghidour et al., IEEE/ACM TASLP 2021, algorithm 1)",
    cues=(
        "behavior-aware fine-tuning",
        "behaviour-aware fine-tuning",
        "end-to-end learnable tokenizer",
        "learnable item tokenization",
        "tokenizer is jointly optimized",
        "joint optimization of the tokenizer",
        "jointly train the tokenizer",
        "fine-tune the tokenizer",
        "differentiable semantic ids",
        "differentiable tokenization",
        "soft indices",
        "soft codes",
        "soft code assignment",
        "gradients to the codebooks through the recommendation loss",
        "adapts semantic ids to the downstream",
        "semantic ids are updated during training",
    ),
    descriptions=(
        "The tokenizer is not frozen: gradients of the recommendation loss update its encoder and codebooks.",
        "Items may change their codes while the recommender trains.",
        "Softmax over code distances replaces the argmax in the backward pass.",
        "A reconstruction loss prevents the codes from forgetting the content.",
        "Tokenization and recommendation are optimised end to end.",
        "Semantic ids adapt to user behaviour instead of staying as content made them.",
        (
            "In the second stage the pre-trained tokenizer is fine-tuned with the downstream objective. Hard code indices are "
            "not differentiable, so we use soft indices, a distribution over codebook entries, with a straight-through "
            "estimator, and keep the reconstruction term in order to preserve modality information."
        ),
        (
            "Freezing item identifiers before the recommender is trained causes a mismatch between tokenization and the "
            "recommendation objective. We make the assignment differentiable and train the quantiser jointly with the "
            "recommender."
        ),
        (
            "Since behaviours reveal similarities that content lacks, the code assignment is relaxed by a temperature-"
            "controlled softmax whose gradient flows from the click loss into the item encoder."
        ),
        (
            "The total objective is the sum of the recommendation loss and the weighted quantisation loss; both update the "
            "codebooks, and assignments are recomputed in each forward pass."
        ),
        (
            "A librarian shelves books by their blurbs, then watches readers. Whenever readers treat two books of one shelf "
            "differently, the shelf marks are revised, never so far that a blurb could not be guessed from its mark."
        ),
        (
            "Labels of songs are drawn up from audio first. Then the player learns, and what it loses travels back through the "
            "labels, as if each label were a blend of all labels with chances that fall with distance, into the network that "
            "draws them up."
        ),
        (
            "We do not fix the address of an advertisement. Forward, the nearest prototype's row is read; backward, we pretend "
            "that all rows were read in the proportions of a softmax. The encoder thereby moves the advertisement to the "
            "prototype whose row serves clicks better."
        ),
        (
            "Other systems discretise products once and for all, before any customer is looked at. In ours the discretising "
            "autoencoder stays part of the network, its own loss included with a small factor, and products are discretised "
            "anew in each step."
        ),
        (
            "With d the distances to the entries, w = onehot(argmin d) + softmax(-d/t) - stop(softmax(-d/t)). The apps' vectors "
            "are w times the entry vectors. Loss: cross-entropy of installs plus gamma times (rebuild error + commitment)."
        ),
        (
            "Two hotels with like photographs were given like codes, though families choose one and couples the other. Only "
            "when booking errors were allowed to push hotels between codes did the codes come to separate them."
        ),
        (
            "The vocabulary of news is alive: article encoders and their dictionaries take gradient steps together with the "
            "reader model. An anchor to the text, decoding it back from the symbols, hinders them from drifting into arbitrary "
            "numbering."
        ),
        (
            "Merchants' codes get feedback. A merchant for which the payment model errs is nudged, by the slope of a smoothed "
            "choice, towards the neighbouring centre that would have erred less; at the next pass it may indeed belong there."
        ),
        (
            "Nothing is sampled and no alternate phases are needed: the choice among centres is hard on the way to the score "
            "and soft on the way back, so ordinary descent on game purchases trains quantiser and scorer at once."
        ),
        (
            "First content, then conduct: prototypes of places are initialised by clustering descriptions and afterwards "
            "trained by visits, subject to a penalty for descriptions that cannot be recovered."
        ),
        (
            "We keep the discretisation of products inside the computation graph of the recommender. Each product's content "
            "vector is coded by nearest centroids in several stages; the selection is treated as one-hot in the forward "
            "direction and as a distance-based softmax in the backward one, so ranking errors reshape encoder and centroids."
        ),
        (
            "Our approach closes the gap between how items are numbered and what the numbers are used for. After an initial "
            "clustering of text and image features, the numbering network continues to be optimised by the next-purchase "
            "loss, with a decoder that must still restore the features from the numbers."
        ),
        (
            "The proposed two-phase procedure first fits a multi-stage vector quantiser to content and then lets interaction "
            "data adjust it: the discrete symbol is substituted by a probability over the dictionary, through which "
            "derivatives of the preference loss reach the quantiser."
        ),
        (
            "In most generative or compact recommenders, discrete identifiers are computed beforehand and stay put. We make "
            "them plastic: whenever the parameters of the coder move, an article may be assigned another symbol, and it will "
            "be if the reading behaviour demands it; a fidelity term keeps symbols descriptive of the article."
        ),
        (
            "We represent a clip as the sum of one trainable row per stage, picked by the symbol that the stage allots to the "
            "clip's residual. To train the picking, hard picks are combined with the gradient of soft picks at a given "
            "temperature, and the picking network's autoencoding loss is added with a small factor."
        ),
        (
            "Our objective couples two terms: how well user states rank items described by their symbols, and how well "
            "symbols describe items. Optimising both at once lets collaborative evidence flow into the coder, while the "
            "second term guards against collapse to arbitrary labels."
        ),
        (
            "Because arg min has no derivative, preceding work alternates between clustering and training or leaves clusters "
            "untouched. We employ a biased pass-through estimator with tempered assignment probabilities, which permits "
            "ordinary joint descent on the coder, its dictionaries and the predictor."
        ),
        (
            "Note to self: do not detach the token ids. Compute distances, softmax them, add onehot minus the detached "
            "softmax, multiply with the token table. Now the job-click loss backpropagates into the text encoder of the "
            "postings and into the centroids. Keep the recon loss on, otherwise the ids forget the text."
        ),
        (
            "Before: postcodes are allotted to houses by a surveyor, and postmen must live with them. After: postmen report "
            "lost letters, and the surveyor shifts boundaries accordingly, bound only by the rule that a postcode must still "
            "tell roughly where the house stands."
        ),
        (
            "A botanist names plants by petals, then sells them. Where customers who like one plant detest its namesake, the "
            "naming key itself is revised; yet from the name one should always be able to sketch the petals. Naming and "
            "selling are learnt in one apprenticeship."
        ),
        (
            "Reviewer's summary: the quantiser of content embeddings is not a preprocessing step but a trainable layer. "
            "Differentiability comes from straight-through soft assignment at every residual stage, supervision from "
            "interactions, and stability from an auxiliary decoding loss."
        ),
        (
            "Symbols s1, s2, s3 of a ticketed event are recomputed at each step as indices of the closest dictionary entries "
            "to successive remainders. Value: rows of those indices, summed. Slope: as if rows had been mixed with "
            "probabilities falling with squared distance. Loss: ranking plus a tenth of restoration."
        ),
        (
            "Games of like trailers started out with one common label. Since their players differ, the ranking loss kept "
            "pulling the trailer encoder apart at that point, until the two crossed over into separate cells of the "
            "dictionary; nobody re-ran a clustering job for that."
        ),
        (
            "Bank offers are spelled in a short alphabet. The spelling rules begin with the brochure and are rewritten during "
            "training by acceptance and refusal, via a blurred version of each letter choice; a translator back to brochure "
            "language is trained alongside, so that spellings remain readable."
        ),
    ),
    arguments=(
        LEVELS,
        CODES,
        Argument(
            "temperature", 1.0, ("temperature of the soft assignment", "softmax temperature", "temperature"), low=0.01, high=100
        ),
        Argument(
            "loss_weight",
            0.1,
            ("weight of the reconstruction loss", "weight of the quantization loss", "reconstruction loss weight"),
            low=1e-6,  # without it codes need not say anything of the content
            high=100,
        ),
    ),
    example="layer = LearnedCodeScores(schema, 8, flat.shape[1])\nlayer.meet(collection)\noutput = layer(flat)\n"
    "reconstruction = layer.kl()",
)


class LearnedCodeScores(nn.Module):
    """(query (B, K)) -> (B, I): the query, mapped linearly, times every item's sum of its code words' vectors, plus a bias of the
    item's own, which tells apart items of the same words. Words are chosen anew in each pass, and gradients reach what chooses
    them.

    It must `meet` the collection, which the quantiser is first fitted to. `kl` is the quantiser's own loss, to be added.
    """

    content: Tensor  # (I, W)

    def __init__(
        self,
        schema: Schema,
        embedding_dim: int,
        in_dim: int,
        levels: int = 3,
        codes: int = 32,
        temperature: float = 1.0,
        loss_weight: float = 0.1,
    ) -> None:
        super().__init__()
        self.schema, self.temperature, self.loss_weight = schema, temperature, loss_weight
        codes = min(codes, max(1, schema.n_items // ITEMS_A_CODE))
        width = sum(modality_widths(schema))
        self.register_buffer("content", torch.zeros(schema.n_items, width))
        self.quantiser = ResidualQuantiser(width, embedding_dim, levels, codes)
        self.words = nn.Parameter(torch.randn(levels, codes, embedding_dim) * INITIAL_STD)  # (Q, C, D)
        self.bias = nn.Parameter(torch.zeros(schema.n_items))
        self.query = nn.Linear(in_dim, embedding_dim)

    def meet(self, collection: Collection) -> None:
        self.content.copy_(joined_modalities(self.schema, collection))
        fit_quantiser(self.quantiser, self.content[FIRST_ID:])

    def forward(self, query: Tensor) -> Tensor:
        every = functional.pad(self.item_vectors(), (0, 0, FIRST_ID, 0))  # (I, D): of what is no item, its bias alone
        return torch.addmm(self.bias, self.query(query), every.T)  # (B, I)

    def item_vectors(self) -> Tensor:
        """(I - 2, D): the sums of the vectors of items' words, by choices that are hard in value and soft in gradient."""
        residual = self.quantiser.encoder(self.content[FIRST_ID:])  # (I - 2, D)
        total = torch.zeros_like(residual)
        for book, words in zip(self.quantiser.codebooks, self.words, strict=True):
            squares = residual.square().sum(1, keepdim=True) + book.square().sum(1) - 2 * residual @ book.T  # (I - 2, C)
            chances = torch.softmax(-squares / self.temperature, 1)
            code = squares.argmin(1)
            total = total + straight_through(chances, functional.one_hot(code, len(book)).to(chances.dtype)) @ words
            residual = residual - book[code].detach()
        return total

    def kl(self) -> Tensor:
        """`loss_weight` times the quantiser's loss on all items, or on some where they are many; a scalar."""
        content = self.content[FIRST_ID:]
        if len(content) > ITEMS_A_STEP:
            content = content[torch.randint(len(content), (ITEMS_A_STEP,), device=content.device)]
        return self.loss_weight * self.quantiser.loss(content)
