"""Reads a PDF: its words in a limited process, then columns, headings, equations and tables from where they stand."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agents.autotrain.reading import pdf_words
from agents.autotrain.reading.pdf_document import document
from agents.autotrain.reading.pdf_fonts import plain_characters
from agents.autotrain.reading.pdf_geometry import Page
from agents.autotrain.reading.pdf_layout import layout
from agents.autotrain.reading.pdf_word import Word
from agents.autotrain.reading.pieces import Draft, shorten
from agents.clean import clean, one_line
from agents.errors import UnreadablePaper

MAX_BYTES = 100 * 2**20
MAX_PAGES = 200
TIMEOUT_S = 90
MAX_WORDS = 400_000
FEWEST_LETTERS = 40  # per page on average; scans have none but a stamp or a number


def read_pdf(path: Path, source: str) -> Draft:
    """The paper in a PDF file. Raises UnreadablePaper when it is damaged, locked, scanned, too large or takes too long."""
    name = shorten(source)
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise UnreadablePaper(
            f"{name} is {size / 2**20:.0f} MB, more than the {MAX_BYTES // 2**20} MB a PDF may have; give a smaller version."
        )
    head, pages, unseen = _parsed(path, name)
    if head["pages"] > MAX_PAGES:
        raise UnreadablePaper(
            f"{name} has {head['pages']} pages, more than the {MAX_PAGES} a paper may have; give the paper alone."
        )
    letters = sum(c.isalpha() for page in pages for w in page.words for c in w.text)
    if letters < FEWEST_LETTERS * max(1, min(3, len(pages))):
        raise UnreadablePaper(
            f"{name} holds pictures of pages but no text; run text recognition (OCR) on it, or give another version."
        )
    doc = document(pages)
    title, pieces = layout(doc)
    notes = [f"{doc.dropped} lines of figures, running heads and page numbers were left out"] if doc.dropped else []
    if unseen:
        notes.append(f"{unseen:,} characters that a reader does not see (white, off the page or too small) were left out")
    return Draft(title or one_line(head["title"]), pieces, len(pages), tuple(notes))


def _parsed(path: Path, name: str) -> tuple[dict[str, Any], list[Page], int]:
    """What `pdf_words.py` prints for the file, and how many characters it left out as unseen."""
    command = [sys.executable, "-I", pdf_words.__file__, str(path.resolve()), str(MAX_PAGES), str(TIMEOUT_S)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False, stdin=subprocess.DEVNULL, env={})
    except subprocess.TimeoutExpired:
        raise UnreadablePaper(
            f"{name} took longer than {TIMEOUT_S} s to read; print it to a new PDF, or give its LaTeX source."
        ) from None
    items = list(_items(done.stdout))
    if done.returncode != 0 or not items or "pages" not in items[0]:
        raise UnreadablePaper(_reason(done.stderr.decode(errors="replace"), done.returncode, name))
    pages = [_page(item) for item in items if "words" in item]
    if sum(len(page.words) for page in pages) > MAX_WORDS:
        raise UnreadablePaper(f"{name} holds more than {MAX_WORDS} words, which no paper does; give the paper alone.")
    if items[0]["pages"] == 0:
        raise UnreadablePaper(f"{name} is a PDF without pages, probably damaged; download it again.")
    return items[0], pages, sum(item.get("unseen", 0) for item in items)


def _items(output: bytes) -> Iterator[dict[str, Any]]:
    for line in output.splitlines():
        try:
            item = json.loads(line)
        except ValueError:
            return  # cut short
        if isinstance(item, dict):
            yield item


def _page(item: dict[str, Any]) -> Page:
    words = []
    for x0, x1, baseline, text, font, size in item["words"]:
        if plain := clean(plain_characters(text, font)).strip():
            words.append(Word(x0, x1, baseline, plain, font, size))
    return Page(item["width"], item["height"], tuple(words), tuple((x0, x1, top) for x0, x1, top in item["bars"]))


def _reason(errors: str, code: int, name: str) -> str:
    """One sentence for what the reading process died of, told from the exceptions it named."""
    if "PDFPasswordIncorrect" in errors or "PDFEncryptionError" in errors:
        return f"{name} is protected by a password; remove the protection, or give another version."
    if "MemoryError" in errors or code < 0:
        return f"{name} needs too much memory or time to read; print it to a new PDF, or give its LaTeX source."
    return f"{name} is a damaged or incomplete PDF; download it again, or give another version."
