"""The prompts, as Markdown files beside this one."""

from __future__ import annotations

from pathlib import Path


def prompt(*names: str) -> str:
    """The prompts `name`.md, one after the other."""
    return "\n\n".join((Path(__file__).parent / f"{name}.md").read_text(encoding="utf-8").strip() for name in names)
