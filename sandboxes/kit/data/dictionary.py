"""Gives every text of a column a whole number, in order of first sight, so that all that follows is arithmetic on integers.

It rests on Polars' `Categories`, which Polars calls unstable: hence one file, and a test that decodes what it encoded.
Notation: B rows of a block, V distinct texts so far.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

NULL_CODE = 0
FIRST_CODE = 1

Codes = NDArray[np.uint32]


class Dictionary:
    """The texts seen so far. Its memory is that of the distinct texts, and is given back with it."""

    def __init__(self) -> None:
        self._kind = pl.Categorical(pl.Categories.random())
        self._anchor = pl.Series([], dtype=self._kind)  # Polars forgets categories that no series uses any more
        self._size = 0

    def __len__(self) -> int:
        """V + 1, null included: codes lie in [0, len)."""
        return self._size + FIRST_CODE

    def encode(self, column: pl.Series) -> Codes:
        """The codes (B,) of a String column: 0 for null, 1 and up for texts, new ones learned as they come."""
        physical = column.cast(self._kind).to_physical()
        codes: Codes = (physical + FIRST_CODE).fill_null(NULL_CODE).to_numpy()
        self._size = max(self._size, int(codes.max(initial=NULL_CODE)))
        return codes

    def texts(self) -> pl.Series:
        """What the codes stand for (V + 1,), null first."""
        seen = pl.Series("value", np.arange(self._size, dtype=np.uint32)).cat.to(self._kind).cast(pl.String)
        return pl.concat([pl.Series("value", [None], dtype=pl.String), seen])
