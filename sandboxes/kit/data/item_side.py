"""What the arrays of prepared data say of the item, where models score all items: kept once for each item, and hidden in rows.

It works on whole columns of ids in memory. Notation: I items, n rows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sandboxes.kit.collection import ITEMS
from sandboxes.kit.schema import PADDING_ID, UNKNOWN_ID, Schema


def write_items(schema: Schema, visible: Path) -> None:
    """The collection: for every id of the target item its item-side fields, as they stand in its first train row."""
    assert schema.target_item is not None
    ids, numeric = (np.load(visible / f"train.{what}.npy", mmap_mode="r") for what in ("ids", "numeric"))
    items, first = np.unique(ids[:, schema.index_of(schema.target_item)], return_index=True)
    of_ids, of_numeric = schema.item_columns
    all_ids = np.zeros((schema.n_items, ids.shape[1]), dtype=np.int32)
    all_ids[UNKNOWN_ID:, of_ids] = UNKNOWN_ID
    all_ids[items[:, None], of_ids] = ids[first][:, of_ids]
    all_ids[:, schema.index_of(schema.target_item)] = np.arange(schema.n_items)
    all_numeric = np.zeros((schema.n_items, numeric.shape[1]), dtype=np.float32)
    all_numeric[items[:, None], of_numeric] = numeric[first][:, of_numeric]
    if schema.vectors:
        vector_rows = np.load(visible / "train.vector_rows.npy", mmap_mode="r")
        all_rows = np.zeros((schema.n_items, vector_rows.shape[1]), dtype=np.int32)
        all_rows[items[:, None], schema.item_vectors] = vector_rows[first][:, schema.item_vectors]
        np.save(visible / f"{ITEMS}.vector_rows.npy", all_rows)
    np.save(visible / f"{ITEMS}.ids.npy", all_ids)
    np.save(visible / f"{ITEMS}.numeric.npy", all_numeric)


def items_of(schema: Schema, visible: Path, split: str) -> NDArray[np.int32]:
    """The target item (n,) of each row, as long as it is not hidden."""
    assert schema.target_item is not None
    items: NDArray[np.int32] = np.load(visible / f"{split}.ids.npy", mmap_mode="r")[:, schema.index_of(schema.target_item)]
    return items


def hide_items(schema: Schema, visible: Path, split: str, rows: NDArray[np.intp] | slice = slice(None)) -> None:
    """Rewrites the split's arrays: with the given rows alone, and nothing in them of the item."""
    of_ids, of_numeric = schema.item_columns
    hidden = [("ids", of_ids, PADDING_ID), ("numeric", of_numeric, 0)]
    hidden += [("vector_rows", schema.item_vectors, PADDING_ID)] if schema.vectors else []
    for what, hide, empty in hidden:
        array = np.load(visible / f"{split}.{what}.npy")[rows]
        array[:, hide] = empty
        np.save(visible / f"{split}.{what}.npy", array)
    if isinstance(rows, slice):
        return
    for s in schema.sequences:
        np.save(visible / f"{split}.history.{s.name}.npy", np.load(visible / f"{split}.history.{s.name}.npy")[rows])
