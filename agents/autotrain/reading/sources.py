"""Bytes or files of any kind to a paper: the kind decides the reader."""

from __future__ import annotations

from pathlib import Path

from agents.autotrain.paper import Paper, SourceFormat
from agents.autotrain.reading.archives import files_around, files_in_archive, files_in_folder
from agents.autotrain.reading.html import read_html
from agents.autotrain.reading.kinds import Kind, kind_of
from agents.autotrain.reading.latex import read_latex
from agents.autotrain.reading.markdown import read_markdown
from agents.autotrain.reading.pdf import read_pdf
from agents.autotrain.reading.pieces import Draft, assemble, shorten
from agents.autotrain.reading.text import read_text
from agents.clean import decode
from agents.errors import UnreadablePaper

MAX_BYTES = 100 * 2**20
MAX_TEXT_BYTES = 20 * 2**20  # of one file of text
_FORMATS: dict[Kind, SourceFormat] = {
    "pdf": "pdf",
    "archive": "latex",
    "html": "html",
    "latex": "latex",
    "markdown": "markdown",
    "text": "text",
}


def read_file(path: Path, source: str, latex_folder: bool = True) -> Paper:
    """The paper in a file. `latex_folder` lets a LaTeX file input its neighbours; a download has none."""
    name = shorten(source)
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise UnreadablePaper(f"{name} is not a regular file; give a file or folder with the paper in it.")
        if size > MAX_BYTES:
            raise UnreadablePaper(
                f"{name} is {size / 2**20:.0f} MB, more than the {MAX_BYTES // 2**20} MB allowed; give a smaller version."
            )
        data = path.read_bytes()
        kind = kind_of(data, path.name, name)
        if kind == "pdf":
            return assemble(read_pdf(path, source), source, "pdf")
        if kind == "latex" and latex_folder:
            return assemble(read_latex(files_around(path, name), name, path.name), source, "latex")
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise UnreadablePaper(f"{name} cannot be read ({reason.lower()}); check its permissions, or give another file.") from None
    return assemble(_draft(data, kind, name), source, _FORMATS[kind])


def read_folder(path: Path, source: str) -> Paper:
    """The LaTeX project in a folder."""
    name = shorten(source)
    try:
        files = files_in_folder(path, name)
    except OSError as error:
        raise UnreadablePaper(
            f"{name} cannot be read ({(error.strerror or 'no access').lower()}); check its permissions."
        ) from None
    return assemble(read_latex(files, name), source, "latex")


def _draft(data: bytes, kind: Kind, name: str) -> Draft:
    """The draft of anything but a PDF, which is read from its file."""
    if kind == "archive":
        return read_latex(files_in_archive(data, name), name)
    if len(data) > MAX_TEXT_BYTES:
        raise UnreadablePaper(f"{name} holds {len(data) / 2**20:.0f} MB of text, more than any paper; give the paper alone.")
    if kind == "latex":
        return read_latex({"main.tex": decode(data)}, name, "main.tex")
    if kind == "html":
        return read_html(data, name)
    return read_markdown(data) if kind == "markdown" else read_text(data)
