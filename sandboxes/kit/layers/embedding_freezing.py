"""Embedding freezing: after pre-training the sparse parameters stay as they are, and only the dense ones are trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.contract import Stage
from sandboxes.kit.layers.pretraining import PretrainThenFinetune

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
    ),
    arguments=(
        Argument(
            "pretrain_share",
            0.5,
            ("share of pre-training epochs", "pre-training share", "fraction of the epochs for pre-training"),
            low=0.05,
            high=0.95,
        ),
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
