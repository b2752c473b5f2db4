"""A linear map through oneDNN is torch's, and so are its gradients. Notation: B rows, K in, N out."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from sandboxes.kit.kernels import dense
from sandboxes.kit.kernels.dense import Dense

sizes = st.integers(1, 40)


def made(k: int, n: int, bias: bool = True, relu: bool = False) -> tuple[Dense, nn.Module]:
    """The same map twice: ours in float32, and torch's own in float64."""
    ours = Dense(k, n, bias=bias, relu=relu)
    linear = nn.Linear(k, n, bias).double()
    linear.load_state_dict(ours.state_dict())
    return ours, nn.Sequential(linear, nn.ReLU()) if relu else linear


def close(ours: Tensor | None, theirs: Tensor | None) -> None:
    assert ours is not None and theirs is not None
    torch.testing.assert_close(ours.double(), theirs, rtol=1e-4, atol=1e-5)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What oneDNN was asked for."""
    asked: list[str] = []
    really = dense._onednn

    def watched(input: Tensor, weight: Tensor, bias: Tensor | None, after: str) -> Tensor:
        asked.append(after)
        return really(input, weight, bias, after)

    monkeypatch.setattr(dense, "_onednn", watched)
    return asked


@given(sizes, sizes, sizes, st.booleans(), st.booleans(), st.integers(0, 9))
@settings(deadline=None)
def test_values_and_gradients_are_torchs(b: int, k: int, n: int, bias: bool, relu: bool, seed: int) -> None:
    torch.manual_seed(seed)
    ours, theirs = made(k, n, bias, relu)
    x = torch.randn(b, k, requires_grad=True)
    x64 = x.detach().double().requires_grad_()
    upper = torch.randn(b, n)
    (ours(x) * upper).sum().backward()
    (theirs(x64) * upper.double()).sum().backward()
    close(ours(x), theirs(x64))
    close(x.grad, x64.grad)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        close(mine.grad, other.grad)


def test_it_goes_through_onednn_both_ways(seen: list[str]) -> None:
    ours, _ = made(4, 3, relu=True)
    ours(torch.randn(5, 4, requires_grad=True)).sum().backward()
    assert seen == ["relu", "none"]


def test_no_gradient_of_the_input_is_computed_when_none_is_wanted(seen: list[str]) -> None:
    ours, _ = made(4, 3)
    ours(torch.randn(5, 4)).sum().backward()
    assert seen == ["none"]


@pytest.mark.parametrize("shape", [(4,), (2, 5, 4)])
def test_other_shapes_go_torchs_way(shape: tuple[int, ...], seen: list[str]) -> None:
    ours, theirs = made(4, 3, relu=True)
    x = torch.randn(shape)
    close(ours(x), theirs(x.double()))
    assert seen == []


def test_low_precision_is_left_to_autocast(seen: list[str]) -> None:
    ours, _ = made(4, 3, relu=True)
    with torch.autocast("cpu", torch.bfloat16):
        assert ours(torch.randn(5, 4)).dtype == torch.bfloat16
    assert seen == []


@pytest.mark.parametrize("relu", [False, True])
def test_a_gradient_has_a_gradient(relu: bool) -> None:
    """As a penalty on gradients asks for."""
    ours, theirs = made(4, 3, relu=relu)
    x = torch.randn(5, 4, requires_grad=True)
    x64 = x.detach().double().requires_grad_()
    for model, given_x in ((ours, x), (theirs, x64)):
        (first,) = torch.autograd.grad(model(given_x).square().sum(), given_x, create_graph=True)
        first.square().sum().backward()
    close(x.grad, x64.grad)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        close(mine.grad, torch.zeros_like(other) if other.grad is None else other.grad)


def test_views_and_no_rows_are_taken() -> None:
    ours, theirs = made(4, 3, relu=True)
    x = torch.randn(6, 8)[:, ::2]
    close(ours(x), theirs(x.double()))
    assert ours(torch.randn(0, 4)).shape == (0, 3)
