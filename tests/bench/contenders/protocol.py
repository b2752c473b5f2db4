"""What every contender does alike: arguments, settings, the clock, the score, and one line of JSON as its answer.

Run as `PYTHONPATH=tests python -m bench.contenders.NAME --data DIR --model deepfm|dcnv2 --threads 2 --seed 0`. The clock covers
one epoch over the training rows with the contender's own loader; not imports, not putting the arrays into the form it wants, not
evaluation. What it does once before the first epoch and again for no other (compiling, choosing its settings) is `setup_seconds`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Literal

import numpy as np
import torch
from bench.arrays import Meta, Split, read_meta, read_split
from numpy.typing import NDArray

BATCH_SIZE = 4096
EMBEDDING_DIM = 16
HIDDEN_UNITS = (400, 400, 400)
CROSS_LAYERS = 3
LEARNING_RATE = 1e-3

Model = Literal["deepfm", "dcnv2"]


@dataclass(frozen=True)
class Job:
    """What to train on what. `options` are words that only this contender knows, such as "bf16"."""

    model: Model
    meta: Meta
    train: Split
    test: Split
    threads: int
    seed: int
    options: tuple[str, ...]


@dataclass(frozen=True)
class Trained:
    """One epoch's seconds, the seconds before it that no further epoch would cost, and probabilities (n,) of the test rows."""

    train_seconds: float
    pctr: NDArray[np.floating]
    setup_seconds: float = 0.0
    note: str = ""


def answer(contender: str, version: str, train: Callable[[Job], Trained]) -> None:
    """Reads the command line, trains, prints the line. Raises whatever `train` raises; the caller reads the last line of it."""
    job = _job()
    torch.set_num_threads(job.threads)
    torch.manual_seed(job.seed)
    np.random.seed(job.seed)
    trained = train(job)
    labels, metrics = np.asarray(job.test.labels), _metrics()
    line = {
        "contender": contender,
        "version": version,
        "model": job.model,
        "data": job.meta.name,
        "train_seconds": round(trained.train_seconds, 3),
        "setup_seconds": round(trained.setup_seconds, 3),
        "rows": len(job.train),
        "samples_per_s": round(len(job.train) / trained.train_seconds),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "auc": round(metrics.auc(labels, trained.pctr), 5),
        "log_loss": round(metrics.log_loss(labels, trained.pctr), 5),
        "torch": torch.__version__,
        "note": trained.note,
    }
    print(json.dumps(line), flush=True)


def _job() -> Job:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", choices=("deepfm", "dcnv2"), required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--options", default="", help="words that only this contender knows, with commas between")
    given = parser.parse_args()
    folder = given.data
    options = tuple(word for word in given.options.split(",") if word)
    splits = read_split(folder, "train"), read_split(folder, "test")
    return Job(given.model, read_meta(folder), *splits, given.threads, given.seed, options)


def _metrics() -> ModuleType:
    """The kit's metrics, from their file: they need NumPy alone, while the kit's package needs more than the peers have."""
    file = Path(__file__).resolve().parents[3] / "sandboxes" / "kit" / "metrics.py"
    spec = importlib.util.spec_from_file_location("kit_metrics", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
