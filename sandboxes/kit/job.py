"""What runs inside a sandbox: `python -m sandboxes.kit.job` does what job.json says, and leaves data in out/.

Nothing it prints or writes is believed outside: the host scores the predictions itself.

A training may be the work of several processes, which torchrun starts, each with the same folder and all but the first silent:

    python -m torch.distributed.run --nproc-per-node 2 --rdzv-backend c10d --rdzv-endpoint 127.0.0.1:0 -m sandboxes.kit.job

On M machines, outside a sandbox, the same on each of them with `--nnodes M` and a `--rdzv-endpoint HOST:PORT` of one of them,
in a working folder that all share (job.json, model.py, an empty out/) and with the data under AGENTICRS_DATA. Where a host's
name does not lead to it, GLOO_SOCKET_IFNAME names the network interface.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from torch import nn

from sandboxes.kit.collection import load_collection
from sandboxes.kit.data.arrays import load_split, load_tables
from sandboxes.kit.equation_rows import equation_rows
from sandboxes.kit.importance import ImportanceConfig, answers, asked_of
from sandboxes.kit.model_file import class_in_file, layers_beside, module_in_file, reference_class
from sandboxes.kit.schema import Schema
from sandboxes.kit.served_form import served_state
from sandboxes.kit.smoke import smoke
from sandboxes.kit.team import ALONE, Team, joined
from sandboxes.kit.training import TrainConfig, build, fit
from sandboxes.kit.training.calibration import calibrate
from sandboxes.kit.training.goal import goal_of
from sandboxes.kit.training.parallel import parameter_count, whole_state

OUT = Path("out")


def main() -> int:
    """Runs the job; returns the exit code: 0 done, 1 the model failed (out/error.json says how)."""
    job = json.loads(Path("job.json").read_text(encoding="utf-8"))
    with joined() as (team, device):
        try:
            _run(job, device, team)
        except Exception as error:  # noqa: BLE001 - the process boundary: the failure is the result
            # Before others hear of it, so that theirs comes later.
            _write_first("error.json", {"type": type(error).__name__, "message": str(error), "traceback": _own_frames(error)})
            return 1
    return 0


def _run(job: dict[str, Any], device: str, team: Team) -> None:
    if job["action"] == "equation":  # needs no data
        if team.leads:
            _write("equations.json", equation_rows(_model_module(job["model"]), job["probes"]))
        return
    visible, model_class = Path(os.environ["AGENTICRS_DATA"]), _model_class(job["model"])
    if job["action"] == "train":
        _train(model_class, visible, job, device, team)
    elif team.leads:  # what else there is to do takes one process
        {"smoke": _smoke, "calibrate": _calibrate, "importance": _importance}[job["action"]](model_class, visible, job, device)


def _model_class(model: Mapping[str, str]) -> type[nn.Module]:
    return reference_class(model["reference"]) if "reference" in model else class_in_file(Path("model.py"))


def _model_module(model: Mapping[str, str]) -> ModuleType:
    return layers_beside(model["reference"]) if "reference" in model else module_in_file(Path("model.py"), "model")


def _smoke(model_class: type[nn.Module], visible: Path, job: dict[str, Any], device: str) -> None:
    schema, collection = Schema.load(visible / "schema.json"), load_collection(visible)
    checks, parameters = smoke(model_class, schema, load_split(visible, "train"), job["hyper"], job["config"]["seed"], collection)
    _write("smoke.json", {"checks": [asdict(c) for c in checks], "parameters": parameters})


def _train(model_class: type[nn.Module], visible: Path, job: dict[str, Any], device: str, team: Team) -> nn.Module:
    """Leaves what the job asks for; returns the model with its best weights."""
    from safetensors.torch import save_file

    schema, config = Schema.load(visible / "schema.json"), TrainConfig(**job["config"])
    began, goal = time.monotonic(), goal_of(schema)
    tables = load_tables(visible, schema)
    model = build(model_class, schema, job["hyper"], config.seed, team, load_collection(visible, tables))
    with Path(OUT / "progress.jsonl" if team.leads else os.devnull).open("w", encoding="utf-8", buffering=1) as progress:
        fitted = fit(
            model,
            load_split(visible, "train", tables),
            load_split(visible, "valid", tables),
            config,
            emit=lambda event: print(json.dumps(event), file=progress),
            device=device,
            team=team,
            goal=goal,
        )
    for split in job["predict"]:
        predicted = goal.predict(model, load_split(visible, split, tables), device, team)
        if team.leads:
            np.save(OUT / f"{split}.npy", predicted)
    if job.get("keep_weights"):
        whole = whole_state(model, fitted.state, team)
        if team.leads:
            save_file(
                {name: value.cpu().contiguous() for name, value in served_state(model, whole).items()},
                OUT / "weights.safetensors",
            )
    if team.leads:
        _write(
            "result.json",
            {
                "device": device,
                "parameters": parameter_count(model),
                "epochs": [asdict(e) for e in fitted.epochs],
                "best_epoch": fitted.best_epoch,
                "samples_per_s": fitted.samples_per_s,
                "seconds": time.monotonic() - began,
            },
        )
    return model


def _importance(model_class: type[nn.Module], visible: Path, job: dict[str, Any], device: str) -> None:
    """Trains as any job does, with the same outputs, then asks the model for its fields."""
    schema, asked_for = Schema.load(visible / "schema.json"), job["importance"]
    config = ImportanceConfig(**asked_for | {"methods": tuple(asked_for["methods"])})
    model = _train(model_class, visible, job, device, ALONE)
    asked = asked_of(model, schema, load_split(visible, "valid"), config, job["config"]["seed"], device)
    _write(
        "importance.json",
        {
            "rows": len(asked.rows),
            "auc": asked.auc(asked.rows),
            "methods": list(answers(asked)),
        },
    )


def _calibrate(model_class: type[nn.Module], visible: Path, job: dict[str, Any], device: str) -> None:
    schema, config = Schema.load(visible / "schema.json"), TrainConfig(**job["config"])
    train = load_split(visible, "train")
    collection = load_collection(visible)
    found = calibrate(
        lambda: build(model_class, schema, job["hyper"], config.seed, collection=collection), train, config, job["fixed"], device
    )
    _write("calibration.json", found.as_data())


def _own_frames(error: Exception) -> str:
    """The traceback's last frames, with paths shortened so that they say nothing about the machine."""
    lines = traceback.format_exception(error)
    return "".join(lines[-8:]).replace(str(Path.cwd()), ".")


def _write(name: str, content: Mapping[str, object] | Sequence[object]) -> None:
    (OUT / name).write_text(json.dumps(content), encoding="utf-8")


def _write_first(name: str, content: Mapping[str, object]) -> None:
    """Unless it is there: the first member of a team to fail says why, the others only that they have lost one."""
    with contextlib.suppress(FileExistsError), (OUT / name).open("x", encoding="utf-8") as file:
        json.dump(content, file)


if __name__ == "__main__":
    sys.exit(main())
