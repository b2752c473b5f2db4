"""Bytes to safe text: decodes what papers come in, and drops characters that could trick a terminal, a browser or a reader."""

from __future__ import annotations

import re
import unicodedata

_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")
_SPACES = re.compile(r"[^\S\n]+")
# Letters that typesetting joins; only these, since NFKC over a formula would turn x² into x2.
_LIGATURES = str.maketrans(
    {
        "ﬀ": "ff",
        "ﬁ": "fi",
        "ﬂ": "fl",
        "ﬃ": "ffi",
        "ﬄ": "ffl",
        "ﬅ": "st",
        "ﬆ": "st",
        "Ĳ": "IJ",
        "ĳ": "ij",
        "\u00ad": "",
        "\u00a0": " ",
    }
)
# Letters, marks and signs that show nothing: fillers, joiners, inherent vowels, the empty Braille cell.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
# Invisible, and there for a reason: soft hyphens, line ends, the operators that MathML writes between symbols, emoji's selectors.
_TYPESETTING = frozenset("\u00ad\u0085\u2028\u2029\u2061\u2062\u2063\u2064\ufe0e\ufe0f")


def decode(data: bytes) -> str:
    """Text of a file whose encoding nobody states: by byte-order mark, else UTF-8, else Latin-1 (which always succeeds)."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def clean(text: str) -> str:
    """The text without control, invisible, bidirectional and unassigned characters; ligatures split; lines ended by "\\n".

    Mathematics keeps its characters: only letters that typesetting joined and accents set apart are composed.
    """
    text = _LINE_ENDS.sub("\n", text).translate(_LIGATURES)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if text.isascii() and text.isprintable():
        return text
    return text.translate({ord(char): None for char in set(text) if not _harmless(char)})


def invisible(text: str) -> int:
    """How many of its characters show nothing, or turn what is shown, and can carry words that no reader sees."""
    return sum(text.count(char) for char in set(text) if not char.isascii() and char not in _TYPESETTING and not _harmless(char))


def _harmless(char: str) -> bool:
    """Letters, marks, numbers, signs, spaces, line ends and tabs; nothing that moves a cursor or hides text."""
    if char in _BLANK or "\ufe00" <= char <= "\ufe0f" or "\U000e0000" <= char <= "\U000e0fff":
        return False
    return char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def without_between(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    """The text without what stands from each `opening` to the next `closing`; an opening never closed stays. Linear in time."""
    kept: list[str] = []
    i = 0
    while (start := opening.search(text, i)) and (end := closing.search(text, start.end())):
        kept += [text[i : start.start()], " "]
        i = end.end()
    return "".join([*kept, text[i:]])


def one_line(text: str) -> str:
    """`clean` text on one line, single spaces."""
    return " ".join(clean(text).split())


def paragraphs(text: str) -> list[str]:
    """The non-empty blocks of a clean text that blank lines separate, each with its line ends kept."""
    return [block for part in _BLANK_LINES.split(text) if (block := _SPACES.sub(" ", part).strip())]
