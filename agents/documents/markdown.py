"""Renders a document as plain Markdown. Text from papers and models is escaped, so that it stays text."""

from __future__ import annotations

import re

from agents.documents.cleaning import clean
from agents.documents.document import Block, Cell, Document, Figures, Fold, Items, Listing, Quote, Table, Text

SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$-])")
ADDRESS = re.compile(r"@(?!\d+\b(?![.-]\w))")
AT_START = re.compile(r"^(\d+)([.)])")


def to_markdown(doc: Document) -> str:
    """The document as Markdown: the same sections, tables and numbers as the page; of plots, what they show in words."""
    lines = [f"# {escaped(doc.title)}", "", f"**{escaped(doc.badge)}**: {escaped(doc.headline)}", ""]
    lines += [f"- {escaped(name)}: {escaped(text)}" for name, text in doc.facts]
    for section in doc.sections:
        lines += ["", f"## {escaped(section.title)}", ""]
        for block in section.blocks:
            lines += [*_block(block), ""]
    return "\n".join(lines).rstrip() + "\n"


def escaped(text: str) -> str:
    """Text on one line in which no character has a meaning to Markdown or HTML; bare addresses do not become links.

    The ``@`` of ``nDCG@20`` begins no address and stays readable.
    """
    plain = " ".join(clean(text).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = SPECIAL.sub(_backslashed, plain).replace("://", ":&#47;&#47;").replace("www.", "www&#46;")
    plain = ADDRESS.sub("&#64;", plain)
    return AT_START.sub(r"\1\\\2", plain)


def _backslashed(match: re.Match[str]) -> str:
    """A minus or plus before a digit, and parentheses, cannot begin anything within a line; they stay readable."""
    char, text, at = match.group(1), match.string, match.start()
    if char in "()" or (char in "+-" and at > 0) or (char in "+-" and text[at + 1 : at + 2].isdigit()):
        return char
    return f"\\{char}"


def _block(block: Block) -> list[str]:
    if isinstance(block, Text):
        return [escaped(block.text)]
    if isinstance(block, Items):
        return [f"- {escaped(item)}" for item in block.items]
    if isinstance(block, Quote):
        place = f", {escaped(block.place)}" if block.place else ""
        return [f"> {escaped(block.text)}", ">", f"> {escaped(block.about)}{place}"]
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Figures):
        return [f"- {escaped(f.title)} (plot in report.html): {escaped(f.description)}" for f in block.figures]
    if isinstance(block, Listing):
        return _listing(block)
    return _fold(block)


def _fold(fold: Fold) -> list[str]:
    return [f"### {escaped(fold.summary)}", "", *(line for block in fold.blocks for line in [*_block(block), ""])][:-1]


def _table(table: Table) -> list[str]:
    align = ["---:" if table.rows and table.rows[0][i].number else "---" for i in range(len(table.headers))]
    head = [f"{escaped(table.caption)}:", "", _row([escaped(h) for h in table.headers]), _row(align)]
    return [*head, *(_row([_cell(c) for c in row]) for row in table.rows)]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    return escaped(cell.text)


def _listing(listing: Listing) -> list[str]:
    """A fence longer than any run of backticks inside it."""
    longest = max((len(run) for run in re.findall(r"`+", listing.text)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = listing.lines
    if listing.numbered:
        width = len(str(len(lines)))
        lines = [f"{i:>{width}}  {line}".rstrip() for i, line in enumerate(lines, 1)]
    return [f"{fence}{'' if listing.numbered else listing.language}", *lines, fence]
