"""Untrusted text in a prompt: it stands between tags of its own, and nothing in it can end them or open others.

This does not keep a model from obeying what it reads; it keeps the text from passing for anything but what it is.
"""

from __future__ import annotations

import re

from agents.clean import clean

TAGS = ("paper", "questions", "specification", "rubric", "before", "lessons", "file", "failure", "table")
# A space after the bracket breaks a tag; quotes are compared without spaces and are found all the same.
_TAG = re.compile(rf"<(?=[^\w<>]*(?:{'|'.join(TAGS)})\b)", re.IGNORECASE)
# What servers of open models take for the end of a turn, when it stands in the text of one.
_TURN = re.compile(
    r"<(?=[|｜]|/?s>|<?/?SYS>>|/?(?:start|end)_of_turn>|/?(?:system|assistant|user)>)|\[(?=/?(?:INST|SYSTEM_PROMPT)\])",
    re.IGNORECASE,
)


def fenced(tag: str, text: str) -> str:
    """The text as a block of data named `tag`, one of `TAGS`, without characters that show nothing."""
    assert tag in TAGS
    return f"<{tag}>\n{_TURN.sub(_broken, _TAG.sub(_broken, clean(text)))}\n</{tag}>"


def _broken(match: re.Match[str]) -> str:
    return f"{match[0]} "
