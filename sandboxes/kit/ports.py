"""Typed ports: the kinds of values that flow through a model, and which of them each slot's blocks take and give.

Wiring follows from these tables alone. Among the blocks that give one kind of value, those that also take it refine it in turn;
what the others give is joined as the kind says. Notation: B rows, N numeric fields, F fields, D embedding width, L history
length, O outcomes of an event, K width of a vector, T tasks, I ids of the target item.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from sandboxes.kit.needs import NeedName

Value = Literal[
    "batch",
    "model",
    "embedding",
    "numbers",
    "number_vectors",
    "fields",
    "target",
    "history",
    "mask",
    "outcomes",
    "flat",
    "scenario",
    "representation",
    "logits",
    "scores",
    "loss",
    "main_loss",
    "stages",
    "predictor",
    "predictions",
]
Slot = Literal[
    "embedding",
    "numeric",
    "feature",
    "history",
    "scenario",
    "interaction",
    "tower",
    "head",
    "auxiliary",
    "loss",
    "item_scores",
    "item_loss",
    "scheme",
    "update",
    "inference",
]

Placement = Literal["logit", "parallel", "input"]


@dataclass(frozen=True)
class Joint:
    """Where an interaction branch joins."""

    gives: Value
    said: str


JOINTS: Mapping[Placement, Joint] = MappingProxyType(
    {
        "logit": Joint("logits", "its output is added to the logits"),
        "parallel": Joint("representation", "its vector stands beside the deep tower's output"),
        "input": Joint("flat", "its vector joins the flat embeddings at the deep tower's input"),
    }
)


@dataclass(frozen=True)
class Kind:
    """A kind of value: what it is with its shape, how what several blocks give of it becomes one, and what it needs.

    `needs` is asked of the data. `absent` says, where only another block can give the value, what is lacking without one, and
    `usual` names the block that gives it where a method does not say which.
    A value `per_sequence` exists once for each history of the schema, and a block that takes one is built for each; of those
    that take a value `per_log` there is one for each log, whose histories are of the same events.
    """

    said: str
    joined: Literal["one", "concatenated", "added"] = "one"
    needs: NeedName | None = None
    absent: str = ""
    usual: str = ""
    per_sequence: bool = False
    per_log: bool = False


VALUES: Mapping[Value, Kind] = MappingProxyType(
    {
        "batch": Kind("batch"),
        "model": Kind("the model, (batch) -> scores (B, I)", needs="items"),
        "embedding": Kind("the model's embedding"),
        "numbers": Kind("numeric values (B, N)", needs="numeric"),
        "number_vectors": Kind("vectors (B, N, D)"),
        "fields": Kind("fields (B, F, D)"),
        "target": Kind("target (B, D)", needs="history", per_sequence=True),
        "history": Kind("history (B, L, D)", needs="history", per_sequence=True),
        "mask": Kind("mask (B, L)", needs="history", per_sequence=True),
        "outcomes": Kind("outcomes (B, L, O)", needs="history", per_sequence=True, per_log=True),
        "flat": Kind("flat vector (B, K)", joined="concatenated"),
        "scenario": Kind("scenario ids (B,)", needs="scenario"),
        "representation": Kind("vector (B, K)", joined="concatenated"),
        "logits": Kind("logits (B, T)", joined="added"),
        "scores": Kind("scores (B, I) of all items", joined="added", needs="items"),
        "loss": Kind(
            "scalar loss, already weighted",
            joined="added",
            absent="no loss beside the main one was recognised, which it is for",
            usual="masked_reconstruction",
        ),
        "main_loss": Kind("scalar loss"),
        "stages": Kind("stages of training"),
        "predictor": Kind("function from fields (B, F, D) to logits (B, T)"),
        "predictions": Kind("probabilities (B, T)"),
    }
)


# Values that speak of labels. A model that predicts items has scores of all items instead, which no such block gives or changes.
OF_LABELS: frozenset[Value] = frozenset({"logits", "predictor", "predictions"})


@dataclass(frozen=True)
class Ports:
    """What a block is called with, in order, and what comes out."""

    takes: tuple[Value, ...]
    gives: Value

    @property
    def refines(self) -> bool:
        """Whether the block changes a value that stands already, rather than adding to it."""
        return self.gives in self.takes

    @property
    def adds_or_changes_labels(self) -> bool:
        return bool(OF_LABELS & {self.gives, *self.takes})

    @property
    def per_sequence(self) -> bool:
        return any(VALUES[v].per_sequence for v in self.takes)

    @property
    def per_log(self) -> bool:
        return any(VALUES[v].per_log for v in self.takes)

    def __str__(self) -> str:
        taken = ", ".join(VALUES[v].said for v in self.takes)
        return f"({taken}) -> {VALUES[self.gives].said}"


@dataclass(frozen=True)
class Place:
    """A slot's row: its ports as a rule (an interaction's placement and a card's `takes` may say otherwise), and what for."""

    ports: Ports
    purpose: str
    needs: NeedName | None = None  # of the data, beyond what the values need
    one_only: bool = False  # a model has one


SLOTS: Mapping[Slot, Place] = MappingProxyType(
    {
        "embedding": Place(Ports(("batch",), "fields"), "replaces or regularises the feature embedding", one_only=True),
        "numeric": Place(Ports(("numbers",), "number_vectors"), "embeds numeric fields, inside the embedding", one_only=True),
        "feature": Place(Ports(("fields",), "fields"), "refines the fields' vectors before they interact"),
        "history": Place(Ports(("target", "history", "mask"), "flat"), "summarises a history of behaviours"),
        "scenario": Place(Ports(("flat", "scenario"), "flat"), "adapts a representation to the row's scenario"),
        "interaction": Place(Ports(("fields",), "representation"), "one branch over the fields"),
        "tower": Place(Ports(("representation",), "logits"), "how tasks share and split", needs="several_tasks", one_only=True),
        "head": Place(Ports(("logits",), "logits"), "how the tasks' outputs combine", needs="entire_space", one_only=True),
        "auxiliary": Place(Ports(("fields",), "loss"), "a loss beside the main one"),
        "loss": Place(Ports(("logits", "batch"), "main_loss"), "a loss in place of the cross-entropy", one_only=True),
        "item_scores": Place(Ports(("representation",), "scores"), "how a query's vector scores all items", needs="items"),
        "item_loss": Place(
            Ports(("scores", "batch"), "main_loss"), "a loss in place of the softmax over all items", needs="items", one_only=True
        ),
        "scheme": Place(Ports((), "stages"), "changes how training is staged: `staged(stages)` in `stages()`"),
        "update": Place(Ports((), "stages"), "which gradients a step follows: `staged(stages)` in `stages()`", one_only=True),
        "inference": Place(Ports(("predictor", "fields"), "predictions"), "what is done at prediction alone", one_only=True),
    }
)
