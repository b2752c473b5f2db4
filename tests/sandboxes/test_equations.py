"""Checks of equations through every sandbox, and references that never get there."""

from __future__ import annotations

from pathlib import Path

import pytest
from naive_references import CASES, FM, TARGET
from sandbox_host import LABEL, MAKERS, Bench, leftovers

from sandboxes import Limits
from sandboxes.equations import EquationProbe
from sandboxes.jobs import Finished, Job, JobRunner, ModelSource
from sandboxes.kit.equation import Input, Probe
from sandboxes.process import ProcessSandbox

MODEL = """
from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.layers import FactorizationMachine, TargetAttention


class PairGate(nn.Module):
    def __init__(self, embedding_dim: int, n_pairs: int) -> None:
        super().__init__()
        self.project = nn.Linear(embedding_dim, n_pairs)

    def forward(self, fields: Tensor) -> Tensor:
        return torch.sigmoid(self.project(fields.mean(1)))  # (B, P)
"""
GATE = Probe(
    "PairGate",
    {"embedding_dim": 3, "n_pairs": 2},
    (Input("fields", (4, 5, 3)),),
    {"w": "project.weight", "b": "project.bias"},
)
RIGHT = """
import torch

def reference(fields, w, b):
    rows = []
    for row in fields:
        mean = sum(row) / len(row)
        rows.append(1 / (1 + torch.exp(-(w @ mean + b))))
    return torch.stack(rows)
"""
ENDLESS = "def reference(fields, w, b):\n    print('begun', flush=True)\n    while True:\n        pass\n"


def checked(sandbox: Bench, asked: tuple[EquationProbe, ...], timeout_s: float = 120.0) -> Finished:
    job = Job("equation", ModelSource(LABEL, MODEL, composed=False), probes=asked)
    limits = Limits(timeout_s=timeout_s, memory_mb=3000, disk_mb=64)
    return JobRunner(MAKERS[sandbox.name](), sandbox.folder / "jobs", limits).run(job)


def test_rows_come_back(sandbox: Bench) -> None:
    asked = (
        EquationProbe("gate", GATE, RIGHT),
        EquationProbe("no bias", GATE, RIGHT.replace(" + b", "")),
        EquationProbe("raises", GATE, RIGHT.replace("w @ mean", "w @ w")),
        EquationProbe("fm", FM.probe(3, 4, 2), FM.text),
        EquationProbe("mask", TARGET.probe(3, 4, 2), TARGET.slipped("the mask ignored")),
    )
    assert not any(one.violations() for one in asked)
    finished = checked(sandbox, asked)
    assert finished.run.ok, finished.fault
    report = {row.id: row for row in finished.equation_report()}
    verdicts = {name: row.verdict for name, row in report.items()}
    assert verdicts == {"gate": "agrees", "no bias": "differs", "raises": "undecided", "fm": "agrees", "mask": "differs"}
    assert "(reference_2.py, line 8)" in report["raises"].detail
    assert leftovers() == []


@pytest.mark.slow
def test_an_endless_reference_is_timed_out(any_sandbox: Bench) -> None:
    finished = checked(any_sandbox, (EquationProbe("gate", GATE, RIGHT), EquationProbe("endless", GATE, ENDLESS)), timeout_s=40.0)
    assert (finished.run.status, finished.run.stdout, finished.reused) == ("timed_out", "begun\n", False)
    assert "40 s" in finished.fault and not (finished.folder / "equations.json").exists()
    assert leftovers() == []


def test_a_reference_is_not_run_where_nothing_holds_it(tmp_path: Path) -> None:
    """The plain process is for what the built-in engine composed, and nobody composed a reference."""
    job = Job("equation", ModelSource(LABEL, MODEL, composed=True), probes=(EquationProbe("gate", GATE, RIGHT),))
    assert JobRunner(ProcessSandbox(), tmp_path, Limits()).run(job).run.status == "refused"


@pytest.mark.parametrize("name", CASES)
def test_what_a_reviewer_writes_is_allowed(name: str) -> None:
    case = CASES[name]
    assert EquationProbe(name, case.probe(2, 3, 4), case.text).violations() == ()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import os", "`os`"),
        ("    import os.path", "`os.path`"),
        ("from sandboxes.kit.layers import FactorizationMachine", "`sandboxes.kit.layers`"),
        ("from model import PairGate", "`model`"),
        ("from . import model", "`.`"),
        ("from typing import Any", "`typing`"),
        ("    eval('1')", "`eval`"),
        ("    torch.load('job.json')", "`torch.load`"),
        ("    w.__class__", "`.__class__`"),
        ("    torch.manual_seed(0)", "`.manual_seed`"),
    ],
)
def test_what_a_reference_may_not_do_is_said_by_line(line: str, said: str) -> None:
    text = f"import torch\n\ndef reference(fields, w, b):\n{line if line[0] == ' ' else '    pass'}\n    return w\n"
    number = 4
    if line[0] != " ":
        text, number = text + line + "\n", 6
    found = EquationProbe("gate", GATE, text).violations()
    assert [violation.line for violation in found] == [number] and said in found[0].message


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("import torch\n\ndef reference(fields, w):\n    return w\n", 3, "must take b, fields, w"),
        ("def reference(fields, w, b, c):\n    return w\n", 1, "must take b, fields, w"),
        ("def reference(*fields, w, b):\n    return w\n", 1, "must take b, fields, w"),
        ("def reference(fields, w, b, /):\n    return w\n", 1, "must take b, fields, w"),
        ("def other(fields, w, b):\n    return w\n", 1, "no function reference"),
        ("reference = max", 1, "no function reference"),
        ("def reference(fields, w, b)\n", 1, "not valid Python"),
    ],
)
def test_a_reference_that_could_not_be_called_is_refused(text: str, line: int, said: str) -> None:
    (found,) = EquationProbe("gate", GATE, text).violations()
    assert found.line == line and said in found.message


@pytest.mark.parametrize("name", ["", "x" * 101])
def test_an_id_is_bounded(name: str) -> None:
    with pytest.raises(ValueError, match="between 1 and 100"):
        EquationProbe(name, GATE, RIGHT)
