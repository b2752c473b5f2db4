"""Whether a layer computes an equation: its outputs beside those of a naive reference written apart from it, on random tensors.

What agrees here agrees in evaluation, on the shapes and kinds of inputs that the probe names. That is no word on training
(dropout, losses, gradients), on a layer's place in a model, nor on whether the reference is what a paper says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import torch
from torch import Tensor, nn

from sandboxes.kit.probe import Input, Probe
from sandboxes.kit.two_sides import Pair, Reference, Undecided, pairs_of_draw, unnamed_parameters

__all__ = ["Agreement", "Input", "Probe", "Reference", "check"]

DRAWS = 3
DOUBT = 1e-3  # relative; what is nearer and yet does not agree may come of rounding, or of a constant that guards against zeros
MOST_DETAIL = 1000  # characters


@dataclass(frozen=True)
class Agreement:
    """What a check came to.

    `largest_difference` is absolute: the largest between two numbers that were compared, 0 where none were (other shapes,
    undecided before any). `detail` is a sentence: what was seen, or why nothing can be said.
    """

    verdict: Literal["agrees", "differs", "undecided"]
    largest_difference: float
    detail: str


@dataclass(frozen=True)
class Precision:
    """Numbers a of the layer and b of the reference agree when |a - b| <= agrees * (|b| + mean |b| + floor).

    The mean is over the reference's whole output: near-zeros of a sum are no more exact than its terms.
    """

    dtype: torch.dtype
    agrees: float
    floor: float

    def gap(self, layer: Tensor, reference: Tensor) -> float:
        """The largest |a - b| / (|b| + mean |b| + floor) of two outputs of one shape."""
        size = reference.abs() + reference.abs().mean() + self.floor
        return ((layer - reference).abs() / size).max().item()

    def changed(self, before: Tensor, after: Tensor) -> bool:
        return before.shape != after.shape or self.gap(after, before) > self.agrees


PRECISIONS = (Precision(torch.float64, 1e-7, 1e-6), Precision(torch.float32, 1e-4, 1e-2))


def check(probe: Probe, layer_class: type[nn.Module], reference: Reference) -> Agreement:
    """Compares both on three draws of everything and, in each of them, after drawing each symbol anew, one at a time.

    For every draw the layer is built anew, in evaluation mode, with parameters from a normal distribution, since some start as
    zeros or as the identity; buffers stay as built. All is computed in float64 where both sides allow it, else in float32.
    They agree when all outputs do and each symbol changes them in some draw (whole numbers and truth values among the
    parameters are not drawn anew). Raises nothing for what they do.
    """
    why = ""
    for precision in PRECISIONS:
        try:
            draws = [pairs_of_draw(probe, layer_class, reference, precision.dtype, seed) for seed in range(DRAWS)]
            found = _judged(draws, precision)
            unnamed = unnamed_parameters(probe, layer_class) if found.verdict == "differs" else set()
        except Undecided as reason:
            why = str(reason)
            continue
        more = f"; the reference is not told of {_listed(unnamed)}" if unnamed else ""
        return Agreement(found.verdict, found.largest_difference, (found.detail + more)[:MOST_DETAIL])
    return Agreement("undecided", 0.0, why[:MOST_DETAIL])


def _judged(draws: Sequence[Sequence[Pair]], precision: Precision) -> Agreement:
    pairs = list(chain.from_iterable(draws))
    for pair in pairs:
        if pair.layer.shape != pair.reference.shape:
            shapes = f"the layer gives the shape {tuple(pair.layer.shape)}, the reference {tuple(pair.reference.shape)}"
            return Agreement("differs", 0.0, shapes)
    largest = max((pair.layer - pair.reference).abs().max().item() for pair in pairs)
    gap, worst = max(((precision.gap(pair.layer, pair.reference), pair) for pair in pairs), key=lambda found: found[0])
    movers, reference_movers = _movers(draws, precision)
    if gap > DOUBT:
        return Agreement("differs", largest, "; ".join([_furthest(worst), *_one_sided(movers, reference_movers)]))
    if gap > precision.agrees:
        why = "no more than rounding or a constant that guards against zeros may do; write the same constant in both"
        return Agreement("undecided", largest, f"in {precision.dtype} they are {gap:.1e} of their size apart, {why}")
    redrawn = {pair.redrawn for pair in pairs if pair.redrawn}
    if still := redrawn - (movers & reference_movers):
        return Agreement("undecided", largest, f"nothing changes with {_listed(still)}, so nothing is shown of it")
    if not redrawn:
        return Agreement("undecided", largest, "nothing that the probe names can be drawn anew")
    seen = f"{len(pairs)} comparisons in {precision.dtype}, at most {gap:.1e} of their size apart"
    return Agreement("agrees", largest, seen)


def _movers(draws: Sequence[Sequence[Pair]], precision: Precision) -> tuple[set[str], set[str]]:
    """The symbols that, drawn anew, changed the layer's output in some draw; and those that changed the reference's."""
    steps = [(first, pair) for first, *others in draws for pair in others]
    layer = {pair.redrawn for first, pair in steps if precision.changed(first.layer, pair.layer)}
    return layer, {pair.redrawn for first, pair in steps if precision.changed(first.reference, pair.reference)}


def _one_sided(layer: set[str], reference: set[str]) -> list[str]:
    said = [f"the layer depends on {_listed(layer - reference)}, the reference does not"] if layer - reference else []
    return said + ([f"the reference depends on {_listed(reference - layer)}, the layer does not"] if reference - layer else [])


def _furthest(pair: Pair) -> str:
    place = (pair.layer - pair.reference).abs().argmax()
    index = tuple(int(i) for i in torch.unravel_index(place, pair.layer.shape))
    layer, reference = pair.layer.flatten()[place].item(), pair.reference.flatten()[place].item()
    return f"at {index} the layer gives {layer:.6g}, the reference {reference:.6g}"


def _listed(names: set[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
