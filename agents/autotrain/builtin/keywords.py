"""The keywords of a composed model's constructor: which there are, what they are called, and their defaults from the paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from agents.autotrain.builtin.blueprint import Setting
from agents.autotrain.spec import MethodSpec
from sandboxes.kit.card import Argument, Card

Value = int | float | bool | str | tuple[int, ...]

# Keywords of every model, set by the plan and by tuning for all models alike.
SHARED: Mapping[str, Argument] = MappingProxyType(
    {
        "embedding_dim": Argument("embedding_dim", 16, (), low=1, high=1024),
        "dropout": Argument("dropout", 0.0, (), low=0.0, high=0.95),
    }
)


class Unusable(ValueError):
    """A value that an argument cannot take; the text says why, for a note in the report."""


def own_arguments(card: Card) -> tuple[Argument, ...]:
    """The arguments of a card that are its block's own, not shared by the whole model."""
    return tuple(a for a in card.arguments if a.name not in SHARED)


def keyword_names(uses: Sequence[tuple[str, Argument]]) -> Mapping[tuple[str, str], str]:
    """(block's attribute, argument) to keyword: the argument's own name where one block has it, else the attribute's first."""
    counts = Counter(argument.name for _, argument in uses)
    return {(attribute, a.name): a.name if counts[a.name] == 1 else f"{attribute}_{a.name}" for attribute, a in uses}


def shared_settings(spec: MethodSpec) -> tuple[Setting, ...]:
    """`embedding_dim` and `dropout`, with the paper's values where it states usable ones."""
    stated = stated_hyper_parameters(spec)
    return tuple(_shared(argument, stated) for argument in SHARED.values())


def _shared(argument: Argument, stated: Mapping[str, object]) -> Setting:
    default = Setting(argument.name, annotation(argument.default), literal(argument.default))
    if argument.name not in stated:
        return default
    try:
        value = fitting(argument, stated[argument.name])
    except Unusable:
        return default
    return Setting(argument.name, annotation(argument.default), literal(value), from_paper=True)


def stated_hyper_parameters(spec: MethodSpec) -> Mapping[str, object]:
    """What the paper says by name for its whole model; values that nobody stated are left out."""
    return {h.name: h.value for h in spec.hyper_parameters if h.basis != "default"}


def fitting(argument: Argument, value: object) -> Value:
    """`value` in the type of the argument's default and within its bounds. Raises `Unusable`."""
    default = argument.default
    if isinstance(default, tuple):
        if not isinstance(value, list | tuple) or not value or not all(_is_whole(v) for v in value):
            raise Unusable(f"{argument.name} {value!r} is no list of whole numbers")
        return tuple(int(_bounded(argument, float(v))) for v in value)
    if isinstance(default, bool | str):
        if type(value) is not type(default):
            raise Unusable(f"{argument.name} {value!r} is no {type(default).__name__}")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unusable(f"{argument.name} {value!r} is no number")
    number = _bounded(argument, float(value))
    if isinstance(default, float):
        return number
    if not _is_whole(value):
        raise Unusable(f"{argument.name} {value!r} is no whole number")
    return int(number)


def _is_whole(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and float(value).is_integer()


def _bounded(argument: Argument, value: float) -> float:
    low, high = argument.low, argument.high
    if not (low is None or value >= low) or not (high is None or value <= high) or value != value:
        raise Unusable(
            f"{argument.name} {value:g} is outside [{low if low is not None else '-'}, {high if high is not None else '-'}]"
        )
    return value


def annotation(default: Value) -> str:
    """The type of a keyword as written in its signature."""
    return "tuple[int, ...]" if isinstance(default, tuple) else type(default).__name__


def literal(value: Value) -> str:
    """The value as Python source."""
    if isinstance(value, tuple):
        inside = ", ".join(str(int(v)) for v in value)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return repr(value)
