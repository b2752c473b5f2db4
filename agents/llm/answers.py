"""What is taken out of an answer in which JSON was asked for."""

from __future__ import annotations

import json
import re

from pydantic import ValidationError


def json_object(text: str) -> str:
    """The JSON object in an answer that may stand in a fence or between sentences. Raises `ValueError` when there is none."""
    start = text.find("{")
    if start < 0:
        raise ValueError("there is no JSON object in the answer")
    _, end = json.JSONDecoder().raw_decode(text[start:])
    return text[start : start + end]


def fault_of(error: Exception) -> str:
    """What is wrong with an answer, in words that can be sent back."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(_place, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
    return str(error)


def _place(step: int | str) -> str:
    """A step on the way to what is wrong; a key of the answer's own making is not repeated, since this is sent back."""
    return str(step) if re.fullmatch(r"[\w\[\],-]{1,40}", str(step)) else "…"
