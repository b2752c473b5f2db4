"""FuxiCTR's DeepFM and DCNv2 through its own npz loader and `fit`; the model files are those of its model zoo, whose folder is
named by AGENTICRS_FUXICTR_ZOO. The norm of its gradients is always clipped.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from bench.arrays import Meta, Split
from bench.contenders.protocol import (
    BATCH_SIZE,
    CROSS_LAYERS,
    EMBEDDING_DIM,
    HIDDEN_UNITS,
    LEARNING_RATE,
    Job,
    Trained,
    answer,
)
from fuxictr.features import FeatureMap
from fuxictr.pytorch.dataloaders import RankDataLoader
from fuxictr.pytorch.torch_utils import seed_everything

SOURCES = {"deepfm": ("DeepFM/DeepFM_torch/src", "DeepFM"), "dcnv2": ("DCNv2/src", "DCNv2")}
NEVER = 10**9  # steps between two evaluations


def train(job: Job) -> Trained:
    """One call of `fit` without an evaluation, so that there is no checkpoint of the best weights to go back to."""
    folder, name = SOURCES[job.model]
    sys.path.insert(0, str(Path(os.environ["AGENTICRS_FUXICTR_ZOO"]) / "model_zoo" / folder))
    model_class = getattr(importlib.import_module(name), name)
    with tempfile.TemporaryDirectory() as work:
        return _trained(job, model_class, Path(work))


def _trained(job: Job, model_class: Callable[..., Any], work: Path) -> Trained:
    seed_everything(job.seed)
    feature_map = described(job.meta, work)
    model = model_class(feature_map, **_settings(work))
    model.load_weights = lambda checkpoint: None
    paths = {
        f"{split}_data": write_npz(rows, job.meta, work / split) for split, rows in (("train", job.train), ("test", job.test))
    }
    train_rows, _, test_rows = RankDataLoader(feature_map, **paths, batch_size=BATCH_SIZE, data_format="npz", num_workers=0)
    began = time.perf_counter()
    model.fit(train_rows, epochs=1)
    seconds = time.perf_counter() - began
    return Trained(seconds, model.predict(test_rows), note="gradients always clipped")


def _settings(work: Path) -> dict[str, object]:
    """For both models: each takes what it knows."""
    return {
        "gpu": -1,
        "model_root": str(work),
        "verbose": 0,
        "metrics": ["AUC"],
        "task": "binary_classification",
        "optimizer": "adam",
        "loss": "binary_crossentropy",
        "learning_rate": LEARNING_RATE,
        "embedding_dim": EMBEDDING_DIM,
        "hidden_units": list(HIDDEN_UNITS),
        "parallel_dnn_hidden_units": list(HIDDEN_UNITS),
        "model_structure": "parallel",
        "num_cross_layers": CROSS_LAYERS,
        "eval_steps": NEVER,
    }


def described(meta: Meta, work: Path) -> FeatureMap:
    features = [
        {name: {"source": "", "type": "categorical", "vocab_size": size}}
        for name, size in zip(meta.fields, meta.cardinalities, strict=True)
    ]
    fields = {"dataset_id": "bench", "labels": ["label"], "total_features": sum(meta.cardinalities), "features": features}
    (work / "feature_map.json").write_text(json.dumps(fields), encoding="utf-8")
    feature_map = FeatureMap("bench", str(work))
    feature_map.load(str(work / "feature_map.json"), {"embedding_dim": EMBEDDING_DIM})
    return feature_map


def write_npz(split: Split, meta: Meta, path: Path) -> str:
    """The rows in FuxiCTR's own format; labels as integers, since floats would make its loader carry ids as floats."""
    columns = {name: np.array(split.ids[:, i]) for i, name in enumerate(meta.fields)}
    np.savez(path, label=np.array(split.labels).astype(np.int32), **columns)
    return f"{path}.npz"


if __name__ == "__main__":
    answer("FuxiCTR", version("fuxictr"), train)
