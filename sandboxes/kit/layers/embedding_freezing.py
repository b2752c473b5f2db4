"""Embedding freezing: after pre-training the sparse parameters stay as they are, and only the dense ones are trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.contract import Stage
from sandboxes.kit.layers.pretraining import PRETRAIN_SHARE, PretrainThenFinetune

EMBEDDING = "embedding."  # what the names of a model's embedding parameters start with

CARD = Card(
    name="embedding_freezing",
    block="EmbeddingFreezing",
    slot="scheme",
    needs=("labels",),
    takes=("loss",),
    summary="Pre-trains with a self-supervised or generative loss, then freezes the embedding tables and trains the rest alone.",
    equation="(E, w)_0 = argmin L_pretrain(E, w); then w = argmin L_click(E_0, w) over the first share of the remaining epochs "
    "and (E, w) = argmin L_click(E, w), from there, over those left "
    "(parts held fixed after transfer as Yosinski et al., NeurIPS 2014, section 2; thawed later as Kumar et al., ICLR 2022, "
    "section 3.4)",
    cues=(
        "sparse parameter freezing",
        "freezing the sparse parameters",
        "freeze the sparse parameters",
        "freeze the embedding tables",
        "frozen embedding tables",
        "freezing the pre-trained embeddings",
        "pre-trained embeddings are frozen",
        "embeddings are kept fixed during fine-tuning",
        "frozen after pre-training",
        "only the dense parameters are trained",
        "only the dense parameters are updated",
        "sparse parameters are frozen",
        "transferred embeddings are not updated",
        "freezing strategy",
    ),
    descriptions=(
        "After pre-training, the sparse parameters are frozen while the dense layers are trained on clicks.",
        "The embedding tables of the pre-trained model are loaded and not updated any more.",
        "Gradients of the click loss reach the upper layers only; the lookup tables stay as pre-training left them.",
        "Freezing the tables keeps the discriminative model from memorising rare ids, so that larger networks do not overfit.",
        "Dense parameters are optimised, sparse ones are excluded from the optimiser.",
        "Tables may be thawed towards the end, for a few passes in which everything is tuned together.",
        (
            "A discriminative model initialised from a generative one still overfits when all parameters are tuned, since most "
            "of them are embeddings of ids with few positives. We transfer all weights, fix the sparse part, and let only the "
            "Transformer and the prediction head learn."
        ),
        (
            "Our transfer strategy distinguishes two groups of parameters. The sparse group, made of id embeddings, is copied "
            "from the pre-trained network and excluded from the update; the dense group is copied and fine-tuned as usual."
        ),
        (
            "We compare full fine-tuning with a variant in which the embedding layer receives no gradient. The latter closes "
            "most of the gap between training and test loss, and its quality keeps growing with the size of the network."
        ),
        (
            "Fine-tuning everything at once distorts pre-trained features. The representation is therefore held fixed first "
            "while the head is fitted, and released for the last part of training only."
        ),
        (
            "A dictionary compiled by patient scholars is put under glass. The young clerks upstairs may learn how to use its "
            "entries when they answer questions about hotel stays, but nobody is allowed to scribble in it."
        ),
        (
            "Ninety-nine per cent of the weights of the song model are vectors of identifiers. They were shaped by a label-free "
            "exercise on billions of plays; play-or-skip labels afterwards move the remaining one per cent and leave the "
            "vectors in peace."
        ),
        (
            "Tersely: phase one moves E and w; phase two moves w, with dE = 0. Optionally phase three moves both. What overfits "
            "is E on few labels, hence the zero."
        ),
        (
            "In a shop's app the conversion labels are so few that any id seen thrice gets bent towards its three outcomes. We "
            "forbid the bending: what an id means was settled earlier, by the raw traffic, and conversions may merely decide "
            "what follows from it."
        ),
        (
            "The optimiser of the second phase is handed a shorter list of tensors. Matrices of the deep part are on it, the big "
            "lookup matrices are not; it neither keeps moments for them nor changes them, which also halves its memory."
        ),
        (
            "Concrete foundations are poured in the first act and then left to harden. In the second the builders put walls and a"
            " roof of ad-click experience on top, as tall as they like, and the foundations do not shift under them."
        ),
        (
            "Continuing to train all weights after the warm-up forgets what the warm-up had learned of rare funds. The bank "
            "therefore draws a line through the network: below it, codes of customers and funds, immovable; above it, layers "
            "that go on learning from purchases."
        ),
        (
            "What is special is not that there are two phases but what the second may touch. It may not touch codes of games and "
            "players. It may touch how codes are combined."
        ),
        (
            "News ids live for a day, topics and readers for years. Vectors of the latter come out of an earlier run that "
            "imitates reading sequences; with these vectors locked, a scorer of any depth can be fitted on little feedback "
            "without losing ground on the held-out week."
        ),
        (
            "For places the released checkpoint is split by parameter type: table entries are loaded read-only, layer weights "
            "are loaded writable. After three quarters of the remaining passes a switch can make the entries writable too."
        ),
        (
            "We initialise from a network pre-trained without labels and then split its parameters into lookup rows and "
            "everything else. Supervised training on conversions is confined to everything else, because the rows, being "
            "numerous and each seldom seen, would otherwise memorise the few labels."
        ),
        (
            "Our model inherits id vectors from a generative stage and treats them as constants. The click objective optimises "
            "only attention, feed-forward and output weights on top, which narrows the generalisation gap and lets the upper "
            "part be scaled."
        ),
        (
            "The proposed fine-tuning is partial: gradients are cut at the boundary between symbol tables and neural layers, "
            "the former having been fitted by self-supervision beforehand. In a last optional phase the cut is removed."
        ),
        (
            "Before: after pretext training, all weights went on learning from clicks, and within one epoch the test loss rose. "
            "After: the big matrices of learner and course codes stand still, the small matrices go on, and the test loss keeps "
            "falling for epochs."
        ),
        (
            "The printed map is finished by surveyors before tourists arrive. From then on only the route planner learns from "
            "where tourists actually go; no tourist's whim redraws a street on the map."
        ),
        (
            "Reviewer's summary: transfer from a reconstruction task to response prediction in which the memory-like part of "
            "the recommender is held constant and the reasoning-like part is tuned. The authors blame overfitting on the "
            "memory-like part."
        ),
        (
            "Engineer's note: load checkpoint, set requires_grad = False on every nn.Embedding, rebuild the optimiser from the "
            "remaining tensors, train on labels. Last quarter: set it back to True with everything learning jointly. Checkpoint "
            "comes from the masked-column job."
        ),
        (
            "Read aloud: theta splits into s, the table entries, and d, the layers; s and d are first fitted to the pretext "
            "loss; then only d descends along the click loss, s staying at its pretext optimum; if wanted, both descend for a "
            "final stretch."
        ),
        (
            "With labels on one in two thousand bank letters, what customers' codes mean cannot be learned from labels. It is "
            "learned from unlabelled transactions, nailed down, and response to letters is then fitted by the layers above with "
            "the codes nailed."
        ),
        (
            "In the dating app, vectors of members come from modelling who visits whom. When the scarce signal of mutual "
            "matches is trained, members' vectors are read but not written, and only the machinery that combines two vectors "
            "into a chance of matching is adjusted."
        ),
        (
            "We do not tune what was transferred for rare symbols. A song played thrice has a sensible position thanks to "
            "unsupervised pre-training over the whole log, and three noisy skip labels could only displace it; therefore the "
            "second stage leaves all positions alone and learns how to interpret them."
        ),
        (
            "Two-stage training with an asymmetry: in the first, tables and layers move under the generative objective; in the "
            "second, tables are locked and layers move under the ranking goal. The lock prevents one-pass overfitting, common "
            "in models whose weight is nearly all in id tables."
        ),
        (
            "A wine taster's palate is trained for years on unlabelled glasses. Learning a particular restaurant's guests' "
            "taste afterwards changes his advice, not his palate. Such is our division between fixed symbol vectors and "
            "adaptable upper network."
        ),
        (
            "For ticket sales we carry over the vectors of venues, artists and buyers from a next-event generator and bar the "
            "purchase loss from altering them. Only dense weights, a per cent of the total, receive updates, so that a wider "
            "and deeper network pays off instead of fitting noise."
        ),
    ),
    arguments=(
        PRETRAIN_SHARE,
        Argument(
            "frozen_share",
            1.0,
            ("share of fine-tuning with frozen embeddings", "fraction of fine-tuning before unfreezing"),
            low=0.05,
            high=1.0,
        ),
    ),
    example="stages = EmbeddingFreezing('auxiliary_loss', frozen_share=0.75).staged((Stage('train'),))",
)


@dataclass(frozen=True)
class EmbeddingFreezing:
    """The stages after pre-training, with `model.embedding` left as it is. Where no stage on the model's method named by
    `auxiliary_loss` comes first, one is put there, as `pretrain_then_finetune` does it.

    The last stage may thaw the embedding once `frozen_share` of its epochs are over. Weights of single ids that other blocks
    hold, as in a linear term, were not pre-trained and are free. Where items are scored, what stands for them is in the embedding
    and was not pre-trained either, so that the scheme asks for labels.
    """

    auxiliary_loss: str
    pretrain_share: float = 0.5
    frozen_share: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.frozen_share <= 1:
            raise ValueError(f"embeddings are frozen for a share of the epochs above 0 and up to 1, not {self.frozen_share}")

    def staged(self, stages: Sequence[Stage]) -> tuple[Stage, ...]:
        first, *others = PretrainThenFinetune(self.auxiliary_loss, self.pretrain_share).staged(stages)
        *before, last = others
        frozen = [_frozen(stage) for stage in before]
        if self.frozen_share == 1:
            return first, *frozen, _frozen(last)
        still = replace(_frozen(last), name=f"{last.name} with frozen embedding", epochs=self.frozen_share * last.epochs)
        return first, *frozen, still, replace(last, epochs=(1 - self.frozen_share) * last.epochs)


def _frozen(stage: Stage) -> Stage:
    return replace(stage, freeze=(*stage.freeze, EMBEDDING), beside=tuple(_frozen(other) for other in stage.beside))
