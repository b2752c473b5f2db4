"""Reads LaTeX: a document's files to title, abstract, sections, paragraphs, equations, tables and bibliography."""

from __future__ import annotations

import re
from collections.abc import Mapping

from agents.autotrain.reading.hidden import notes_on
from agents.autotrain.reading.latex_files import join_files
from agents.autotrain.reading.latex_hidden import without_white
from agents.autotrain.reading.latex_macros import braces, expand, group
from agents.autotrain.reading.latex_tables import tables_in
from agents.autotrain.reading.latex_text import Numbers, plain
from agents.autotrain.reading.pieces import Draft, Formula, Heading, Paragraph, Piece
from agents.clean import clean, one_line

_LEVELS = {"part": 1, "chapter": 1, "section": 1, "subsection": 2, "subsubsection": 3, "paragraph": 4, "subparagraph": 5}
_EQUATIONS = "equation|align|gather|multline|eqnarray|displaymath|flalign|alignat|dmath|math|empheq|IEEEeqnarray|subequations"
_UNREAD = "tikzpicture|CCSXML|filecontents|pgfplots|picture|comment|axis"
_VERBATIM = "verbatim|lstlisting|minted|Verbatim|alltt"
_STRUCTURE = re.compile(
    r"\\(?P<level>part|chapter|section|subsection|subsubsection|paragraph|subparagraph)\*?(?=\s*[\[{])|"
    r"\\begin\s*\{(?P<begin>[A-Za-z]+)\*?\}|\\end\s*\{(?P<end>[A-Za-z]+)\*?\}|(?P<bracket>\\\[)|(?P<dollars>\$\$)|"
    r"\\(?P<appendix>appendix)(?![A-Za-z])|\\(?P<bibitem>bibitem)(?![A-Za-z])|\\(?P<keywords>keywords)(?=\s*\{)|"
    r"\\(?P<item>item)(?![A-Za-z])|\\(?P<abstract>abstract)(?=\s*\{)|\\(?P<skip>title|author|date|shorttitle|shortauthors)(?=\s*[\[{])"
)
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{([A-Za-z]+)\*?\}")
_LABEL = re.compile(r"\\label\s*\{([^{}]*)\}")
_TAG = re.compile(r"\\tag\*?\s*\{([^{}]*)\}")
_UNNUMBERED = re.compile(r"\\(?:nonumber|notag)(?![A-Za-z])")
_LAYOUT = re.compile(
    r"\\(?:displaystyle|limits|nolimits|allowbreak|vspace\*?\{[^{}]*\}|hspace\*?\{[^{}]*\}|small|footnotesize|scriptsize)(?![A-Za-z])|&"
)
_BLANK = re.compile(r"\n[ \t]*\n\s*|\\par(?![A-Za-z])|\\maketitle(?![A-Za-z])")
_SEVERAL_ROWS = frozenset(("align", "gather", "eqnarray", "flalign", "alignat", "IEEEeqnarray"))


def read_latex(files: Mapping[str, str], name: str, main: str | None = None) -> Draft:
    """The draft of a LaTeX project, `files` being path to text. Raises UnreadablePaper when no document is among them."""
    text, words, notes = join_files({path: clean(content) for path, content in files.items()}, name, main)
    text, cut = expand(text)
    text, unseen = without_white(text)
    notes = (*notes, *notes_on("".join(files.values()), words + unseen))
    if cut:
        notes = (*notes, "some of the source's own macros call themselves and were left as they are")
    start, end = text.find("\\begin{document}"), text.rfind("\\end{document}")
    body = text[start + len("\\begin{document}") : end if end > start else len(text)] if start >= 0 else text
    numbers = Numbers(_labels(body))
    title = _command(text, "title")
    pieces = _Walker(body, numbers).read()
    before = _before_sections(text[: max(0, start)], numbers) if start >= 0 else []
    return Draft(plain(title, Numbers()), (*before, *pieces), notes=notes)


def _command(text: str, word: str) -> str:
    """The argument of the first command of that name, "" when there is none."""
    match = re.search(r"\\" + word + r"\s*(?:\[[^\]]{0,300}\])?(?=\s*\{)", text)
    if match is None:
        return ""
    found = group(text, match.end(), braces(text))
    return re.sub(r"\\thanks\s*\{[^{}]*\}|\\\\", " ", found[0]) if found else ""


