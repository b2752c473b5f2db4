"""What runs inside a sandbox: `python -m sandboxes.kit.job` does what job.json says, and leaves data in out/.

Nothing it prints or writes is believed outside: the host scores the predictions itself.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.model_file import class_in_file, reference_class
from sandboxes.kit.schema import Schema
from sandboxes.kit.smoke import smoke
from sandboxes.kit.training import TrainConfig, build, fit, predictions
from sandboxes.kit.training.calibration import calibrate

OUT = Path("out")


def main() -> int:
    """Runs the job; returns the exit code: 0 done, 1 the model failed (out/error.json says how)."""
    job = json.loads(Path("job.json").read_text(encoding="utf-8"))
    visible = Path(os.environ["AGENTICRS_DATA"])
    try:
        model_class = _model_class(job["model"])
        {"smoke": _smoke, "train": _train, "calibrate": _calibrate}[job["action"]](model_class, visible, job)
    except Exception as error:  # noqa: BLE001 - the process boundary: the failure is the result
        _write("error.json", {"type": type(error).__name__, "message": str(error), "traceback": _own_frames(error)})
        return 1
    return 0


def _model_class(model: Mapping[str, str]) -> type[nn.Module]:
    return reference_class(model["reference"]) if "reference" in model else class_in_file(Path("model.py"))


def _smoke(model_class: type[nn.Module], visible: Path, job: dict[str, Any]) -> None:
    schema = Schema.load(visible / "schema.json")
    checks, parameters = smoke(model_class, schema, load_split(visible, "train"), job["hyper"], job["config"]["seed"])
    _write("smoke.json", {"checks": [asdict(c) for c in checks], "parameters": parameters})


def _train(model_class: type[nn.Module], visible: Path, job: dict[str, Any]) -> None:
    from safetensors.torch import save_file

    schema, config = Schema.load(visible / "schema.json"), TrainConfig(**job["config"])
    device = _device()
    began = time.monotonic()
    model = build(model_class, schema, job["hyper"], config.seed)
    with Path(OUT / "progress.jsonl").open("w", encoding="utf-8", buffering=1) as progress:
        fitted = fit(
            model,
            load_split(visible, "train"),
            load_split(visible, "valid"),
            config,
            emit=lambda event: print(json.dumps(event), file=progress),
            device=device,
        )
    for split in job["predict"]:
        np.save(OUT / f"{split}.npy", predictions(model, load_split(visible, split), len(schema.tasks), device))
    if job.get("keep_weights"):
        save_file({name: value.cpu().contiguous() for name, value in fitted.state.items()}, OUT / "weights.safetensors")
    _write(
        "result.json",
        {
            "device": device,
            "parameters": sum(p.numel() for p in model.parameters()),
            "epochs": [asdict(e) for e in fitted.epochs],
            "best_epoch": fitted.best_epoch,
            "samples_per_s": fitted.samples_per_s,
            "seconds": time.monotonic() - began,
        },
    )


def _calibrate(model_class: type[nn.Module], visible: Path, job: dict[str, Any]) -> None:
    schema, config = Schema.load(visible / "schema.json"), TrainConfig(**job["config"])
    train = load_split(visible, "train")
    found = calibrate(lambda: build(model_class, schema, job["hyper"], config.seed), train, config, job["fixed"], _device())
    _write("calibration.json", found.as_data())


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _own_frames(error: Exception) -> str:
    """The traceback's last frames, with paths shortened so that they say nothing about the machine."""
    lines = traceback.format_exception(error)
    return "".join(lines[-8:]).replace(str(Path.cwd()), ".")


def _write(name: str, content: Mapping[str, object]) -> None:
    (OUT / name).write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
