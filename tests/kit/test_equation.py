"""Layers against naive references: sound blocks agree, every slip in an equation differs, what proves nothing is undecided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_references import CASES, POOLING, SLIPS, WHOLE, reference_of
from torch import Tensor, nn

from sandboxes.kit.equation import Agreement, Input, Probe, check

SIDES = st.integers(2, 4)
X = (Input("x", (3, 4)),)


@pytest.mark.parametrize("name", WHOLE)
@settings(max_examples=6, deadline=None)
@given(b=SIDES, f=SIDES, d=SIDES)
def test_a_block_agrees_with_its_equation(name: str, b: int, f: int, d: int) -> None:
    case = WHOLE[name]
    found = check(case.probe(b, f, d), case.block, reference_of(case.text))
    assert found.verdict == "agrees", found.detail
    assert found.largest_difference < 1e-9 and "float64" in found.detail


@pytest.mark.parametrize(("name", "slip"), SLIPS)
@settings(max_examples=4, deadline=None)
@given(b=SIDES, f=SIDES, d=SIDES)
def test_a_slip_differs(name: str, slip: str, b: int, f: int, d: int) -> None:
    case = CASES[name]
    found = check(case.probe(b, f, d), case.block, reference_of(case.slipped(slip)))
    assert found.verdict == "differs", found.detail
    assert found.largest_difference > 1e-3 or "shape" in found.detail


def test_an_input_that_neither_looks_at_is_named() -> None:
    found = check(POOLING.probe(3, 4, 2), POOLING.block, reference_of(POOLING.text))
    assert found.verdict == "undecided" and "`target`" in found.detail and "`history`" not in found.detail
    assert found.largest_difference < 1e-9


def test_a_parameter_that_neither_looks_at_is_named() -> None:
    class Idle(Gate):
        def __init__(self) -> None:
            super().__init__()
            self.idle = nn.Parameter(torch.zeros(4))

    probe = Probe("Idle", {}, X, {**GATE.parameters, "idle": "idle"})
    found = check(probe, Idle, lambda x, open, w, b, idle: gate(x, open, w, b))
    assert (found.verdict, found.detail) == ("undecided", "nothing changes with `idle`, so nothing is shown of it")


def test_whole_numbers_alone_show_nothing() -> None:
    class Places(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("places", torch.arange(4))

        def forward(self) -> object:
            return self.places

    found = check(Probe("Places", {}, (), {"places": "places"}), Places, lambda places: places)
    assert found.verdict == "undecided" and "drawn anew" in found.detail


class Gate(nn.Module):
    """Starts as the identity, as many do: only with other numbers does it show what it is."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.open = nn.Parameter(torch.zeros(width))
        self.project = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        opened: Tensor = self.open * self.project(x)
        return x + opened

    def both(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, self(x)


GATE = Probe("Gate", {}, X, {"open": "open", "w": "project.weight", "b": "project.bias"})


def gate(x: Tensor, open: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return x + open * (x @ w.T + b)


def changed(**changes: object) -> Probe:
    return Probe.from_data(GATE.as_data() | changes)


def test_a_layer_that_starts_as_the_identity_is_seen_through() -> None:
    assert check(GATE, Gate, gate).verdict == "agrees"
    found = check(GATE, Gate, lambda x, open, w, b: x)
    assert found.verdict == "differs" and "the layer depends on `b`, `open`, `w`, the reference does not" in found.detail


def test_a_layer_that_ignores_an_input_differs() -> None:
    class Ignores(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate = Gate()

        def forward(self, x: Tensor, mask: Tensor) -> object:
            return self.gate(x)

    probe = Probe("Ignores", {}, (*X, Input("mask", (3, 4), "mask")), {s: f"gate.{name}" for s, name in GATE.parameters.items()})
    found = check(probe, Ignores, lambda x, mask, open, w, b: gate(x, open, w, b) * mask)
    assert found.verdict == "differs" and "the reference depends on `mask`, the layer does not" in found.detail


def test_a_parameter_that_the_reference_is_not_told_of_is_named() -> None:
    probe = Probe("Gate", {}, X, {"open": "open", "w": "project.weight"})
    found = check(probe, Gate, lambda x, open, w: x + open * (x @ w.T))
    assert found.verdict == "differs" and "the reference is not told of `project.bias`" in found.detail


def test_another_method_and_one_of_several_outputs() -> None:
    assert check(changed(method="both", output=1), Gate, gate).verdict == "agrees"
    assert check(changed(method="both", output=0), Gate, gate).verdict == "differs"


def test_buffers_that_are_named_count() -> None:
    parameters = {"w": "weight", "b": "bias", "mean": "running_mean", "variance": "running_var"}
    probe = Probe("BatchNorm1d", {"num_features": 4}, X, parameters)

    def norm(x: Tensor, w: Tensor, b: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        return (x - mean) / torch.sqrt(variance + 1e-5) * w + b

    assert check(probe, nn.BatchNorm1d, norm).verdict == "agrees"
    assert check(probe, nn.BatchNorm1d, lambda x, w, b, mean, variance: norm(x, w, b, 0 * mean, variance)).verdict == "differs"


def test_ids_look_up_rows() -> None:
    probe = Probe("Embedding", {"num_embeddings": 5, "embedding_dim": 2}, (Input("ids", (3, 2), "ids", 5),), {"table": "weight"})
    assert check(probe, nn.Embedding, lambda ids, table: table[ids]).verdict == "agrees"
    assert check(probe, nn.Embedding, lambda ids, table: table[ids.clamp(min=1)]).verdict == "differs"


def test_what_float64_does_not_pass_through_is_compared_in_float32() -> None:
    class Coarse(Gate):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x * torch.ones((), dtype=torch.float32)).to(torch.float32)

    class Narrow(Gate):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x.float())

    for layer in (Coarse, Narrow):
        found = check(GATE, layer, gate)
        assert found.verdict == "agrees" and "float32" in found.detail
        assert check(GATE, layer, lambda x, open, w, b: gate(x, open, w, b) * 1.01).verdict == "differs"


@pytest.mark.parametrize(
    "wrong",
    [lambda y: y[:1], lambda y: y[..., None], lambda y: y[None], lambda y: y.mean(1, keepdim=True), lambda y: y.sum()],
)
def test_a_shape_that_would_broadcast_differs(wrong: Callable[[Tensor], Tensor]) -> None:
    """Also where all numbers are alike."""

    class Constant(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 0 * x

    found = check(Probe("Constant", {}, X), Constant, lambda x: wrong(0 * x))
    assert (found.verdict, found.largest_difference) == ("differs", 0.0) and "shape (3, 4)" in found.detail


def test_a_difference_as_small_as_a_guard_against_zeros_is_undecided() -> None:
    probe = Probe("LayerNorm", {"normalized_shape": 8}, (Input("x", (3, 8)),), {"w": "weight", "b": "bias"})

    def norm(x: Tensor, w: Tensor, b: Tensor, guard: float) -> Tensor:
        return (x - x.mean(1, keepdim=True)) / torch.sqrt(x.var(1, correction=0, keepdim=True) + guard) * w + b

    assert check(probe, nn.LayerNorm, lambda x, w, b: norm(x, w, b, 1e-5)).verdict == "agrees"
    found = check(probe, nn.LayerNorm, lambda x, w, b: norm(x, w, b, 1e-6))
    assert found.verdict == "undecided" and "the same constant" in found.detail
    assert check(probe, nn.LayerNorm, lambda x, w, b: norm(x, w, b, 0.1)).verdict == "differs"


class Zero(Gate):
    def forward(self, x: Tensor) -> Tensor:
        return 0 * super().forward(x)


class Noisy(Gate):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + torch.randn(())


class Raises(Gate):
    def forward(self, x: Tensor) -> Tensor:
        raise ValueError("no such thing")


class NotFinite(Gate):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) / 0


class Masked(Gate):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).masked_fill(x > 0, torch.finfo(x.dtype).min)


class Leaves(Gate):
    def forward(self, x: Tensor) -> Tensor:
        raise SystemExit(0)


def broken(x: Tensor, open: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return gate(x, open, w, b) @ torch.ones(7)


UNDECIDED: dict[str, tuple[Probe, type[nn.Module], Callable[..., Any], str]] = {
    "all zeros": (GATE, Zero, lambda x, open, w, b: 0 * gate(x, open, w, b), "`b`, `open`, `w`, `x`"),
    "noise": (GATE, Noisy, gate, "at random"),
    "a layer that raises": (GATE, Raises, gate, "the layer raised: ValueError: no such thing (test_equation.py, line"),
    "a reference that raises": (GATE, Gate, broken, "the reference raised: RuntimeError"),
    "a reference of other names": (GATE, Gate, lambda x: x, "unexpected keyword argument 'open'"),
    "no tensor": (GATE, Gate, lambda x, open, w, b: 3.0, "the reference returns float"),
    "infinite numbers": (GATE, NotFinite, lambda x, open, w, b: gate(x, open, w, b) / 0, "NaN, infinite"),
    "masked scores": (GATE, Masked, gate, "beyond 1e+12"),
    "an exit": (GATE, Leaves, gate, "SystemExit"),
    "half precision": (GATE, Gate, lambda x, open, w, b: gate(x, open, w, b).half(), "float16"),
    "arguments that do not fit": (changed(arguments={"depth": 2}), Gate, gate, "could not be built: TypeError"),
    "an unknown parameter": (changed(parameters={"open": "gate"}), Gate, gate, "project.weight"),
    "no matrix": (changed(parameters={"open": "open.T"}), Gate, gate, "only a matrix"),
    "an unknown method": (changed(method="backwards"), Gate, gate, "backwards"),
    "several outputs": (changed(method="both"), Gate, gate, "say by `output`"),
    "too few outputs": (changed(method="both", output=2), Gate, gate, "say by `output`"),
    "one output": (changed(output=0), Gate, gate, "leave `output` out"),
}


@pytest.mark.parametrize("why", UNDECIDED)
def test_what_proves_nothing_is_undecided(why: str) -> None:
    probe, layer, reference, told = UNDECIDED[why]
    found = check(probe, layer, reference)
    assert (found.verdict, found.largest_difference) == ("undecided", 0.0)
    assert told in found.detail


def test_zeros_where_the_reference_gives_numbers_differ() -> None:
    assert check(GATE, Zero, gate).verdict == "differs"


class Scattered(Gate):
    """Built with numbers that the reference is not told."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("somewhere", torch.randn(4))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + self.get_buffer("somewhere")


def test_a_check_leaves_torch_as_it_was_and_says_the_same_twice() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    found: list[Agreement] = [check(GATE, layer, gate) for layer in (Gate, Raises, Scattered)]
    assert torch.equal(torch.rand(3), expected) and torch.get_default_dtype() == torch.float32
    assert found == [check(GATE, layer, gate) for layer in (Gate, Raises, Scattered)]


def test_neither_side_can_change_what_the_other_is_given() -> None:
    class InPlace(Gate):
        def forward(self, x: Tensor) -> Tensor:
            return x.add_(self.open * self.project(x))

    def in_place(x: Tensor, open: Tensor, w: Tensor, b: Tensor) -> Tensor:
        found = gate(x, open, w, b)
        for tensor in (x, open, w, b):
            tensor.zero_()
        return found

    assert check(GATE, InPlace, in_place).verdict == "agrees"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [(3, 5), (5,), (2, 3, 4), (4, 1)])
def test_a_mask_is_padded_on_the_left_and_never_empty(shape: tuple[int, ...], seed: int) -> None:
    generator, mask = torch.Generator().manual_seed(seed), Input("mask", shape, "mask")
    drawn = mask.draw(generator, torch.float64)
    again = mask.redraw(drawn, generator)
    for m in (drawn, again):
        assert m.dtype == torch.bool and m.shape == shape
        assert m[..., -1].all() and (m.int().diff(dim=-1) >= 0).all()
    assert shape[-1] == 1 or not (drawn.all() or torch.equal(drawn, again))


@pytest.mark.parametrize("small", [Input("i", (1,), "ids", 2), Input("m", (1, 2), "mask")])
def test_what_is_drawn_anew_is_another_where_there_is_another(small: Input) -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = [small.draw(generator, torch.float64) for _ in range(20)]
    assert not any(torch.equal(one, small.redraw(one, generator)) for one in drawn)


def test_ids_and_uniform_numbers_stay_within_bounds() -> None:
    generator = torch.Generator().manual_seed(0)
    ids = Input("ids", (400,), "ids", 3).draw(generator, torch.float64)
    assert ids.dtype == torch.int64 and set(ids.tolist()) == {0, 1, 2}
    uniform = Input("u", (400,), "uniform").draw(generator, torch.float32)
    assert uniform.dtype == torch.float32 and 0 <= uniform.min() < 0.1 and 0.9 < uniform.max() < 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: Input("a b", (2,)),
        lambda: Input("x", (0,)),
        lambda: Input("x", (2**11, 2**10)),
        lambda: Input("x", (2,), "gamma"),  # type: ignore[arg-type]
        lambda: Input("x", (2,), "ids"),
        lambda: Input("x", (), "mask"),
        lambda: Probe("Gate"),
        lambda: Probe("nn.Linear", {}, X),
        lambda: Probe("Gate", {}, X, {"x": "weight"}),
        lambda: Probe("Gate", {}, (*X, *X)),
        lambda: Probe("Gate", {}, X, {"lambda": "weight"}),
        lambda: Probe("Gate", {}, X, method="__class__"),
    ],
)
def test_a_probe_that_cannot_be_asked_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        make()


def test_a_probe_survives_as_data() -> None:
    probe = Probe("Gate", {"units": [3, 4]}, (*X, Input("i", (2,), "ids", 4)), {"w": "project.weight.T"}, "both", 1)
    assert Probe.from_data(probe.as_data()) == probe
