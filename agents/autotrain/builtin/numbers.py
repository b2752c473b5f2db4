"""Reads numbers as papers write them: 0.001, 1e-3, 10^{-3}, 5 × 10⁻⁴, "three", 400-400-400, [512, 256, 128]."""

from __future__ import annotations

import re

_WORDS = {
    w: i for i, w in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
} | {"sixteen": 16, "a single": 1, "thirty-two": 32}  # fmt: skip
_MINUS = str.maketrans("−–‐‑⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "----" + "-0123456789")
_POWER = r"10\s*(?:\^|\*\*)?\s*\{?\s*[-−–‐⁻]\s*[\d⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2}\s*\}?"
_PLAIN = r"\d+(?:,\d{3})+(?!\d)|\d*\.\d+(?:[eE][-−–]?\d{1,2})?|\d+(?:[eE][-−–]?\d{1,2})?"
NUMBER = rf"\$?\s*(?:(?:{_PLAIN})\s*(?:×|x|\*|\\times|\\cdot)\s*{_POWER}|{_POWER}|{_PLAIN}|(?<!\w)(?:{'|'.join(_WORDS)})(?!\w))"
_SEPARATOR = r"(?:\s*(?:-|–|−|,|×|x|\\times|→|/|\|)\s*(?:and\s+)?|\s+and\s+)"
LIST = rf"[\[({{\\]*\s*\d{{2,5}}(?:{_SEPARATOR}\d{{1,5}}){{1,7}}\s*[\])}}\\]*"

_NUMBER = re.compile(NUMBER, re.IGNORECASE)
_PRODUCT = re.compile(rf"(?P<factor>{_PLAIN})\s*(?:×|x|\*|\\times|\\cdot)\s*10")
_EXPONENT = re.compile(r"10\s*(?:\^|\*\*)?\s*\{?\s*-\s*(\d{1,2})")


def number(text: str) -> float | None:
    """The value of one number as matched by `NUMBER`, None when it is none."""
    plain = text.strip(" $").lower()
    if plain in _WORDS:
        return float(_WORDS[plain])
    plain = plain.translate(_MINUS)
    exponent = _EXPONENT.search(plain)
    if exponent:
        product = _PRODUCT.search(plain)
        factor = float(product.group("factor").replace(",", "")) if product else 1.0
        return float(f"{factor}e-{exponent.group(1)}")
    try:
        return float(plain.replace(",", ""))
    except ValueError:
        return None


def whole(value: float) -> int | float:
    """An int where the value is one."""
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def widths(text: str) -> list[int]:
    """The layer widths of a list as matched by `LIST`; a last width of one or two is the output and is dropped."""
    found = [int(n) for n in re.findall(r"\d+", text)]
    if len(found) > 2 and found[-1] <= 2:
        found.pop()
    return found
