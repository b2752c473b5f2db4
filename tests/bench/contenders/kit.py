"""The kit: its own models through `calibrate` and `fit`, as a sandbox would run them. The calibration is setup.

Options fix what it would measure: "whole" or "touched", "fp32" or "bf16", "compile" or "eager".
"""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from bench.arrays import Split
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

from sandboxes.kit.data.arrays import ArrayRows
from sandboxes.kit.models.dcnv2 import DCNv2
from sandboxes.kit.models.deepfm import DeepFM
from sandboxes.kit.schema import CategoricalField, Schema
from sandboxes.kit.training import TrainConfig, fit, predictions
from sandboxes.kit.training.calibration import calibrate

WORDS: dict[str, dict[str, Any]] = {
    "whole": {"updates": "whole"},
    "touched": {"updates": "touched"},
    "fp32": {"precision": "fp32"},
    "bf16": {"precision": "bf16"},
    "compile": {"compiled": True},
    "eager": {"compiled": False},
}
VALID_ROWS = 1000  # `fit` evaluates after each epoch; few rows, since evaluation is not what is timed


def train(job: Job) -> Trained:
    """One epoch, after the calibration."""
    schema = Schema(tuple(CategoricalField(*field) for field in zip(job.meta.fields, job.meta.cardinalities, strict=True)))

    def fresh() -> torch.nn.Module:
        torch.manual_seed(job.seed)
        if job.model == "deepfm":
            return DeepFM(schema, embedding_dim=EMBEDDING_DIM, hidden_units=HIDDEN_UNITS)
        return DCNv2(schema, embedding_dim=EMBEDDING_DIM, hidden_units=HIDDEN_UNITS, n_cross_layers=CROSS_LAYERS)

    rows, valid = _rows(job.train, len(job.train)), _rows(job.train, VALID_ROWS)
    plain = TrainConfig(job.seed, LEARNING_RATE, batch_size=BATCH_SIZE, max_epochs=1, threads=job.threads)
    began = time.perf_counter()
    found = calibrate(fresh, rows, plain, {k: v for word in job.options for k, v in WORDS[word].items()})
    setup_seconds = time.perf_counter() - began
    model = fresh()
    fitted = fit(model, rows, valid, found.config)
    pctr = predictions(model, _rows(job.test, len(job.test)), 1)[:, 0]
    return Trained(fitted.epochs[0].seconds, pctr, setup_seconds, note=" ".join(f"{k}={v}" for k, v in found.chosen.items()))


def _rows(split: Split, count: int) -> ArrayRows:
    return ArrayRows(split.ids[:count], np.empty((count, 0), np.float32), {}, split.labels[:count, None])


if __name__ == "__main__":
    answer("kit", version("agenticrs"), train)
