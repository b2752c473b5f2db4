"""The rubric of a review: what a faithful `model.py` must hold, leaf by leaf, derived from the spec alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from agents.autotrain.spec import HyperParameter, MethodSpec
from agents.strict import Strict

LeafKind = Literal["mechanism", "equation", "loss", "scheme", "hyper-parameter"]


class Leaf(Strict):
    """One thing to look for. `of` is the id of the mechanism it belongs to, "" for what belongs to the whole method."""

    id: str  # m1, m1.e1, l1, s1, h1
    kind: LeafKind
    of: str
    asks: str  # in words: a mechanism's name, an equation as the paper writes it, "learning_rate = 0.001"


def rubric(spec: MethodSpec) -> tuple[Leaf, ...]:
    """All leaves: each mechanism and its equations, losses, training stages, and hyper-parameters that the paper states."""
    return tuple(_leaves(spec))


def _leaves(spec: MethodSpec) -> Iterator[Leaf]:
    for m in spec.mechanisms:
        yield Leaf(id=m.id, kind="mechanism", of=m.id, asks=m.name)
        for i, equation in enumerate(m.equations, 1):
            yield Leaf(id=f"{m.id}.e{i}", kind="equation", of=m.id, asks=equation)
    for i, loss in enumerate(spec.losses, 1):
        yield Leaf(id=f"l{i}", kind="loss", of="", asks=loss.name)
    for i, stage in enumerate(spec.scheme, 1):
        yield Leaf(id=f"s{i}", kind="scheme", of="", asks=stage.name)
    for leaf, h in stated(spec):
        yield Leaf(id=leaf, kind="hyper-parameter", of="", asks=f"{h.name} = {h.value}")


def stated(spec: MethodSpec) -> Iterator[tuple[str, HyperParameter]]:
    """The hyper-parameters that the paper states, each with its leaf's id."""
    for i, h in enumerate(spec.hyper_parameters, 1):
        if h.basis == "stated":
            yield f"h{i}", h
