"""Tables of LaTeX: the rows and cells of tabular environments, with the caption of the table around them."""

from __future__ import annotations

import re

from agents.autotrain.reading.latex_macros import braces, group
from agents.autotrain.reading.latex_text import Numbers, plain
from agents.autotrain.reading.pieces import Grid, Paragraph, Piece

_TABULAR = re.compile(r"\\begin\s*\{(tabular[xy]?\*?|longtable|tabu)\}")
_CAPTION = re.compile(r"\\caption\*?(?:\[[^\]]{0,300}\])?(?=\s*\{)|\\captionof\s*\{table\}(?=\s*\{)|\\tbl(?=\s*\{)")
_RULES = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|endhead|endfirsthead|endfoot|endlastfoot|centering)(?![A-Za-z])(?:\[[^\]]*\])?|"
    r"\\(?:cmidrule|cline)(?:\([^)]*\))?(?:\[[^\]]*\])?\s*\{[^{}]*\}|\\specialrule(?:\{[^{}]*\}){3}|\\addlinespace(?:\[[^\]]*\])?"
)
_ROW = re.compile(r"\\\\(?:\s*\[[^\]\n]{0,30}\])?|\\tabularnewline(?![A-Za-z])")
_SPAN = re.compile(r"\\multicolumn\s*\{\s*(\d{1,2})\s*\}")
_INNER_BREAK = re.compile(r"\\(?:makecell|shortstack|thead)(?:\[[^\]]*\])?\s*(?=\{)")


def tables_in(text: str, numbers: Numbers) -> list[Piece]:
    """The tables in a table environment, each with the caption; a caption without rows is a paragraph."""
    caption = _caption(text, numbers)
    grids: list[Piece] = []
    past = 0
    for match in _TABULAR.finditer(text):
        if match.start() < past:
            continue  # a table within a cell
        end = re.compile(r"\\end\s*\{" + re.escape(match[1]) + r"\}").search(text, match.end())
        past = end.end() if end else len(text)
        rows = _rows(text[match.end() : end.start() if end else len(text)], match[1], numbers)
        if rows:
            grids.append(Grid(caption, rows))
    return grids or ([Paragraph(caption)] if caption else [])


def _caption(text: str, numbers: Numbers) -> str:
    match = _CAPTION.search(text)
    found = group(text, match.end(), braces(text)) if match else None
    caption = plain(found[0], numbers) if found else ""
    return caption if not caption or caption.lower().startswith("table") else f"Table: {caption}"


def _rows(content: str, environment: str, numbers: Numbers) -> tuple[tuple[str, ...], ...]:
    """Cells by row, formats and rules left out; a cell that spans columns is followed by empty ones."""
    content = _without_format(content, environment)
    content = _INNER_BREAK.sub("", _flat(content))
    rows = []
    for row in _ROW.split(_RULES.sub(" ", content)):
        cells: list[str] = []
        for cell in re.split(r"(?<!\\)&", row):
            cells.append(plain(cell, numbers))
            span = _SPAN.search(cell)
            cells += [""] * (min(int(span[1]), 30) - 1 if span else 0)
        if any(cells):
            rows.append(tuple(cells))
    return tuple(rows)


def _without_format(content: str, environment: str) -> str:
    """What follows the column format: "[t]{lcc}", and for tabularx and tabular* the width before it."""
    position = re.compile(r"\s*(?:\[[^\]]{0,20}\])?").match(content)
    i = position.end() if position else 0
    pairs = braces(content)
    for _ in range(2 if environment in ("tabularx", "tabular*", "tabulary") else 1):
        found = group(content, i, pairs)
        i = found[1] if found else i
    return content[i:]


def _flat(content: str) -> str:
    """Line breaks inside braces, as \\makecell has them, become spaces, so that only rows part rows."""
    out, depth, i = [], 0, 0
    for match in re.finditer(r"\\\\|\\.|[{}]", content, re.DOTALL):
        out.append(content[i : match.start()])
        token = match[0]
        depth += (token == "{") - (token == "}" and depth > 0)
        out.append(" " if token == "\\\\" and depth else token)
        i = match.end()
    return "".join([*out, content[i:]])
