"""What MLflow runs to load a served model; it travels inside the MLflow model, beside the kit. Not imported by anything here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pandas as pd
import polars as pl
from mlflow.models import set_model

from sandboxes.kit.serving import Served


class Recommender(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined] # loaded lazily by MLflow
    """Raw rows to probabilities, one column a task, or to items, one column a place."""

    def load_context(self, context: Any) -> None:
        self.served = Served.open(Path(context.artifacts["served"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        table = pl.DataFrame({name: _column(model_input[name]) for name in map(str, model_input.columns)})
        return pd.DataFrame(self.served.predict(table), columns=list(self.served.columns), index=model_input.index)


def _column(values: pd.Series) -> pl.Series:
    """A Pandas column in Polars; one of mixed objects becomes text, missing values null, lists stay lists of text."""
    if values.dtype != object:
        return pl.Series(str(values.name), pl.from_pandas(values))
    plain = [_plain(v) for v in values]
    dtype = pl.List(pl.String) if any(isinstance(v, list) for v in plain) else pl.String
    return pl.Series(str(values.name), plain, dtype=dtype)


def _plain(value: Any) -> str | list[str] | None:
    if isinstance(value, str):
        return value
    if hasattr(value, "__iter__"):
        return [str(v) for v in value]
    return None if pd.isna(value) else str(value)


set_model(Recommender())
