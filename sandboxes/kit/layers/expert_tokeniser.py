"""Items as code words of several experts: what all modalities say of an item, and what one alone says.

Notation: B rows, K width of a query, I ids of the target item, W width of all modalities.
"""

from __future__ import annotations

from torch import Tensor

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.coded_items import CodedScores
from sandboxes.kit.layers.expert_quantiser import ExpertQuantiser
from sandboxes.kit.layers.item_content import joined_modalities, modality_widths
from sandboxes.kit.layers.item_tokeniser import CODES, ItemTokeniser, Quantiser, fit_quantiser
from sandboxes.kit.schema import FIRST_ID, Schema

CARD = Card(
    name="expert_tokeniser",
    block="ExpertCodedScores",
    slot="item_scores",
    needs=("items",),
    summary="Makes code words of every item by experts that all modalities share and experts of one modality each, kept apart by "
    "an orthogonality term, and scores items by the sum of their words' vectors.",
    equation="c_e = argmin_k |z_e - b_ek|, z_e = f_e(all modalities) or f_e(x_m); x'_m = g_m(code vectors of shared and own "
    "experts); L = sum_m |x'_m - x_m|^2 + sum_e (|b - sg z|^2 + beta |z - sg b|^2) + lambda mean_{e<f} |Z_e^T Z_f|_F^2 / N^2 "
    "(van den Oord et al., NeurIPS 2017, eq. 3, for each expert; private and shared parts of Bousmalis et al., NeurIPS 2016, "
    "eq. 5)",
    cues=(
        "multimodal tokenizer",
        "multimodal tokenization",
        "multi-modal tokenizer",
        "multi-expert tokenizer",
        "shared-specific tokenizer",
        "mixture of quantization",
        "mixture-of-quantization",
        "multimodal semantic ids",
        "multimodal semantic id",
        "quantization experts",
        "modality-shared experts",
        "modality-specific experts",
        "modality-shared and modality-specific codes",
        "modality-specific codebooks",
        "orthogonal regularization between experts",
        "quantizes each modality",
    ),
    descriptions=(
        "Each expert turns what it sees of an item into one code word of its own codebook.",
        "Some experts look at text and image together, others at one modality only.",
        "An orthogonality term keeps the experts from encoding the same thing twice.",
        "Every modality must be reconstructible from the words of the shared experts and of its own.",
        "The semantic ids of an item are the indices that shared and modality-specific quantisers choose.",
        "Parallel codebooks, one for each expert, discretise multimodal content.",
        (
            "To preserve both cross-modal synergy and what is unique to a modality, the tokenizer has modality-shared experts, "
            "fed with all modalities, and modality-specific experts, fed with one. The outputs of all experts are quantised in "
            "separate codebooks, and the indices form the item's identifier."
        ),
        (
            "Item tokenization is trained with a multimodal reconstruction loss: decoders restore the text and the image "
            "embedding from the quantised outputs. Orthogonal regularisation on the experts' representations reduces "
            "redundancy between codes."
        ),
        (
            "Instead of fusing text and vision into one vector before residual quantisation, which favours the dominant "
            "modality, we quantise shared and private representations separately and concatenate the resulting tokens."
        ),
        (
            "Once trained, the tokenizer is frozen and each item is represented by its tokens, one per expert, whose "
            "embeddings are summed in the recommendation model."
        ),
        (
            "A song is heard, read and played in company. We hire clerks: one reads sound, lyrics and company together, one "
            "reads only sound, one only lyrics. Each writes down a single number from a list of its own. The numbers, side by "
            "side, are the song's name, and the clerks are paid less the more their notes agree."
        ),
        (
            "Not a chain in which each symbol mends the error of the one before, but a panel: all symbols are chosen at once, "
            "each by a different reader of the article's headline, picture and readership."
        ),
        (
            "Let z_0 see everything, z_1 the photo, z_2 the description. Snap each to its nearest row in table 0, 1, 2. Demand "
            "that rows 0 and 1 give back the photo and rows 0 and 2 the description, and that the columns of z_0, z_1, z_2 be "
            "uncorrelated. A hotel is the triple of row numbers."
        ),
        (
            "What a game's trailer and its tags have in common should be written once, and what only the trailer shows should "
            "be written elsewhere. A common quantiser and private quantisers divide the labour, and a penalty on overlapping "
            "directions enforces the division."
        ),
        (
            "Compression of the advertising catalogue: per creative, one byte from an encoder of the joint content, one from an "
            "encoder of the visual, one from an encoder of the verbal. Bytes address shared embedding rows, so that a creative "
            "of yesterday starts from what others have taught its bytes."
        ),
        (
            "The bank's products have terms, leaflets and buyers. A set of discretising networks, some joint and some private "
            "to a source, yields a short identifier per product, from which every source can be approximately restored."
        ),
        (
            "Like describing a dish by one word for the whole and one word each for look, smell and taste. Words come from "
            "separate vocabularies learned so that together they suffice to recall each impression, and none repeats another."
        ),
        (
            "In our app store the identifier is composed of slots. Slot one is filled by a quantiser over screenshots and blurb "
            "jointly, slots two and three by quantisers over either alone. Slots are decorrelated while learning."
        ),
        (
            "One code for all modalities drowns the weak ones; one code per modality misses what arises from their union. Both "
            "kinds are produced here by a group of encoders with nearest-neighbour bottlenecks, and recommended garments are "
            "compared by the sum of the vectors behind their codes."
        ),
        (
            "Place identifiers: E parallel bottlenecks, E codebooks. A decoder of street images receives the common bottlenecks "
            "and the image's own, a decoder of reviews the common ones and the reviews' own; squared errors of both are added "
            "to a term that pushes cross-products of bottlenecks to zero."
        ),
        (
            "We discretise every film by a bank of encoders with separate codebooks. Some encoders take trailer, synopsis and "
            "audience together, others take a single source; nearest codebook entries of all encoders, chosen in parallel, make "
            "up the film's discrete name."
        ),
        (
            "Our model learns item identifiers which separate what sources agree on from what each contributes alone. Joint "
            "branches and private branches are vector-quantised individually, source-wise decoders rebuild each input from the "
            "joint and its private entries, and a decorrelation penalty stops branches from duplicating one another."
        ),
        (
            "The proposed quantiser is wide rather than deep: instead of encoding the residual of a fused vector again and "
            "again, it has several heads side by side, of which a part sees the union of photo and text and the rest see one of "
            "them, with their indices concatenated."
        ),
        (
            "Before, photo and recipe text were averaged and then discretised, so that the louder source dictated all symbols. "
            "Now each source has a symbol slot that nobody else can fill, next to slots filled from both, and the squared "
            "overlap between slots' representations is kept small."
        ),
        (
            "Reviewer's summary: a factorised discrete representation of goods with common and individual parts across image, "
            "title and behaviour. Straight-through nearest-neighbour bottlenecks per branch, reconstruction per source, "
            "orthogonality between branches; the ranker then sums the symbols' trainable vectors."
        ),
        (
            "A passport for a place has one stamp from the office that inspects everything, one from the office for pictures, "
            "one from the office for words. Offices have differing stamp sets, must not certify the same thing, and from the "
            "stamps the picture and the words can be redrawn."
        ),
        (
            "Engineer's note: inputs x_img, x_txt, x_cf; heads S1(all), P_img, P_txt, P_cf; each head -> VQ with its own table "
            "-> code; decoders D_m(S1, P_m); loss = sum of MSE, commitment, and squared cross-Gram of heads. Freeze, dump four "
            "ints per ad, train ranker with four small tables."
        ),
        (
            "Read aloud: for each branch e the code is the arg min over k of the distance from z_e to b_ek; source m is "
            "restored by g_m from the joint branches' and m's own entries; the squared norm of Z_e transposed times Z_f is "
            "added for every two branches."
        ),
        (
            "Vacancies carry a text, an employer logo and a history of applicants. Some of what matters is visible in all "
            "three, some in just one. Discrete symbols of both sorts are learned by cooperating compressors, and a vacancy is "
            "scored by adding up the vectors its symbols point to."
        ),
        (
            "We seek short codes that keep synergy between sound, lyrics and playlist company without washing out what is "
            "peculiar to each. A mixture of compressors, common and private, each with a vocabulary of its own, supplies one "
            "token apiece, and redundancy between tokens is discouraged by orthogonal latents."
        ),
        (
            "Imagine five reporters sent to a concert: two with eyes and ears open, one blindfolded, one with plugged ears, one "
            "reading the programme only. Each files one word from a private lexicon, editors must be able to recreate picture, "
            "sound and programme from the words, and reporters are told not to file the same story."
        ),
        (
            "Course identifiers are compiled from slides, transcript and enrolment. Tokens one and two stem from networks over "
            "the concatenation, tokens three to five from networks over one input each; every token's alphabet is independent, "
            "and there is no order among tokens as there would be in coarse-to-fine codes."
        ),
        (
            "The identifiers of games are products of a division of labour: common compressors grasp what art, description and "
            "player base jointly tell, individual compressors grasp leftovers of a single one. The result, after training is "
            "over, is a fixed tuple of integers that indexes shared embedding tables in the recommender."
        ),
        (
            "In our travel catalogue, hotels are rewritten as sets of integers. Each integer is the winner in a codebook that "
            "belongs to one encoder; encoders differ in whether they are given all views or one; each view's restoration error "
            "trains them; near-zero inner products between their outputs keep them complementary."
        ),
    ),
    arguments=(
        Argument("shared", 1, ("number of shared experts", "modality-shared experts", "shared experts"), low=1, high=8),
        Argument(
            "specific",
            1,
            ("number of specific experts", "modality-specific experts", "experts per modality", "specific experts"),
            low=0,
            high=8,
        ),
        CODES,
        Argument(
            "orthogonality",
            0.1,
            ("weight of the orthogonal regularization", "orthogonal regularization weight", "weight of the orthogonality loss"),
            low=0,
            high=100,
        ),
    ),
    example="layer = ExpertCodedScores(schema, 8, flat.shape[1])\nlayer.meet(collection)\noutput = layer(flat)",
)


