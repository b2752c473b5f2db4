"""A layer and its reference asked the same: what both give for the same inputs and parameters, for `equation` to judge.

Both are code that nobody has read. What they raise, and answers that are none, come out as `Undecided`, never as an exception of
theirs; whether two answers agree is judged elsewhere.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sandboxes.kit.probe import Probe

ASTRONOMIC = 1e12  # numbers beyond it stand for infinity, as in masked scores
MOST_SAID = 400  # characters of an exception's text

Reference = Callable[..., Tensor]  # called with the probe's symbols as keyword arguments


class Undecided(Exception):
    """Nothing can be said of the equation; the text says why. At fault is the probe, the reference or the layer."""


@dataclass(frozen=True)
class Pair:
    """What both gave, in float64. `redrawn` is the symbol that was drawn anew since the draw's first pair, "" in that one."""

    redrawn: str
    layer: Tensor
    reference: Tensor


def pairs_of_draw(probe: Probe, layer_class: type[nn.Module], reference: Reference, dtype: torch.dtype, seed: int) -> list[Pair]:
    """The pair of a draw, then one for each symbol drawn anew: every input, every named tensor of real numbers.

    Raises `Undecided`, also where an answer is in a coarser dtype than `dtype`, or another when it is asked for again.
    """
    generator = torch.Generator().manual_seed(seed)
    with _computing_in(dtype, seed):
        layer = _built(probe, layer_class, dtype)
        for parameter in layer.parameters():
            _redraw(parameter, generator)
        inputs = {i.name: i.draw(generator, dtype) for i in probe.inputs}

        def pair(redrawn: str, given: Mapping[str, Tensor] = inputs) -> Pair:
            told = {symbol: _value(layer, name) for symbol, name in probe.parameters.items()}
            return Pair(redrawn, _layer_says(probe, layer, given, dtype), _reference_says(reference, {**given, **told}, dtype))

        pairs = [pair("")]
        _refuse_chance(pairs[0], pair(""))
        for i in probe.inputs:
            pairs.append(pair(i.name, inputs | {i.name: i.redraw(inputs[i.name], generator)}))
        for symbol, name in probe.parameters.items():
            tensor, _ = _tensor(layer, name)
            if tensor.is_floating_point():
                with _redrawn(tensor, generator):
                    pairs.append(pair(symbol))
    return pairs


def unnamed_parameters(probe: Probe, layer_class: type[nn.Module]) -> set[str]:
    """The layer's parameters that the reference is not told of. Raises `Undecided` where the layer cannot be built."""
    told = {name.removesuffix(".T") for name in probe.parameters.values()}
    with _computing_in(torch.float32, 0):
        return {name for name, _ in _built(probe, layer_class, torch.float32).named_parameters()} - told


def said(error: BaseException) -> str:
    """An exception as text, with the last line outside torch that it came through."""
    text = f"{type(error).__name__}: {error}"[:MOST_SAID]
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == __file__:
            break
        if "site-packages" not in frame.filename:
            return f"{text} ({Path(frame.filename).name}, line {frame.lineno})"
    return text


def _built(probe: Probe, layer_class: type[nn.Module], dtype: torch.dtype) -> nn.Module:
    arguments = {name: tuple(value) if isinstance(value, list) else value for name, value in probe.arguments.items()}
    with _guarded("the layer could not be built"):
        layer = layer_class(**arguments).eval()
        return layer.double() if dtype == torch.float64 else layer.float()


def _redraw(tensor: Tensor, generator: torch.Generator) -> None:
    """Draws real and complex numbers, so small that sums over the last dimension stay near 1; leaves whole numbers alone."""
    if tensor.is_floating_point() or tensor.is_complex():
        scale = tensor.shape[-1] ** -0.5 if tensor.dim() else 1.0
        with torch.no_grad():
            tensor.copy_(scale * torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype))


