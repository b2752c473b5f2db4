"""Categories to ids, fitted on training rows only. Notation: n rows, V known values; ids as in `sandboxes.kit.schema`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.schema import UNKNOWN_ID

FIRST_ID = UNKNOWN_ID + 1


@dataclass(frozen=True)
class Vocabulary:
    """The known values of a field, the commonest first, then by text: `values[i]` has the id i + 2. Null may be one of them."""

    values: pl.Series  # (V,) String

    @property
    def cardinality(self) -> int:
        """With padding and unknown."""
        return len(self.values) + FIRST_ID

    def encode(self, column: pl.Series) -> NDArray[np.int32]:
        """The ids (n,) of a String column; what is not known becomes the unknown id."""
        ids = pl.DataFrame({"value": self.values, "id": np.arange(FIRST_ID, self.cardinality, dtype=np.int32)})
        joined = column.to_frame("value").join(ids, on="value", how="left", nulls_equal=True, maintain_order="left")
        return joined["id"].fill_null(UNKNOWN_ID).to_numpy()


def fit_vocabulary(train: pl.Series, min_frequency: int = 1) -> Vocabulary:
    """The vocabulary of a String column's training rows: values seen at least `min_frequency` times."""
    counts = train.to_frame("value").group_by("value").agg(pl.len().alias("n")).filter(pl.col("n") >= min_frequency)
    return Vocabulary(counts.sort(["n", "value"], descending=[True, False], nulls_last=True)["value"])
