"""LaTeX paragraphs to plain text: commands dropped or shown as what they print, inline formulas kept as "$...$"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from agents.autotrain.reading.latex_macros import braces, group, option
from agents.clean import one_line

_TOKEN = re.compile(
    r"\\(?P<word>[A-Za-z@]+)\*?|\\(?P<sign>[^A-Za-z])|(?P<math>\$(?:[^$\\]|\\.){1,2000}?\$)|(?P<brace>[{}])|(?P<quote>``|'')|(?P<dash>-{2,3})|(?P<tie>~)",
    re.DOTALL,
)
_ACCENTS = {"'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307"}
_ACCENTS |= {"c": "\u0327", "v": "\u030c", "u": "\u0306", "H": "\u030b", "r": "\u030a", "k": "\u0328"}
_PRINTS = {
    "ldots": "…",
    "dots": "…",
    "textendash": "–",
    "textemdash": "—",
    "textasciitilde": "~",
    "textbackslash": "\\",
    "copyright": "©",
}
_PRINTS |= {
    "ss": "ß",
    "o": "ø",
    "O": "Ø",
    "ae": "æ",
    "AE": "Æ",
    "oe": "œ",
    "aa": "å",
    "AA": "Å",
    "l": "ł",
    "L": "Ł",
    "i": "ı",
    "j": "ȷ",
}
_PRINTS |= {
    "LaTeX": "LaTeX",
    "TeX": "TeX",
    "eg": "e.g.",
    "ie": "i.e.",
    "etal": "et al.",
    "textdegree": "°",
    "texttimes": "×",
    "pm": "±",
}
_PRINTS |= {
    "checkmark": "✓",
    "cmark": "✓",
    "xmark": "✗",
    "dag": "†",
    "ddag": "‡",
    "S": "§",
    "P": "¶",
    "quad": " ",
    "qquad": " ",
    "newline": " ",
}
_DROPPED = frozenset(  # with everything in their braces
    [
        "label",
        "vspace",
        "hspace",
        "includegraphics",
        "bibliographystyle",
        "bibliography",
        "usepackage",
        "setlength",
        "addtolength",
        "color",
        "pagestyle",
        "thispagestyle",
        "definecolor",
        "vskip",
        "hskip",
        "graphicspath",
        "newcolumntype",
        "captionsetup",
        "cmidrule",
        "cline",
        "rule",
        "index",
        "nocite",
        "thanks",
        "email",
        "affiliation",
        "orcid",
        "institution",
        "city",
        "country",
        "state",
        "postcode",
        "streetaddress",
        "setcounter",
        "addtocounter",
        "stepcounter",
        "phantom",
        "hypersetup",
        "fontsize",
        "selectfont",
        "acmConference",
        "acmBooktitle",
        "acmYear",
        "acmDOI",
        "acmISBN",
        "acmPrice",
        "copyrightyear",
        "setcopyright",
        "ccsdesc",
        "received",
        "citestyle",
        "settopmatter",
        "rowcolor",
        "cellcolor",
        "columncolor",
        "arrayrulecolor",
        "numberwithin",
        "theoremstyle",
        "newtheorem",
        "pdfoutput",
        "pgfplotsset",
        "usetikzlibrary",
    ]
)
_UNSHOWN = {
    "href": 1,
    "textcolor": 1,
    "colorbox": 1,
    "multicolumn": 2,
    "multirow": 2,
    "resizebox": 2,
    "scalebox": 1,
    "raisebox": 1,
    "rotatebox": 1,
}
_UNSHOWN |= {"parbox": 1, "adjustbox": 1, "fcolorbox": 2}
_CITE = re.compile(r"(?:[A-Za-z]*cite[A-Za-z]*|citeauthor|citeyear)$")
_REFERENCE = re.compile(r"(?:ref|eqref|autoref|cref|Cref|pageref|nameref|vref|autoref|secref|figref|tabref)$")


_TYPED = {"``": "“", "''": "”", "--": "–", "---": "—", "~": " "}
_ACCENTED = re.compile(r"\s*(?:\{\s*\\?([A-Za-z])\s*\}|\\([ij])(?![A-Za-z])|([A-Za-z]))")


class Numbers:
    """What a document numbers: citations in the order they first appear, and labels known beforehand."""

    def __init__(self, labels: Mapping[str, str] | None = None) -> None:
        self._labels = dict(labels or {})
        self._cited: dict[str, int] = {}

    def cite(self, keys: str) -> str:
        """Citation keys as "[3, 7]"."""
        numbers = [str(self._cited.setdefault(key.strip(), len(self._cited) + 1)) for key in keys.split(",") if key.strip()]
        return f"[{', '.join(numbers)}]" if numbers else ""

    def refer(self, command: str, key: str) -> str:
        """The number that a label has, in parentheses for \\eqref; the key where the number is not known."""
        number = self._labels.get(key.strip(), key.strip())
        return f"({number})" if command == "eqref" else number


def plain(text: str, numbers: Numbers) -> str:
    """One paragraph of LaTeX as a line of text."""
    return one_line(_Printer(text, numbers).run())


class _Printer:
    """Prints token by token; `_closing` holds what to print where a group ends."""

    def __init__(self, text: str, numbers: Numbers) -> None:
        self._text = text
        self._numbers = numbers
        self._pairs = braces(text)
        self._closing: dict[int, str] = {}
        self._out: list[str] = []

    def run(self) -> str:
        i = 0
        while match := _TOKEN.search(self._text, i):
            self._out.append(self._text[i : match.start()])
            i = self._take(match)
        self._out.append(self._text[i:])
        return "".join(self._out)

    def _take(self, match: re.Match[str]) -> int:
        """Prints one token and returns where reading goes on."""
        if match["word"]:
            return self._take_word(match["word"], match.end())
        if match["sign"]:
            return self._take_sign(match["sign"], match.end())
        if match["math"]:
            self._out.append(f"${' '.join(match['math'][1:-1].split())}$")
        elif match["brace"]:
            self._out.append(self._closing.pop(match.start(), ""))
        else:
            self._out.append(_TYPED[match[0]])
        return match.end()

    def _take_sign(self, sign: str, i: int) -> int:
        if sign in _ACCENTS:
            return self._accent(i, sign)
        if sign == "(" and (end := self._text.find("\\)", i, i + 2000)) >= 0:
            self._out.append(f"${' '.join(self._text[i:end].split())}$")
            return end + 2
        if sign == "\\":
            self._out.append(" ")
            after = option(self._text, i)
            return after[1] if after else i
        self._out.append(sign if sign in "%&_#${}" else " " if sign in " ,;:!\n" else "")
        return i

    def _accent(self, i: int, mark: str) -> int:
        """A letter with its accent: "\\'e", "\\'{e}", "\\c{c}", "\\'\\i"."""
        letter = _ACCENTED.match(self._text, i)
        if letter is None:
            return i
        self._out.append(unicodedata.normalize("NFC", (letter[1] or letter[2] or letter[3]) + _ACCENTS[mark]))
        return letter.end()

    def _take_word(self, word: str, i: int) -> int:
        text = self._text
        if word in _PRINTS:
            self._out.append(_PRINTS[word])
            return i + 2 if text.startswith("{}", i) else i
        if word in _ACCENTS and text[i : i + 1] in ("{", " "):
            return self._accent(i, word)
        given = option(text, i)
        if word == "item":
            self._out.append(f" {given[0]} " if given else " • ")
            return given[1] if given else i
        while given:
            i = given[1]
            given = option(text, i)
        return self._take_arguments(word, i)

    def _take_arguments(self, word: str, i: int) -> int:
        """A command whose arguments are not simply printed. Of any other the name goes, and what its braces hold is printed."""
        first = group(self._text, i, self._pairs)
        if word in _DROPPED:
            while first:
                i = first[1]
                first = group(self._text, i, self._pairs)
        elif first is None:
            return i
        elif _CITE.match(word):
            self._out.append(self._numbers.cite(first[0]))
            return first[1]
        elif _REFERENCE.match(word):
            self._out.append(self._numbers.refer(word, first[0]))
            return first[1]
        elif word in ("begin", "end"):
            self._out.append(" ")
            return first[1]
        elif word == "footnote":
            self._out.append(" (")
            self._closing[first[1] - 1] = ") "
        elif word == "texorpdfstring":
            second = group(self._text, first[1], self._pairs)
            self._out.append(first[0] if "\\" not in first[0] or second is None else second[0])
            return second[1] if second else first[1]
        else:
            for _ in range(_UNSHOWN.get(word, 0)):
                skipped = group(self._text, i, self._pairs)
                i = skipped[1] if skipped else i
        return i
