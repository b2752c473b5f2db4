"""Text of a LaTeX source in the colour of the paper: taken out, since a reader of the typeset page does not see it.

White on a coloured ground can be read and stays. Type too small to read, and what lies under a picture, is not found.
"""

from __future__ import annotations

import re

from agents.autotrain.reading.latex_macros import braces, group

_IN_WHITE = re.compile(
    r"""\\(textcolor|color)\s*(?:
    \{\s*white(?:!\d+)?\s*\}
    | \[\s*rgb\s*\]\s*\{\s*1(?:\.0*)?\s*,\s*1(?:\.0*)?\s*,\s*1(?:\.0*)?\s*\}
    | \[\s*gray\s*\]\s*\{\s*1(?:\.0*)?\s*\}
    | \[\s*RGB\s*\]\s*\{\s*255\s*,\s*255\s*,\s*255\s*\}
    | \[\s*HTML\s*\]\s*\{\s*[Ff]{6}\s*\}
    )""",
    re.VERBOSE,
)
_GROUND = re.compile(r"\\(?:cell|row|column|page)color|\\f?colorbox|\\begin\s*\{tcolorbox\}|\\tikz|\\node|\\rowcolors")
_REACH = 200  # characters before white text in which what colours its ground stands


def without_white(text: str) -> tuple[str, int]:
    """The text without what is set in white on white, and how many words that leaves out."""
    if not _IN_WHITE.search(text):
        return text, 0
    pairs = braces(text)
    kept, end, words = [], 0, 0
    for match in _IN_WHITE.finditer(text):
        if match.start() < end or _GROUND.search(text, max(0, match.start() - _REACH), match.start()):
            continue
        if match[1] == "textcolor":
            found = group(text, match.end(), pairs)
            stop = found[1] if found else match.end()
        else:
            stop = min((e for s, e in pairs.items() if s < match.start() < e), default=_next_colour(text, match.end()))
        kept.append(text[end : match.start()])
        words += len(text[match.end() : stop].split())
        end = stop
    return "".join([*kept, text[end:]]), words


def _next_colour(text: str, start: int) -> int:
    """Where a colour that no group ends is changed, else where the document ends."""
    after = re.compile(r"\\(?:color|normalcolor)(?![A-Za-z])|\\end\s*\{document\}").search(text, start)
    return after.start() if after else len(text)
