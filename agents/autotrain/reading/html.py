"""Reads HTML: pages that LaTeXML made (arXiv, ar5iv), their formulas as LaTeX, and other pages by headings and tables."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from agents.autotrain.reading.hidden import notes_on
from agents.autotrain.reading.html_hidden import Hidden
from agents.autotrain.reading.pieces import Draft, Formula, Grid, Heading, Paragraph, Piece
from agents.clean import clean, decode, one_line
from agents.errors import UnreadablePaper

_SKIPPED = frozenset(
    ("script", "style", "nav", "noscript", "template", "iframe", "svg", "button", "form", "select", "head", "footer", "aside")
)
_BLOCKS = frozenset(
    (
        *(
            "p",
            "div",
            "section",
            "article",
            "main",
            "body",
            "html",
            "header",
            "ul",
            "ol",
            "li",
            "dl",
            "dt",
            "dd",
            "blockquote",
            "pre",
        ),
        *("figure", "figcaption", "center", "hr", "details", "summary", "address", "td", "th", "tr", "table", "tbody"),
    )
)
_SHOWN = frozenset(("html", "body", "head", "script", "style", "template", "math", "annotation"))  # not hidden by their own style
_HEADING = re.compile(r"h[1-6]$")
_SKIPPED_CLASS = re.compile(
    r"\b(?:ltx_page_(?:navbar|footer|header|logo)|ltx_dates|ltx_role_footnotemark|package-alerts|ltx_ERROR|navbar|sidebar)\b"
)
_DISPLAY_TEXT = re.compile(r"\$\$([^$]{1,3000})\$\$|\\\[((?:[^\\]|\\[^\[\]]){1,3000})\\\]")


def read_html(data: bytes, name: str) -> Draft:
    """The draft of a page. Raises UnreadablePaper when it cannot be parsed."""
    source = decode(data)
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", clean(source))
    try:
        root = lxml_html.document_fromstring(text, parser=lxml_html.HTMLParser(encoding="utf-8", huge_tree=False))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        raise UnreadablePaper(f"{name} is not a readable HTML page; give the paper's PDF or its text.") from None
    words = _drop_hidden(root)
    pieces = _Reader().read(root)
    title, rest = _take_title(root, pieces)
    return Draft(title, tuple(rest), notes=notes_on(source, words))


def _drop_hidden(root: Any) -> int:
    """Takes comments and hidden elements out of the page; how many words went with them."""
    hidden, found = Hidden(root), []
    walk = etree.iterwalk(root, events=("start", "comment"))
    for event, node in walk:
        if event == "comment" or (_tag(node) not in _SHOWN and hidden(node)):
            found.append(node)
            if event == "start":
                walk.skip_subtree()
    words = sum(len((node.text or "" if callable(node.tag) else "".join(node.itertext())).split()) for node in found)
    for node in found:
        if node.getparent() is not None:  # a comment before the page's first element has none, and is not read
            node.drop_tree()
    return words


def _take_title(root: Any, pieces: list[Piece]) -> tuple[str, list[Piece]]:
    """The page's title: LaTeXML's, else its only largest heading, else that of its head; levels of the others begin at 1."""
    marked = root.xpath("//*[contains(concat(' ', @class, ' '), ' ltx_title_document ')]")
    headings = [p for p in pieces if isinstance(p, Heading) and p.title.lower() != "abstract"]
    top = min((h.level for h in headings), default=1)
    alone = [h for h in headings if h.level == top]
    title = _text(marked[0]) if marked else ""
    if not title and len(alone) == 1 and len(headings) > 1:
        title = alone[0].title
    rest = [p for p in pieces if not (isinstance(p, Heading) and title and p.title == title)]
    if not title:
        title = one_line(" ".join(root.xpath("//head/title//text()")))
    left = [p.level for p in rest if isinstance(p, Heading) and p.title.lower() != "abstract"]
    down = min(left, default=1) - 1
    return title, [Heading(p.title, max(1, p.level - down)) if isinstance(p, Heading) else p for p in rest]


class _Reader:
    """Walks the tree without recursion: text gathers until a block begins or ends."""

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._text: list[str] = []

    def read(self, root: Any) -> list[Piece]:
        walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
        for event, node in walk:
            if event in ("comment", "pi"):
                self._text.append(node.tail or "")
            elif event == "start":
                if self._taken(node):
                    walk.skip_subtree()
                else:
                    self._begin(node)
            else:
                if _tag(node) in _BLOCKS:
                    self._flush()
                self._text.append(node.tail or "")
        self._flush()
        return self._pieces

    def _begin(self, node: Any) -> None:
        tag = _tag(node)
        if tag in _BLOCKS:
            self._flush()
        elif tag == "br":
            self._text.append(" ")
        self._text.append(node.text or "")

    def _taken(self, node: Any) -> bool:
        """Handles a node as a whole (heading, formula, table, or nothing worth reading) and says whether it did."""
        tag, style = _tag(node), node.get("class") or ""
        if tag == "script" and "math/tex" in (node.get("type") or ""):
            self._math(node.text or "", display="display" in node.get("type"))
        elif tag in _SKIPPED or _SKIPPED_CLASS.search(style):
            pass
        elif _HEADING.match(tag):
            self._flush()
            title = _text(node)
            self._pieces.append(Heading(title, 1 if title.lower() == "abstract" else int(tag[1])))
        elif tag in ("figcaption", "caption") and any(a.xpath(".//tr") for a in node.iterancestors("figure", "table")):
            pass  # said with the table
        elif re.search(r"\bltx_equation(?:group)?\b", style) or "katex-display" in style:
            self._flush()
            self._equations(node)
        elif tag == "math":
            self._math(_tex(node), display=node.get("display") == "block")
        elif tag == "table" and node.xpath(".//tr"):
            self._flush()
            self._table(node)
        else:
            return False
        return True

    def _math(self, tex: str, display: bool) -> None:
        if display:
            self._flush()
            self._pieces.append(Formula(tex))
        elif tex.strip():
            self._text.append(f"${one_line(tex)}$")

    def _equations(self, node: Any) -> None:
        """A display: each numbered row is an equation, made of all its formulas."""
        rows = [row for row in node.iter() if "ltx_equation " in (row.get("class") or "") + " " and row is not node] or [node]
        rows = [row for row in rows if not any(parent in rows for parent in row.iterancestors())]
        for row in rows:
            tex = " ".join(_tex(math) for math in row.iter("math")) or " ".join(row.xpath(".//annotation//text()"))
            tags = row.xpath(".//*[contains(@class, 'ltx_tag_equation')]")
            if tex.strip():
                self._pieces.append(Formula(tex, _text(tags[0]).strip("() ") if tags else ""))

    def _table(self, node: Any) -> None:
        rows = [tuple(_text(cell) for cell in row.xpath("./td|./th")) for row in node.xpath(".//tr")]
        figure = next((a for a in node.iterancestors("figure")), None)
        captions = node.xpath("./caption") or (figure.xpath(".//figcaption") if figure is not None else [])
        self._pieces.append(Grid(_text(captions[0]) if captions else "", tuple(rows)))

    def _flush(self) -> None:
        text = "".join(self._text)
        self._text = []
        end = 0
        for match in _DISPLAY_TEXT.finditer(text):
            self._paragraph(text[end : match.start()])
            self._pieces.append(Formula(match[1] or match[2]))
            end = match.end()
        self._paragraph(text[end:])

    def _paragraph(self, text: str) -> None:
        if text := one_line(text):
            self._pieces.append(Paragraph(text))


def _tag(node: Any) -> str:
    return node.tag.rsplit("}", 1)[-1].lower() if isinstance(node.tag, str) else ""


def _tex(math: Any) -> str:
    """The LaTeX of a formula: its annotation, else its alternative text, else the characters it shows."""
    for note in math.iter("annotation"):
        if "tex" in (note.get("encoding") or "").lower():
            return one_line("".join(note.itertext()))
    return one_line(math.get("alttext") or "".join(math.itertext()))


def _text(node: Any) -> str:
    """All text of a node, formulas as LaTeX."""
    parts: list[str] = []
    walk = etree.iterwalk(node, events=("start", "end"))
    for event, child in walk:
        if event == "start":
            if _tag(child) == "math":
                parts.append(f"${_tex(child)}$")
                walk.skip_subtree()
            elif _tag(child) in _SKIPPED:
                walk.skip_subtree()
            else:
                parts.append(child.text or "")
        elif child is not node:
            parts.append(child.tail or "")
    return one_line("".join(parts))
