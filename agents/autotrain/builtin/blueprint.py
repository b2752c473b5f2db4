"""A model as a plan: which blocks stand where, with which settings, and what could not be built.

The architect draws a blueprint, the renderer writes it down as `model.py`. Nothing here is text from a paper except
`Source.name` and `Source.section`, which the architect has cleaned.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from agents.autotrain.builtin.blocks import has_stages
from sandboxes.kit.card import Card


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

    `takes` are the constructor's parameters without a default; `keywords` pairs a constructor parameter with the model's
    keyword that sets it.
    """

    card: Card
    attribute: str
    takes: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True)
class Note:
    """What became of a mechanism that the code does not hold as the paper has it."""

    source: Source
    outcome: Literal["left out", "simplified"]
    reason: str

    def __str__(self) -> str:
        return f"{self.source.id} ({self.source.name}): {self.outcome}, {self.reason}"


@dataclass(frozen=True)
class DataShape:
    """What a schema offers, as far as the code's text depends on it."""

    histories: bool
    numeric: bool
    scenario: bool
    several_tasks: bool
    entire_space: bool

    def has(self, need: str) -> bool:
        """Whether a card's need is met. The target of a history is the row's own value of the field it is a history of."""
        offered = {
            "history": self.histories,
            "target_item": self.histories,
            "numeric": self.numeric,
            "scenario": self.scenario,
            "several_tasks": self.several_tasks,
            "entire_space": self.entire_space,
        }
        return offered[need]


@dataclass(frozen=True)
class Blueprint:
    """The parts by role. A model has a representation (`deeps`, `parallels` or a `tower`), logit `terms`, or both."""

    data: DataShape
    embedding: Part
    settings: tuple[Setting, ...] = ()
    numeric: Part | None = None  # embeds numeric fields, inside the embedding
    features: tuple[Part, ...] = ()
    histories: tuple[Part, ...] = ()
    scenarios: tuple[Part, ...] = ()
    inputs: tuple[Part, ...] = ()  # join the deep tower's input
    parallels: tuple[Part, ...] = ()  # stand beside the deep tower
    deeps: tuple[Part, ...] = ()
    terms: tuple[Part, ...] = ()  # add to the logits
    tower: Part | None = None
    head: Part | None = None
    auxiliaries: tuple[Part, ...] = ()
    loss: Part | None = None  # stands in place of the cross-entropy
    stagings: tuple[Part, ...] = ()  # change the training scheme, one after the other
    update: Part | None = None
    inference: Part | None = None
    divergence: bool = False  # the embedding has a KL term
    notes: tuple[Note, ...] = field(default=())

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts in the order of the forward pass."""
        single = (self.tower, self.head, *self.outermost)
        several = (*self.features, *self.histories, *self.scenarios, *self.inputs, *self.parallels, *self.deeps, *self.terms)
        return tuple(p for p in (self.embedding, self.numeric, *several, *single) if p is not None)

    @property
    def outermost(self) -> tuple[Part, ...]:
        """What is built last, since it stands around the rest: losses, schemes, paths of prediction.

        The main loss comes first: it may copy the model, which is then its part of the predictions and nothing else.
        """
        return tuple(p for p in (self.loss, *self.auxiliaries, *self.stagings, self.update, self.inference) if p is not None)

    @property
    def schemes(self) -> tuple[Part, ...]:
        """The parts that have a say in the training scheme, in the order in which they change it."""
        return tuple(p for p in self.outermost if has_stages(p.card))

    @property
    def stages_auxiliary_losses(self) -> bool:
        """Whether a stage of the scheme minimises the auxiliary losses, which the main loss then leaves out."""
        return any("auxiliary_loss" in p.takes for p in self.stagings)

    @property
    def has_representation(self) -> bool:
        return bool(self.deeps or self.parallels or self.tower)

    @property
    def has_flat(self) -> bool:
        """Whether anything stands on the flat vector of all fields."""
        return any("in_dim" in p.takes for p in self.parts)

    @property
    def pools_histories(self) -> bool:
        """Whether histories stand as fields of their own, by their mean, since no part reads them."""
        return self.data.histories and not self.histories

    @property
    def sources(self) -> tuple[Source, ...]:
        """The mechanisms that the code holds, in the spec's order of ids."""
        return tuple(s for p in self.parts for s in p.sources)
