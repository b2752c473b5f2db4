"""The report of a reproduction: `report.html`, one self-contained page, and `report.md` with the same content."""

from pathlib import Path

from agents.autotrain.report.build import document_of
from agents.autotrain.report.view import (
    AblationView,
    AttemptView,
    CodeView,
    CostView,
    DataView,
    Failed,
    FidelityView,
    LeakCheck,
    ModelView,
    PaperView,
    ReportView,
    SmokeCheck,
)
from agents.documents.html import to_html
from agents.documents.markdown import to_markdown

__all__ = [
    "AblationView",
    "AttemptView",
    "CodeView",
    "CostView",
    "DataView",
    "Failed",
    "FidelityView",
    "LeakCheck",
    "ModelView",
    "PaperView",
    "ReportView",
    "SmokeCheck",
    "write_report",
]


def write_report(view: ReportView, folder: Path) -> tuple[Path, Path]:
    """Writes both files into `folder`, which is made if missing, and returns their paths: HTML, Markdown."""
    doc = document_of(view)
    folder.mkdir(parents=True, exist_ok=True)
    html, markdown = folder / "report.html", folder / "report.md"
    html.write_text(to_html(doc), encoding="utf-8")
    markdown.write_text(to_markdown(doc), encoding="utf-8")
    return html, markdown
