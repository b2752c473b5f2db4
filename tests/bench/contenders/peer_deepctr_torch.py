"""DeepCTR-Torch's DeepFM and DCN (with a matrix in each cross layer, which is DCNv2) through its own `fit`."""

from __future__ import annotations

import time
from importlib.metadata import version

import numpy as np
import requests
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


def _offline(url: str) -> None:
    raise requests.ConnectionError(f"a benchmark asks nobody: {url}")


requests.get = _offline  # on import the package asks the network for its newest version, in a thread that would be timed
from deepctr_torch.inputs import SparseFeat  # noqa: E402
from deepctr_torch.models import DCN, DeepFM  # noqa: E402


def train(job: Job) -> Trained:
    """One call of `fit`, silent, so that it counts no metrics."""
    columns = [
        SparseFeat(name, vocabulary_size=size, embedding_dim=EMBEDDING_DIM)
        for name, size in zip(job.meta.fields, job.meta.cardinalities, strict=True)
    ]
    if job.model == "deepfm":
        model = DeepFM(columns, columns, dnn_hidden_units=HIDDEN_UNITS, l2_reg_linear=0, l2_reg_embedding=0, seed=job.seed)
    else:
        model = DCN(
            [],  # no first-order term beside the cross network
            columns,
            cross_num=CROSS_LAYERS,
            cross_parameterization="matrix",
            dnn_hidden_units=HIDDEN_UNITS,
            l2_reg_linear=0,
            l2_reg_embedding=0,
            l2_reg_cross=0,
            seed=job.seed,
        )
    model.compile(torch.optim.Adam(model.parameters(), lr=LEARNING_RATE), "binary_crossentropy")
    x, labels = _columns(job.train, job.meta.fields), np.array(job.train.labels)
    began = time.perf_counter()
    model.fit(x, labels, batch_size=BATCH_SIZE, epochs=1, verbose=0)
    seconds = time.perf_counter() - began
    return Trained(seconds, model.predict(_columns(job.test, job.meta.fields), BATCH_SIZE).ravel())


def _columns(split: Split, fields: tuple[str, ...]) -> dict[str, np.ndarray]:
    return {name: np.array(split.ids[:, i]) for i, name in enumerate(fields)}


if __name__ == "__main__":
    answer("DeepCTR-Torch", version("deepctr-torch"), train)
