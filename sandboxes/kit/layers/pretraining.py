"""Pre-train, then fine-tune: a training scheme of two stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.contract import Stage, after

# What several cards that pre-train have in common.
PRETRAIN_SHARE = Argument(
    "pretrain_share",
    0.5,
    ("share of pre-training epochs", "pre-training share", "fraction of the epochs for pre-training"),
    low=0.05,
    high=0.95,
)

CARD = Card(
    name="pretrain_then_finetune",
    block="PretrainThenFinetune",
    slot="scheme",
    takes=("loss",),
    summary="Trains in two stages: first on a self-supervised loss alone, then on the click loss from the weights found.",
    equation="theta_0 = argmin L_pretrain over the first share of the epochs, then theta = argmin L_click from "
    "theta_0 over the rest"
    " (Erhan et al., JMLR 2010, section 3)",
    cues=(
        "pre-train then fine-tune",
        "pre-training and fine-tuning",
        "pretrain-finetune",
        "pre-training stage",
        "fine-tuning stage",
        "pre-training task",
        "self-supervised pre-training",
        "generative pre-training",
        "model-agnostic pre-training",
        "two-stage training",
        "two-stage framework with pre-training",
        "first pre-trained and then fine-tuned",
        "initialized with the pre-trained parameters",
        "pre-trained embeddings are fine-tuned",
        "parameters learned from a pretrained model to initialize",
        "supervised fine-tuning",
    ),
    descriptions=(
        "The model is first pre-trained on a self-supervised task and then fine-tuned on click labels.",
        "In the first stage the parameters are learned without labels, and in the second they initialise the prediction model.",
        "Training has two phases: generative pre-training, followed by supervised fine-tuning for click-through rate prediction.",
        "The pre-trained embedding and interaction layers are reused in the downstream task and updated with its loss.",
        "A pretext task prepares the network before it is adapted to the supervised target.",
        (
            "Training has two stages. First the network is optimised only with a self-supervised objective on unlabelled "
            "samples; then the learned weights initialise the CTR model, which is trained further on click labels."
        ),
        (
            "We pretrain the embedding layer and the interaction encoder without using any labels, and subsequently fine-tune "
            "all parameters with binary cross-entropy. The self-supervised objective is not used in the second phase; it serves "
            "merely to supply a good starting point."
        ),
        (
            "Following the paradigm common in language processing, the model is initially trained on a pretext task over raw "
            "logs, after which the prediction head is replaced and the model is tuned on the downstream click-through "
            "prediction starting from the pretrained parameters."
        ),
        (
            "Unlike joint multi-objective training, our approach decouples self-supervision from supervision: a warm-up phase "
            "learns the feature representations by a pretext task alone, and a later phase adapts these parameters to the click "
            "signal."
        ),
        (
            "We let the net first look at rows with the answers hidden, learning only how the columns hang together. When that "
            "is finished, its weights are taken as the point of departure for ordinary learning on clicks."
        ),
        (
            "The schedule has a before and an after. Before, no booking label is touched and the network solves an artificial "
            "puzzle made from the inputs; after, the puzzle is discarded and learning on bookings continues from the weights "
            "found."
        ),
        (
            "Rather than starting from random numbers, the music model begins its supervised life from parameters obtained in "
            "an earlier, label-free run over the listening logs. The two runs follow each other strictly, and their objectives "
            "are never summed."
        ),
        (
            "Unlabelled transactions are plentiful at a bank while defaults are rare. We therefore spend the first epochs on a "
            "target constructed from the transactions themselves, save the checkpoint, attach a fresh output unit, and carry on "
            "with the rare defaults from there."
        ),
        (
            "Step one: learn codes for all attributes by an objective that needs no feedback from people. Step two: load the "
            "codes and the layers above, put a new output on top, and update everything on observed installs with a smaller "
            "learning rate."
        ),
        (
            "A good initialisation is the whole purpose of our first stage. It runs over impressions without asking whether "
            "anyone responded, and what it hands to the second stage is nothing but parameter values, to be refined by the "
            "actual responses."
        ),
        (
            "The authors split the budget of passes over the data: initial passes teach the structure of the inputs with "
            "invented targets, and the remaining passes teach the true question, whether the article gets opened, resuming from "
            "where the initial ones ended."
        ),
        (
            "Knowledge of the game catalogue is acquired in advance. The network is educated without purchase information until "
            "it has understood the regularities of the records, then transferred whole and re-educated for purchases, which "
            "takes fewer steps and resists overfitting."
        ),
        (
            "One model, two lives: in the former it is a student of unlabelled visits solving self-made exercises; in the "
            "latter it keeps its acquired weights, forgets the exercises, and is adapted to predict whether the place is "
            "visited."
        ),
        (
            "Extra self-made objectives compete with the main one when both are present in every update. We avoid such "
            "competition by ordering them in time: the self-made one comes first and alone, and the ad response takes over from "
            "its saved parameters."
        ),
        (
            "Training happens in two acts. In the first, the response labels are put away and the network learns from the rows "
            "alone, by solving a task manufactured from the data; in the second, the weights so found are the starting point "
            "for ordinary learning of installs, with a lower step size."
        ),
        (
            "As an apprentice first studies the material before being given customers, our encoder is first occupied only with "
            "label-free exercises on the full log. When these have converged, the exercise head is thrown away, a scoring head "
            "is attached, and everything is adjusted to the clicks."
        ),
        (
            "Recipe: stage A, minimise the self-made objective on unlabelled impressions until convergence, store the tables "
            "and layers; stage B, load them, add a fresh output unit, minimise log loss on labelled impressions. The two "
            "objectives are never summed; they follow one another."
        ),
        (
            "Labelled conversions are scarce, raw traffic is plentiful. We exploit the traffic by an initial phase without any "
            "outcome, and transfer the resulting parameters as initial values to the supervised phase, which then needs fewer "
            "labelled rows and fewer epochs."
        ),
        (
            "Instead of starting the predictor from random numbers, we start it from numbers found by an earlier training run "
            "whose goal had nothing to do with the label. The later run is free to change all of them; the sequence, first "
            "structure then outcome, is the essential point."
        ),
        (
            "Tersely: theta0 equals argmin of L_self over all rows; theta equals descent on L_click starting at theta0. No "
            "mixing coefficient exists, since L_self is absent from the second descent; only the initial point carries its "
            "influence."
        ),
        (
            "For music we warm up the model for several days of logs on a game it plays with the data itself, not looking at "
            "whether a track was played. Thereafter, the warmed-up codes and layers are specialised on play events by normal "
            "supervised optimisation, which is all that is repeated daily."
        ),
        (
            "The bank's rows without known repayment outcome outnumber the others tenfold. A preliminary phase uses them to "
            "shape the network by a goal needing no outcome; a closing phase, begun from the shaped weights, teaches repayment "
            "on the labelled few; the preliminary goal is gone by then."
        ),
        (
            "Only one in two hundred hotel impressions carries a click, but the impressions themselves are plentiful. In a "
            "first phase our network sees no clicks whatsoever: some values in a row are swapped with values of other rows, and "
            "it has to tell for each column whether it was tampered with. In a second phase the detecting heads are removed "
            "and, from the weights so obtained, the network is taught to predict clicks. It then needs a third of the labelled "
            "data."
        ),
        (
            "In the first month of computing no click is looked at. The model gets records of players with some entries covered "
            "up and must restore them out of the uncovered ones. Only when this is mastered, the restored-entry outputs are "
            "thrown away, a click output is screwed on, and learning goes on from the numbers reached so far with the scarce "
            "click records."
        ),
    ),
    arguments=(PRETRAIN_SHARE,),
    example="stages = PretrainThenFinetune('auxiliary_loss', pretrain_share=0.25).staged((Stage('train'),))",
)


@dataclass(frozen=True)
class PretrainThenFinetune:
    """A stage on the model's method named by `auxiliary_loss`, for `pretrain_share` of the epochs, before all other stages, which
    share the rest, so that the model sees no more epochs than others. Stages that begin with one on that loss have it already.
    """

    auxiliary_loss: str
    pretrain_share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.pretrain_share < 1:
            raise ValueError(f"pre-training takes a share of the epochs above 0 and below 1, not {self.pretrain_share}")

    def staged(self, stages: Sequence[Stage]) -> tuple[Stage, ...]:
        if stages[0].loss == self.auxiliary_loss:
            return tuple(stages)
        return Stage("pretrain", loss=self.auxiliary_loss, epochs=self.pretrain_share), *after(stages, self.pretrain_share)
