"""Versions of records: what an earlier version of this program wrote is read as today's; what a later one wrote is refused.

A record is stored as it was written, with its version, and brought up to date when it is read: the log stays append-only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from memory.errors import RecordRefused
from memory.records import READ, AnyRecord

VERSION = 2
Fields = dict[str, Any]


def read_record(body: str | bytes, version: int) -> AnyRecord:
    """The record that was written as `body` in that version. Raises `RecordRefused`."""
    if version > VERSION:
        raise RecordRefused(f"a newer program wrote this record (version {version}, this one reads up to {VERSION}): update it")
    try:
        if version == VERSION:
            return READ.validate_json(body)
        fields = json.loads(body)
        for older in range(version, VERSION):
            fields = NEXT[older](fields)
        return READ.validate_python(fields)
    except (ValidationError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordRefused(f"not a record of version {version}: {_where(error)}") from None


def _where(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"[:300]
    return f"{type(error).__name__} {error}"[:300]


def _second(fields: Fields) -> Fields:
    """Lessons name what they are about, and data set and task apart (they stood together in `scope`).

    A metric that is no number is written as one that is none (it was `null`).
    """
    if fields["kind"] == "outcome":
        return fields | {"metrics": {n: "NaN" if v is None else v for n, v in fields.get("metrics", {}).items()}}
    if fields["kind"] != "lesson":
        return fields
    rest = {name: value for name, value in fields.items() if name != "scope"}
    dataset, _, task = fields["scope"].rpartition(", ")
    claim = fields["claim"]
    subject = claim.rpartition(":")[0] or claim.partition(" the model was")[0]
    return rest | {"subject": subject, "dataset": dataset, "task": task}


NEXT: Mapping[int, Callable[[Fields], Fields]] = {1: _second}
