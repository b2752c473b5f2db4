"""A hand-written loop with every trick and no features: what is left to gain once a library costs nothing.

The tricks: one table for all fields with offsets, all rows in one tensor that is permuted once, a first-order weight in the same
row as the vector, fused Adam, lookups and updates of each distinct row of a batch once. Options: "bf16" for matrix products,
"compile" for the model, "onednn" for the kit's dense layers. No evaluation during training, no early stopping, no checks, no
other model than two.

The update of the table is lazy Adam: rows that a batch did not look up stay as they are, moments included.

Notation: n rows, B batch, F fields, D width of a vector, V rows of the table, U distinct rows of a batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

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
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.kernels.dense import Dense

BETAS, EPSILON = (0.9, 0.999), 1e-8

LossOf = Callable[[Tensor, Tensor], Tensor]


class Network(nn.Module):
    """(B, F, D + 1) -> (B,) logits: the rest of DeepFM (Guo et al., IJCAI 2017) or of DCNv2 (Wang et al., WWW 2021), parallel."""

    def __init__(self, model: str, n_fields: int, onednn: bool = False) -> None:
        super().__init__()
        linear = Dense if onednn else nn.Linear
        self.first_order = int(model == "deepfm")
        width = n_fields * EMBEDDING_DIM
        sizes = (width, *HIDDEN_UNITS)
        layers: list[nn.Module] = []
        for i, o in pairwise(sizes):
            layers += [Dense(i, o, relu=True)] if onednn else [nn.Linear(i, o), nn.ReLU()]
        self.deep = nn.Sequential(*layers)
        self.cross = nn.ModuleList(linear(width, width) for _ in range(CROSS_LAYERS if model == "dcnv2" else 0))
        self.output = nn.Linear(sizes[-1] + (width if self.cross else 0), 1)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_normal_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, rows: Tensor, labels: Tensor) -> Tensor:
        """The mean cross-entropy."""
        return functional.binary_cross_entropy_with_logits(self.logits(rows), labels)

    def logits(self, rows: Tensor) -> Tensor:
        vectors = rows[..., :EMBEDDING_DIM]  # (B, F, D)
        flat = vectors.flatten(1)  # (B, F * D)
        if not self.first_order:
            crossed = flat
            for layer in self.cross:
                crossed = flat * layer(crossed) + crossed
            return self.output(torch.cat([crossed, self.deep(flat)], 1)).float().squeeze(1)
        pairs = (vectors.sum(1).square() - vectors.square().sum(1)).sum(1) / 2  # (B,)
        return self.output(self.deep(flat)).float().squeeze(1) + pairs + rows[..., EMBEDDING_DIM].sum(1)


class Table:
    """All fields' rows and their moments, (V, W) each."""

    def __init__(self, n_rows: int, width: int) -> None:
        self.weight = torch.empty(n_rows, width).normal_(std=1e-4)
        self.mean, self.square = torch.zeros(n_rows, width), torch.zeros(n_rows, width)
        self.step = torch.zeros(())
        self._seat = torch.zeros(n_rows, dtype=torch.int32)  # which lookup of the batch speaks for a row

    def distinct(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """The distinct rows (U,) among `ids` (m,) int32, and the place of each lookup among them (m,). No sorting."""
        turn = torch.arange(len(ids), dtype=torch.int32)
        self._seat[ids] = turn  # one of the lookups wins
        speaker = self._seat[ids]
        speaks = speaker == turn
        place = speaks.cumsum(0, dtype=torch.int32) - 1
        return ids[speaks], place[speaker]

    def update(self, rows: Tensor, values: Tensor, gradient: Tensor) -> None:
        """One step of Adam for `rows` (U,), of which `values` (U, W) is the copy that the batch was computed with."""
        mean, square = self.mean[rows], self.square[rows]
        self.step += 1
        torch._fused_adam_(
            [values], [gradient], [mean], [square], [], [self.step],
            lr=LEARNING_RATE, beta1=BETAS[0], beta2=BETAS[1], weight_decay=0.0, eps=EPSILON, amsgrad=False, maximize=False,
        )  # fmt: skip
        self.weight[rows], self.mean[rows], self.square[rows] = values, mean, square


def train(job: Job) -> Trained:
    """One epoch."""
    sizes = np.array(job.meta.cardinalities)
    offsets = torch.from_numpy(np.r_[0, sizes[:-1].cumsum()].astype(np.int32))
    ids, labels = _tensors(job.train, offsets)
    network = Network(job.model, len(sizes), "onednn" in job.options)
    table = Table(int(sizes.sum()), EMBEDDING_DIM + network.first_order)
    bf16 = "bf16" in job.options
    loss_of: LossOf = torch.compile(network, dynamic=False) if "compile" in job.options else network
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, betas=BETAS, eps=EPSILON, fused=True)
    began = time.perf_counter()
    if "compile" in job.options:
        _rehearse(loss_of, table, ids, labels, bf16)
    ready = time.perf_counter()
    order = torch.randperm(len(ids))
    ids, labels = ids[order], labels[order]
    for start in range(0, len(ids), BATCH_SIZE):
        batch, truth = ids[start : start + BATCH_SIZE], labels[start : start + BATCH_SIZE]
        rows, place = table.distinct(batch.flatten())
        values = table.weight[rows].requires_grad_()
        optimizer.zero_grad(set_to_none=True)
        _loss(loss_of, functional.embedding(place.view_as(batch), values), truth, bf16).backward()
        optimizer.step()
        assert values.grad is not None
        table.update(rows, values.detach(), values.grad)
    done = time.perf_counter()
    return Trained(done - ready, _predicted(network, table, _tensors(job.test, offsets)[0]), ready - began)


def _loss(loss_of: LossOf, rows: Tensor, labels: Tensor, bf16: bool) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        return loss_of(rows, labels)


def _rehearse(loss_of: LossOf, table: Table, ids: Tensor, labels: Tensor, bf16: bool) -> None:
    """Has both shapes of batch compiled, the full one and the last one, without moving a weight."""
    for size in {min(BATCH_SIZE, len(ids)), len(ids) % BATCH_SIZE or BATCH_SIZE}:
        rows = table.weight[ids[:size]].requires_grad_()
        _loss(loss_of, rows, labels[:size], bf16).backward()


def _tensors(split: Split, offsets: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of the table (n, F) int32, and labels (n,)."""
    return torch.from_numpy(np.array(split.ids)) + offsets, torch.from_numpy(np.array(split.labels))


@torch.no_grad()
def _predicted(network: Network, table: Table, ids: Tensor) -> np.ndarray:
    parts = [torch.sigmoid(network.logits(table.weight[part])) for part in ids.split(8192)]
    return torch.cat(parts).numpy()


if __name__ == "__main__":
    answer("loop", torch.__version__, train)
