"""Every kind of field as categories, so that methods treat them alike.

Ids are taken as they are, numbers by quantiles, histories by how long they are, how much of them is what the row is about, and
how often their entries go with positives.

Notation: n rows, L history length.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from agents.autofeature.selection.sample import Sample
from agents.autofeature.selection.target_rates import rates_of_entries
from sandboxes.kit.importance.fields import field_names

BINS = 32  # of a number
LENGTH_BINS, SHARE_BINS, RATE_BINS = 3, 4, 8  # of a history
OF_VECTORS = "it holds vectors made elsewhere, which this method cannot read; the field that they are of has a score"

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def coded_fields(sample: Sample, folds: Ints) -> Iterator[tuple[str, Ints]]:
    """Each field that can be coded, with its codes (n,) from 0 on, none left out.

    `folds` (n,) are those by which a history's entries are encoded by labels of other rows (see `target_rates`).
    """
    for c, field in enumerate(sample.schema.categorical):
        yield field.name, dense(sample.ids[:, c])
    for c, number in enumerate(sample.schema.numeric):
        yield number.name, binned(sample.numeric[:, c], BINS)
    for s in sample.schema.sequences:
        own = sample.ids[:, sample.schema.index_of(s.of)] if s.records == "values" else None
        yield s.name, _history(sample.history[s.name], own, sample.labels, folds)


def uncoded(sample: Sample) -> dict[str, str]:
    """Why the other fields cannot be: a sentence for each."""
    vectors = {v.name for v in sample.schema.vectors}
    return {name: OF_VECTORS for name in field_names(sample.schema) if name in vectors}


def dense(ids: Ints) -> Ints:
    """The same categories (n,), numbered from 0 without gaps."""
    return np.unique(ids, return_inverse=True)[1].astype(np.int64)


def binned(values: Floats, bins: int) -> Ints:
    """In which of about equally full bins each of `values` (n,) lies; equal values lie together."""
    edges = np.unique(np.quantile(values, np.arange(1, bins) / bins))
    return dense(np.searchsorted(edges, values, side="left").astype(np.int64))


def _history(history: Ints, own: Ints | None, labels: Floats, folds: Ints) -> Ints:
    counts = (history > 0).sum(1)
    code = np.where(counts > 0, 1 + _among(counts, counts > 0, LENGTH_BINS - 1), 0)  # none is a length of its own
    if own is not None:
        share = (history == own[:, None]).sum(1) / np.maximum(counts, 1)
        code = code * SHARE_BINS + np.where(share > 0, 1 + _among(share, share > 0, SHARE_BINS - 1), 0)
    return dense(code * RATE_BINS + binned(rates_of_entries(history, labels, folds), RATE_BINS))


def _among(values: Floats | Ints, of: NDArray[np.bool_], bins: int) -> Ints:
    """Bins (n,) whose edges are those of the values `of` alone."""
    if not of.any():
        return np.zeros(len(values), dtype=np.int64)
    edges = np.unique(np.quantile(values[of], np.arange(1, bins) / bins))
    return np.searchsorted(edges, values, side="left").astype(np.int64)
