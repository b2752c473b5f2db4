"""Reading splits from disk: reading a large file through slices leaves nothing of it in this process."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from sandboxes.kit.data.arrays import ArrayRows

N, C = 400_000, 20  # 32 MB


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
def test_reading_a_file_through_leaves_little_of_it_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "ids.npy"
    np.save(file, np.arange(N * C, dtype=np.int32).reshape(N, C))
    mapped = np.load(file, mmap_mode="r")
    rows = ArrayRows(mapped, np.zeros((N, 0), np.float32), {}, None)
    total = 0
    for start in range(0, N, 20_000):
        total += int(rows.batch(slice(start, start + 20_000)).ids.sum())
        assert resident_bytes(file) < file.stat().st_size / 4
    assert total == N * C * (N * C - 1) // 2
    assert int(mapped.sum(dtype=np.int64)) == total and resident_bytes(file) > file.stat().st_size / 2  # the measure measures
