"""A recipe: a model and how it is trained, all that decides a result but data, seed and machine; and the values it comes of.

Both modes of AutoTrain decide in such values, which memory keeps: with `model` a reference model of the kit, with `code` a file.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from agents.autotrain.configuration import canonical
from sandboxes.jobs import Job, ModelSource
from sandboxes.kit.data import Prepared
from sandboxes.kit.models import ALL_MODELS
from sandboxes.kit.schema import Schema
from sandboxes.kit.training.config import TrainConfig

Plain: TypeAlias = bool | int | float | str
Values: TypeAlias = Mapping[str, Plain]

WEIGHT = "weight of "  # and the task: the weight of its loss
NAMED = {"epochs": "max_epochs"}  # what settings of training are called there
SETTINGS = ("learning_rate", "embedding_l2", "batch_size", "epochs", "patience", "precision", "updates")
CANDIDATE = "candidate"


@dataclass(frozen=True)
class Recipe:
    """`config` is without a seed, which each run gets for itself."""

    source: ModelSource
    hyper: Mapping[str, int | float | Sequence[int]]
    config: TrainConfig

    def job(self, prepared: Prepared, seed: int) -> Job:
        """Its training on one seed, which leaves predictions of valid."""
        config = replace(self.config, seed=seed)
        return Job("train", self.source, prepared.visible, prepared.data_hash, self.hyper, config, ("valid",))

    def smoke_job(self, prepared: Prepared) -> Job:
        return Job("smoke", self.source, prepared.visible, prepared.data_hash, self.hyper, TrainConfig(), ())


def recipe_of(values: Values, schema: Schema, base: TrainConfig) -> Recipe:
    """The recipe of legal values; what they do not say of training is as in `base`."""
    return Recipe(_source(values), _hyper(values), replace(base, **_settings(values, schema)))


def same_again(values: Values) -> str:
    """Equal for values of which no other result is to be expected: code by what it does, numbers to three digits."""
    plain = {name: _rounded(name, value) for name, value in values.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def in_words(values: Values) -> str:
    """Such as `dnn, embedding_dim 16, learning_rate 0.002`; of code, its blocks."""
    named = str(values.get("model") or values.get("blocks") or "a written model")
    rest = {name: value for name, value in values.items() if name not in ("model", "blocks", "code", "composed")}
    said = [f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in rest.items()]
    return ", ".join([named, *said])


def takes(model: str, argument: str) -> bool:
    """Whether the constructor of a reference model names the argument."""
    return argument in inspect.signature(ALL_MODELS[model].__init__).parameters


def weighs_itself(code: str) -> bool:
    """Whether the model of a file has losses or stages of its own, which weights of tasks say nothing to."""
    classes = (node for node in ast.parse(code).body if isinstance(node, ast.ClassDef) and node.name == "Model")
    return any(isinstance(part, ast.FunctionDef) and part.name in ("loss", "stages") for node in classes for part in node.body)


def _source(values: Values) -> ModelSource:
    if "code" in values:
        return ModelSource(CANDIDATE, code=str(values["code"]), composed=bool(values.get("composed")))
    return ModelSource(str(values["model"]), reference=str(values["model"]))


def _hyper(values: Values) -> dict[str, int | float | Sequence[int]]:
    """Layers are as many as `depth` says, of `width` units each. Who has towers for tasks alone has them there."""
    hyper: dict[str, int | float | Sequence[int]] = {}
    for name in ("embedding_dim", "dropout"):
        if name in values:
            value = values[name]
            assert isinstance(value, int | float)
            hyper[name] = value
    if "depth" in values and "width" in values:
        model = str(values.get("model", ""))
        name = "hidden_units" if not model or takes(model, "hidden_units") else "tower_units"
        hyper[name] = (int(values["width"]),) * int(values["depth"])
    return hyper


def _settings(values: Values, schema: Schema) -> dict[str, Any]:
    said: dict[str, Any] = {NAMED.get(name, name): values[name] for name in SETTINGS if name in values}
    if any(name.startswith(WEIGHT) for name in values) and not weighs_itself(str(values.get("code", ""))):
        said["task_weights"] = tuple(float(values.get(WEIGHT + task.name, 1.0)) for task in schema.tasks)
    return said


def _rounded(name: str, value: Plain) -> Plain:
    if name == "code":
        try:
            return canonical(str(value))
        except (SyntaxError, ValueError, RecursionError):
            return value
    return float(f"{value:.3g}") if isinstance(value, float) else value
