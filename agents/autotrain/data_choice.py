"""Which of the data sets that need no files suits a method, when the user names none: real ones first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from agents.autotrain.spec import MethodSpec
from sandboxes.kit.card import Card
from sandboxes.kit.data.spec import TableSpec
from sandboxes.kit.datasets import DataSet

AUTO = "auto"

# What a card's need asks of a table, and how to say it.
OFFERS: Mapping[str, tuple[str, Callable[[TableSpec], bool]]] = MappingProxyType(
    {
        "history": ("behaviour histories", lambda t: bool(t.sequences)),
        "target_item": ("behaviour histories", lambda t: bool(t.sequences)),
        "outcomes": ("outcomes of past events", lambda t: any(t.records(s) == "outcomes" for s in t.sequences)),
        "scenario": ("scenarios", lambda t: t.scenario is not None),
        "several_tasks": ("several tasks", lambda t: len(t.tasks) > 1),
        "entire_space": ("a task that depends on another", lambda t: any(label.given for label in t.tasks)),
        "numeric": ("numeric fields", lambda t: bool(t.numeric)),
    }
)


def fitting_data(spec: MethodSpec, cards: Sequence[Card], known: Sequence[DataSet]) -> tuple[str, str]:
    """The name of the first data set that meets most of what the method's blocks need, and why, in a sentence."""
    needs = _needs(spec, cards)
    candidates = [d for d in known if d.kind != "files"]
    best = min(candidates, key=lambda d: len(_unmet(needs, d)))
    words = list(dict.fromkeys(OFFERS[need][0] for need in needs))
    if not words:
        return best.name, f"{best.name}, since the method needs nothing special (--data names another)"
    lacking = list(dict.fromkeys(OFFERS[need][0] for need in _unmet(needs, best)))
    return best.name, (
        f"{best.name}, since the method needs {', '.join(words)}"
        + (f"; it lacks {', '.join(lacking)}" if lacking else "")
        + " (--data names another)"
    )


def _needs(spec: MethodSpec, cards: Sequence[Card]) -> list[str]:
    """What the blocks cannot do without, and what they make use of."""
    by_name = {c.name: c for c in cards}
    found = [by_name[m.block] for m in spec.mechanisms if m.block in by_name]
    wanted = [need for card in found for need in (*card.needs, *(("outcomes",) if card.takes_outcomes else ()))]
    return list(dict.fromkeys(wanted))


def _unmet(needs: Sequence[str], data: DataSet) -> list[str]:
    table = data.source(None).spec
    return [need for need in needs if not OFFERS[need][1](table)]
