"""What is planted in a generated log is found, and nothing else: two seeds here, twenty in `bench.planted_features`."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.planted_features import run


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_cross_is_kept_the_leaks_are_refused_and_the_noise_is_dropped(seed: int, tmp_path: Path) -> None:
    found = run(seed, 20_000, "lr", tmp_path)
    assert found.verdict == "adopted" and found.low > 0.05
    assert found.cross and found.leaks
    assert found.noise_dropped >= 5 and found.useful_dropped == 0  # of 7 columns of noise
    assert found.kept >= 3 and found.false == 0