def _before_sections(preamble: str, numbers: Numbers) -> list[Piece]:
    """An abstract that stands in the preamble, as some classes want it."""
    text = _command(preamble, "abstract")
    start, end = preamble.find("\\begin{abstract}"), preamble.find("\\end{abstract}")
    if not text and 0 <= start < end:
        text = preamble[start + len("\\begin{abstract}") : end]
    return [Heading("Abstract"), Paragraph(plain(text, numbers))] if text else []


def _labels(body: str) -> dict[str, str]:
    """The number of each label on equations, figures, tables and sections, counted as LaTeX counts them."""
    counts = {"equation": 0, "figure": 0, "table": 0}
    sections = [0, 0, 0]
    found: dict[str, str] = {}
    current = ""
    pattern = re.compile(
        rf"\\begin\s*\{{({_EQUATIONS}|figure|table)(\*?)\}}|\\(section|subsection|subsubsection)(\*?)\s*[\[{{]|\\label\s*\{{([^{{}}]*)\}}|(\\\\)"
        r"|\\end\s*\{(?:align|gather|eqnarray)\}"
    )
    rows = False
    for match in pattern.finditer(body):
        environment, star, section, section_star, label, row = match.groups()
        if environment:
            kind = environment if environment in counts else "equation"
            rows = environment in _SEVERAL_ROWS and not star
            if (not star or kind != "equation") and environment != "subequations":
                counts[kind] += 1
                current = str(counts[kind])
        elif section and not section_star:
            depth = ("section", "subsection", "subsubsection").index(section)
            sections[depth] += 1
            sections[depth + 1 :] = [0] * (2 - depth)
            current = ".".join(map(str, sections[: depth + 1]))
        elif label is not None:
            found.setdefault(label.strip(), current)
        elif row and rows and not _UNNUMBERED.search(body, max(0, match.start() - 60), match.start()):
            counts["equation"] += 1
            current = str(counts["equation"])
        elif match[0].startswith("\\end"):
            rows = False
    return found


def _environment_ends(body: str) -> dict[int, tuple[int, int]]:
    """For the start of each \\begin where its \\end begins and ends, in one pass; those without an end are left out."""
    ends: dict[int, tuple[int, int]] = {}
    opened: dict[str, list[int]] = {}
    for match in _ENVIRONMENT.finditer(body):
        if match[1] == "begin":
            opened.setdefault(match[2], []).append(match.start())
        elif opened.get(match[2]):
            ends[opened[match[2]].pop()] = (match.start(), match.end())
    return ends


