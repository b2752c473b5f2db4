"""Reads plain text: blank lines part paragraphs, headings are told by their number, their capitals or their words."""

from __future__ import annotations

import re

from agents.autotrain.reading.hidden import notes_on
from agents.autotrain.reading.hyphens import Vocabulary
from agents.autotrain.reading.pieces import Draft, Formula, Heading, Paragraph, Piece, headed
from agents.clean import clean, decode, paragraphs

ABSTRACT_LENGTH = 6000  # characters; a text without headings up to here is an abstract
_NUMBERED = re.compile(r"^(\d{1,2}(?:\.\d{1,2}){0,3}\.?|[IVX]{1,5}\.|[A-H]\.(?:\d\.?)?)\s+(?=[^\W\d_])")
_KNOWN = re.compile(
    r"^(?:abstract|introduction|related works?|background|preliminaries|(?:proposed )?(?:methods?|methodology|approach|model)|"
    r"experiments?|experimental (?:setup|results)|evaluation|results|discussions?|conclusions?|references|bibliography|"
    r"acknowledge?ments?|appendix)[.:]?$",
    re.IGNORECASE,
)
_RUN_IN = re.compile(r"^(abstract|summary)\s*[.:—–-]\s*(?=\S)", re.IGNORECASE)
_TITLE_END = re.compile(r"[.!;,:]$")
_FUNCTIONS = re.compile(r"\b(?:log|exp|sigmoid|softmax|relu|tanh|max|min|sum|concat|mean|sqrt|sim|norm)\b", re.IGNORECASE)
_NUMBER_AT_END = re.compile(r"\s*\((\d{1,3}[a-z]?)\)$")


def read_text(data: bytes) -> Draft:
    """The draft of a plain text. Without headings it is one section, an abstract, after the title if there is one."""
    source = decode(data)
    blocks = paragraphs(clean(source))
    title = ""
    if len(blocks) > 1 and _is_title(blocks[0]):
        title, blocks = " ".join(blocks[0].split()), blocks[1:]
    vocabulary = Vocabulary(line for block in blocks for line in block.split("\n"))
    pieces: list[Piece] = []
    for block in blocks:
        pieces += _pieces(block, vocabulary)
    if not headed(pieces) and pieces:
        length = sum(len(block) for block in blocks)
        pieces.insert(0, Heading("Abstract" if length <= ABSTRACT_LENGTH else "Text"))
    return Draft(title, tuple(pieces), notes=notes_on(source))


def _is_title(block: str) -> bool:
    """Whether the first block is a title: one or two lines, no sentence, no heading."""
    line = " ".join(block.split())
    return (
        len(line) <= 250
        and block.count("\n") < 3
        and not _TITLE_END.search(line)
        and _level(line) is None
        and _RUN_IN.match(line) is None
    )


def _pieces(block: str, vocabulary: Vocabulary) -> list[Piece]:
    """One block, whose first lines may be headings of the lines below them."""
    lines = block.split("\n")
    found: list[Piece] = []
    while lines and (level := _level(lines[0].strip())) is not None:
        found.append(Heading(lines.pop(0).strip(), level))
    if lines and (run_in := _RUN_IN.match(lines[0])):
        found.append(Heading(run_in[1]))
        lines[0] = lines[0][run_in.end() :]
    text = vocabulary.join([line.strip() for line in lines if line.strip()])
    if _is_formula(text):
        number = _NUMBER_AT_END.search(text)
        found.append(Formula(text[: number.start()] if number else text, number[1] if number else ""))
    elif text:
        found.append(Paragraph(text))
    return found


def _level(line: str) -> int | None:
    """The level of a heading, None for any other line."""
    words = line.split()
    if not words or len(words) > 12 or len(line) > 100:
        return None
    if _KNOWN.match(line):
        return 1
    number = _NUMBERED.match(line)
    if number and not _TITLE_END.search(line) and line[number.end()].isupper():
        return number[1].rstrip(".").count(".") + 1
    letters = [c for c in line if c.isalpha()]
    return (
        1 if len(letters) >= 5 and all(c.isupper() for c in letters) and not _TITLE_END.search(line) and "=" not in line else None
    )


def _is_formula(text: str) -> bool:
    """Whether a block is a displayed equation: short, with a relation, and next to no prose."""
    if not 3 <= len(text) <= 300 or not re.search(r"[=≈∝←≤≥]", text):
        return False
    prose = re.findall(r"(?<![\\_\w])[A-Za-z]{3,}(?![\w(])", _FUNCTIONS.sub(" ", text))
    return len(prose) <= 3
