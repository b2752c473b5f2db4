"""FuxiCTR's side of the comparison: a model of its zoo through its own loader and `fit`, its best weights on the test rows.

Its gradients' norm is always clipped at 10, and hidden layers start from Xavier's normal distribution: both are its own way.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.contenders.peer_fuxictr import described, write_npz
from bench.right_job import Answer, RightJob, work
from fuxictr.pytorch.dataloaders import RankDataLoader
from fuxictr.pytorch.torch_utils import seed_everything


def train(job: RightJob) -> Answer:
    sys.path.insert(0, str(Path(os.environ["AGENTICRS_FUXICTR_ZOO"]) / "model_zoo" / job.pair.zoo / "src"))
    model_class = getattr(importlib.import_module(job.pair.class_name), job.pair.class_name)
    with tempfile.TemporaryDirectory() as folder:
        return _trained(job, model_class, Path(folder))


def _trained(job: RightJob, model_class: Callable[..., Any], folder: Path) -> Answer:
    p = job.protocol
    seed_everything(job.seed)
    feature_map = described(job.meta, folder)
    feature_map.default_emb_dim = p.embedding_dim
    (folder / feature_map.dataset_id).mkdir()  # where the best weights are kept
    model = model_class(feature_map, **_settings(job, folder))
    splits = (("train", job.train), ("valid", job.valid), ("test", job.test))
    paths = {f"{name}_data": write_npz(split, job.meta, folder / name) for name, split in splits}
    loaders = RankDataLoader(feature_map, **paths, batch_size=p.batch_size, data_format="npz", num_workers=0)
    train_rows, valid_rows, test_rows = loaders
    model.fit(train_rows, epochs=p.max_epochs, validation_data=valid_rows)
    return Answer(model.predict(test_rows), model._epoch_index + 1)


def _settings(job: RightJob, folder: Path) -> dict[str, object]:
    """What FuxiCTR reads from its model configuration."""
    p = job.protocol
    return {
        "gpu": -1,
        "model_root": str(folder),
        "verbose": 0,
        "metrics": ["AUC", "logloss"],
        "monitor": "AUC",
        "monitor_mode": "max",
        "early_stop_patience": p.patience,
        "reduce_lr_on_plateau": False,
        "task": "binary_classification",
        "optimizer": "adam",
        "loss": "binary_crossentropy",
        "learning_rate": p.learning_rate * job.pair.faster,
        "embedding_dim": p.embedding_dim,
        **job.pair.fuxictr(p, job.meta.fields),
    }


if __name__ == "__main__":
    work(train)
