"""What counts as a field where fields are ranked: every input of a model that can be left out by itself."""

from __future__ import annotations

from sandboxes.kit.schema import Schema


def field_names(schema: Schema) -> tuple[str, ...]:
    """Categorical fields, numeric ones, histories, vectors made elsewhere; each in schema order."""
    kinds = (schema.categorical, schema.numeric, schema.sequences, schema.vectors)
    return tuple(field.name for kind in kinds for field in kind)
