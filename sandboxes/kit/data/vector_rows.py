"""Which row of a table of vectors a value has: that of its id, or, where train does not teach it, one after these.

Notation: n values.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.vocabulary import Vocabulary
from sandboxes.kit.schema import FIRST_ID, UNKNOWN_ID

Rows = NDArray[np.int32]


def rows_of(ids: Rows, texts: pl.Series, others: Vocabulary, cardinality: int) -> Rows:
    """The rows (n,) of values with these `ids` and `texts` (n,) of a field of that cardinality, where `others` are the values
    after train's, in order; the unknown id's row, which holds zeros, where nothing is known of a value."""
    unknown = np.flatnonzero(ids < FIRST_ID)
    beyond = others.encode(texts.gather(unknown))
    rows = ids.copy()
    rows[unknown] = np.where(beyond == UNKNOWN_ID, UNKNOWN_ID, beyond + (cardinality - FIRST_ID))
    return rows
