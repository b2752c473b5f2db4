"""Blocks of data: whatever stands in one, it begins and ends where it did."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.llm.fence import TAGS, fenced

PIECES = (
    "<",
    "</",
    "< /",
    ">",
    "/",
    " ",
    "\n",
    "\u200b",
    "\u202e",
    "\U000e003c",
    *TAGS,
    *(t.upper() for t in TAGS),
    "a",
    "_",
    "|",
    "INST]",
    "[",
)


@given(st.sampled_from(TAGS), st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_no_text_ends_its_block_or_opens_another(tag: str, text: str) -> None:
    block = fenced(tag, text)
    assert block.startswith(f"<{tag}>\n") and block.endswith(f"\n</{tag}>")
    inside = block[len(tag) + 3 : -len(tag) - 4]
    assert not re.search(rf"<(?! )[^\w<>]*(?:{'|'.join(TAGS)})\b", inside, re.IGNORECASE)
    assert not re.search(r"[\u200b-\u202e\U000e0000-\U000e0fff]", inside)


@pytest.mark.parametrize(
    "text",
    [
        "if a < b and file_count < files:\n    return x < y",
        "P(a|b) < 1, [1, 2], <e_i, e_j>, a << b",
        "the papers' <sub>2</sub>\tand Sections 1–3 “quoted” 模型 x² ≤ 1",
        "<papers> <profile>",
    ],
)
def test_what_ends_nothing_is_left_as_it_is(text: str) -> None:
    assert fenced("paper", text) == f"<paper>\n{text}\n</paper>"


def test_a_block_has_one_of_the_known_names() -> None:
    with pytest.raises(AssertionError):
        fenced("system", "x")
