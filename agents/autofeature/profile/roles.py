"""What the description of a table says of each column."""

from __future__ import annotations

from agents.autofeature.profile.model import Role
from sandboxes.kit.data.spec import TableSpec


def roles_of(spec: TableSpec, columns: tuple[str, ...]) -> dict[str, tuple[Role, ...]]:
    """The roles of every column, a column can have several; those that nothing is said of are unused."""
    named: list[tuple[Role, set[str]]] = [
        ("label", {t.column or t.name for t in spec.tasks}),
        ("feature", {f.column or f.name for f in spec.features}),
        ("sequence", {s.column for s in spec.sequences if s.column}),
        ("user", {spec.user or ""}),
        ("time", {spec.time or ""}),
        ("item", {spec.column_of(spec.target_item) if spec.target_item else ""}),
        ("split", {spec.split.column} if spec.split.by == "given" else set()),
        ("arrival", {t.arrives for t in spec.delayed_tasks}),
        ("propensity", {spec.propensity or ""}),
    ]
    found = {c: tuple(role for role, of in named if c in of and c) for c in columns}
    return {c: roles or ("unused",) for c, roles in found.items()}


AFTERWARDS: frozenset[Role] = frozenset({"label", "arrival"})  # known after the fact, and said to be


def known_beforehand(roles: tuple[Role, ...]) -> bool:
    """Whether the column may be judged as a leak: neither a label, nor what came with one, nor the split."""
    return not (AFTERWARDS & set(roles)) and roles != ("split",)
