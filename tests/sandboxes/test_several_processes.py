"""A training job of two processes in a sandbox: what one process comes to, a fault that is told, an end that takes both."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from sandbox_host import LABEL, MAKERS, Bench, leftovers

from sandboxes import Limits
from sandboxes.inside import tree
from sandboxes.jobs import Finished, Job, JobRunner, ModelSource
from sandboxes.kit.data import Prepared
from sandboxes.kit.training import TrainConfig

MODEL = """
import time

import torch.distributed
from torch import Tensor, nn

from sandboxes.kit import Batch, Schema
from sandboxes.kit.layers import DNN, FeatureEmbedding


class Model(nn.Module):
    def __init__(self, schema: Schema, *, embedding_dim: int = 8) -> None:
        super().__init__()
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.deep = DNN((schema.n_fields + len(schema.sequences)) * embedding_dim, (8,))
        self.output = nn.Linear(8, len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        pass  # something happens
        return self.output(self.deep(self.embedding.with_histories(batch).flatten(1)))
"""
Left = Callable[[], list[object]]
LIMITS = Limits(timeout_s=240.0, memory_mb=3000, disk_mb=64)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Clicks with planted truth, synthetic."""
    from sandboxes.kit.datasets.synthetic_clicks import SyntheticClicks, prepare_synthetic

    return prepare_synthetic(SyntheticClicks(rows=2_000, users=200, items=50), tmp_path_factory.mktemp("clicks"))


def trained(
    sandbox: Bench,
    made: Prepared,
    processes: int,
    happens: str = "pass",
    progress: Callable[[str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Finished:
    config = TrainConfig(max_epochs=2, batch_size=250, updates="touched", processes=processes)
    source = ModelSource(LABEL, MODEL.replace("pass  # something happens", happens))
    job = Job("train", source, made.visible, made.data_hash, config=config, predict=("valid", "test"), keep_weights=True)
    return JobRunner(MAKERS[sandbox.name](), sandbox.folder / "jobs", LIMITS).run(job, progress, cancelled)


@pytest.fixture
def left(made: Prepared) -> Left:
    """Processes of this test that still run, and whatever else there may be."""
    before = set(tree.descendants(os.getpid()))  # an earlier test's, such as multiprocessing's tracker of shared memory

    def now() -> list[object]:
        ours = set(tree.descendants(os.getpid())) - before
        return [*ours, *tree.marked(f"AGENTICRS_DATA={made.visible.resolve()}"), *leftovers()]

    return now


@pytest.mark.slow
def test_two_processes_leave_what_one_leaves(sandbox: Bench, made: Prepared, left: Left) -> None:
    one, two = trained(sandbox, made, 1), trained(sandbox, made, 2)
    assert one.run.ok and two.run.ok, one.fault + two.fault
    assert {p.name for p in two.folder.iterdir()} == {p.name for p in one.folder.iterdir()}
    for split in ("valid", "test"):
        assert two.predictions(split).shape == (made.sizes[split], len(made.schema.tasks))
        assert np.abs(one.predictions(split) - two.predictions(split)).max() < 1e-5
    first, second = (load_file(f.folder / "weights.safetensors") for f in (one, two))
    assert {k: v.shape for k, v in first.items()} == {k: v.shape for k, v in second.items()}
    assert max(np.abs(value - second[name]).mean() for name, value in first.items()) < 1e-5
    reports = one.train_report(), two.train_report()
    assert reports[0].parameters == reports[1].parameters
    losses = [[e.train_loss for e in r.epochs] for r in reports]
    assert losses[1] == pytest.approx(losses[0], abs=1e-5) and len(losses[0]) == 2
    assert len((two.folder / "progress.jsonl").read_text().splitlines()) >= 2
    assert left() == []


@pytest.mark.slow
def test_a_fault_of_one_process_is_told_and_ends_both(any_sandbox: Bench, made: Prepared, left: Left) -> None:
    began = time.monotonic()
    finished = trained(any_sandbox, made, 2, "assert torch.distributed.get_rank() == 0, 'the second one fell'")
    assert finished.run.status == "failed" and "the second one fell" in finished.fault and 'model.py", line' in finished.fault
    assert time.monotonic() - began < LIMITS.timeout_s / 2 and left() == []


@pytest.mark.slow
def test_an_end_from_outside_ends_both(any_sandbox: Bench, made: Prepared, left: Left) -> None:
    heard: list[str] = []
    slowly = "time.sleep(0.5)"
    finished = trained(any_sandbox, made, 2, slowly, heard.append, lambda: bool(heard))
    assert finished.run.status == "cancelled" and heard and left() == []


@pytest.mark.parametrize(("action", "processes"), [("train", 1), ("train", 3), ("smoke", 3)])
def test_only_a_training_of_several_asks_for_several(made: Prepared, tmp_path: Path, action: str, processes: int) -> None:
    job = Job(action, ModelSource("m", reference="lr"), made.visible, "", config=TrainConfig(processes=processes))
    argv = job.request(tmp_path, LIMITS).argv
    assert argv[-2:] == ("-m", "sandboxes.kit.job")
    assert argv[:2] == (("-m", "torch.distributed.run") if (action, processes) == ("train", 3) else argv[-2:])
    assert "127.0.0.1:0" in argv or len(argv) == 2
