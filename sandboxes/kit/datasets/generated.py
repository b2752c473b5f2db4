"""What generated data sets share: a source that is known by its generator's parameters and marked synthetic."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

import polars as pl

from sandboxes.kit.data.source import GivenVectors, Source
from sandboxes.kit.data.spec import TableSpec
from sandboxes.kit.datasets.dataset import DataSet

LICENCE = "none needed"


def generated_source(
    spec: TableSpec,
    parameters: Mapping[str, object],
    table: Callable[[], pl.DataFrame],
    vectors: Mapping[str, Callable[[], GivenVectors]] = MappingProxyType({}),
) -> Source:
    """`table` makes the log, and depends on nothing but the generator's `parameters`; so do `vectors`, by name."""
    text = json.dumps(parameters, sort_keys=True)
    return Source(
        spec=spec,
        read=table,
        content=hashlib.sha256(text.encode()).hexdigest(),
        provenance=f"SYNTHETIC, generated with planted truth: {text}",
        licence=LICENCE,
        synthetic=True,
        vectors=vectors,
    )


def generated_data_set(source: Source, description: str) -> DataSet:
    """The data set of that source, under its table's name."""
    return DataSet(source.spec.name, description, LICENCE, "synthetic", lambda folder: source)
