"""Draws a blueprint: from the mechanisms of a spec, the schema of the data and the cards of the kit.

What stands where follows from what a card's block takes and gives (`sandboxes.kit.ports`); no mechanism is treated by its name.
The only blocks named here are the skeleton's, which stand in where a paper leaves a gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agents.autotrain.builtin.blocks import accepts, has_divergence, required
from agents.autotrain.builtin.blueprint import Blueprint, Note, Part, Setting
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
from agents.autotrain.builtin.wiring import giving, is_deep, reading, refining
from agents.autotrain.spec import MethodSpec
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.needs import NEEDS, NeedName, offered
from sandboxes.kit.ports import VALUES, Value
from sandboxes.kit.schema import Schema

SKELETON_TOWER, SKELETON_LINEAR = "dnn", "linear"  # cards of the blocks that fill gaps
EMBEDDING = Card("embedding", "FeatureEmbedding", "embedding", "one table for all fields", "", (), ())
METHODS = frozenset(
    {"forward", "fields", "logits", "scores", "meet", "loss", "auxiliary_loss", "stages", "predict", "teacher_loss"}
    | {"translation_loss"}
)
RESERVED = METHODS | {"embedding", "output", "training", "batch"}


def draw(spec: MethodSpec, schema: Schema, cards: Sequence[Card], without: Mapping[str, str] | None = None) -> Blueprint:
    """The model for `spec` on data of this schema. `without` gives mechanism ids to leave out, each with the reason."""
    data = offered(schema)
    chosen, notes = choose(spec, data, cards, without or {})
    chosen, unfed = _fed(chosen)
    chosen, inside = _inside_the_tower(chosen)
    placed = _without_gaps(chosen, {c.name: c for c in cards}, of_items="items" in data)
    settings, keywords, refused = _settings(spec, placed)
    parts = tuple(_part(c, keywords) for c in placed)
    notes += [*unfed, *inside, *refused, *_shared_terms(parts, data), *_without_outcomes(parts, data)]
    return Blueprint(data, parts, settings, tuple(sorted(notes, key=lambda n: _order(spec, n))))


def _fed(chosen: Sequence[Chosen]) -> tuple[list[Chosen], list[Note]]:
    """Without those that take what only another block can give when none gives it (a scheme, of its loss to begin with)."""
    fed, notes = list[Chosen](), list[Note]()
    for c in chosen:
        absent = [VALUES[v].absent for v in c.card.ports.takes if VALUES[v].absent and not giving(chosen, v)]
        notes += [Note(s, "left out", ", and ".join(absent)) for s in c.sources if absent]
        fed += [] if absent else [c]
    return fed, notes


def _inside_the_tower(chosen: Sequence[Chosen]) -> tuple[list[Chosen], list[Note]]:
    """Deep layers of a model whose tower has hidden layers of its own are those: none stand below it."""
    towers = (c for c in reading(chosen, "representation") if c.card.ports.gives == "logits")
    tower = next((c for c in towers if accepts(c.card, "hidden_units")), None)
    if tower is None:
        return list(chosen), []
    reason = f"the hidden layers of {tower.sources[0].id} are the deep ones"
    notes = [Note(s, "simplified", reason) for c in chosen if is_deep(c.card) for s in c.sources]
    return [c for c in chosen if not is_deep(c.card)], notes


def _without_gaps(chosen: Sequence[Chosen], cards: Mapping[str, Card], of_items: bool) -> list[Chosen]:
    """The skeleton: an embedding always; a deep tower where nothing else combines; first-order weights under bare terms.

    Scores of items need a vector of the query, which the tower gives where nothing else does.
    """
    placed = list(chosen)
    if _scores_by_itself(placed):
        return placed
    if not giving(placed, "fields"):
        placed.append(Chosen(EMBEDDING))
    if not _combine(placed) or _starve(placed) or (of_items and not giving(placed, "representation")):
        placed.append(Chosen(cards[SKELETON_TOWER]))
    represented = giving(placed, "representation") or reading(placed, "representation")
    if not represented and not any("batch" in c.card.ports.takes for c in giving(placed, "logits")):
        placed.insert(0, Chosen(cards[SKELETON_LINEAR]))
    return placed


def _scores_by_itself(placed: Sequence[Chosen]) -> bool:
    """Whether items are scored and nothing asks for the vectors of fields, so that no skeleton is wanted."""
    taken = {value for c in placed for value in c.card.ports.takes}
    return bool(giving(placed, "scores")) and not giving(placed, "fields") and taken <= {"batch", "model", "scores"}


def _combine(placed: Sequence[Chosen]) -> bool:
    """Whether anything reads the fields together, one by one as vectors or flat."""
    values: tuple[Value, ...] = ("fields", "flat", "representation")
    return any(c.card.ports.gives in ("representation", "logits") for v in values for c in reading(placed, v))


def _starve(placed: Sequence[Chosen]) -> bool:
    """Whether something is put to the flat vector that nothing reads, or to the input of a deep tower that does not stand."""
    deep = reading(placed, "representation") or [c for c in placed if is_deep(c.card)]
    inputs = [c for c in giving(placed, "flat") if not c.card.ports.per_sequence]
    return bool(inputs and not deep) or bool(
        (giving(placed, "flat") or refining(placed, "flat")) and not deep and not reading(placed, "flat")
    )


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
    needed = tuple(name for name in required(card) if name not in by_keyword)
    return Part(card, attribute, needed, (*own, *shared), chosen.sources, has_divergence(card))


def _attribute(card: Card) -> str:
    """The block's attribute in the model: the card's name; every embedding is `embedding`."""
    if card.slot == "embedding":
        return "embedding"
    return f"{card.name}_block" if card.name in RESERVED | SHARED.keys() else card.name


def _shared_terms(parts: Sequence[Part], data: frozenset[NeedName]) -> list[Note]:
    if "several_tasks" not in data:
        return []
    shared = [p for p in giving(parts, "logits") if "n_tasks" not in p.required]
    return [Note(s, "simplified", "its one output is added to the logits of all tasks") for p in shared for s in p.sources]


def _without_outcomes(parts: Sequence[Part], data: frozenset[NeedName]) -> list[Note]:
    blind = [p for p in parts if "outcomes" in p.ports.takes and "outcomes" not in data]
    return [Note(s, "simplified", NEEDS["outcomes"].unmet) for p in blind for s in p.sources]


def _order(spec: MethodSpec, note: Note) -> int:
    ids = [m.id for m in spec.mechanisms]
    return ids.index(note.source.id) if note.source.id in ids else len(ids)
