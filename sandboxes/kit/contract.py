"""What `model.py` must define: a class `Model` that the kit can build, train and ask for predictions.

A training scheme is a sequence of stages; a block that has a part in it offers `staged(stages) -> stages`, which changes the
scheme so far, so that several such blocks follow one another. Notation: B rows, T tasks, I ids of the
target item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.team import Team


class Step(Protocol):
    """What a rule of update sees of one step."""

    @property
    def team(self) -> Team: ...

    @property
    def parameters(self) -> Sequence[nn.Parameter]:
        """Those that the stage leaves free."""
        ...

    def backward(self) -> Tensor:
        """Forgets all gradients, and computes the loss of the step's rows, a scalar, and its gradients at the present weights.

        Gradients are summed over the team. Those of embedding tables are sparse where the model only looks rows up: they speak
        of these rows alone, in a team of this member's.
        """
        ...

    def looked_up(self, parameter: nn.Parameter) -> Tensor:
        """The rows (n,) of a table that the last `backward` looked up, each as often; none for what is no table."""
        ...


class Update(Protocol):
    """Which gradients Adam follows in a stage, where they are not simply those of the loss."""

    def gradients(self, step: Step) -> Tensor:
        """Leaves in `.grad` of the step's parameters what Adam is to follow, and returns the loss to report, a scalar.

        Raises `ValueError` where the rule cannot go with the step's team.
        """
        ...


@dataclass(frozen=True)
class Stage:
    """One stage of a training scheme.

    `loss` names the model's method `(batch) -> scalar` that this stage minimises. `freeze` lists prefixes of parameter
    names that stay fixed. `epochs` is a fraction of the configured epochs; early stopping on valid applies to the last
    stage only, so that every model is selected in the same way. `update` is the rule of its steps, Adam's own without one.
    `rows` is the part of the training rows that an epoch goes through, as shares of them in order of time, from and up to; the
    data must be timed for anything but all of them.

    `beside` are stages that take turns with this one on the same batches: on every batch whose number their `every` divides, each
    takes a step, then this one does. They have an optimiser and frozen parameters of their own; the loss that is told is this
    one's. Epochs, rows, and stages beside them, they have none. Tables are updated as a whole then.
    """

    name: str
    loss: str = "loss"
    epochs: float = 1.0
    freeze: tuple[str, ...] = ()
    update: Update | None = None
    beside: tuple[Stage, ...] = ()
    every: int = 1
    rows: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        if self.every < 1 or any(other.beside for other in self.beside):
            raise ValueError(
                f"stage {self.name}: a turn comes every batch or more seldom, and stages beside it have none beside them"
            )
        if not 0 <= self.rows[0] < self.rows[1] <= 1:
            raise ValueError(f"stage {self.name}: rows are shares from 0 to 1, the lower before the higher, not {self.rows}")

    def under(self, update: Update) -> Stage:
        """The same stage, and those beside it, with `update` as the rule of their steps."""
        return replace(self, update=update, beside=tuple(other.under(update) for other in self.beside))


def after(stages: Sequence[Stage], share: float, freeze: tuple[str, ...] = ()) -> tuple[Stage, ...]:
    """The stages in what is left of the epochs once something before them has taken `share` of them, with more to `freeze`."""
    return tuple(replace(s, epochs=(1 - share) * s.epochs, freeze=(*s.freeze, *freeze)) for s in stages)


@runtime_checkable
class RecommenderModel(Protocol):
    """`Model(schema, *, embedding_dim=16, dropout=0.0, ...)`: an `nn.Module` whose constructor needs nothing but a schema.

    `forward` is required and returns logits (B, T), or (B,) when T = 1; where the schema predicts items or actions, scores (B, I)
    of every id of the target item. Four methods are optional:

    - `loss(batch) -> Tensor`, a scalar; without it the trainer minimises `sandboxes.kit.losses.observed_bce` of the logits,
      `softmax_over_items` of the scores, or where they are of actions `sandboxes.kit.policy_losses.inverse_propensity_loss`.
    - `predict(batch) -> Tensor`, probabilities (B, T); without it, the sigmoid of the logits. Of items, scores (B, I), where
      minus infinity stands for an item that shall not be recommended; without it, those of `forward`. Of actions, probabilities
      (B, I) that add up to 1 in each row, 0 for padding and the unknown; without it, the softmax of the scores of known ones.
    - `stages() -> Sequence[Stage]`; without it, one stage on `loss`.
    - `meet(collection)`, where items or actions are predicted: called once before training with all their fields and the training
      events. What predictions need of it must be kept in buffers whose shape follows from the schema, since a served model meets
      nothing.
    """

    def forward(self, batch: Batch) -> Tensor: ...


@runtime_checkable
class KnowsCollection(Protocol):
    def meet(self, collection: Collection) -> None: ...


@runtime_checkable
class HasLoss(Protocol):
    def loss(self, batch: Batch) -> Tensor: ...


@runtime_checkable
class HasPredict(Protocol):
    def predict(self, batch: Batch) -> Tensor: ...


@runtime_checkable
class HearsProgress(Protocol):
    """Any module of a model: a curriculum, or a loss whose share grows."""

    def set_progress(self, progress: float) -> None:
        """Told before every step which share of its stage's steps has been taken, from 0 to below 1, if no stop comes early."""


@runtime_checkable
class SurveysRows(Protocol):
    """Any module of a model that has to know what train holds as a whole, such as what occurs together how often."""

    def survey(self, rows: Batch) -> None:
        """Told once, before training, training rows from all over the split: all of them, or 2^18 evenly spaced.

        What predictions need of them must be kept in buffers whose shape follows from the schema, since a served model is told
        nothing. Buffers and rows lie on one device.
        """


@runtime_checkable
class ServedOtherwise(Protocol):
    """Any module of a model whose form in serving is not that in training: what only training needs is gone, or it is smaller."""

    def take_served_form(self) -> None:
        """Takes the form in which the module is served; it is not trained again."""

    def served_state(self, state: dict[str, Tensor], prefix: str) -> None:
        """Changes those entries of a trained model's `state` whose names start with `prefix` to those of the served form."""


@runtime_checkable
class HasStages(Protocol):
    def stages(self) -> Sequence[Stage]: ...
