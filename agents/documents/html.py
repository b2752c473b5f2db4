"""Renders a document as one self-contained HTML page: style and plots inside, no script, nothing to fetch."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from agents.documents.cleaning import clean
from agents.documents.document import Document

TEMPLATES = Path(__file__).parent / "templates"


def to_html(doc: Document) -> str:
    """The page as text. Its content security policy forbids everything but its own style sheet, named by hash."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, finalize=_cleaned
    )
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template("report.html.j2").render(doc=doc, style=Markup(style), style_hash=f"sha256-{digest}")


def _cleaned(value: object) -> object:
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value
