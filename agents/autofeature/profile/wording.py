"""Numbers and counts of a profile in words."""

from __future__ import annotations

from collections.abc import Sequence

NAMED = 3  # columns that a sentence names


def percent(share: float | None) -> str:
    """A share with as many decimals as small ones need; nothing is rounded to 0 % or 100 % that is not."""
    if share is None:
        return "–"
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    if 0 < share < 0.0001:
        return "<0.01%"
    if 0.9999 < share < 1:
        return ">99.99%"
    return f"{share:.2%}" if share < 0.01 or share > 0.99 else f"{share:.1%}"


def amount(value: float | None) -> str:
    """A number with four significant digits, whole ones in full."""
    if value is None:
        return "–"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.3e}"


def counted(many: int, one: str, more: str = "") -> str:
    return f"{many:,} {one if many == 1 else more or f'{one}s'}"


def named(columns: Sequence[str]) -> str:
    """The first few by name, and how many there are besides."""
    shown = [*columns[:NAMED], *([f"{len(columns) - NAMED} more"] if len(columns) > NAMED else [])]
    return " and ".join([*([", ".join(shown[:-1])] if shown[1:] else []), *shown[-1:]])


def chance(p_value: float) -> str:
    return "<0.0001" if p_value < 0.0001 else f"{p_value:.4f}"
