"""The order of training rows: complete, repeatable, mixed well enough, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxes.kit import Batch
from sandboxes.kit.training.order import BLOCK_ROWS, shuffled

BYTES = 8 + 4  # of one row below


@dataclass
class Numbered:
    """Rows whose only id is their own number; remembers how many were asked for at once."""

    n: int
    asked: list[int] = field(default_factory=list)

    @property
    def labels(self) -> np.ndarray | None:
        return np.zeros((self.n, 1), np.float32)

    def __len__(self) -> int:
        return self.n

    def batch(self, rows: np.ndarray | slice) -> Batch:
        ids = torch.arange(self.n)[rows].unsqueeze(1)
        self.asked.append(len(ids))
        return Batch(ids, torch.zeros(len(ids), 0), labels=ids.float())


def order(rows: Numbered, batch_size: int, window: int, seed: int = 0) -> list[list[int]]:
    batches = shuffled(rows, batch_size, torch.Generator().manual_seed(seed), window_bytes=window * BYTES)
    return [b.ids[:, 0].tolist() for b in batches]


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 60_000), batch=st.integers(1, 9000), window=st.integers(1, 70_000), seed=st.integers(0, 99))
def test_every_row_comes_once(n: int, batch: int, window: int, seed: int) -> None:
    batches = order(Numbered(n), max(batch, n // 200), window, seed)
    assert sorted(row for b in batches for row in b) == list(range(n))
    assert max(map(len, batches)) <= max(batch, n // 200)


@pytest.mark.parametrize("window", [10**6, 3 * BLOCK_ROWS])
def test_the_same_generator_gives_the_same_order_and_goes_on_to_another(window: int) -> None:
    n, generator = 30_000, torch.Generator().manual_seed(7)
    first, second = (
        [b.ids[:, 0].tolist() for b in shuffled(Numbered(n), 1000, generator, window_bytes=window * BYTES)] for _ in range(2)
    )
    assert first == order(Numbered(n), 1000, window, seed=7) != second


def test_a_large_split_is_read_in_blocks_and_never_more_than_a_window_at_once() -> None:
    rows = Numbered(40 * BLOCK_ROWS + 5)
    batches = shuffled(rows, 512, torch.Generator().manual_seed(0), window_bytes=4 * BLOCK_ROWS * BYTES)
    next(batches)
    assert sum(rows.asked[1:]) <= 4 * BLOCK_ROWS
    assert max(rows.asked) <= BLOCK_ROWS


def test_rows_of_a_batch_come_from_all_over_the_table() -> None:
    n = 64 * BLOCK_ROWS
    whole, windows = order(Numbered(n), 4096, n), order(Numbered(n), 4096, 16 * BLOCK_ROWS)
    assert len(whole) == len(windows)
    for b in windows:
        assert np.std(b) > 0.15 * n
        assert len({row // BLOCK_ROWS for row in b}) >= 14
