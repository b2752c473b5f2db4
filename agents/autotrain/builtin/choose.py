"""Chooses which mechanisms of a spec can stand in the model, and says of every other why it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agents.autotrain.builtin.blueprint import Note, Source
from agents.autotrain.builtin.plain import identifier, plain
from agents.autotrain.spec import Mechanism, MethodSpec
from sandboxes.kit.card import Card
from sandboxes.kit.needs import NEEDS, NeedName
from sandboxes.kit.ports import SLOTS


@dataclass(frozen=True)
class Chosen:
    """A card to be built, for the mechanisms in `sources` (none for the skeleton), with the paper's arguments."""

    card: Card
    sources: tuple[Source, ...] = ()
    arguments: Mapping[str, object] = field(default_factory=dict)


def sources(spec: MethodSpec) -> Iterator[tuple[Mechanism, Source]]:
    """Each mechanism with its id, cleaned name and section, as comments speak of it."""
    for number, mechanism in enumerate(spec.mechanisms, 1):
        section = plain(mechanism.evidence[0].section, 60) if mechanism.evidence else ""
        yield mechanism, Source(identifier(mechanism.id) or f"m{number}", plain(mechanism.name) or "unnamed mechanism", section)


def choose(
    spec: MethodSpec, data: frozenset[NeedName], cards: Sequence[Card], without: Mapping[str, str]
) -> tuple[list[Chosen], list[Note]]:
    """The cards to build, in the spec's order, and a note for every mechanism that is left out or merged."""
    by_name = {c.name: c for c in cards}
    chosen: dict[str, Chosen] = {}
    notes: list[Note] = []
    winners = _winners(spec, by_name, data, without)
    for mechanism, source in sources(spec):
        card = by_name.get(mechanism.block or "")
        reason = _obstacle(card, data, without.get(mechanism.id))
        if card is None or reason:
            notes.append(Note(source, "left out", reason))
        elif card.name in chosen:
            first = chosen[card.name]
            chosen[card.name] = replace(first, sources=(*first.sources, source))
            notes.append(Note(source, "simplified", f"it shares the block of {first.sources[0].id}"))
        elif winners.get(_seat(card), card.name) != card.name:
            reason = f"a model has one {_seat(card)} block, and {winners[_seat(card)]} takes the place"
            notes.append(Note(source, "left out", reason))
        else:
            chosen[card.name] = Chosen(card, (source,), mechanism.arguments)
    return list(chosen.values()), notes


def _obstacle(card: Card | None, data: frozenset[NeedName], left_out: str | None) -> str:
    """Why the mechanism cannot be built, "" when it can."""
    if left_out is not None:
        return left_out
    if card is None:
        return "no block of the kit implements it"
    unmet = [NEEDS[need].unmet for need in card.needs if need not in data]
    if "items" in data and card.ports.adds_or_changes_labels:
        unmet.append("the data asks which item, and of that it says nothing")
    return ", and ".join(unmet)


def _seat(card: Card) -> str:
    """The place that one block alone can take, "" for a card that stands beside others."""
    return card.slot if SLOTS[card.slot].one_only else ""


def _winners(
    spec: MethodSpec, cards: Mapping[str, Card], data: frozenset[NeedName], without: Mapping[str, str]
) -> dict[str, str]:
    """The card that takes each such place: that of the mechanism read with most confidence, the first among equals."""
    best: dict[str, tuple[float, str]] = {}
    for mechanism in spec.mechanisms:
        card = cards.get(mechanism.block or "")
        if card is None or not _seat(card) or _obstacle(card, data, without.get(mechanism.id)):
            continue
        if mechanism.confidence > best.get(_seat(card), (-1.0, ""))[0]:
            best[_seat(card)] = (mechanism.confidence, card.name)
    return {seat: name for seat, (_, name) in best.items()}