@contextlib.contextmanager
def _redrawn(tensor: Tensor, generator: torch.Generator) -> Iterator[None]:
    """While it is entered, a parameter holds new numbers, and a buffer, which may be of variances, larger ones."""
    before = tensor.detach().clone()
    if isinstance(tensor, nn.Parameter):
        _redraw(tensor, generator)
    else:
        tensor.copy_(before + torch.rand(before.shape, generator=generator, dtype=before.dtype))
    try:
        yield
    finally:
        with torch.no_grad():
            tensor.copy_(before)


def _tensor(layer: nn.Module, name: str) -> tuple[Tensor, bool]:
    """The parameter or buffer of that name, and whether its transpose is meant."""
    tensors: dict[str, Tensor] = dict(layer.named_buffers(remove_duplicate=False))
    tensors |= dict(layer.named_parameters(remove_duplicate=False))
    if name in tensors:
        return tensors[name], False
    plain = name.removesuffix(".T")
    if plain not in tensors:
        raise Undecided(f"the layer has no parameter or buffer {name!r}; it has {', '.join(tensors) or 'none'}"[:MOST_SAID])
    if tensors[plain].dim() != 2:
        raise Undecided(f"{plain!r} is of shape {tuple(tensors[plain].shape)}; only a matrix has a transpose")
    return tensors[plain], True


def _value(layer: nn.Module, name: str) -> Tensor:
    tensor, transposed = _tensor(layer, name)
    return tensor.detach().T if transposed else tensor.detach()


def _layer_says(probe: Probe, layer: nn.Module, inputs: Mapping[str, Tensor], dtype: torch.dtype) -> Tensor:
    with _guarded("the layer raised"):
        ask = layer if probe.method == "forward" else getattr(layer, probe.method)
        value = ask(*(tensor.clone() for tensor in inputs.values()))
    return _sound("the layer", _meant(value, probe.output), dtype)


def _reference_says(reference: Reference, given: Mapping[str, Tensor], dtype: torch.dtype) -> Tensor:
    with _guarded("the reference raised"):
        value = reference(**{name: tensor.clone() for name, tensor in given.items()})
    return _sound("the reference", value, dtype)


def _meant(value: Any, output: int | None) -> Any:
    """The element of a tuple that the probe is about."""
    if not isinstance(value, tuple | list):
        if output is not None:
            raise Undecided("the layer returns one thing; leave `output` out")
        return value
    if output is None or not 0 <= output < len(value):
        raise Undecided(f"the layer returns {len(value)} things; say by `output`, counted from 0, which of them is meant")
    return value[output]


def _sound(who: str, value: object, dtype: torch.dtype) -> Tensor:
    """The output in float64, if it is a tensor of real, finite numbers no coarser than what goes in."""
    if not isinstance(value, Tensor):
        raise Undecided(f"{who} returns {type(value).__name__}, not a tensor")
    if value.is_complex() or not value.numel():
        raise Undecided(f"{who} returns complex numbers or none at all")
    if value.is_floating_point() and torch.finfo(value.dtype).eps > torch.finfo(dtype).eps:
        raise Undecided(f"{who} computes in {str(value.dtype).removeprefix('torch.')}, too coarse to tell")
    exact = value.detach().to(torch.float64, copy=True)
    if not bool((exact.abs() <= ASTRONOMIC).all()):
        raise Undecided(f"{who} returns NaN, infinite numbers or some beyond {ASTRONOMIC:g}")
    return exact


def _refuse_chance(first: Pair, again: Pair) -> None:
    for who, one, other in (("layer", first.layer, again.layer), ("reference", first.reference, again.reference)):
        if one.shape != other.shape or not torch.allclose(one, other, rtol=1e-4, atol=1e-6):
            raise Undecided(f"the {who} gives other outputs for the same inputs: it draws at random, or remembers")


@contextlib.contextmanager
def _guarded(what: str) -> Iterator[None]:
    """The boundary to generated code: what it raises is the reason why nothing can be said."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise Undecided(f"{what}: {said(error)}") from error


@contextlib.contextmanager
def _computing_in(dtype: torch.dtype, seed: int) -> Iterator[None]:
    """New tensors are of `dtype` and random ones begin at `seed`; afterwards both go on as if nothing had been."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_default_dtype(before)
