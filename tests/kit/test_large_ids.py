"""Ids above 2^24, where a float32 no longer tells neighbours apart, stay what they are from disk to the row of a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.layers import FeatureEmbedding, LinearTerm
from sandboxes.kit.schema import CategoricalField, Schema

FLOAT32_COUNTS_TO = 1 << 24
IDS = np.array([[FLOAT32_COUNTS_TO + i, 3] for i in range(6)], dtype=np.int32)
SCHEMA = Schema((CategoricalField("user", FLOAT32_COUNTS_TO + 6), CategoricalField("item", 5)))


def test_neighbours_above_two_to_the_24_keep_rows_of_their_own(tmp_path: Path) -> None:
    assert len(np.unique(IDS[:, 0].astype(np.float32))) < 6  # what the trap would do
    (tmp_path / "schema.json").write_text(SCHEMA.to_json())
    np.save(tmp_path / "train.ids.npy", IDS)
    np.save(tmp_path / "train.numeric.npy", np.zeros((6, 0), np.float32))
    batch = load_split(tmp_path, "train").batch(np.arange(6))
    assert batch.ids[:, 0].tolist() == IDS[:, 0].tolist()

    embedding, linear = FeatureEmbedding(SCHEMA, 1), LinearTerm(SCHEMA, 1)
    assert embedding.table is not None and linear.table is not None
    with torch.no_grad():
        for table in (embedding.table, linear.table):
            table.weight[FLOAT32_COUNTS_TO:] = torch.arange(len(table.weight) - FLOAT32_COUNTS_TO).unsqueeze(1).float()
    users, item = embedding(batch)[:, 0, 0], embedding(batch)[:, 1, 0]
    assert users.tolist() == [0, 1, 2, 3, 4, 5]
    assert item.tolist() == [9.0] * 6  # the item's rows begin after the 6 last of the user's
    assert linear(batch)[:, 0].tolist() == [9, 10, 11, 12, 13, 14]
