"""Which of the vectors that a block is given speak of the user, of the item, or are of one field.

Notation: B rows, F fields, D embedding width.
"""

from __future__ import annotations

from sandboxes.kit.schema import Schema, Side


def fields_of(schema: Schema, *sides: Side) -> list[int]:
    """Where the fields of these sides stand among the fields (B, F, D) of a model, in the schema's order."""
    return [place for place, i in enumerate(_shown(schema)) if schema.sides[i] in sides]


def fields_but(schema: Schema, n_fields: int, column: int) -> list[int]:
    """Where all `n_fields` stand but the categorical field of that column: the others of the schema, and histories after them."""
    shown = _shown(schema)
    return [place for place in range(n_fields) if shown[place : place + 1] != [column]]


def _shown(schema: Schema) -> list[int]:
    """A model of items sees the fields of its query alone."""
    return schema.query_fields if schema.scores_items else list(range(schema.n_fields))
