"""Rules of update that a stage declares: their formulas by hand, whole tables and touched rows alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from planted_rows import SCHEMAS, planted
from torch import Tensor, nn

from sandboxes.kit import Batch, Stage
from sandboxes.kit.contract import Update
from sandboxes.kit.layers import FeatureEmbedding, FrequencyClipping, SharpnessAware
from sandboxes.kit.layers.table import Table
from sandboxes.kit.losses import observed_bce
from sandboxes.kit.training import TrainConfig, build, fit
from sandboxes.kit.training.calibration import calibrate
from sandboxes.kit.training.model import loss_of
from sandboxes.kit.training.optimiser import Optimiser
from sandboxes.kit.training.step import step_function

SCHEMA = SCHEMAS["history"]
TRAIN, VALID = planted(SCHEMA, 300, seed=1), planted(SCHEMA, 200, seed=2)
WHOLE = TrainConfig(learning_rate=5e-3, batch_size=32, max_epochs=2, patience=2)
TOUCHED = replace(WHOLE, updates="touched")
BATCH = TRAIN.batch(slice(0, 32))
RULES = [SharpnessAware(rho=0.3), FrequencyClipping(ratio=0.01, zeta=1e-6)]
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda r: type(r).__name__)


class Ruled(nn.Module):
    """Fields and the mean of a history, under a rule."""

    rule: Update | None = None

    def __init__(self, schema: object) -> None:
        super().__init__()
        self.embedding = FeatureEmbedding(SCHEMA, 4)
        self.output = nn.Linear((SCHEMA.n_fields + len(SCHEMA.sequences)) * 4, 1)

    def forward(self, batch: Batch) -> Tensor:
        return self.output(torch.tanh(self.embedding.with_histories(batch)).flatten(1))

    def stages(self) -> list[Stage]:
        return [Stage("train", update=self.rule)]


def under(rule: Update | None) -> type[Ruled]:
    return type("UnderRule", (Ruled,), {"rule": rule})


def gradients_under(rule: Update, config: TrainConfig = WHOLE) -> tuple[Ruled, dict[str, Tensor], float]:
    """What Adam is given in one step, dense, with the loss that is told; the weights are as before the step."""
    model, stage = build(under(rule), SCHEMA, {}, 0).train(), Stage("train", update=rule)
    with Optimiser(model, stage, config) as optimiser:
        found: dict[str, Tensor] = {}

        def look() -> None:
            found.update({n: (p.grad.to_dense() if p.grad.is_sparse else p.grad).clone() for n, p in model.named_parameters()})

        optimiser.step = look  # type: ignore[method-assign]
        loss = step_function(model, stage, optimiser, config)(BATCH).item()
    return model, found, loss


def plain_gradients(model: nn.Module) -> dict[str, Tensor]:
    model.zero_grad()
    observed_bce(model(BATCH), BATCH.labels).backward()
    return {name: p.grad.clone() for name, p in model.named_parameters()}


@pytest.mark.parametrize("config", [WHOLE, TOUCHED], ids=["whole", "touched"])
def test_sharpness_aware_gradients_are_those_uphill(config: TrainConfig) -> None:
    model, found, loss = gradients_under(SharpnessAware(rho=0.3), config)
    untouched = build(under(None), SCHEMA, {}, 0).train()
    here = plain_gradients(untouched)
    length = torch.cat([g.flatten() for g in here.values()]).norm()
    for name, p in untouched.named_parameters():
        assert torch.equal(p, model.get_parameter(name))  # they came back exactly
        p.data += 0.3 * here[name] / length
    uphill = plain_gradients(untouched)
    assert loss == pytest.approx(observed_bce(model(BATCH), BATCH.labels).item(), rel=1e-5)  # of the weights themselves
    for name, g in uphill.items():
        torch.testing.assert_close(found[name], g, rtol=1e-4, atol=1e-7)
    assert any((here[n] - g).abs().max() > 1e-4 for n, g in uphill.items())


@pytest.mark.parametrize("config", [WHOLE, TOUCHED], ids=["whole", "touched"])
def test_clipped_gradients_are_those_of_the_formula(config: TrainConfig) -> None:
    rule = FrequencyClipping(ratio=0.03, zeta=1e-4)
    model, found, _ = gradients_under(rule, config)
    plain = plain_gradients(model)
    weight = model.embedding.table.weight.detach().numpy()
    history = BATCH.history[SCHEMA.sequences[0].name]
    first = int(model.embedding.offsets[SCHEMA.index_of(SCHEMA.sequences[0].of)])
    rows = [*(BATCH.ids + model.embedding.offsets).flatten().tolist(), *(history[history != 0] + first).tolist()]
    clipped = 0
    for row, gradient in enumerate(plain["embedding.table.weight"].numpy()):
        bound = rows.count(row) * max(0.03 * np.linalg.norm(weight[row]), 1e-4)
        length = np.linalg.norm(gradient)
        wanted = gradient * min(1.0, bound / length) if length else gradient
        clipped += length > bound
        np.testing.assert_allclose(found["embedding.table.weight"][row].numpy(), wanted, rtol=1e-4, atol=1e-9)
    touched = len(set(rows))
    assert 0 < clipped < touched  # the case tells apart what is clipped and what is not
    for name in ("output.weight", "output.bias"):
        assert torch.equal(found[name], plain[name])


def test_a_row_without_a_gradient_stays_finite() -> None:
    class Blind(under(FrequencyClipping())):  # type: ignore[misc]
        def forward(self, batch: Batch) -> Tensor:
            return super().forward(batch) * 0

    model = build(Blind, SCHEMA, {}, 0)
    fit(model, TRAIN, VALID, WHOLE)
    assert all(torch.isfinite(p).all() for p in model.parameters())


@every_rule
def test_touched_rows_end_where_whole_tables_end_under_a_rule(rule: Update) -> None:
    first = build(under(rule), SCHEMA, {}, 0).state_dict()
    ends = []
    for config in (WHOLE, TOUCHED):
        model = build(under(rule), SCHEMA, {}, 0)
        fit(model, TRAIN, VALID, config)
        assert all(m.watcher is None for m in model.modules() if isinstance(m, Table))
        ends.append(model.state_dict())
    for name, value in ends[0].items():
        moved = (value - first[name]).abs().mean()
        assert moved > 0 and (ends[1][name] - value).abs().mean() < 0.03 * moved, name


@every_rule
def test_a_penalty_on_tables_goes_with_a_rule(rule: Update) -> None:
    config = replace(TOUCHED, embedding_l2=1e-3)
    whole, touched = (build(under(rule), SCHEMA, {}, 0) for _ in range(2))
    fit(whole, TRAIN, VALID, replace(config, updates="whole"))
    fit(touched, TRAIN, VALID, config)
    assert all(torch.equal(a, b) for a, b in zip(whole.state_dict().values(), touched.state_dict().values(), strict=True))


@every_rule
def test_rules_can_be_calibrated(rule: Update) -> None:
    found = calibrate(lambda: build(under(rule), SCHEMA, {}, 0), TRAIN, WHOLE, {"precision": "fp32"})
    assert [m.updates for m in found.measured] == ["whole", "touched"] and not any(m.fault for m in found.measured)


def test_a_very_loose_rule_is_no_rule() -> None:
    """A bound that nothing reaches, and a step uphill that rounding swallows."""
    ends = []
    for rule in (None, FrequencyClipping(ratio=1000.0, zeta=1.0), SharpnessAware(rho=1e-6)):
        model = build(under(rule), SCHEMA, {}, 0)
        fit(model, TRAIN, VALID, WHOLE)
        ends.append(model.state_dict())
    for name, value in ends[0].items():
        torch.testing.assert_close(ends[1][name], value, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(ends[2][name], value, rtol=1e-2, atol=1e-3)


class Product(nn.Module):
    """Two weights whose product shall be 1: the loss is 0 all along that curve, and its curvature w1^2 + w2^2 least at (1, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([3.0, 0.4]))

    def loss(self, batch: Batch) -> Tensor:
        return (self.w.prod() - 1).square()


def test_sharpness_aware_steps_end_where_the_loss_is_flat_and_plain_ones_do_not() -> None:
    curvatures = []
    for rule in (None, SharpnessAware(rho=0.2)):
        model, stage = Product(), Stage("train", update=rule)
        with Optimiser(model, stage, replace(WHOLE, learning_rate=0.01)) as optimiser:
            step = step_function(model, stage, optimiser, WHOLE)
            for _ in range(600):
                step(BATCH)
        assert model.w.prod().item() == pytest.approx(1, abs=0.3)
        curvatures.append(model.w.square().sum().item())
    assert curvatures[0] > 8 and curvatures[1] < 4


@pytest.mark.parametrize(
    "wrong", [lambda: SharpnessAware(0.0), lambda: FrequencyClipping(0.0), lambda: FrequencyClipping(1.0, -1.0)]
)
def test_settings_out_of_range_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        wrong()  # type: ignore[operator]


def test_every_stage_is_put_under_the_rule() -> None:
    rule = SharpnessAware()
    assert [s.update for s in rule.staged((Stage("a"), Stage("b", loss="own")))] == [rule, rule]
    assert loss_of(build(under(rule), SCHEMA, {}, 0), Stage("train"), BATCH).item() > 0
