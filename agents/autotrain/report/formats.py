"""How values are written in a report: one spelling of each kind of number, wherever it appears."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, stdev

from agents.compare.verdict import Verdict
from agents.documents.document import Tone

VERDICT_TONE: dict[Verdict, Tone] = {"better": "good", "worse": "bad", "tie": "", "not comparable": "warn", "smoke": "warn"}
NONE = "–"


def over_seeds(values: Sequence[float | None], digits: int = 4) -> str:
    """Mean and standard deviation over seeds: "0.7953 ± 0.0004"; the value alone for one seed."""
    known = [v for v in values if v is not None and math.isfinite(v)]
    if not known:
        return NONE
    text = f"{mean(known):.{digits}f}"
    return f"{text} ± {stdev(known):.{digits}f}" if len(known) > 1 else text


def decimal(value: float | None, digits: int = 4) -> str:
    return NONE if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def count(value: float | None) -> str:
    return NONE if value is None or not math.isfinite(value) else f"{value:,.0f}"


def duration(seconds: float) -> str:
    """For example "42 s", "3 min 20 s", "2 h 05 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def p_value(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def usd(amount: float | None, unknown: str) -> str:
    """Dollars to a hundredth of a cent, or the words for a price that is not known."""
    return unknown if amount is None else f"${amount:.4f}"


def setting(values: dict[str, float]) -> str:
    """A tuning point: "learning_rate 0.001, embedding_l2 0"."""
    return ", ".join(f"{name} {value:.3g}" for name, value in values.items()) or "as the model's constructor says"


def value(content: object) -> str:
    """A hyper-parameter's or argument's value, lists joined."""
    if isinstance(content, list | tuple):
        return ", ".join(value(c) for c in content)
    return f"{content:.4g}" if isinstance(content, float) else str(content)


def dataset(name: str, synthetic: bool) -> str:
    """A data set's name, which never goes without saying that it is made up when it is."""
    return f"{name} (synthetic)" if synthetic else name


def engine(name: str) -> str:
    return "the built-in engine" if name == "builtin" else name


def one_line(text: str, most: int = 300) -> str:
    """Text on one line, shortened in the middle of nothing but its end."""
    joined = " ".join(text.split())
    return joined if len(joined) <= most else joined[: most - 1] + "…"
