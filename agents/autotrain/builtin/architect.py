"""Draws a blueprint: from the mechanisms of a spec, the schema of the data and the cards of the kit.

What stands where follows from a card's slot, placement, needs and flags; no mechanism is treated by its name. The only
blocks named here are the skeleton's, which stand in where a paper leaves a gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from agents.autotrain.builtin.blocks import accepts, has_divergence, required
from agents.autotrain.builtin.blueprint import Blueprint, DataShape, Note, Part, Setting
from agents.autotrain.builtin.choose import Chosen, choose
from agents.autotrain.builtin.keywords import (
    SHARED,
    Unusable,
    annotation,
    fitting,
    keyword_names,
    literal,
    own_arguments,
    shared_settings,
    stated_hyper_parameters,
)
from agents.autotrain.spec import MethodSpec
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.schema import Schema

SKELETON_TOWER, SKELETON_LINEAR = "dnn", "linear"  # cards of the blocks that fill gaps
EMBEDDING = Card("embedding", "FeatureEmbedding", "embedding", "one table for all fields", "", (), ())
METHODS = frozenset({"forward", "fields", "logits", "loss", "auxiliary_loss", "teacher_loss", "stages", "predict"})
RESERVED = METHODS | {"embedding", "output", "training", "batch"}


@dataclass
class _Places:
    """Cards by role while drawing; a role of its own for each way of standing in the forward pass."""

    by_role: dict[str, list[Chosen]] = field(default_factory=dict)

    def of(self, role: str) -> list[Chosen]:
        return self.by_role.setdefault(role, [])

    def one(self, role: str) -> Chosen | None:
        return self.of(role)[0] if self.of(role) else None


def data_shape(schema: Schema) -> DataShape:
    return DataShape(
        histories=bool(schema.sequences),
        numeric=bool(schema.numeric),
        scenario=schema.scenario is not None,
        several_tasks=len(schema.tasks) > 1,
        entire_space=any(t.given for t in schema.tasks),
    )


def draw(spec: MethodSpec, schema: Schema, cards: Sequence[Card], without: Mapping[str, str] | None = None) -> Blueprint:
    """The model for `spec` on data of this schema. `without` gives mechanism ids to leave out, each with the reason."""
    data = data_shape(schema)
    chosen, notes = choose(spec, data, cards, without or {})
    places = _places(chosen)
    notes += [*_without_pretext(places), *_inside_the_tower(places)]
    _fill_gaps(places, {c.name: c for c in cards})
    placed = [c for role in places.by_role.values() for c in role]
    settings, keywords, refused = _settings(spec, placed)
    parts = {id(c): _part(c, keywords) for c in placed}
    drawn = {role: tuple(parts[id(c)] for c in found) for role, found in places.by_role.items()}
    notes += [*refused, *_shared_terms(drawn.get("terms", ()), data)]
    return _blueprint(data, drawn, settings, tuple(sorted(notes, key=lambda n: _order(spec, n))))


def role_of(card: Card) -> str:
    """Where a card's block stands: its slot, told apart further by placement and flags."""
    if card.slot == "embedding":
        return "numeric" if "numeric" in card.needs else "embedding"
    if card.slot != "interaction":
        return card.slot
    if card.placement == "logit":
        return "terms"
    if is_deep(card):
        return "deeps"
    return "inputs" if card.placement == "input" else "parallels"


def is_deep(card: Card) -> bool:
    """Whether the block is a deep tower: layers of hidden units over the flat input."""
    return card.slot == "interaction" and card.flat_input and any(a.name == "hidden_units" for a in card.arguments)


def over_batch(card: Card) -> bool:
    """Whether an interaction block takes the batch itself (first-order weights) and not its embeddings."""
    return "schema" in required(card)


def _places(chosen: Sequence[Chosen]) -> _Places:
    places = _Places()
    for c in chosen:
        places.of(role_of(c.card)).append(c)
    return places


def _without_pretext(places: _Places) -> list[Note]:
    """Takes out schemes that train on a loss beside the main one when the model has none."""
    if places.of("auxiliary"):
        return []
    idle = [c for c in places.of("scheme") if accepts(c.card, "auxiliary_loss")]
    places.by_role["scheme"] = [c for c in places.of("scheme") if c not in idle]
    return [Note(s, "left out", "no loss beside the main one was recognised, which it is for") for c in idle for s in c.sources]


def _inside_the_tower(places: _Places) -> list[Note]:
    """Deep layers of a model whose tower has hidden layers of its own are those: none stand below it."""
    tower = places.one("tower")
    if tower is None or not accepts(tower.card, "hidden_units"):
        return []
    deeps, places.by_role["deeps"] = places.of("deeps"), []
    reason = f"the hidden layers of {tower.sources[0].id} are the deep ones"
    return [Note(s, "simplified", reason) for c in deeps for s in c.sources]


