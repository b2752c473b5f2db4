"""The prompts, as Markdown files beside this one."""

from __future__ import annotations

from pathlib import Path


def prompt(name: str, *, reference: str = "") -> str:
    """The prompt `name`.md, with the kit's reference after it where the prompt ends by announcing it."""
    text = (Path(__file__).parent / f"{name}.md").read_text(encoding="utf-8").strip()
    return f"{text}\n\n{reference}" if reference else text
