"""A real training job through every sandbox: a small model.py on planted clicks, with predictions that the host can score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sandbox_host import LABEL, MAKERS, Bench, leftovers

from sandboxes import Limits, violations
from sandboxes.jobs import Finished, Job, JobRunner, ModelSource
from sandboxes.kit.data import Prepared
from sandboxes.kit.metrics import auc
from sandboxes.kit.training import TrainConfig

MODEL = """
import torch
from torch import Tensor, nn

from sandboxes.kit import Batch, Schema
from sandboxes.kit.layers import LinearTerm


class Model(nn.Module):
    def __init__(self, schema: Schema, *, embedding_dim: int = 8, dropout: float = 0.0) -> None:
        super().__init__()
        self.linear = LinearTerm(schema, len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        return self.linear(batch)
"""
LIMITS = Limits(timeout_s=120.0, memory_mb=3000, disk_mb=64)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Clicks with planted truth, synthetic."""
    from sandboxes.kit.datasets.synthetic_clicks import SyntheticClicks, prepare_synthetic

    return prepare_synthetic(SyntheticClicks(rows=4_000, users=200, items=50), tmp_path_factory.mktemp("clicks"))


def trained(sandbox: Bench, prepared: Prepared, code: str) -> Finished:
    config = TrainConfig(max_epochs=2, learning_rate=0.05, batch_size=256)
    job = Job("train", ModelSource(LABEL, code), prepared.visible, prepared.data_hash, config=config, predict=("valid",))
    runner = JobRunner(MAKERS[sandbox.name](), sandbox.folder / "jobs", LIMITS)
    return runner.run(job)


def test_a_model_trains_and_its_predictions_come_back(sandbox: Bench, prepared: Prepared) -> None:
    assert violations(MODEL) == ()
    finished = trained(sandbox, prepared, MODEL)
    assert finished.run.ok, finished.fault
    predicted, labels = finished.predictions("valid"), prepared.hidden_labels("valid")
    assert predicted.shape == labels.shape
    observed = ~np.isnan(labels[:, 0])
    assert auc(labels[observed, 0], predicted[observed, 0]) > 0.55
    assert finished.train_report().parameters > 0
    assert leftovers() == []


def test_a_model_that_raises_comes_back_with_its_traceback(any_sandbox: Bench, prepared: Prepared) -> None:
    finished = trained(any_sandbox, prepared, MODEL.replace("self.linear(batch)", "self.linear(batch.missing)"))
    assert finished.run.status == "failed"
    assert "missing" in finished.fault and "model.py" in finished.fault
    assert "agenticrs-run-" not in finished.fault


def test_hidden_labels_are_not_in_the_sandbox(wall: Bench, prepared: Prepared) -> None:
    code = f"""
        import os
        for place in ("/data", "/tmp", "/handed", "/agenticrs"):
            for folder, _, names in os.walk(place):
                for name in names:
                    if name in ("test.labels.npy", "prepared.json"): print(folder, name)
        print(os.path.exists({str(prepared.hidden)!r}), os.path.exists("/data/../hidden"))
    """
    result = wall.run(code, data=prepared.visible)
    assert (result.status, result.stdout) == ("ok", "False False\n")
    assert Path(prepared.hidden, "test.labels.npy").exists()
