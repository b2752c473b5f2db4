"""Categories to ids, fitted on training rows only. Notation: n rows, V known values; ids as in `sandboxes.kit.schema`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.schema import FIRST_ID, UNKNOWN_ID

Ids = NDArray[np.int32]


@dataclass(frozen=True)
class Vocabulary:
    """The known values of a field, the commonest first, then by text: `values[i]` has the id i + 2. Null may be one of them."""

    values: pl.Series  # (V,) String

    @property
    def cardinality(self) -> int:
        """With padding and unknown."""
        return len(self.values) + FIRST_ID

    def encode(self, column: pl.Series) -> Ids:
        """The ids (n,) of a String column; what is not known becomes the unknown id."""
        ids = pl.DataFrame({"value": self.values, "id": np.arange(FIRST_ID, self.cardinality, dtype=np.int32)})
        joined = column.to_frame("value").join(ids, on="value", how="left", nulls_equal=True, maintain_order="left")
        return joined["id"].fill_null(UNKNOWN_ID).to_numpy()


def fit_vocabulary(texts: pl.Series, counts: NDArray[np.int64], min_frequency: int = 1) -> tuple[Vocabulary, Ids]:
    """The vocabulary of the texts (V,) that training rows show at least `min_frequency` times, `counts` (V,) being how often
    they do; and the id (V,) of each text, known or not."""
    codes = np.flatnonzero(counts >= max(1, min_frequency))
    known = pl.DataFrame({"code": codes, "n": counts[codes], "value": texts.gather(codes)})
    known = known.sort(["n", "value"], descending=[True, False], nulls_last=True)
    ids = np.full(len(texts), UNKNOWN_ID, dtype=np.int32)
    ids[known["code"].to_numpy()] = np.arange(FIRST_ID, known.height + FIRST_ID)
    return Vocabulary(known["value"]), ids
