"""Finds the real papers and data sets that may stand beside the checkout; tests that need them skip without them."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def shared(name: str) -> Path | None:
    """The file or folder `name` under the folder `shared` beside the checkout, or None."""
    path = ROOT.parent / "shared" / name
    return path if path.exists() else None


def need_shared(name: str) -> Path:
    """The same, but skips the calling test when it is not there."""
    path = shared(name)
    if path is None:
        pytest.skip(f"no {name} beside the checkout")
    return path
