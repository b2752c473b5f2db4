"""A trained model with all that it needs to score raw rows, kept in a folder and opened again anywhere the kit is.

The folder holds prepared.json, visible/schema.json, vocabularies.parquet and the tables of vectors made elsewhere (as in prepared
data, without rows), served.json, weights.safetensors, and model.py where the model is no reference model. Opening runs model.py
in this process.
Notation: n rows, T tasks, I ids of the target item, K places of a list, A actions.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from torch import nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.data.derived_rows import FOLDER
from sandboxes.kit.data.encoders import Encoders
from sandboxes.kit.data.prepared import Prepared
from sandboxes.kit.data.vocabulary import Vocabulary
from sandboxes.kit.model_file import class_in_file, reference_class
from sandboxes.kit.ranking import CUTOFF, NOTHING
from sandboxes.kit.schema import FIRST_ID, Predicts, Schema
from sandboxes.kit.served_form import in_served_form
from sandboxes.kit.training.goal import EVALUATION_BATCH, SCORES_AT_ONCE, best_items
from sandboxes.kit.training.model import Hyper, build, item_scores, policy, predict


@dataclass(frozen=True)
class Served:
    """A model that is ready to score. `columns` names those of its predictions: the tasks; of items the places of a list; the raw
    values of actions."""

    predicts: Predicts
    columns: tuple[str, ...]
    items: NDArray[np.str_] | None  # (I,) the raw values of the target item by id, where items or actions are predicted
    encoders: Encoders
    model: nn.Module

    @classmethod
    def open(cls, folder: Path) -> Served:
        """The model in `folder`. Raises `DataError` for a folder that lacks its encoders, and what model.py itself raises."""
        from safetensors.torch import load_file

        prepared = Prepared.open(folder)
        said = json.loads((folder / "served.json").read_text(encoding="utf-8"))
        model_class = reference_class(said["reference"]) if said["reference"] else _class_in(folder / "model.py")
        model = in_served_form(build(model_class, prepared.schema, said["hyper"], seed=0))
        model.load_state_dict(load_file(folder / "weights.safetensors"))
        encoders = Encoders.of(prepared)
        schema = prepared.schema
        return cls(schema.predicts, output_columns(schema, encoders), _items(schema, encoders), encoders, model)

    def predict(self, table: pl.DataFrame) -> NDArray[Any]:
        """Of raw rows with the columns that the data set had before it was prepared, probabilities (n, T) float32; where items
        are predicted, the raw values (n, K) of the best ones as text, best first, "" where there are no more; where actions are,
        the probability (n, A) float32 of each: who serves a policy draws from them and logs the propensity of what was drawn."""
        size = EVALUATION_BATCH if self.items is None else max(1, SCORES_AT_ONCE // len(self.items))
        parts = [self._predict(self.encoders.encode(part)) for part in table.iter_slices(size)]
        return np.concatenate([np.zeros((0, len(self.columns)), str if self.predicts == "items" else np.float32), *parts])

    def _predict(self, batch: Batch) -> NDArray[Any]:
        if self.predicts == "labels":
            pctr: NDArray[np.float32] = predict(self.model, batch, len(self.columns)).numpy()
            return pctr
        if self.predicts == "actions":
            probabilities: NDArray[np.float32] = policy(self.model, batch)[:, FIRST_ID:].numpy()
            return probabilities
        assert self.items is not None
        ids = best_items(item_scores(self.model, batch), len(self.columns)).numpy()
        return np.where(ids == NOTHING, "", self.items[ids])


def output_columns(schema: Schema, encoders: Encoders) -> tuple[str, ...]:
    """What the columns of a served model's predictions are called."""
    actions = _items(schema, encoders)
    if schema.predicts == "actions" and actions is not None:
        return tuple(str(action) for action in actions[FIRST_ID:])
    if schema.predicts == "items":
        return tuple(f"item_{place}" for place in range(1, min(CUTOFF, schema.n_items - FIRST_ID) + 1))
    return tuple(t.name for t in schema.tasks)


def _items(schema: Schema, encoders: Encoders) -> NDArray[np.str_] | None:
    if not schema.scores_items or schema.target_item is None:
        return None
    vocabulary = encoders.vocabularies[schema.target_item]
    assert isinstance(vocabulary, Vocabulary)  # a target item has no hash buckets
    return np.array(["", "", *(v or "" for v in vocabulary.values)])


def keep(folder: Path, prepared: Path, weights: Path, hyper: Hyper, model: str | Path) -> None:
    """Writes what `Served.open` reads. `model` is a reference model's name or the path of a model.py."""
    (folder / "visible").mkdir(parents=True)
    tables = [f"visible/vectors.{v.name}.npy" for v in Schema.load(prepared / "visible/schema.json").vectors]
    for name in ("prepared.json", "visible/schema.json", "vocabularies.parquet", *tables):
        if (prepared / name).is_file():  # without a categorical field there are no vocabularies
            shutil.copyfile(prepared / name, folder / name)
    if (prepared / FOLDER).is_dir():
        shutil.copytree(prepared / FOLDER, folder / FOLDER)
    shutil.copyfile(weights, folder / "weights.safetensors")
    if isinstance(model, Path):
        shutil.copyfile(model, folder / "model.py")
    said = {"reference": model if isinstance(model, str) else "", "hyper": dict(hyper)}
    (folder / "served.json").write_text(json.dumps(said, indent=1), encoding="utf-8")


def _class_in(path: Path) -> type[nn.Module]:
    """Under a name of its content's own, so that two served models do not take each other's place."""
    return class_in_file(path, f"served_model_{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}")
