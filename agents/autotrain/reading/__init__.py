"""Reading: a paper from an arXiv id, an address or a file, as text with offsets, sections, equations and tables."""

from __future__ import annotations

import re
from pathlib import Path

from agents.autotrain.paper import Paper
from agents.autotrain.reading.arxiv import arxiv_id, read_address, read_arxiv
from agents.autotrain.reading.fetch import Web
from agents.autotrain.reading.pieces import shorten
from agents.autotrain.reading.quotes import evidence, find_quote
from agents.autotrain.reading.sections import Role, role_at, roles, section_role
from agents.autotrain.reading.sources import read_file, read_folder
from agents.errors import UnreadablePaper

__all__ = ["Role", "Web", "evidence", "find_quote", "read_paper", "role_at", "roles", "section_role"]


def read_paper(source: str, cache: Path, web: Web | None = None) -> Paper:
    """The paper that `source` names: an existing path, an arXiv id, or an address on the web; downloads are kept in `cache`.

    Files may be PDF, LaTeX (file, folder, archive), HTML, Markdown or plain text; their content decides, not their name.
    Raises UnreadablePaper when it is none of these or cannot be read, SourceUnreachable when the network fails.
    """
    source = source.strip()
    if not source:
        raise UnreadablePaper("no paper is named; give an arXiv id, an address or a file.")
    path = _existing(source)
    if path is not None:
        return read_folder(path, source) if path.is_dir() else read_file(path, source)
    if identifier := arxiv_id(source):
        return read_arxiv(identifier, source, cache, web or Web())
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", source):
        return read_address(source, cache, web or Web())
    raise UnreadablePaper(f"{shorten(source)} is neither a file nor an arXiv id nor a web address; check how it is written.")


def _existing(source: str) -> Path | None:
    try:
        path = Path(source).expanduser()
        return path if path.exists() else None
    except (OSError, ValueError, RuntimeError):
        return None  # too long or not a path at all
