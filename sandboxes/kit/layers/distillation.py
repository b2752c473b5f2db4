"""Distillation: a teacher is trained first, and the student learns from its soft predictions beside the labels.

Notation: B rows, T tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.contract import Stage, after
from sandboxes.kit.losses import observed_bce

TEACHER = "distillation.teacher."  # what the names of the teacher's parameters start with in a model

# What several cards whose blocks learn from a teacher have in common.
TEMPERATURE = Argument(
    "temperature",
    2.0,
    ("temperature", "distillation temperature", "softmax temperature of the teacher"),
    low=0.1,
    high=100.0,
)
TEACHER_WEIGHT = Argument(
    "teacher_weight",
    0.5,
    ("weight of the distillation loss", "distillation weight", "distillation loss weight", "weight of the teacher"),
    low=0.0,
    high=1.0,
)

CARD = Card(
    name="distillation",
    block="Distillation",
    slot="loss",
    summary="Trains a teacher first, freezes it, and adds the student's divergence from the teacher's softened predictions.",
    equation="L = (1 - a) BCE(y, z) + a t^2 KL(sigmoid(z_teacher / t) || sigmoid(z / t)), the teacher trained before on BCE alone"
    " (Hinton et al., 2015, section 2; a teacher of the student's own shape as Furlanello et al., ICML 2018, section 3)",
    cues=(
        "knowledge distillation",
        "distillation loss",
        "distill knowledge",
        "distill the knowledge",
        "self-distillation",
        "teacher model",
        "teacher network",
        "student model",
        "student network",
        "teacher and student",
        "teacher-student",
        "soft labels of the teacher",
        "soft targets",
        "dark knowledge",
        "mimic the teacher",
        "distillation temperature",
    ),
    descriptions=(
        "A teacher network is trained first, and the student is trained to match its softened predictions beside the labels.",
        "The loss adds to the cross-entropy of labels the divergence between the student's and the teacher's outputs.",
        "Soft targets tell more than hard labels, since they say how likely a click was thought to be.",
        "The teacher is frozen while the student learns, and only the student is deployed.",
        "Knowledge of a large network is transferred to a small one through its outputs at a raised temperature.",
        "A model of the same architecture, trained before, supplies the probabilities that the new one imitates.",
        (
            "To reduce the serving cost while keeping the accuracy of a cumbersome model, we first train the latter on the "
            "click logs, then fix its parameters and use its predicted probabilities as additional supervision for a light "
            "network."
        ),
        (
            "Our objective is a weighted sum of two terms: the cross-entropy with the ground truth, and the Kullback-Leibler "
            "divergence from the teacher's distribution to the student's, both computed from logits divided by a temperature."
        ),
        (
            "Click labels are noisy and binary. The predictions of a well-trained network on the training rows are smoother, "
            "and fitting them regularises the student; the strength of this term and the softness of the targets are hyper- "
            "parameters."
        ),
        (
            "Training proceeds in two phases. Phase one optimises the teacher by log loss. In phase two gradients flow only "
            "into the student, whose outputs are pulled towards those of the teacher on the same samples."
        ),
        (
            "An experienced ranker of songs whispers to a novice not just whether a song was skipped but how close the call "
            "was. The novice listens to the records and to the whispers, and goes on stage alone."
        ),
        (
            "Tersely: z1 from net A, fixed; z2 from net B. Minimise logloss of z2 with y, and bring sigmoid of z2 over tau "
            "near sigmoid of z1 over tau. Ship B."
        ),
        (
            "The bank's big scorer is too slow for the counter. We have it grade every past application with a probability, "
            "and a small scorer is taught by these grades together with the known outcomes, after which the big one is "
            "switched off."
        ),
        (
            "For each hotel impression there are two answers in training, the traveller's yes or no and the estimate of a "
            "network trained earlier. The new network's error counts against both, the second after both logits have been "
            "scaled down."
        ),
        (
            "Running the heavy model in production is impossible, copying its behaviour is not. A slim network is fitted to "
            "reproduce its output for the logged ads, without dropping the original target altogether."
        ),
        (
            "First generation, second generation: the latter has exactly the layers of the former, begins anew, and is asked "
            "to agree with what the former says as well as with the facts. It ends up better than its ancestor."
        ),
        (
            "News clicks hide how sure one could be. A fixed older network tells us, so the loss of the younger one measures "
            "its distance from the older one's opinion in addition to its distance from the click."
        ),
        (
            "Engineering: two networks live in one module; a flag-free schedule trains the first for half of the epochs, then "
            "stops its gradients; the second one's criterion reads the first one's logits under no-grad. Only the second "
            "one's arrays are exported."
        ),
        (
            "Imitating an oracle's degrees of belief is easier than guessing its verdicts. Shop visits are rare, so the "
            "follower is given the oracle's number for every row and penalised by relative entropy for deviating from it."
        ),
        (
            "The elder model for app installs has seen the data to the end and is never altered again. Its successor "
            "receives, along with the true outcome of each row, the elder's chance estimate flattened by a factor, and is "
            "trained on the blend."
        ),
        (
            "A blend of two criteria guides the player model: agreement with what happened, and agreement with what a "
            "stronger predictor believed would happen. The second criterion is multiplied by the squared softening factor so "
            "that both pull alike."
        ),
        (
            "Ensembles and giants win offline but cannot be shipped. What they know about places is poured into a model that "
            "can, by letting it learn their outputs instead of their weights."
        ),
    ),
    arguments=(
        TEMPERATURE,
        TEACHER_WEIGHT,
        Argument(
            "teacher_share", 0.5, ("share of epochs for the teacher", "fraction of training for the teacher"), low=0.05, high=0.95
        ),
    ),
    example="layer = Distillation(LinearTerm(schema, logits.shape[1]), temperature=3.0)\noutput = layer(logits, batch)",
)


class Distillation(nn.Module):
    """(logits (B, T), batch) -> a scalar: the student's loss. The divergence, which needs no labels, is a mean over rows
    and a sum over tasks.

    `teacher` maps a batch to logits (B, T); what is kept is a copy of it. A model that has been built so far may give itself, and
    is then taught by a twin with the same initial weights; give another, wider module for another teacher. The model holds the
    block as `distillation`, and its method `teacher_loss` is the block's. The teacher takes `teacher_share` of the epochs, so
    that the model sees no more of them than others. It is part of the training state, and not of what is served.
    """

    stage_loss: ClassVar[str] = "teacher_loss"

    def __init__(
        self, teacher: nn.Module, temperature: float = 2.0, teacher_weight: float = 0.5, teacher_share: float = 0.5
    ) -> None:
        super().__init__()
        if not (temperature > 0 and 0 <= teacher_weight <= 1 and 0 < teacher_share < 1):
            raise ValueError("the temperature is positive, the teacher's weight in [0, 1], its share of the epochs in (0, 1)")
        self.teacher: nn.Module | None = deepcopy(teacher)
        self.temperature, self.teacher_weight, self.teacher_share = temperature, teacher_weight, teacher_share

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        assert batch.labels is not None
        with torch.no_grad():
            taught = self._teacher().eval()(batch).reshape(batch.labels.shape)  # (B, T)
        divergence = softened_divergence(logits.reshape(batch.labels.shape), taught, self.temperature)
        hard = (1 - self.teacher_weight) * observed_bce(logits, batch.labels)
        return hard + self.teacher_weight * self.temperature**2 * divergence

    def teacher_loss(self, batch: Batch) -> Tensor:
        """What the teacher's own stage minimises, a scalar."""
        assert batch.labels is not None
        return observed_bce(self._teacher().train(self.training)(batch), batch.labels)

    def staged(self, stages: Sequence[Stage]) -> tuple[Stage, ...]:
        return Stage("teacher", loss="teacher_loss", epochs=self.teacher_share), *after(stages, self.teacher_share, (TEACHER,))

    def take_served_form(self) -> None:
        self.teacher = None

    def served_state(self, state: dict[str, Tensor], prefix: str) -> None:
        for name in [n for n in state if n.startswith(f"{prefix}teacher.")]:
            del state[name]

    def _teacher(self) -> nn.Module:
        assert self.teacher is not None  # a served model is not trained
        return self.teacher


def softened_divergence(logits: Tensor, taught: Tensor, temperature: float) -> Tensor:
    """KL of the probabilities of `logits` (B, T) from those of `taught` (B, T), softened: a mean over rows, a sum over tasks."""
    taught = taught / temperature
    told = torch.sigmoid(taught)
    cross_entropy = functional.binary_cross_entropy_with_logits(logits / temperature, told, reduction="none")  # (B, T)
    entropy = functional.binary_cross_entropy_with_logits(taught, told, reduction="none")
    return (cross_entropy - entropy).mean(0).sum()
