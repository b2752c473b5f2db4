"""A sandbox that trains in no time, in this process: naive Bayes over the fields of the data that it is given.

It answers trainings and rankings of fields as a sandbox does, so that flows over many trainings can be tested. What it keeps as
weights are those of the model asked for before any training, which serve as well where only cost is measured.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import save_file

from sandboxes.kit.importance.fields import field_names
from sandboxes.kit.model_file import reference_class
from sandboxes.kit.schema import Schema
from sandboxes.kit.served_form import served_state
from sandboxes.kit.training.model import build
from sandboxes.kit.training.spans import chosen
from sandboxes.protocol import RunRequest, RunResult

SMOOTHED = 5.0
BINS = 8
NOISE = 0.02


class QuickSandbox:
    """`fails` says of a job whether it ends "failed"; `jobs` are those that were asked for."""

    name = "quick"

    def __init__(self) -> None:
        self.jobs: list[dict[str, Any]] = []
        self.fails: Callable[[dict[str, Any]], bool] = lambda job: False

    def available(self) -> None:
        return None

    def sweep(self) -> int:
        return 0

    def run(self, request: RunRequest, progress: object = None, cancelled: Any = None) -> RunResult:
        job = json.loads(request.files["job.json"])
        if cancelled and cancelled():
            return RunResult("cancelled", self.name)
        self.jobs.append(job)
        request.outputs.mkdir(parents=True)
        if self.fails(job):
            return RunResult("failed", self.name, 1, 0.1, reason="told so")
        assert request.data is not None
        schema = Schema.load(request.data / "schema.json")
        logits = self._logits(schema, request.data, job)
        rng = np.random.default_rng(job["config"]["seed"])
        for split in job["predict"]:
            total = sum(logits[split].values(), logits["prior"]) + NOISE * rng.normal(
                size=len(next(iter(logits[split].values())))
            )
            np.save(request.outputs / f"{split}.npy", (1 / (1 + np.exp(-total)))[:, None].astype(np.float32))
        said = {"device": "cpu", "parameters": 3, "epochs": [], "best_epoch": 1, "samples_per_s": 1.0, "seconds": 0.1}
        (request.outputs / "result.json").write_text(json.dumps(said))
        if job.get("keep_weights"):
            model = build(reference_class(job["model"]["reference"]), schema, job["hyper"], 0)
            save_file(
                {n: v.contiguous() for n, v in served_state(model, model.state_dict()).items()},
                request.outputs / "weights.safetensors",
            )
        if job["action"] == "importance":
            self._rank(schema, logits["valid"], job, request.outputs)
        return RunResult("ok", self.name, 0, 0.1)

    def _logits(self, schema: Schema, visible: Path, job: dict[str, Any]) -> dict[str, Any]:
        """By split and field, what the field adds to each row's logit."""
        codes = {split: self._codes(schema, visible, split) for split in ("train", "valid", "test")}
        labels = np.load(visible / "train.labels.npy")[:, 0]
        share = job["config"]["share"]
        own = chosen(len(labels), share, job["config"]["seed"]) if share < 1 else np.arange(len(labels))
        prior, found = float(np.log(labels[own].mean() / (1 - labels[own].mean()))), {s: {} for s in codes}
        for name, train in codes["train"].items():
            size = int(max(codes[s][name].max(initial=0) for s in codes)) + 1
            rows, positives = np.bincount(train[own], minlength=size), np.bincount(train[own], labels[own], size)
            rate = (positives + SMOOTHED * labels[own].mean()) / (rows + SMOOTHED)
            for split in codes:
                found[split][name] = (np.log(rate / (1 - rate)) - prior)[codes[split][name]]
        return {"prior": prior, **found}

    def _codes(self, schema: Schema, visible: Path, split: str) -> dict[str, np.ndarray]:
        ids, numeric = (np.load(visible / f"{split}.{what}.npy") for what in ("ids", "numeric"))
        train = np.load(visible / "train.numeric.npy")
        found = {f.name: ids[:, i].astype(np.int64) for i, f in enumerate(schema.categorical)}
        for i, f in enumerate(schema.numeric):
            cuts = np.unique(np.quantile(train[:, i], np.arange(1, BINS) / BINS))
            found[f.name] = np.searchsorted(cuts, numeric[:, i], side="right")
        return found

    def _rank(self, schema: Schema, adds: dict[str, np.ndarray], job: dict[str, Any], outputs: Path) -> None:
        rows = [
            {"field": name, "score": float(adds[name].var()) if name in adds else 0.0, "standard_error": 0.05}
            for name in field_names(schema)
        ]
        methods = [{"method": m, "fields": rows, "unscored": {}, "seconds": 0.1} for m in job["importance"]["methods"]]
        (outputs / "importance.json").write_text(json.dumps({"rows": 10, "auc": 0.7, "methods": methods}))
