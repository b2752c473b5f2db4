"""Lines of Python source: calls broken where they grow too long, text wrapped, blocks indented."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

LONGEST = 112  # of a line before it is indented into its method


def indented(lines: Iterable[str], by: int = 4) -> Iterator[str]:
    return (" " * by + line if line else line for line in lines)


def wrapped(text: str, hanging: str) -> Iterator[str]:
    yield from textwrap.wrap(text, LONGEST, subsequent_indent=hanging, break_long_words=False)


def call(
    head: str, items: Sequence[str], *, tail: str = "", joined: str = ", ", bare: bool = False, longest: int = LONGEST
) -> Iterator[str]:
    """`head(items)tail` on one line, or one item a line where that is too long (lists among the items are broken likewise).

    With `joined` other than a comma, or `bare`, the parentheses are there only where the line is broken.
    """
    plain = bare or joined != ", "
    inside = joined.join(items)
    whole = f"{head}{inside}{tail}" if plain else f"{head}({inside}){tail}"
    if len(whole) <= longest:
        yield whole
        return
    yield f"{head}("
    if joined == ", ":
        for item in items:
            yield from indented(_item(item))
    else:
        yield f"    {items[0]}"
        yield from indented(f"{joined.strip()} {item}" for item in items[1:])
    yield f"){tail}"


def _item(item: str) -> Iterator[str]:
    """An item with its comma; a long list `[a, b]` one element a line, a long sum one summand a line."""
    if len(item) <= LONGEST - 8 or not (item.startswith("[") or " + " in item):
        yield f"{item},"
        return
    if not item.startswith("["):
        yield from f"{item},".replace(" + ", "\n+ ").split("\n")
        return
    yield "["
    yield from indented(f"{element}," for element in item[1:-1].split(", "))
    yield "],"
