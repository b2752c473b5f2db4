"""torch-rechub's DeepFM and DCNv2 through its own `CTRTrainer` and `DataGenerator`. Its networks always normalise by batch."""

from __future__ import annotations

import time
from importlib.metadata import version

import numpy as np
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
from torch_rechub.basic.features import SparseFeature
from torch_rechub.models.ranking import DCNv2, DeepFM
from torch_rechub.trainers import CTRTrainer
from torch_rechub.utils.data import DataGenerator


def train(job: Job) -> Trained:
    """One call of `train_one_epoch`."""
    features = [
        SparseFeature(name, vocab_size=size, embed_dim=EMBEDDING_DIM)
        for name, size in zip(job.meta.fields, job.meta.cardinalities, strict=True)
    ]
    network = {"dims": list(HIDDEN_UNITS), "dropout": 0.0, "activation": "relu"}
    if job.model == "deepfm":
        model = DeepFM(deep_features=features, fm_features=features, mlp_params=network)
    else:
        model = DCNv2(features, n_cross_layers=CROSS_LAYERS, mlp_params=network, use_low_rank_mixture=False)
    (x, y), (x_test, y_test) = _columns(job.train, job.meta.fields), _columns(job.test, job.meta.fields)
    generator = DataGenerator(x, y)
    loaders = generator.generate_dataloader(x_val=x_test, y_val=y_test, x_test=x_test, y_test=y_test, batch_size=BATCH_SIZE)
    trainer = CTRTrainer(model, optimizer_params={"lr": LEARNING_RATE, "weight_decay": 0.0}, n_epoch=1, device="cpu")
    began = time.perf_counter()
    trainer.train_one_epoch(loaders[0])
    seconds = time.perf_counter() - began
    return Trained(seconds, np.array(trainer.predict(trainer.model, loaders[2])), note="always with batch normalisation")


def _columns(split: Split, fields: tuple[str, ...]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    return {name: np.array(split.ids[:, i]) for i, name in enumerate(fields)}, np.array(split.labels)


if __name__ == "__main__":
    answer("torch-rechub", version("torch-rechub"), train)
