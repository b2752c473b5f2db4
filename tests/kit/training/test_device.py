"""Rows on a device are the same rows; what needs a graphics card runs where there is one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from planted_rows import SCHEMAS, planted

from sandboxes.kit import Batch
from sandboxes.kit.models import MODELS
from sandboxes.kit.training import TrainConfig, build, fit
from sandboxes.kit.training.config import Precision, Updates
from sandboxes.kit.training.device import Resident, brought, placed
from sandboxes.kit.training.rows import bytes_a_row

SCHEMA = SCHEMAS["tasks_and_history"]
ROWS = planted(SCHEMA, 300, seed=1)
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"))]


def same(a: Batch, b: Batch) -> bool:
    assert a.labels is not None and b.labels is not None
    parts = [(a.ids, b.ids), (a.numeric, b.numeric), (a.labels, b.labels), *((a.history[n], b.history[n]) for n in a.history)]
    return all(torch.equal(x.cpu().nan_to_num(-1), y.cpu().nan_to_num(-1)) for x, y in parts)


@pytest.mark.parametrize("device", DEVICES)
def test_resident_rows_are_the_rows(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandboxes.kit.training.device.ROWS_AT_ONCE", 64)
    resident = Resident(ROWS, device)
    assert len(resident) == 300 and np.array_equal(resident.labels, ROWS.labels, equal_nan=True)
    some = np.array([5, 299, 0, 5])
    assert same(resident.batch(some), ROWS.batch(some))
    assert same(resident.batch(slice(60, 70)), ROWS.batch(slice(60, 70)))
    assert resident.batch(some).ids.device.type == device


@pytest.mark.parametrize("device", DEVICES)
def test_batches_arrive_in_order_and_complete(device: str) -> None:
    batches = [ROWS.batch(slice(i, i + 70)) for i in range(0, 300, 70)]
    arrived = list(brought(batches, device))
    assert len(arrived) == 5 and all(same(a, b) for a, b in zip(arrived, batches, strict=True))
    assert all(a.ids.device.type == device for a in arrived)


def test_on_the_processor_rows_stay_where_they_are() -> None:
    assert placed(ROWS, "cpu") is ROWS


def test_bytes_of_a_row() -> None:
    assert bytes_a_row(ROWS) == 8 * 2 + 4 * 1 + 8 * SCHEMA.sequences[0].length + 4 * len(SCHEMA.tasks)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("way", [("whole", "fp32", False), ("touched", "fp32", False), ("whole", "bf16", True)])
def test_a_card_trains_to_where_the_processor_does(way: tuple[Updates, Precision, bool]) -> None:
    updates, precision, compiled = way
    config = TrainConfig(learning_rate=1e-2, batch_size=50, max_epochs=3, patience=3)
    aucs = []
    fast = replace(config, updates=updates, precision=precision, compiled=compiled)
    for device, settings in (("cpu", config), ("cuda", fast)):
        model = build(MODELS["deepfm"], SCHEMA, {"embedding_dim": 4}, seed=0)
        aucs.append(fit(model, ROWS, ROWS, settings, device=device).epochs[-1].valid["auc"])
    assert aucs[1] == pytest.approx(aucs[0], abs=0.02)
