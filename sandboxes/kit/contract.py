"""What `model.py` must define: a class `Model` that the kit can build, train and ask for predictions.

Notation: B rows, T tasks, I ids of the target item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection


@dataclass(frozen=True)
class Stage:
    """One stage of a training scheme.

    `loss` names the model's method `(batch) -> scalar` that this stage minimises. `freeze` lists prefixes of parameter
    names that stay fixed. `epochs` is a fraction of the configured epochs; early stopping on valid applies to the last
    stage only, so that every model is selected in the same way.
    """

    name: str
    loss: str = "loss"
    epochs: float = 1.0
    freeze: tuple[str, ...] = ()


@runtime_checkable
class RecommenderModel(Protocol):
    """`Model(schema, *, embedding_dim=16, dropout=0.0, ...)`: an `nn.Module` whose constructor needs nothing but a schema.

    `forward` is required and returns logits (B, T), or (B,) when T = 1; where the schema predicts items, scores (B, I) of every
    id of the target item. Four methods are optional:

    - `loss(batch) -> Tensor`, a scalar; without it the trainer minimises `sandboxes.kit.losses.observed_bce` of the logits, or
      `softmax_over_items` of the scores.
    - `predict(batch) -> Tensor`, probabilities (B, T); without it, the sigmoid of the logits. Of items, scores (B, I), where
      minus infinity stands for an item that shall not be recommended; without it, those of `forward`.
    - `stages() -> Sequence[Stage]`; without it, one stage on `loss`.
    - `meet(collection)`, where items are predicted: called once before training with all items' fields and the training events.
      What predictions need of it must be kept in buffers whose shape follows from the schema: a served model meets nothing.
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
class HasStages(Protocol):
    def stages(self) -> Sequence[Stage]: ...
