"""Reading splits from disk: reading a large file through slices leaves nothing of it in this process."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from sandboxes.kit.data.arrays import ArrayRows
from sandboxes.kit.training.order import BLOCK_ROWS

N = 400_000


def resident_bytes(of: Path) -> int:
    """How much of the file is mapped into this process's memory at the moment."""
    total, inside = 0, False
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        if "-" in line.split()[0] and ":" not in line.split()[0]:
            inside = line.endswith(str(of))
        elif inside and line.startswith("Rss:"):
            total += int(line.split()[1]) * 1024
    return total


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(("columns", "at_once"), [(20, 20_000), (20, BLOCK_ROWS), (1, BLOCK_ROWS)])
def test_reading_a_file_through_leaves_little_of_it_in_memory(tmp_path: Path, columns: int, at_once: int) -> None:
    """As much as training reads at once, of narrow files as of wide ones."""
    file, cells = tmp_path / "ids.npy", N * columns
    np.save(file, np.arange(cells, dtype=np.int32).reshape(N, columns))
    mapped = np.load(file, mmap_mode="r")
    rows = ArrayRows(mapped, np.zeros((N, 0), np.float32), {}, None)
    total = 0
    for start in range(0, N, at_once):
        total += int(rows.batch(slice(start, start + at_once)).ids.sum())
        assert resident_bytes(file) < file.stat().st_size / 4
    assert total == cells * (cells - 1) // 2
    assert int(mapped.sum(dtype=np.int64)) == total and resident_bytes(file) > file.stat().st_size / 2  # the measure measures
