"""Tells what a file is by its content first, its name second: PDF, archive, HTML, LaTeX, Markdown or text."""

from __future__ import annotations

import re
from typing import Literal

from agents.clean import decode
from agents.errors import UnreadablePaper

Kind = Literal["pdf", "archive", "html", "latex", "markdown", "text"]

_WRONG = (
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"{\\rtf", "a rich-text document"),
    (b"%!PS", "a PostScript file"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
)
_HTML = re.compile(r"<!doctype html|<html[\s>]|<head[\s>]|<body[\s>]|<article[\s>]", re.IGNORECASE)
_LATEX = re.compile(r"^[^%\n]*\\(?:documentclass|begin\s*\{document\}|(?:sub)*section\*?\s*\{|chapter\s*\{)", re.MULTILINE)
_MARKDOWN = re.compile(r"^ {0,3}#{1,6}[ \t]+\S|^```|^[ \t]*(?:\|[ \t]*)?:?-{3,}:?[ \t]*\|", re.MULTILINE)


def kind_of(data: bytes, file_name: str, name: str) -> Kind:
    """What the bytes are. Raises UnreadablePaper when they are empty or nothing that a paper is written in."""
    if not data.strip(b"\0 \t\r\n"):
        raise UnreadablePaper(f"{name} is empty; give a file with the paper in it.")
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b")) or data[257:262] == b"ustar":
        return "archive"
    for magic, what in _WRONG:
        if data.startswith(magic) and not (what == "a program" and _is_text(data)):
            raise UnreadablePaper(
                f"{name} is {what}, not a paper that can be read; give a PDF, LaTeX, HTML, Markdown or text file."
            )
    if not _is_text(data):
        raise UnreadablePaper(f"{name} is a binary file of an unknown kind; give a PDF, LaTeX, HTML, Markdown or text file.")
    return _kind_of_text(decode(data[:400_000]), file_name.lower())


def _is_text(data: bytes) -> bool:
    """Whether control bytes are next to absent; UTF-16 is told by its mark."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    head = data[:65536]
    control = sum(head.count(bytes([b])) for b in range(32) if b not in (9, 10, 12, 13, 27))
    return control <= 0.01 * len(head) + 2


def _kind_of_text(text: str, file_name: str) -> Kind:
    if _HTML.search(text[:4000]):
        return "html"
    if _LATEX.search(text):
        return "latex"
    if file_name.endswith((".md", ".markdown", ".mkd")):
        return "markdown"
    if file_name.endswith((".html", ".htm", ".xhtml")) and re.search(r"<(?:p|div|h1|span)\b", text, re.IGNORECASE):
        return "html"
    if file_name.endswith((".tex", ".ltx", ".latex")) and "\\" in text:
        return "latex"
    return "markdown" if _MARKDOWN.search(text) else "text"
