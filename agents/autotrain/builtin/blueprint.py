"""A model as a plan: which blocks stand where, with which settings, and what could not be built.

The architect draws a blueprint, the renderer writes it down as `model.py`. Nothing here is text from a paper except
`Source.name` and `Source.section`, which the architect has cleaned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agents.autotrain.builtin.blocks import has_stages, meets
from agents.autotrain.builtin.wiring import giving, is_deep, reading, refining
from sandboxes.kit.card import Card
from sandboxes.kit.needs import NeedName
from sandboxes.kit.ports import Ports


@dataclass(frozen=True)
class Source:
    """The mechanism of the spec that a part stands for: its id, and its cleaned name and section."""

    id: str
    name: str
    section: str = ""


@dataclass(frozen=True)
class Setting:
    """A keyword of the model's constructor. `from_paper` tells a stated default from the kit's own."""

    name: str
    annotation: str
    default: str  # a Python literal
    from_paper: bool = False


@dataclass(frozen=True)
class Part:
    """A block in its place. `sources` is empty for what the skeleton adds.

    `required` are the constructor's parameters without a default; `keywords` pairs a constructor parameter with the model's
    keyword that sets it. `divergence` tells whether the block has a `kl()` of its last forward pass, which joins the loss.
    """

    card: Card
    attribute: str
    required: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...] = ()
    sources: tuple[Source, ...] = ()
    divergence: bool = False

    @property
    def ports(self) -> Ports:
        return self.card.ports


@dataclass(frozen=True)
class Note:
    """What became of a mechanism that the code does not hold as the paper has it."""

    source: Source
    outcome: Literal["left out", "simplified"]
    reason: str

    def __str__(self) -> str:
        return f"{self.source.id} ({self.source.name}): {self.outcome}, {self.reason}"


@dataclass(frozen=True)
class Blueprint:
    """All parts, in the order of the spec, and what the data offers. Where a part stands follows from its ports.

    A model has a representation (`deeps`, `parallels` or a `tower`), logit `terms`, or both; of items it may have `scorers`
    alone, and then it embeds nothing.
    """

    data: frozenset[NeedName]
    parts: tuple[Part, ...]
    settings: tuple[Setting, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def embedding(self) -> Part | None:
        return _one(giving(self.parts, "fields"))

    @property
    def numeric(self) -> Part | None:
        """Embeds numeric fields, inside the embedding."""
        return _one(giving(self.parts, "number_vectors"))

    @property
    def features(self) -> tuple[Part, ...]:
        return refining(self.parts, "fields")

    @property
    def histories(self) -> tuple[Part, ...]:
        return tuple(p for p in giving(self.parts, "flat") if p.ports.per_sequence)

    @property
    def inputs(self) -> tuple[Part, ...]:
        """Join the flat vector of all fields."""
        return tuple(p for p in giving(self.parts, "flat") if not p.ports.per_sequence)

    @property
    def scenarios(self) -> tuple[Part, ...]:
        """Change the flat vector of all fields."""
        return refining(self.parts, "flat")

    @property
    def parallels(self) -> tuple[Part, ...]:
        """Stand beside the deep tower."""
        return tuple(p for p in giving(self.parts, "representation") if not is_deep(p.card))

    @property
    def deeps(self) -> tuple[Part, ...]:
        return tuple(p for p in giving(self.parts, "representation") if is_deep(p.card))

    @property
    def tower(self) -> Part | None:
        """Makes logits of the representation."""
        return _one(tuple(p for p in reading(self.parts, "representation") if p.ports.gives == "logits"))

    @property
    def terms(self) -> tuple[Part, ...]:
        """Add to the logits."""
        return tuple(p for p in giving(self.parts, "logits") if p is not self.tower)

    @property
    def scorers(self) -> tuple[Part, ...]:
        """Score all items; those that read the query's vector first."""
        found = giving(self.parts, "scores")
        return tuple(sorted(found, key=lambda p: "representation" not in p.ports.takes))

    @property
    def scores_by_product(self) -> bool:
        """Whether the kit's own product scores items, since there is a vector of the query and no part makes scores of it."""
        return self.of_items and self.has_representation and not reading(self.parts, "representation")

    @property
    def heads(self) -> tuple[Part, ...]:
        return refining(self.parts, "logits")

    @property
    def auxiliaries(self) -> tuple[Part, ...]:
        return giving(self.parts, "loss")

    @property
    def loss(self) -> Part | None:
        """Stands in place of the cross-entropy."""
        return _one(giving(self.parts, "main_loss"))

    @property
    def stagings(self) -> tuple[Part, ...]:
        """Change the training scheme one after the other, a rule of update last."""
        found = giving(self.parts, "stages")
        return tuple(sorted(found, key=lambda p: p.card.slot == "update"))

    @property
    def outermost(self) -> tuple[Part, ...]:
        """What is built last, since it stands around the rest: losses, schemes, paths of prediction.

        The main loss comes first: it may copy the model, which is then its part of the predictions and nothing else.
        """
        single = (self.loss, *self.auxiliaries, *self.stagings, self.inference)
        return tuple(p for p in single if p is not None)

    @property
    def schemes(self) -> tuple[Part, ...]:
        """The parts that have a say in the training scheme, in the order in which they change it.

        What stands inside the model follows the main loss, whose teacher may be a copy of it, so that its own stage comes first.
        """
        outermost = self.outermost
        first = (self.loss,) if self.loss else ()
        inside = tuple(p for p in self.parts if p not in outermost)
        return tuple(p for p in (*first, *inside, *outermost[len(first) :]) if has_stages(p.card))

    @property
    def inference(self) -> Part | None:
        return _one(giving(self.parts, "predictions"))

    @property
    def staged_losses(self) -> tuple[Part, ...]:
        """Auxiliary losses that a stage of the scheme minimises, not the main loss."""
        return self.auxiliaries if reading(self.parts, "loss") else ()

    @property
    def added_losses(self) -> tuple[Part, ...]:
        """Auxiliary losses that are added to the main one."""
        return () if self.staged_losses else self.auxiliaries

    @property
    def meeting(self) -> tuple[Part, ...]:
        """The parts that learn of all items before training."""
        return tuple(p for p in self.parts if meets(p.card))

    @property
    def divergences(self) -> tuple[Part, ...]:
        return tuple(p for p in self.parts if p.divergence)

    @property
    def has_representation(self) -> bool:
        return bool(giving(self.parts, "representation") or self.tower)

    @property
    def has_flat(self) -> bool:
        """Whether anything stands on the flat vector of all fields."""
        return bool(reading(self.parts, "flat") or self.tower or self.scenarios)

    @property
    def of_items(self) -> bool:
        """Whether the model scores all items or actions instead of the labels of a row; its fields are then the query's."""
        return "items" in self.data

    @property
    def of_actions(self) -> bool:
        """Whether the scores are those of actions, to be learned from logged decisions."""
        return "actions" in self.data

    @property
    def pools_histories(self) -> bool:
        """Whether histories stand as fields of their own, by their mean, since no part reads them."""
        return "history" in self.data and not self.histories

    @property
    def sources(self) -> tuple[Source, ...]:
        """The mechanisms that the code holds."""
        return tuple(s for p in self.parts for s in p.sources)


def _one(found: tuple[Part, ...]) -> Part | None:
    return found[0] if found else None
