"""Takes code and patches out of a language model's answer.

A patch replaces text that stands exactly once; anything else is refused with a sentence that can be sent back.
"""

from __future__ import annotations

import re

_FENCE = re.compile(r"^```[ \t]*(?:python|py)?[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_PATCH = re.compile(r"^<{5,9} SEARCH[ \t]*\n(.*?)^={5,9}[ \t]*\n(.*?)^>{5,9} REPLACE[ \t]*$", re.MULTILINE | re.DOTALL)


class Unusable(ValueError):
    """The answer holds nothing that can be used; the text says what is wrong with it."""


def code_in(answer: str) -> str:
    """The longest fenced block. Raises `Unusable`."""
    blocks = [str(b) for b in _FENCE.findall(answer)]
    if not blocks:
        raise Unusable("there is no fenced block marked python in the answer")
    return max(blocks, key=len)


def prose_in(answer: str) -> str:
    """What stands outside the fenced blocks, as one line."""
    return " ".join(_FENCE.sub(" ", answer).split())


def patched(code: str, answer: str) -> str:
    """The code after all patches of the answer, in order. Raises `Unusable`."""
    patches = _PATCH.findall(answer)
    if not patches:
        raise Unusable("there is no patch in the answer")
    for number, (search, replace) in enumerate(patches, 1):
        times = code.count(search) if search else 0
        if times != 1:
            raise Unusable(f"the text that patch {number} replaces stands {times} times in the file, not once")
        code = code.replace(search, replace)
    return code