def _fill_gaps(places: _Places, cards: Mapping[str, Card]) -> None:
    """The skeleton: an embedding always; a deep tower where nothing else combines; first-order weights under bare terms."""
    if not places.of("embedding"):
        places.of("embedding").append(Chosen(EMBEDDING))
    towers = bool(places.of("deeps") or places.of("tower"))
    flat = towers or any(c.card.flat_input for c in (*places.of("parallels"), *places.of("terms")))
    on_fields = towers or places.of("parallels") or any(not over_batch(c.card) for c in places.of("terms"))
    starved = (places.of("inputs") and not towers) or ((places.of("history") or places.of("scenario")) and not flat)
    if not on_fields or starved:
        places.of("deeps").append(Chosen(cards[SKELETON_TOWER]))
    represented = places.of("deeps") or places.of("tower") or places.of("parallels")
    if not represented and not any(over_batch(c.card) for c in places.of("terms")):
        places.of("terms").insert(0, Chosen(cards[SKELETON_LINEAR]))


def _settings(
    spec: MethodSpec, placed: Sequence[Chosen]
) -> tuple[tuple[Setting, ...], Mapping[tuple[str, str], str], list[Note]]:
    """The model's keywords, which of them sets which argument of which block, and the paper's values that cannot be."""
    uses = [(c, a) for c in placed for a in own_arguments(c.card) if accepts(c.card, a.name)]
    names = keyword_names([(_attribute(c.card), a) for c, a in uses])
    stated, notes = stated_hyper_parameters(spec), list[Note]()
    settings = list(shared_settings(spec))
    for c, argument in uses:
        setting, refused = _setting(names[_attribute(c.card), argument.name], argument, {**stated, **c.arguments})
        settings.append(setting)
        notes += [Note(s, "simplified", refused) for s in c.sources[:1] if refused]
    return tuple(settings), names, notes


def _setting(name: str, argument: Argument, stated: Mapping[str, object]) -> tuple[Setting, str]:
    default = Setting(name, annotation(argument.default), literal(argument.default))
    if argument.name not in stated:
        return default, ""
    try:
        value = fitting(argument, stated[argument.name])
    except Unusable as why:
        return default, f"{why}, so the default {default.default} stands"
    return replace(default, default=literal(value), from_paper=True), ""


def _part(chosen: Chosen, names: Mapping[tuple[str, str], str]) -> Part:
    card, attribute = chosen.card, _attribute(chosen.card)
    own = [(a.name, names[attribute, a.name]) for a in own_arguments(card) if (attribute, a.name) in names]
    shared = [("dropout", "dropout")] if accepts(card, "dropout") else []
    by_keyword = {name for name, _ in (*own, *shared)}
    takes = tuple(name for name in required(card) if name not in by_keyword)
    return Part(card, attribute, takes, (*own, *shared), chosen.sources)


def _attribute(card: Card) -> str:
    """The block's attribute in the model: the card's name; every embedding is `embedding`."""
    if card.slot == "embedding" and role_of(card) == "embedding":
        return "embedding"
    return f"{card.name}_block" if card.name in RESERVED | SHARED.keys() else card.name


def _shared_terms(terms: Sequence[Part], data: DataShape) -> list[Note]:
    if not data.several_tasks:
        return []
    shared = [p for p in terms if not over_batch(p.card)]
    return [Note(s, "simplified", "its one output is added to the logits of all tasks") for p in shared for s in p.sources]


def _order(spec: MethodSpec, note: Note) -> int:
    ids = [m.id for m in spec.mechanisms]
    return ids.index(note.source.id) if note.source.id in ids else len(ids)


def _blueprint(
    data: DataShape, drawn: Mapping[str, tuple[Part, ...]], settings: tuple[Setting, ...], notes: tuple[Note, ...]
) -> Blueprint:
    def single(role: str) -> Part | None:
        found = drawn.get(role, ())
        return found[0] if found else None

    embedding = drawn["embedding"][0]
    return Blueprint(
        data=data,
        embedding=embedding,
        settings=settings,
        numeric=single("numeric"),
        features=drawn.get("feature", ()),
        histories=drawn.get("history", ()),
        scenarios=drawn.get("scenario", ()),
        inputs=drawn.get("inputs", ()),
        parallels=drawn.get("parallels", ()),
        deeps=drawn.get("deeps", ()),
        terms=drawn.get("terms", ()),
        tower=single("tower"),
        head=single("head"),
        auxiliaries=drawn.get("auxiliary", ()),
        loss=single("loss"),
        stagings=drawn.get("scheme", ()),
        update=single("update"),
        inference=single("inference"),
        divergence=has_divergence(embedding.card),
        notes=notes,
    )
