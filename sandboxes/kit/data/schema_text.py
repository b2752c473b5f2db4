"""Writes a description as a schema file, as `schema_file` reads it: what is as it is by default is left out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, fields
from typing import Any

from sandboxes.kit.data.spec import TableSpec

TOP = ("name", "user", "time", "scenario", "target_item", "predicts", "propensity")


def schema_text(spec: TableSpec, files: Sequence[str], comments: Sequence[str] = ()) -> str:
    """The schema file of a table in `files`, whose names are relative to it; `comments` come first."""
    said = {name: value for name in TOP if (value := getattr(spec, name)) not in (None, "labels")}
    lines = [
        *(f"# {line}" for line in comments),
        *_values(said),
        *_values({"files": files[0] if len(files) == 1 else list(files)}),
    ]
    blocks = [
        ("categorical", spec.categorical),
        ("numeric", spec.numeric),
        ("sequence", spec.sequences),
        ("vectors", spec.vectors),
        ("derived", spec.derived),
        ("task", spec.tasks),
    ]
    for name, entries in blocks:
        for entry in entries:
            lines += ["", f"[[{name}]]", *_values(_said(entry))]
    lines += ["", "[split]", *_values({"by": spec.split.by} | _said(spec.split))]
    if spec.allow:
        lines += ["", "[leaks]", *_values({"allow": spec.allow})]
    return "\n".join(lines) + "\n"


def _said(entry: Any) -> dict[str, Any]:
    """What of a dataclass is not as it is by default; how a column is derived is always said."""
    return {
        f.name: value
        for f in fields(entry)
        if (value := getattr(entry, f.name)) is not None and (f.name == "how" or f.default is MISSING or value != f.default)
    }


def _values(said: dict[str, Any]) -> Iterator[str]:
    for name, value in said.items():
        plain = list(value) if isinstance(value, tuple) else value
        yield f"{name} = {json.dumps(plain, ensure_ascii=False)}"
