"""The kit's training on a prepared folder, one epoch in a process of its own: `... train_kit VISIBLE`.

The network is small and the table of embeddings narrow, since it is the rows that are of interest. Prints one line of JSON, as
`prepare_kit` does.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import torch
from bench.peak import peak_mb

from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.models.deepfm import DeepFM
from sandboxes.kit.schema import Schema
from sandboxes.kit.training import TrainConfig, fit, predictions

THREADS = 2
CONFIG = TrainConfig(batch_size=4096, max_epochs=1, threads=THREADS, updates="touched")


def main() -> None:
    visible, before = Path(sys.argv[1]), peak_mb()
    train, valid, test = (load_split(visible, split) for split in ("train", "valid", "test"))
    torch.manual_seed(0)
    began = time.perf_counter()
    model = DeepFM(Schema.load(visible / "schema.json"), embedding_dim=4, hidden_units=(16,))
    fit(model, train, valid, CONFIG)
    predictions(model, test, 1)
    seconds = time.perf_counter() - began
    rows = len(train) + len(valid) + len(test)
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb(), "libraries_mb": before, "rows": rows}))


if __name__ == "__main__":
    main()
