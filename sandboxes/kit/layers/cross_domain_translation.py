"""Cross-domain translation: what other domains' networks make of a row is translated into the row's own domain, and handed on.

Notation: B rows, F fields with histories, D embedding width, S domains, H width of a latent, T tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.contract import Stage, after
from sandboxes.kit.kernels.dense import Dense, start_before_relu
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.losses import observed_bce
from sandboxes.kit.schema import FIRST_ID, Schema

TRANSLATION = "cross_domain_translation."  # what the names of the block's parameters start with in a model

CARD = Card(
    name="cross_domain_translation",
    block="CrossDomainTranslation",
    slot="interaction",
    placement="input",
    takes=("batch",),
    needs=("scenario", "labels"),
    summary="First trains a network for each domain and a translator of other domains' latent features into it, "
    "supervised by the domain's labels; then freezes both and gives the translated features to the model as "
    "additional input.",
    equation="Stage 1: L = BCE(y, w_s h_s(x)) + a BCE(y, w_s M_s o_s(x)), h_s(x) the latent of domain s, o_s(x) the mean "
    "of the other domains' latents of the same row; stage 2: [x, M_s o_s(x)] is the model's input, M, h, w fixed "
    "(Chen et al., 2023, translation and augmentation networks; a mapping learned from the target's labels as Zhu "
    "et al., WSDM 2022, eq. 6)",
    cues=(
        "feature translator",
        "cross-supervised",
        "cross-supervised feature translator",
        "translation network",
        "augmentation network",
        "translated features",
        "translated latent features",
        "cross-domain augmentation",
        "mapping function between domains",
        "maps the source embedding to the target",
        "bridge function",
        "embedding and mapping",
        "translate user preferences across domains",
        "explicit knowledge transfer between two domains",
        "translator between the latent spaces",
        "orthogonal mapping between domains",
    ),
    descriptions=(
        "A translator maps the latent features of the source domain into the space of the target domain.",
        "The translated features are supervised by the labels of the target domain, through the target domain's own network.",
        "Translation and augmentation networks are trained one after the other.",
        "Explicit cross-domain knowledge of each input is appended to the features of the target domain.",
        "The mapping is learned first and fixed, and its outputs augment the input of the click model.",
        "A bridge function carries user preferences from one domain into another.",
        (
            "The translation network computes latent features of an input by the network of either domain. A translator maps "
            "those of the source into the target space, and the target predictor must predict the target's label from what it "
            "gets; the trained translator then supplies an augmentation network with additional, detached features."
        ),
        (
            "We follow the embedding-and-mapping paradigm: representations are learned in each domain, a mapping function "
            "across domains is learned on top, and mapped representations are used where the target domain has too little "
            "data. The mapping is optimised with the rating loss of the target domain instead of a distance between vectors."
        ),
        (
            "Implicit transfer by parameter sharing merely regularises the target model. In contrast, we transfer explicitly: "
            "what the source-domain model would think of a target-domain sample is computed, translated, and concatenated to "
            "the sample's own embedding."
        ),
        (
            "Training is sequential. In phase one, losses of both domains and cross-supervised losses of translated latent "
            "vectors are minimised jointly; in phase two, the parameters of phase one are frozen and a new predictor is "
            "trained on original and translated features."
        ),
        (
            "Ask the bookseller about a wine and he will answer in terms of books. We keep an interpreter who turns his "
            "answer into wine terms, and we school the interpreter by letting the wine merchant judge from the interpretation "
            "alone. When he is well schooled, the merchant gets the interpretation along with what he sees himself."
        ),
        (
            "For a ride request in the new city we run the old city's encoder. Its vector speaks a foreign dialect, so a "
            "square matrix rewrites it; the matrix was fitted such that the new city's scorer, fed with nothing but the "
            "rewritten vector, tells rides taken from rides declined. The rewritten vector joins the features of a second "
            "model, which cannot alter it."
        ),
        (
            "Procedure: (1) encoders e1, e2, scorers c1, c2, matrices m12, m21; (2) fit c1(e1(x)) and c1(m21 e2(x)) on labels "
            "of market 1, likewise the other way; (3) stop; (4) train the production net of either market on x joined with "
            "its m e(x)."
        ),
        (
            "What the songs department knows about a listener is put to use in podcasts as additional columns. The columns "
            "are not copied. They come out of a converter that was graded on podcast plays, using the podcast scorer as the "
            "examiner."
        ),
        (
            "Mixing two networks by a gate leaves it open what passes. We make the passage explicit and examine it: a "
            "converted code has to be good enough for the receiving side's readout by itself. Only then is it offered to the "
            "final model as a fixed hint."
        ),
        (
            "A hint sheet accompanies each loan application. It was written by the insurance network, which looked at the "
            "application as though it were a policy, and edited by a linear map into the language of loans. The loan model "
            "reads the sheet but may not rewrite it, since sheet writers and editor have finished their training."
        ),
        (
            "Both shops have readers who turn a visit into a code, and judges who turn a code into a chance. A third party "
            "recodes between the shops and is trained by sending recoded visits to the judge of the shop where they took "
            "place, who knows what came of them."
        ),
        (
            "No overlapping users are required: any row of the target can be pushed through the source's encoder, since both "
            "read the same columns. What comes out is moved over by a learned transformation and appended to the row; "
            "gradients end there."
        ),
        (
            "The games portal and the video portal each have a network. In the first half of training a dictionary between "
            "their hidden layers is compiled, with clicks on the receiving portal as the criterion. In the second half the "
            "dictionary is closed for changes and its entries enrich the inputs of the receiving portal's new network."
        ),
        (
            "Travel ads learn from retail ads by augmentation in feature space. A retail-trained view of the travel "
            "impression, transposed to travel coordinates, is one more dense feature group, computed by a model that is "
            "trained earlier and no longer moves."
        ),
        (
            "We train one encoder and one readout per country, together with a linear converter for each ordered pair. The "
            "converter receives the hidden code that the foreign encoder gives a sample and must make the home readout predict "
            "the sample's own click; afterwards everything is locked and converted codes serve as extra inputs."
        ),
        (
            "Our model enriches a data-poor market with the view of a data-rich one. A sample of the poor market is passed "
            "through the rich market's network, its activations are carried over by a learned map, and the carried-over "
            "activations are concatenated to the embedding that the final predictor reads, without gradient."
        ),
        (
            "The proposed two-phase procedure separates learning what to transfer from using it. Phase one fits mappings "
            "between surfaces' hidden spaces, with clicks of the receiving surface as criterion; phase two trains the receiving "
            "surface's predictor on own plus mapped features, with phase one held constant."
        ),
        (
            "Each cinema chain has its own connoisseur. We hire a go-between who rewrites the other chain's connoisseur's notes "
            "in our connoisseur's shorthand, and we keep training the go-between until ours can guess ticket sales from the "
            "rewritten notes alone. Then the notes go into the dossier."
        ),
        (
            "Engineer's note: step A, multi-head job with an extra loss head(convert(other_encoder(x))) against y; step B, "
            "export encoders and converters as a frozen feature generator; step C, production job consumes [emb(x), "
            "generated(x)]. No sharing of trunk weights between channels in step C."
        ),
        (
            "Reviewer's summary: unlike shared-bottom multi-channel models, knowledge moves visibly, in the form of a vector "
            "computed by one channel's net and re-expressed for another's. That re-expressed vector is validated by whether the "
            "recipient's classifier can use it, not by its distance to the recipient's own vector."
        ),
        (
            "We let the books network examine a grocery visit as though it were its own, obtain its latent description, and "
            "re-express that description in grocery coordinates by a matrix which was learned under supervision of grocery "
            "purchases. The grocery model takes the result as a given, additional signal."
        ),
        (
            "Before: both regions updated a common trunk and hoped that something useful would rub off. After: each region "
            "keeps its own trunk, and a trained adapter explicitly moves what the other trunk sees of a ride into this region's "
            "space, where it is appended to the ride's columns."
        ),
        (
            "Read aloud: z foreign of x is what the other channels' encoders make of x, on average; M times z foreign should be "
            "readable by the home channel's weights w, and so we add the cross-entropy of y under w M z; when done, M z is "
            "glued to x for good."
        ),
        (
            "Transfer across job boards is realised as feature augmentation. The features are hidden activations of the other "
            "board's model after alignment to this board's label space; alignment is by prediction error through this board's "
            "output layer, and both alignment and models are complete before the final ranker is fitted."
        ),
        (
            "A dating service and a chat service disagree about what a vector means. Rather than force a common space, we learn "
            "how a point of the one space is to be moved so that the judge of the other space, without retouching, draws "
            "correct conclusions, and we offer moved points as side information."
        ),
        (
            "The source surface's opinion of a target surface's impression may be worth something, but it is expressed in units "
            "the target cannot read. A conversion is fitted under the target's own labels, frozen, and its output given to the "
            "target model as a supplementary block of inputs."
        ),
        (
            "Our approach needs neither shared members nor shared goods between the music and the podcast sections: any request "
            "can be read by both sections' encoders. The foreign reading is converted with a transformation that was learned in "
            "advance and is then fed, detached, to the section's final network."
        ),
        (
            "Currency exchange is the picture. Loans knowledge is paid out in loans coin and cards cannot spend it; an exchange "
            "office, calibrated by what the cards scorer can buy with the exchanged coin, changes it. Once rates are fixed, "
            "each card application arrives with its exchanged sum attached."
        ),
    ),
    arguments=(
        Argument(
            "hidden_dim",
            64,
            ("dimension of the latent features", "latent dimension", "hidden units of the translation network"),
            low=1,
            high=4096,
        ),
        Argument("n_layers", 2, ("layers of the translation network", "domain-specific layers"), low=1, high=6),
        Argument(
            "translation_weight",
            1.0,
            ("weight of the translation loss", "weight of the cross-supervised loss", "translation loss weight"),
            low=1e-6,
            high=100.0,
        ),
        Argument(
            "translation_share",
            0.5,
            ("share of epochs for the translation network", "epochs of the translation network"),
            low=0.05,
            high=0.95,
        ),
    ),
    example="layer = CrossDomainTranslation(schema, 8, n_tasks=2, hidden_dim=16)\noutput = layer(batch)",
)


class CrossDomainTranslation(nn.Module):
    """(batch) -> translated latents (B, H) of the rows, which nothing after the block's own stage changes.

    Encoders, translators, predictors and the embedding below them are the block's own. They are trained on `translation_loss`
    for `translation_share` of the epochs, before all else, and are fixed then, so that what is handed on is as if detached. The
    model holds the block as `cross_domain_translation`, and its method `translation_loss` is the block's. Where the data has more
    than two domains, what the others make of a row is averaged; where it has no other, the translated latents are zeros.
    """

    stage_loss: ClassVar[str] = "translation_loss"
    others: Tensor

    def __init__(
        self,
        schema: Schema,
        embedding_dim: int,
        n_tasks: int,
        hidden_dim: int = 64,
        n_layers: int = 2,
        translation_weight: float = 1.0,
        translation_share: float = 0.5,
    ) -> None:
        super().__init__()
        if not (translation_weight > 0 and 0 < translation_share < 1):
            raise ValueError("translation has a positive weight, and a share of the epochs in (0, 1)")
        assert schema.scenario is not None
        self.column = schema.index_of(schema.scenario)
        n_domains = schema.categorical[self.column].cardinality
        self.translation_weight, self.translation_share = translation_weight, translation_share
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        in_dim = (schema.n_fields + len(schema.sequences)) * embedding_dim
        self.encoders = DomainEncoders(in_dim, n_domains, hidden_dim, n_layers)
        self.translators = nn.Parameter(torch.eye(hidden_dim).repeat(n_domains, 1, 1))  # (S, H, H)
        self.predictors = nn.Parameter(torch.randn(n_domains, n_tasks, hidden_dim) * hidden_dim**-0.5)  # (S, T, H)
        self.biases = nn.Parameter(torch.zeros(n_domains, n_tasks))  # (S, T)
        self.register_buffer("others", _others(n_domains), persistent=False)  # (S, S)
        self.out_dim = hidden_dim

    def forward(self, batch: Batch) -> Tensor:
        return self._translated(self._latents(batch), self._domain(batch))

    def translation_loss(self, batch: Batch) -> Tensor:
        """What the block's own stage minimises, a scalar: of the domains' own latents, and of those translated into them."""
        assert batch.labels is not None
        latents, domain = self._latents(batch), self._domain(batch)
        own = latents[torch.arange(len(domain), device=domain.device), domain]  # (B, H)
        labels = batch.labels.to(latents.dtype)
        losses = [observed_bce(self._predicted(z, domain), labels) for z in (own, self._translated(latents, domain))]
        return losses[0] + self.translation_weight * losses[1]

    def staged(self, stages: Sequence[Stage]) -> tuple[Stage, ...]:
        first = Stage("translation", loss=self.stage_loss, epochs=self.translation_share)
        return first, *after(stages, self.translation_share, (TRANSLATION,))

    def _domain(self, batch: Batch) -> Tensor:
        return batch.ids[:, self.column]  # (B,)

    def _latents(self, batch: Batch) -> Tensor:
        latents: Tensor = self.encoders(self.embedding.with_histories(batch).flatten(1))  # (B, S, H)
        return latents

    def _translated(self, latents: Tensor, domain: Tensor) -> Tensor:
        foreign = torch.einsum("bs,bsh->bh", self.others[domain], latents)  # (B, H)
        return torch.einsum("bkh,bh->bk", self.translators[domain], foreign)  # (B, H)

    def _predicted(self, latents: Tensor, domain: Tensor) -> Tensor:
        return torch.einsum("bth,bh->bt", self.predictors[domain], latents) + self.biases[domain]  # (B, T)


class DomainEncoders(nn.Module):
    """(B, K) -> latents (B, S, H): every row as each domain's own network has it, layers with ReLU."""

    def __init__(self, in_dim: int, n_domains: int, hidden_dim: int, n_layers: int) -> None:
        super().__init__()
        self.first = start_before_relu(Dense(in_dim, n_domains * hidden_dim, relu=True))
        shape, spread = (n_domains, hidden_dim, hidden_dim), (2 / hidden_dim) ** 0.5  # as He et al., ICCV 2015, eq. 10
        self.weights = nn.ParameterList(torch.randn(shape) * spread for _ in range(n_layers - 1))
        self.biases = nn.ParameterList(torch.zeros(shape[:2]) for _ in range(n_layers - 1))
        self.n_domains = n_domains

    def forward(self, x: Tensor) -> Tensor:
        latents: Tensor = self.first(x).unflatten(1, (self.n_domains, -1))  # (B, S, H)
        for weight, bias in zip(self.weights, self.biases, strict=True):
            latents = (torch.einsum("bsh,skh->bsk", latents, weight) + bias).relu()
        return latents


def _others(n_domains: int) -> Tensor:
    """Shares (S, S) of each domain's others: the known ones, each as much; none where there is no other."""
    known = (torch.arange(n_domains) >= FIRST_ID) & ~torch.eye(n_domains, dtype=torch.bool)
    return known / known.sum(1, keepdim=True).clamp(min=1)
