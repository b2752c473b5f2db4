"""One training of the comparison with FuxiCTR, as a worker of either side gets it, and the probabilities that it answers with."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from bench.arrays import Meta, Split, read_meta, read_split
from bench.right_settings import PAIRS, PROTOCOLS, Pair, Protocol
from numpy.typing import NDArray


@dataclass(frozen=True)
class RightJob:
    """`model` names one of `PAIRS`; the splits' labels are all visible, and the driver alone scores."""

    model: str
    pair: Pair
    protocol: Protocol
    meta: Meta
    train: Split
    valid: Split
    test: Split
    seed: int


@dataclass(frozen=True)
class Answer:
    """Probabilities (n,) of the test rows in file order, and after how many epochs training ended."""

    pctr: NDArray[np.floating]
    epochs: int


def work(train: Callable[[RightJob], Answer]) -> None:
    """Reads the command line, trains in one thread, and writes pctr.npy and said.json into `--out`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--protocol", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(1)
    splits = (read_split(given.data, name) for name in ("train", "valid", "test"))
    job = RightJob(given.model, PAIRS[given.model], PROTOCOLS[given.protocol], read_meta(given.data), *splits, given.seed)
    began = time.monotonic()
    answer = train(job)
    np.save(given.out / "pctr.npy", np.asarray(answer.pctr, dtype=np.float64).reshape(-1))
    said = {"epochs": answer.epochs, "seconds": round(time.monotonic() - began, 1)}
    (given.out / "said.json").write_text(json.dumps(said), encoding="utf-8")
