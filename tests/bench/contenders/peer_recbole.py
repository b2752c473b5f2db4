"""RecBole's DeepFM and DCNV2 through its own dataset, loader and `Trainer`.

Its networks cannot be freed of everything: DCNV2 always normalises by batch and draws its cross matrices from N(0, 1).
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from importlib.metadata import version

import numpy as np
import pandas as pd
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

# RecBole 1.2.1 asks NumPy for names that NumPy 2 no longer has.
for old, new in {"float_": np.float64, "complex_": np.complex128, "unicode_": np.str_, "bool8": np.bool_}.items():
    if not hasattr(np, old):
        setattr(np, old, new)

from recbole.config import Config  # noqa: E402
from recbole.data.dataloader.general_dataloader import TrainDataLoader  # noqa: E402
from recbole.data.dataset import Dataset  # noqa: E402
from recbole.model.context_aware_recommender import DCNV2, DeepFM  # noqa: E402
from recbole.trainer import Trainer  # noqa: E402
from recbole.utils import FeatureSource, FeatureType, init_seed  # noqa: E402

LABEL = "label"


class ArrayDataset(Dataset):
    """RecBole's dataset, filled from arrays in place of its text files. The ids are already what it would make of tokens."""

    def __init__(self, config: Config, job: Job) -> None:
        self.job = job
        super().__init__(config)

    def _load_data(self, token: str, dataset_path: str) -> None:
        splits = (self.job.train, self.job.test)
        self.inter_feat = pd.concat([_frame(s, self.job.meta.fields) for s in splits], ignore_index=True)
        self.file_size_list = [len(s) for s in splits]
        self.user_feat = self.item_feat = None
        for name in self.job.meta.fields:
            self.set_field_property(name, FeatureType.TOKEN, FeatureSource.INTERACTION, 1)
        self.set_field_property(LABEL, FeatureType.FLOAT, FeatureSource.INTERACTION, 1)

    def _remap_ID_all(self) -> None:
        for name, size in zip(self.job.meta.fields, self.job.meta.cardinalities, strict=True):
            self.field2id_token[name] = np.arange(size)


def train(job: Job) -> Trained:
    """One call of the trainer's epoch."""
    logging.disable(logging.WARNING)
    sys.argv = sys.argv[:1]  # RecBole reads the command line too
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)  # and writes logs where it stands
        return _trained(job)


def _trained(job: Job) -> Trained:
    config = Config(model="DeepFM" if job.model == "deepfm" else "DCNV2", dataset="bench", config_dict=_settings(job))
    init_seed(job.seed, True)
    train_rows, test_rows = ArrayDataset(config, job).build()
    model = (DeepFM if job.model == "deepfm" else DCNV2)(config, train_rows)
    trainer = Trainer(config, model)
    loader = TrainDataLoader(config, train_rows, None, shuffle=True)
    torch.set_num_threads(job.threads)
    began = time.perf_counter()
    trainer._train_epoch(loader, 0)
    seconds = time.perf_counter() - began
    model.eval()
    with torch.no_grad():
        parts = [model.predict(test_rows[start : start + BATCH_SIZE]) for start in range(0, len(test_rows), BATCH_SIZE)]
    return Trained(seconds, torch.cat(parts).numpy(), note="always with batch normalisation" if job.model == "dcnv2" else "")


def _settings(job: Job) -> dict[str, object]:
    fields = job.meta.fields
    return {
        "USER_ID_FIELD": fields[0],
        "ITEM_ID_FIELD": fields[1],
        "LABEL_FIELD": LABEL,
        "load_col": {"inter": [*fields, LABEL]},
        "benchmark_filename": ["train", "test"],
        "embedding_size": EMBEDDING_DIM,
        "mlp_hidden_size": list(HIDDEN_UNITS),
        "dropout_prob": 0.0,
        "structure": "parallel",
        "cross_layer_num": CROSS_LAYERS,
        "reg_weight": 0.0,
        "train_batch_size": BATCH_SIZE,
        "learning_rate": LEARNING_RATE,
        "train_neg_sample_args": None,
        "eval_args": {"split": {"RS": [0.9, 0.0, 0.1]}, "order": "RO", "group_by": None, "mode": "labeled"},
        "metrics": ["AUC", "LogLoss"],
        "valid_metric": "AUC",
        "show_progress": False,
        "use_gpu": False,
        "seed": job.seed,
    }


def _frame(split: Split, fields: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(np.array(split.ids), columns=list(fields)).assign(**{LABEL: np.array(split.labels)})


if __name__ == "__main__":
    answer("RecBole", version("recbole"), train)
