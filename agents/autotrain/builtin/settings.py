"""Hyper-parameters that a paper states for its own model, each with the sentence that says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agents.autotrain.builtin.numbers import LIST, NUMBER, number, whole, widths
from agents.autotrain.builtin.passages import Passage
from agents.autotrain.paper import Paper
from agents.autotrain.spec import HyperParameter

_LINK = r"(?:[^.;:()\d]{0,45}?(?:\bto\b|\bis\b|\bare\b|\bof\b|\bas\b|\bat\b|\bbe\b|\bwith\b|=|:)|\s+|\s*\(\s*)\s*"
_VALUE = rf"(?P<value>{NUMBER})"


@dataclass(frozen=True)
class Setting:
    """One name with the patterns that state it and the range in which a value makes sense."""

    name: str
    patterns: tuple[re.Pattern[str], ...]
    low: float
    high: float
    integer: bool = False


def _setting(name: str, low: float, high: float, integer: bool, *patterns: str) -> Setting:
    return Setting(name, tuple(re.compile(p, re.IGNORECASE) for p in patterns), low, high, integer)


_EMBEDDING = r"(?:embeddings?|embedding vectors?|latent (?:factors?|vectors?)|latent)"
_SETTINGS = (
    _setting(
        "learning_rate", 1e-7, 1.0, False,
        rf"\blearning[ -]rates?\b{_LINK}{_VALUE}", rf"\b(?:lr|η|\\eta)\s*(?:=|is set to)\s*{_VALUE}",
        rf"{_VALUE}\s+(?:as|for) (?:the |its )?(?:initial )?learning[ -]rate",
    ),
    _setting(
        "batch_size", 2, 1_000_000, True,
        rf"\b(?:mini-?)?batch[ -]sizes?\b{_LINK}{_VALUE}", rf"\b(?:mini-?)?batch(?:es)? of (?:size )?{_VALUE}",
        rf"{_VALUE}\s+(?:samples|instances|examples) (?:per|in (?:a|each)) (?:mini-?)?batch",
    ),
    _setting(
        "embedding_dim", 1, 1024, True,
        rf"\b{_EMBEDDING}(?:'s)? (?:dimension\w*|sizes?|dims?|widths?|lengths?)\b(?: size)?{_LINK}{_VALUE}",
        rf"\b(?:dimension\w*|sizes?|widths?|dims?) of (?:all |each |the |every |feature |field |item |our )*{_EMBEDDING}\b{_LINK}{_VALUE}",
        rf"{_VALUE}[ -]dimensional (?:\w+ ){{0,2}}{_EMBEDDING}\b", rf"\b{_EMBEDDING} (?:of|with) (?:a )?(?:dimension|size|width|length) (?:of )?{_VALUE}",
        rf"\b{_EMBEDDING} (?:is|are) (?:set to |of )?{_VALUE}[ -]dimensional",
    ),
    _setting(
        "dropout", 0.0, 0.95, False,
        rf"\bdrop-?out(?: (?:rate|ratio|probability|keep rate))?s?\b{_LINK}{_VALUE}", rf"{_VALUE}\s+(?:as|for) (?:the )?drop-?out",
    ),
    _setting(
        "max_epochs", 1, 1000, True,
        rf"\btrain\w*\b[^.;]{{0,40}}?\bfor {_VALUE} epochs?\b", rf"\bepochs?\b (?:is |are )?(?:set )?(?:to|=|:) {_VALUE}", rf"\bwithin {_VALUE} epochs?\b",
    ),
    _setting(
        "embedding_l2", 0.0, 1.0, False,
        rf"\b(?:l_?2|ℓ2|l2|\\ell_2)[ -](?:regulari[sz]\w+|norm|penalty)(?: \w+){{0,2}}{_LINK}{_VALUE}", rf"\bweight decay\b{_LINK}{_VALUE}",
    ),
    _setting("n_hidden_layers", 1, 20, True, rf"{_VALUE} hidden layers\b", rf"\bnumber of hidden layers\b{_LINK}{_VALUE}"),
    _setting("hidden_width", 4, 10_000, True,
        rf"{_VALUE} (?:hidden )?(?:neurons|units|nodes)(?: (?:per|in each|for each) (?:hidden )?layer)?\b",
        rf"\bnumber of (?:neurons|units|nodes) per layer\b{_LINK}{_VALUE}"),
)  # fmt: skip
_WIDTHS = re.compile(
    rf"(?:hidden|layers?|mlp|dnn|neurons|units|network structure|towers?|perceptron|fully[ -]connected)[^.;]{{0,70}}?(?P<value>{LIST})|"
    rf"(?P<before>{LIST})[^.;]{{0,25}}?(?:hidden|neurons|units|mlp|layers)",
    re.IGNORECASE,
)
_OPTIMIZER = re.compile(r"\b(AdamW|Adam|Adagrad|AdaGrad|RMSProp|RMSprop|FTRL|Nadam|Adadelta|SGD|stochastic gradient descent)\b")
# A value under search, or somebody else's, is not stated.
_SEARCHED = re.compile(
    r"\b(?:search\w*|grid|tun(?:e|ed|ing)|rang(?:e|es|ing)|var(?:y|ied|ying)|among|candidates?|from\s*[\[{(]|select\w* from|chosen from|between)\b",
    re.IGNORECASE,
)
_THEIRS = re.compile(r"\b(?:baselines?|competitors?|previous|existing)\b", re.IGNORECASE)
_ROLES = frozenset({"experiments", "method", "appendix", "abstract", "other"})


def read_settings(paper: Paper, passages: Sequence[Passage]) -> tuple[HyperParameter, ...]:
    """The first statement of each setting wins. Searched ranges and settings of baselines are left out."""
    found: dict[str, HyperParameter] = {}
    for passage in passages:
        if passage.role not in _ROLES or passage.formula:
            continue
        text = paper.text[passage.start : passage.end]
        if not any(c.isdigit() for c in text) and not _OPTIMIZER.search(text) and "hidden layers" not in text:
            continue
        for name, value in _stated(text):
            found.setdefault(name, HyperParameter(name=name, value=value, basis="stated", evidence=passage.evidence(paper)))
    return tuple(_shaped(found))


def _stated(text: str) -> Iterator[tuple[str, int | float | str | list[int]]]:
    if _THEIRS.search(text):
        return
    searched = bool(_SEARCHED.search(text))
    for setting in () if searched else _SETTINGS:
        for pattern in setting.patterns:
            match = pattern.search(text)
            value = number(match.group("value")) if match else None
            if value is not None and setting.low <= value <= setting.high and (not setting.integer or value == int(value)):
                yield setting.name, whole(value)
                break
    layers = None if searched else _WIDTHS.search(text)
    if layers:
        sizes = widths(layers.group("value") or layers.group("before"))
        if len(sizes) > 1 and all(8 <= n <= 10_000 for n in sizes) and not _is_grid(sizes):
            yield "hidden_units", sizes
    optimizer = _OPTIMIZER.search(text)
    if optimizer and re.search(r"\boptimi[sz]|\btrain|\busing\b|\bwe use\b|\bwith\b", text, re.IGNORECASE):
        name = optimizer.group(1).lower()
        yield "optimizer", "sgd" if name.startswith("stochastic") else name


def _is_grid(sizes: list[int]) -> bool:
    """Widths that only grow, three or more: values that were tried, or the ticks of a plot."""
    return len(sizes) > 2 and all(a < b for a, b in pairwise(sizes))


def _shaped(found: dict[str, HyperParameter]) -> Iterator[HyperParameter]:
    """Depth and width stated apart become `hidden_units`, concluded from both."""
    depth, width = found.pop("n_hidden_layers", None), found.pop("hidden_width", None)
    if "hidden_units" not in found and depth and width and isinstance(depth.value, int) and isinstance(width.value, int):
        found["hidden_units"] = HyperParameter(
            name="hidden_units", value=[width.value] * depth.value, basis="inferred", evidence=width.evidence
        )
    yield from found.values()
