"""The measured choice among ways of training: it takes what is fastest, leaves alone what is fixed, and survives what fails."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch
from planted_rows import SCHEMAS, planted
from torch import nn

from sandboxes.kit import Batch
from sandboxes.kit.layers import FeatureEmbedding
from sandboxes.kit.models import MODELS
from sandboxes.kit.training import TrainConfig, build, calibration
from sandboxes.kit.training.calibration import Calibration, calibrate
from sandboxes.kit.training.optimiser import Optimiser

SCHEMA = SCHEMAS["categorical"]
TRAIN = planted(SCHEMA, 300, seed=1)
CONFIG = TrainConfig(batch_size=32, max_epochs=2)


def fresh() -> nn.Module:
    return build(MODELS["dnn"], SCHEMA, {"embedding_dim": 4, "hidden_units": (8,)}, seed=0)  # type: ignore[dict-item]


def slowed(monkeypatch: pytest.MonkeyPatch, slow: Callable[[TrainConfig], int]) -> None:
    """Makes a way's steps longer by a twentieth of a second times what `slow` says of it."""
    real = calibration.step_function

    def function(model, stage, optimiser: Optimiser, config: TrainConfig):  # type: ignore[no-untyped-def]
        step = real(model, stage, optimiser, config)

        def slower(batch: Batch) -> torch.Tensor:
            time.sleep(0.05 * slow(config))
            return step(batch)

        return slower

    monkeypatch.setattr(calibration, "STEPS", 4)
    monkeypatch.setattr(calibration, "step_function", function)
    monkeypatch.setattr(calibration, "_bf16_products_are_faster", lambda threads, device: True)


def ways(found: Calibration) -> list[tuple[str, str, bool]]:
    return [(m.updates, m.precision, m.compiled) for m in found.measured]


@pytest.mark.parametrize(("better", "worse"), [("touched", "whole"), ("whole", "touched")])
def test_the_faster_updates_are_taken(monkeypatch: pytest.MonkeyPatch, better: str, worse: str) -> None:
    slowed(monkeypatch, lambda c: c.updates == worse)
    found = calibrate(fresh, TRAIN, CONFIG, {"precision": "fp32"})
    assert found.chosen == {"updates": better, "precision": "fp32", "compiled": False}
    assert ways(found) == [("whole", "fp32", False), ("touched", "fp32", False)]


def test_a_later_way_is_tried_on_top_of_what_won(monkeypatch: pytest.MonkeyPatch) -> None:
    slowed(monkeypatch, lambda c: (c.updates == "whole") + (c.precision == "fp32"))
    found = calibrate(fresh, TRAIN, CONFIG, {})
    assert ways(found)[-1] == ("touched", "bf16", False)


def test_what_is_fixed_is_not_tried_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    slowed(monkeypatch, lambda c: c.updates == "touched")
    found = calibrate(fresh, TRAIN, CONFIG, {"updates": "touched", "precision": "bf16", "compiled": False})
    assert ways(found) == [("touched", "bf16", False)]
    assert found.config.updates == "touched" and found.config.precision == "bf16"


def test_a_penalty_on_tables_leaves_only_whole_updates() -> None:
    found = calibrate(fresh, TRAIN, TrainConfig(batch_size=32, embedding_l2=1e-5), {"precision": "fp32"})
    assert ways(found) == [("whole", "fp32", False)]


def test_short_trainings_are_not_compiled_and_long_ones_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    slowed(monkeypatch, lambda c: not c.compiled)
    monkeypatch.setattr(torch, "compile", lambda function, dynamic: function)
    fixed = {"updates": "whole", "precision": "fp32"}
    assert ways(calibrate(fresh, TRAIN, CONFIG, fixed)) == [("whole", "fp32", False)]
    long = TrainConfig(batch_size=32, max_epochs=5000)
    assert calibrate(fresh, TRAIN, long, fixed).chosen["compiled"] is True


def test_a_way_that_fails_is_told_and_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_compiler(function: object, dynamic: bool) -> object:
        raise RuntimeError("no compiler\nand more")

    monkeypatch.setattr(torch, "compile", no_compiler)
    monkeypatch.setattr(calibration, "WORTH_COMPILING_S", 0.0)
    found = calibrate(fresh, TRAIN, CONFIG, {"updates": "whole", "precision": "fp32"})
    assert found.chosen["compiled"] is False
    assert found.measured[-1].fault == "RuntimeError: no compiler"
    assert found.as_data()["measured"][-1]["step_s"] is None  # type: ignore[index]


def test_without_tables_there_is_nothing_to_choose_about_them() -> None:
    schema = SCHEMAS["numeric"]
    model = build(MODELS["dnn"], schema, {"embedding_dim": 4}, seed=0)
    assert not any(isinstance(m, FeatureEmbedding) and m.table is not None for m in model.modules())
    found = calibrate(lambda: build(MODELS["dnn"], schema, {}, 0), planted(schema, 200, 1), CONFIG, {"precision": "fp32"})
    assert ways(found) == [("whole", "fp32", False)]
