"""Which of the data sets that need no files suits a method, when the user names none: real ones first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from agents.autotrain.spec import MethodSpec, TaskKind
from sandboxes.kit.card import Card
from sandboxes.kit.datasets import DataSet
from sandboxes.kit.needs import NeedName, in_words, offered
from sandboxes.kit.schema import Predicts

AUTO = "auto"
ASKED: Mapping[TaskKind, tuple[NeedName, ...]] = MappingProxyType(
    {"knowledge_tracing": ("outcomes",), "items": ("answers",), "actions": ("actions",)}
)
PREDICTS: Mapping[TaskKind, Predicts] = MappingProxyType({"items": "items", "actions": "actions"})  # all others: labels


def fitting_data(spec: MethodSpec, cards: Sequence[Card], known: Sequence[DataSet]) -> tuple[str, str]:
    """The name of the first data set that meets most of what the method's blocks need, and why, in a sentence."""
    needs = _needs(spec, cards)
    predicts = PREDICTS.get(spec.task, "labels")
    candidates = [d for d in known if d.kind != "files" and d.source(None).spec.predicts == predicts]
    best = min(candidates, key=lambda d: len(_unmet(needs, d)))
    words = in_words(needs)
    if not words:
        return best.name, f"{best.name}, since the method needs nothing special (--data names another)"
    lacking = in_words(_unmet(needs, best))
    return best.name, (
        f"{best.name}, since the method needs {', '.join(words)}"
        + (f"; it lacks {', '.join(lacking)}" if lacking else "")
        + " (--data names another)"
    )


def _needs(spec: MethodSpec, cards: Sequence[Card]) -> list[NeedName]:
    """What the paper asks for, what the blocks cannot do without, and what they make use of."""
    by_name = {c.name: c for c in cards}
    found = [by_name[m.block] for m in spec.mechanisms if m.block in by_name]
    used: tuple[NeedName, ...] = ("outcomes",)
    wanted = [need for c in found for need in (*c.needs, *(used if "outcomes" in c.ports.takes else ()))]
    return list(dict.fromkeys([*ASKED.get(spec.task, ()), *wanted]))


def _unmet(needs: Sequence[NeedName], data: DataSet) -> list[NeedName]:
    has = offered(data.source(None).spec)
    return [need for need in needs if need not in has]
