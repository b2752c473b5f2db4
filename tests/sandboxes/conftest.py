"""Every sandbox under the same tests: `sandbox` for what all three hold, `wall` for what only docker and bubblewrap promise."""

from __future__ import annotations

from pathlib import Path

import pytest
from sandbox_host import MAKERS, WALLS, Bench, bench, trouble


@pytest.fixture(params=tuple(MAKERS))
def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return bench(request.param, tmp_path)


@pytest.fixture(params=WALLS)
def wall(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return bench(request.param, tmp_path)


@pytest.fixture
def any_sandbox(tmp_path: Path) -> Bench:
    """For what is the same code in every sandbox: the quickest wall, else whatever works here."""
    return bench(next((name for name in ("bubblewrap", *MAKERS) if trouble(name) is None), "process"), tmp_path)
