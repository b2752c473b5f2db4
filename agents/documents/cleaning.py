"""Drops characters that a report must not carry: they show nothing, or show text in another order than it is written."""

from __future__ import annotations

import unicodedata

KEPT = frozenset("\n\t")
# Bidirectional controls can make code and quotes read otherwise than they are ("Trojan Source", CVE-2021-42574).
BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def clean(text: str) -> str:
    """The text without control and bidirectional characters; lone surrogates become "\ufffd". Line ends become "\\n"."""
    if text.isascii() and text.isprintable():
        return text
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(_kept(c) for c in lines)


def _kept(char: str) -> str:
    if char in KEPT:
        return char
    if char in BIDIRECTIONAL:
        return ""
    category = unicodedata.category(char)
    return "\ufffd" if category == "Cs" else "" if category == "Cc" else char
