"""The model worth deploying, as an MLflow model: it takes raw rows as a user's table has them and gives probabilities, or items.

The MLflow model is complete in itself: encoders, weights (safetensors), model.py, and the code of the kit that it was trained
with. Nothing in it is a pickle; MLflow loads it from `serving_script.py`.

Security: what is logged here is only data until somebody loads it. Loading runs model.py in the loading process, outside any
sandbox. The tag `trusted` says what that code is: `composed` (the kit's own blocks, nothing else) or `generated` (written by a
language model: read it before you serve it, or serve it in a container without network).
"""

from __future__ import annotations

import json
import re
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sandboxes
from sandboxes.kit.data import Prepared
from sandboxes.kit.data.encoders import Encoders
from sandboxes.kit.serving import keep, output_columns

SCRIPT = Path(__file__).with_name("serving_script.py")
REQUIREMENTS = ("mlflow", "torch", "numpy", "polars", "pandas", "pyarrow", "safetensors")
NOT_SHIPPED = ("__pycache__", "packaged")


@dataclass(frozen=True)
class ServedModel:
    """A trained model and where its parts lie. Without `code`, `name` is that of a reference model.

    `prepared` is the folder of the data set that it was trained on, `weights` a safetensors file, `hyper` what its constructor
    was given. `composed` says that the code holds nothing but the kit's own blocks.
    """

    name: str
    prepared: Path
    weights: Path
    hyper: Mapping[str, int | float]
    code: Path | None = None
    composed: bool = False

    @property
    def plain_name(self) -> str:
        """The name without what MLflow refuses in one."""
        return re.sub(r"[^\w-]+", "-", self.name).strip("-") or "model"

    @property
    def tags(self) -> dict[str, str]:
        trusted = "composed" if self.composed or self.code is None else "generated"
        return {"trusted": trusted, "model": self.name, "data": Prepared.open(self.prepared).name}

    @property
    def parameters(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.hyper.items()}

    def save(self, folder: Path, mlflow_model: Any = None) -> None:
        """Writes the MLflow model to `folder`, which must not exist yet. `mlflow_model` is what MLflow knows of it already."""
        import mlflow.pyfunc

        prepared = Prepared.open(self.prepared)
        with TemporaryDirectory() as place, warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", ".*An input example was not provided"
            )  # the signature is written here, not inferred
            kept, code = Path(place) / "served", Path(place) / "sandboxes"
            keep(kept, self.prepared, self.weights, self.hyper, self.code or self.name)
            shutil.copytree(Path(sandboxes.__file__).parent, code, ignore=shutil.ignore_patterns(*NOT_SHIPPED))
            mlflow.pyfunc.save_model(
                path=folder,
                mlflow_model=mlflow_model,
                python_model=str(SCRIPT),
                artifacts={"served": str(kept)},
                code_paths=[str(code)],
                signature=_signature(prepared),
                pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
                metadata={"hyper": json.dumps(dict(self.hyper)), "data_hash": prepared.data_hash, **self.tags},
            )


def _signature(prepared: Prepared) -> Any:
    """Inputs by name, of any type (the encoders know what to make of it); outputs one probability a task or
    an action, or a list of items."""
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType, ColSpec, Schema

    encoders, anything = Encoders.of(prepared), AnyType()  # type: ignore[no-untyped-call]
    inputs: list[Any] = [ColSpec(anything, name) for name in encoders.columns]
    kind = "string" if prepared.schema.predicts == "items" else "float"
    inputs += [ColSpec(anything, name, required=False) for name in encoders.history_columns]
    return ModelSignature(Schema(inputs), Schema([ColSpec(kind, name) for name in output_columns(prepared.schema, encoders)]))
