"""Takes out of texts what must not be told: keys and passwords of this process's environment, and those within addresses.

A key that a provider repeats in an error would else stand in logs, traces, checkpoints and reports. What is neither in the
environment nor part of an address is not known here and stays.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

SHORTEST = 8  # characters; a shorter value would be taken out of ordinary words
_NAME = re.compile(r"(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASS|CREDENTIALS?)(?:_|$)", re.IGNORECASE)
_USER = re.compile(r"(?<=://)[^/?#\s]*@")
_PASSWORD = re.compile(r"://[^/?#\s:@]*:([^/?#\s]+)@")


def without_secrets(text: str) -> str:
    """The text with the variable's name in place of its secret value, and addresses without their user."""
    for name, value in sorted(_known(), key=lambda pair: -len(pair[1])):
        text = text.replace(value, f"({name})")
    return _USER.sub("", text)


@contextmanager
def discreet() -> Iterator[None]:
    """Errors that leave the block, and their causes, name no secret. They stay what they are."""
    try:
        yield
    except Exception as error:
        _hush(error)
        raise


def _known() -> Iterator[tuple[str, str]]:
    for name, value in os.environ.items():
        secrets = [value] if _NAME.search(name) else _PASSWORD.findall(value)
        for secret in {s for found in secrets for s in (found, unquote(found))}:
            if len(secret) >= SHORTEST:
                yield name, secret


def _hush(error: BaseException) -> None:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            one.args = tuple(without_secrets(a) if isinstance(a, str) else a for a in one.args)
            waiting += [one.__cause__, one.__context__]
