"""The job inside a sandbox, run in this process: what it leaves when it goes well, and when the model fails."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from naive_references import FM
from safetensors.torch import load_file
from small_shop import MODEL, prepared, run_job, test_rows

from sandboxes.equations import EquationProbe, EquationRow, as_asked, read_rows, reference_files
from sandboxes.jobs import Finished, Job, ModelSource
from sandboxes.kit.data import Prepared
from sandboxes.kit.equation import Input, Probe
from sandboxes.kit.metrics import auc
from sandboxes.kit.model_file import class_in_file
from sandboxes.kit.serving import Served, keep
from sandboxes.kit.training import build, predictions
from sandboxes.kit.training.config import TrainConfig
from sandboxes.protocol import RunResult
from sandboxes.reports import SmokeReport, TrainReport


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared(tmp_path_factory.mktemp("shop"))


def outputs(folder: Path) -> set[str]:
    return {p.name for p in (folder / "out").iterdir()}


def error(folder: Path) -> dict[str, str]:
    said: dict[str, str] = json.loads((folder / "out" / "error.json").read_text())
    return said


def test_training_leaves_predictions_weights_and_a_report(
    made: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "job"
    assert run_job(monkeypatch, place, made.visible) == 0
    assert outputs(place) == {"valid.npy", "test.npy", "weights.safetensors", "result.json", "progress.jsonl"}
    report = TrainReport.model_validate_json((place / "out" / "result.json").read_text())
    assert len(report.epochs) == 6 and 1 <= report.best_epoch <= 6 and report.parameters > 0
    valid = np.load(place / "out" / "valid.npy", allow_pickle=False)
    assert valid.shape == (made.sizes["valid"], 2) and valid.dtype == np.float32
    best = max(e.valid["auc"] for e in report.epochs)
    assert auc(made.hidden_labels("valid")[:, 0], valid[:, 0]) == pytest.approx(best, abs=1e-12)
    told = [json.loads(line) for line in (place / "out" / "progress.jsonl").read_text().splitlines()]
    assert [e["epoch"] for e in told if e["event"] == "epoch"] == list(range(1, 7))


def test_the_kept_weights_are_those_that_predicted(made: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sandboxes.kit.data.arrays import load_split

    place = tmp_path / "job"
    assert run_job(monkeypatch, place, made.visible) == 0
    model = build(class_in_file(place / "model.py", "kept"), made.schema, {"embedding_dim": 4}, seed=99)
    model.load_state_dict(load_file(place / "out" / "weights.safetensors"))
    again = predictions(model, load_split(made.visible, "test"), 2)
    assert np.abs(again - np.load(place / "out" / "test.npy")).max() < 1e-6


SERVED_OTHERWISE = (
    MODEL.replace("FeatureEmbedding", "QuantisedEmbedding")
    .replace("import DNN, Quantised", "import DNN, Distillation, Quantised")
    .replace(
        "len(schema.tasks))\n",
        """len(schema.tasks))
        self.distillation = Distillation(self)

    def loss(self, batch: Batch) -> Tensor:
        return self.distillation(self(batch), batch)

    def teacher_loss(self, batch: Batch) -> Tensor:
        return self.distillation.teacher_loss(batch)

    def stages(self) -> tuple[Stage, ...]:
        return self.distillation.staged((Stage("train"),))
""",
    )
    .replace("Batch, Schema\n", "Batch, Schema, Stage\n")
)


def test_what_only_training_needs_is_not_kept_and_the_rest_serves(
    made: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "job"
    assert run_job(monkeypatch, place, made.visible, SERVED_OTHERWISE) == 0
    weights = load_file(place / "out" / "weights.safetensors")
    assert weights["embedding.table.codes"].dtype == torch.int8 and not any("teacher" in name for name in weights)
    keep(tmp_path / "served", made.root, place / "out" / "weights.safetensors", {"embedding_dim": 4}, place / "model.py")
    served = Served.open(tmp_path / "served").predict(test_rows(made))
    assert np.abs(served - np.load(place / "out" / "test.npy")).max() < 1e-6


def test_the_same_job_gives_the_same_predictions(made: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        torch.rand(3)
        assert run_job(monkeypatch, tmp_path / name, made.visible, predict=["test"], keep_weights=False) == 0
        assert outputs(tmp_path / name) == {"test.npy", "result.json", "progress.jsonl"}
    first, second = (np.load(tmp_path / name / "out" / "test.npy") for name in ("a", "b"))
    assert np.array_equal(first, second)


def test_it_reads_what_the_host_writes(made: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's own job.json, and the host's own reading of what is left."""
    config = TrainConfig(seed=2, batch_size=128, max_epochs=1)
    job = Job("train", ModelSource("lr", reference="lr"), made.visible, made.data_hash, {"embedding_dim": 4}, config, ("test",))
    asked = json.loads(job._job_json())
    model = asked.pop("model")["reference"]
    assert run_job(monkeypatch, tmp_path / "job", made.visible, reference=model, **asked) == 0
    finished = Finished(job, RunResult("ok", "process"), tmp_path / "job" / "out")
    assert finished.train_report().epochs[0].stage == "train"
    assert finished.predictions("test").shape == (made.sizes["test"], 2)