class _Walker:
    """Goes through the body once; what stands between structure is paragraphs."""

    def __init__(self, body: str, numbers: Numbers) -> None:
        self._body = body
        self._pairs = braces(body)
        self._numbers = numbers
        self._ends = _environment_ends(body)
        self._pieces: list[Piece] = []
        self._prefix = ""  # of the next paragraph: an item's bullet, a reference's number

    def read(self) -> list[Piece]:
        i = start = 0
        while match := _STRUCTURE.search(self._body, i):
            if self._body[match.start() - 1 : match.start()] == "\\" and (match["bracket"] or match["dollars"]):
                i = match.end()  # an escaped backslash or dollar
                continue
            self._prose(start, match.start())
            i = start = self._take(match)
        self._prose(start, len(self._body))
        return self._pieces

    def _take(self, match: re.Match[str]) -> int:
        """Handles one piece of structure and returns where reading goes on."""
        if match["level"]:
            return self._heading(match)
        if match["begin"]:
            return self._environment(match)
        if match["bracket"] or match["dollars"]:
            closing = "\\]" if match["bracket"] else "$$"
            end = self._body.find(closing, match.end(), match.end() + 20_000)
            if end < 0:
                return match.end()
            self._formula(self._body[match.end() : end], "")
            return end + 2
        if match["appendix"]:
            self._pieces.append(Heading("Appendix"))
        elif match["bibitem"]:
            return self._reference(match.end())
        elif match["keywords"] or match["abstract"]:
            self._pieces.append(Heading("Keywords" if match["keywords"] else "Abstract"))
        elif match["skip"]:
            return self._argument(match.end())[1]
        elif match["item"]:
            self._prefix = "• "
        return match.end()

    def _argument(self, i: int) -> tuple[str, int]:
        """The command's argument, past its option, and where it ends."""
        given = re.compile(r"\s*\[[^\]]{0,400}\]").match(self._body, i)
        i = given.end() if given else i
        return group(self._body, i, self._pairs) or ("", i)

    def _reference(self, i: int) -> int:
        """An entry of the bibliography begins: its number stands where citations put it."""
        key, end = self._argument(i)
        self._prefix = f"{self._numbers.cite(key)} " if key else ""
        return end

    def _heading(self, match: re.Match[str]) -> int:
        short = re.compile(r"\s*\[[^\]]{0,300}\]").match(self._body, match.end())
        found = group(self._body, short.end() if short else match.end(), self._pairs)
        if found is None:
            return match.end()
        if title := plain(_LABEL.sub("", found[0]), self._numbers):
            self._pieces.append(Heading(title.rstrip("."), _LEVELS[match["level"]]))
        return found[1]

    def _environment(self, match: re.Match[str]) -> int:
        """Equations, tables and what is not text are taken whole; of other environments the content is read on."""
        name, start = match["begin"], match.end()
        whole = re.fullmatch(
            f"{_EQUATIONS}|{_UNREAD}|{_VERBATIM}|table|figure|wraptable|wrapfigure|tabular|tabularx|longtable|algorithm|algorithmic",
            name,
        )
        if not whole:
            self._opening(name)
            return self._past_options(start)
        end = self._ends.get(match.start())
        if end is None:
            return start
        content = self._body[start : end[0]]
        if re.fullmatch(_EQUATIONS, name):
            self._formula(content, name)
        elif re.fullmatch(_VERBATIM, name):
            self._pieces.append(Paragraph(content))
        elif name.startswith(("tab", "longtab", "wraptab")):
            self._pieces += tables_in(self._body[match.start() : end[1]], self._numbers)
        elif name.endswith("figure") or name == "figure":
            self._captions(content)
        elif name.startswith("algorithm"):
            self._pieces.append(
                Paragraph(plain(re.sub(r"\\begin\{[^{}]*\}(?:\[[^\]]*\])?|\\end\{[^{}]*\}", " ", content), self._numbers))
            )
        return end[1]

    def _opening(self, name: str) -> None:
        titles = {
            "abstract": "Abstract",
            "thebibliography": "References",
            "acks": "Acknowledgements",
            "acknowledgments": "Acknowledgements",
        }
        titles |= {"IEEEkeywords": "Index terms", "keyword": "Keywords", "appendices": "Appendix"}
        if name in titles:
            self._pieces.append(Heading(titles[name]))

    def _past_options(self, i: int) -> int:
        """Past options and the plain argument of an environment: "[leftmargin=*]", "{99}"."""
        match = re.compile(r"(?:\[[^\]\n]{0,300}\]|\{[^{}\n]{0,100}\})*").match(self._body, i)
        return match.end() if match else i

    def _formula(self, content: str, environment: str) -> None:
        tag = _TAG.search(content)
        label = _LABEL.search(content)
        number = tag[1] if tag else self._numbers.refer("ref", label[1]) if label else ""
        content = _LABEL.sub(" ", _TAG.sub(" ", _UNNUMBERED.sub(" ", content)))
        content = re.sub(rf"\\(?:begin|end)\s*\{{(?:{_EQUATIONS}|split|aligned|gathered)\*?\}}(?:\{{\w*\}})?", " ", content)
        content = re.sub(r"\\\\(?:\[[^\]]{0,20}\])?\s*$", "", content.strip())
        if content := one_line(_LAYOUT.sub(" ", content)):
            self._pieces.append(Formula(content, number))

    def _captions(self, content: str) -> None:
        pairs = braces(content)
        for match in re.finditer(r"\\caption\*?(?:\[[^\]]{0,300}\])?(?=\s*\{)", content):
            if (found := group(content, match.end(), pairs)) and (text := plain(found[0], self._numbers)):
                self._pieces.append(Paragraph(f"Figure: {text}"))

    def _prose(self, start: int, end: int) -> None:
        for part in _BLANK.split(self._body[start:end]):
            if text := plain(part, self._numbers):
                self._pieces.append(Paragraph(self._prefix + text))
                self._prefix = ""
