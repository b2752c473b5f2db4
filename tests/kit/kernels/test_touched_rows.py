"""Updating touched rows only: it is dense Adam, and compiled and in torch alike. Notation: V rows, D width."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from sandboxes.kit.kernels import native
from sandboxes.kit.kernels.touched_rows import AdamSettings, TableRows, fading_sums

V, D = 40, 3
ADAM = AdamSettings(learning_rate=0.01)


def lookups(steps: int, seed: int, often: int = 2) -> Iterator[tuple[Tensor, Tensor]]:
    """A few rows a step, some twice, common rows more often, with gradients about as small as those of a mean loss."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        rows = (V * torch.rand(6, generator=generator) ** often).long()
        yield rows, torch.randn(6, D, generator=generator) * 1e-4


def dense(steps: int, seed: int) -> Tensor:
    weight = nn.Parameter(start())
    optimizer = torch.optim.Adam([weight], lr=ADAM.learning_rate)
    for rows, gradients in lookups(steps, seed):
        weight.grad = torch.zeros(V, D).index_add_(0, rows, gradients)
        optimizer.step()
    return weight.detach()


def touched(steps: int, seed: int, compiled: bool, threads: int = 1) -> TableRows:
    table = TableRows(start(), ADAM, compiled=compiled, threads=threads)
    for number, (rows, gradients) in enumerate(lookups(steps, seed), start=1):
        table.bring_up(rows.reshape(2, 3), number - 1)
        table.update(rows, gradients, number)
    table.bring_all_up(steps)
    return table


def start() -> Tensor:
    return torch.randn(V, D, generator=torch.Generator().manual_seed(99))


@pytest.mark.parametrize("steps", [1, 2, 10, 100, 1500])
def test_it_ends_where_dense_adam_ends(steps: int) -> None:
    moved = (dense(steps, seed=1) - start()).abs().mean()
    apart = (touched(steps, seed=1, compiled=False).weight - dense(steps, seed=1)).abs()
    assert apart.mean() < 0.01 * moved
    assert apart.max() < 0.1 * moved


def test_leaving_out_the_steps_in_between_would_not_end_there() -> None:
    table = TableRows(start(), ADAM, compiled=False)
    for number, (rows, gradients) in enumerate(lookups(100, seed=1), start=1):
        table.update(rows, gradients, number)
    apart = (table.weight - dense(100, seed=1)).abs().mean()
    assert apart > 0.1 * (dense(100, seed=1) - start()).abs().mean()


@pytest.mark.skipif(native.library() is None, reason="no C++ compiler")
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**20), steps=st.integers(1, 60), threads=st.sampled_from([1, 2, 3, 4]))
def test_compiled_and_in_torch_give_the_same(seed: int, steps: int, threads: int) -> None:
    compiled, plain = touched(steps, seed, compiled=True, threads=threads), touched(steps, seed, compiled=False)
    assert compiled.compiled and not plain.compiled
    torch.testing.assert_close(compiled.weight, plain.weight, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(compiled.moments, plain.moments, rtol=1e-4, atol=1e-12)
    assert torch.equal(compiled.last, plain.last)


def test_rows_that_were_never_looked_up_stay_as_they_were() -> None:
    table = touched(30, seed=3, compiled=False)
    never = torch.ones(V, dtype=torch.bool)
    for rows, _ in lookups(30, seed=3):
        never[rows] = False
    assert never.any()
    assert torch.equal(table.weight[never], start()[never])


def test_bringing_up_twice_is_bringing_up_once() -> None:
    table = touched(20, seed=5, compiled=False)
    before = table.weight.clone()
    table.bring_up(torch.arange(V), 20)
    assert torch.equal(table.weight, before)


@pytest.mark.parametrize(("s", "k"), [(0, 1), (1, 5), (7, 300), (600, 12)])
def test_the_tables_give_the_sums(s: int, k: int) -> None:
    sums, lag_sums = fading_sums(0.9)
    from_s, to = min(s, len(sums) - 1), min(s + k, len(sums) - 1)
    terms = [0.9**i / (1 - 0.9 ** (s + i)) for i in range(1, k + 1)]
    assert (sums[from_s] - 0.9**k * sums[to]).item() == pytest.approx(sum(terms), rel=1e-4)
    with_lag = sum(i * term for i, term in enumerate(terms, start=1))
    assert (lag_sums[from_s] - 0.9**k * (k * sums[to] + lag_sums[to])).item() == pytest.approx(with_lag, rel=1e-4)


@pytest.mark.skipif(not any(map(shutil.which, native.COMPILERS)), reason="no C++ compiler")
def test_a_compiler_gives_a_library() -> None:
    assert native.library() is not None


def test_without_a_compiler_there_is_no_library(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(native, "BUILT", tmp_path / "built")
    monkeypatch.setattr(native, "COMPILERS", ("no-such-compiler",))
    assert native.library.__wrapped__() is None
    assert TableRows(start(), ADAM, compiled=False).compiled is False
