"""Makes a paper's words fit to stand in a comment or docstring of generated code.

It guards the file's syntax, not its meaning: what comes out is one line of letters, digits and harmless punctuation.
"""

from __future__ import annotations

import re
import unicodedata

_UNSAFE = re.compile(r"[^\w .,;()+&/%*=<>-]")
_UNDERSCORES = re.compile(r"_{2,}")  # names of interpreter internals have no place in a model file
_SPACES = re.compile(r"\s+")


def plain(text: str, longest: int = 80) -> str:
    """`text` on one line without quotes, colons, backslashes, hash signs and braces, at most `longest` characters.

    A colon becomes a dash, so that no name can read as a comment of another mechanism or as a directive of a tool.
    """
    composed = unicodedata.normalize("NFKC", text[: 20 * longest])
    kept = _UNDERSCORES.sub("_", _UNSAFE.sub(" ", composed.replace(":", " - ")))
    line = _SPACES.sub(" ", kept).strip(" .,;-")
    return line if len(line) <= longest else line[: longest - 3].rsplit(" ", 1)[0][: longest - 3] + "..."


def identifier(text: str) -> str:
    """The mechanism's id when it is a short identifier such as "m1", else "" (the caller numbers it)."""
    return text if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,11}", text, flags=re.ASCII) else ""
