"""Categories to ids by a hash, with nothing to fit or to keep: for vocabularies beyond memory. Notation: n rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.stable_hash import text_hashes
from sandboxes.kit.schema import FIRST_ID


@dataclass(frozen=True)
class Buckets:
    """Weinberger et al., "Feature hashing for large scale multitask learning" (ICML 2009): the id is hash modulo `count`.

    Values that share a bucket share an id. Every value, null and those never seen in training included, has its bucket.
    """

    count: int

    @property
    def cardinality(self) -> int:
        """With padding and unknown, though no value becomes unknown."""
        return self.count + FIRST_ID

    def encode(self, column: pl.Series) -> NDArray[np.int32]:
        """The ids (n,) of a String column, the same on every machine."""
        buckets = text_hashes(column) % np.uint64(self.count)
        return (buckets + np.uint64(FIRST_ID)).astype(np.int32)
