"""A trained model with all that it needs to score raw rows, kept in a folder and opened again anywhere the kit is.

The folder holds prepared.json, visible/schema.json and vocabularies.parquet (as in prepared data, without rows), served.json,
weights.safetensors, and model.py where the model is no reference model. Opening runs model.py in this process.
Notation: n rows, T tasks.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from torch import nn

from sandboxes.kit.data.encoders import Encoders
from sandboxes.kit.data.prepared import Prepared
from sandboxes.kit.model_file import class_in_file, reference_class
from sandboxes.kit.served_form import serve
from sandboxes.kit.training.fit import EVALUATION_BATCH
from sandboxes.kit.training.model import build, predict


@dataclass(frozen=True)
class Served:
    """A model that is ready to score. `tasks` names the columns of its predictions."""

    tasks: tuple[str, ...]
    encoders: Encoders
    model: nn.Module

    @classmethod
    def open(cls, folder: Path) -> Served:
        """The model in `folder`. Raises `DataError` for a folder that lacks its encoders, and what model.py itself raises."""
        from safetensors.torch import load_file

        prepared = Prepared.open(folder)
        said = json.loads((folder / "served.json").read_text(encoding="utf-8"))
        model_class = reference_class(said["reference"]) if said["reference"] else _class_in(folder / "model.py")
        model = serve(build(model_class, prepared.schema, said["hyper"], seed=0))
        model.load_state_dict(load_file(folder / "weights.safetensors"))
        return cls(tuple(t.name for t in prepared.schema.tasks), Encoders.of(prepared), model)

    def predict(self, table: pl.DataFrame) -> NDArray[np.float32]:
        """Probabilities (n, T) of raw rows with the columns that the data set had before it was prepared."""
        parts = [
            predict(self.model, self.encoders.encode(part), len(self.tasks)).numpy()
            for part in table.iter_slices(EVALUATION_BATCH)
        ]
        return np.concatenate([np.zeros((0, len(self.tasks)), np.float32), *parts])


def keep(folder: Path, prepared: Path, weights: Path, hyper: Mapping[str, int | float], model: str | Path) -> None:
    """Writes what `Served.open` reads. `model` is a reference model's name or the path of a model.py."""
    (folder / "visible").mkdir(parents=True)
    for name in ("prepared.json", "visible/schema.json", "vocabularies.parquet"):
        if (prepared / name).is_file():  # without a categorical field there are no vocabularies
            shutil.copyfile(prepared / name, folder / name)
    shutil.copyfile(weights, folder / "weights.safetensors")
    if isinstance(model, Path):
        shutil.copyfile(model, folder / "model.py")
    said = {"reference": model if isinstance(model, str) else "", "hyper": dict(hyper)}
    (folder / "served.json").write_text(json.dumps(said, indent=1), encoding="utf-8")


def _class_in(path: Path) -> type[nn.Module]:
    """Under a name of its content's own, so that two served models do not take each other's place."""
    return class_in_file(path, f"served_model_{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}")