def test_a_smoke_job_leaves_its_checks(made: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "job"
    assert run_job(monkeypatch, place, made.visible, action="smoke") == 0
    report = SmokeReport.model_validate_json((place / "out" / "smoke.json").read_text())
    assert report.passed and len(report.checks) == 8 and report.parameters > 0


BROKEN = MODEL.replace("self.output(self.deep(", "self.output(self.missing(")


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        (BROKEN, "AttributeError", "missing"),
        ("def Model(:", "SyntaxError", "invalid syntax"),
        ("import torch\n", "AttributeError", "Model"),
        (MODEL.replace("return self.output(", "return float('nan') * self.output("), "TrainingDiverged", "epoch 1"),
    ],
)
def test_a_model_that_fails_says_how(
    made: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, kind: str, said: str
) -> None:
    place = tmp_path / "job"
    assert run_job(monkeypatch, place, made.visible, code) == 1
    assert error(place)["type"] == kind and said in error(place)["message"]
    assert not outputs(place) & {"result.json", "test.npy"}
    assert str(tmp_path) not in error(place)["traceback"] and kind in error(place)["traceback"]


def test_a_fault_in_training_points_at_the_line(made: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_job(monkeypatch, tmp_path / "job", made.visible, BROKEN) == 1
    number = next(i for i, line in enumerate(BROKEN.splitlines(), 1) if "self.missing" in line)
    assert f'"./model.py", line {number}' in error(tmp_path / "job")["traceback"]


EQUATION = Probe("Linear", {"in_features": 3, "out_features": 2}, (Input("x", (4, 3)),), {"w": "weight", "b": "bias"})
RIGHT = "def reference(x, w, b):\n    return x @ w.T + b\n"


def rows(
    monkeypatch: pytest.MonkeyPatch, place: Path, asked: Sequence[EquationProbe], model: str = MODEL, reference: str = ""
) -> list[EquationRow]:
    """What an equation job leaves: one row for each, whatever happens to the others."""
    place.mkdir()
    for name, text in reference_files(asked).items():
        (place / name).write_text(text)
    code = run_job(monkeypatch, place, place, model, reference=reference, action="equation", probes=as_asked(asked))
    assert (code, outputs(place)) == (0, {"equations.json"})
    return list(read_rows(place / "out" / "equations.json", asked))


def test_an_equation_job_leaves_a_row_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = MODEL + "\nfrom torch.nn import Linear\nNumbers = (1, 2)\n"
    asked = [
        EquationProbe("right", EQUATION, RIGHT),
        EquationProbe("no such layer", replace(EQUATION, layer="Bilinear"), RIGHT),
        EquationProbe("no layer at all", replace(EQUATION, layer="Numbers"), RIGHT),
        EquationProbe("leaves when it is loaded", EQUATION, "raise SystemExit(0)"),
        EquationProbe("no text", EQUATION, "def reference(x, w, b)"),
        EquationProbe("no function", EQUATION, "x = 1"),
        EquationProbe("no text for a file", EQUATION, RIGHT.replace("return", "raise ValueError('\\ud800')\n    return")),
        EquationProbe("raises", EQUATION, RIGHT.replace("return x @ w", "return x @ w @ w")),
        EquationProbe("wrong", EQUATION, RIGHT.replace("+ b", "")),
        EquationProbe("right again", EQUATION, RIGHT),
    ]
    found = {row.id: row for row in rows(monkeypatch, tmp_path / "job", asked, model)}
    assert [row.verdict for row in found.values()] == ["agrees", *["undecided"] * 7, "differs", "agrees"]
    assert "no layer Bilinear" in found["no such layer"].detail and "Model" in found["no such layer"].detail
    assert "(reference_7.py, line 2)" in found["raises"].detail
    assert "SystemExit" in found["leaves when it is loaded"].detail and "SyntaxError" in found["no text"].detail


def test_a_reference_models_layers_are_those_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probe, text = FM.probe(3, 4, 2), FM.text
    found = rows(monkeypatch, tmp_path / "job", [EquationProbe("fm", probe, text)], reference="deepfm")
    assert [row.verdict for row in found] == ["agrees"]


def test_an_equation_of_a_file_that_does_not_load_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = as_asked([EquationProbe("any", EQUATION, RIGHT)])
    assert run_job(monkeypatch, tmp_path / "job", tmp_path, "import nothing", action="equation", probes=asked) == 1
    assert error(tmp_path / "job")["type"] == "ModuleNotFoundError"


def test_an_unknown_reference_model_is_a_fault(made: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_job(monkeypatch, tmp_path / "job", made.visible, reference="bert") == 1
    assert error(tmp_path / "job")["type"] == "KeyError"


def test_test_labels_are_not_there_to_be_read(made: Prepared) -> None:
    assert not list(made.visible.glob("test.labels*"))