class ExpertTokeniser(ItemTokeniser):
    """An `ItemTokeniser` whose words are those of `shared` experts, then of `specific` ones for each modality."""

    def __init__(self, schema: Schema, shared: int = 1, specific: int = 1, codes: int = 32, orthogonality: float = 0.1) -> None:
        self.shared, self.specific, self.orthogonality = shared, specific, orthogonality
        super().__init__(schema, shared + specific * len(modality_widths(schema)), codes)

    def learned(self, collection: Collection) -> tuple[Tensor, Quantiser]:
        content = joined_modalities(self.schema, collection)[FIRST_ID:]  # (I - 2, W)
        widths = modality_widths(self.schema)
        quantiser = ExpertQuantiser(widths, self.shared, self.specific, self.codes, self.orthogonality)
        fit_quantiser(quantiser, content)
        return content, quantiser


class ExpertCodedScores(CodedScores):
    """(query (B, K)) -> (B, I): `CodedScores` by the words of experts. Modalities of an item are its fields and numbers, who took
    it, and each of its vectors made elsewhere. It must `meet` the collection, which gives items their words."""

    def __init__(
        self,
        schema: Schema,
        embedding_dim: int,
        in_dim: int,
        shared: int = 1,
        specific: int = 1,
        codes: int = 32,
        orthogonality: float = 0.1,
    ) -> None:
        super().__init__(ExpertTokeniser(schema, shared, specific, codes, orthogonality), embedding_dim, in_dim)
