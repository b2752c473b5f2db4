"""Results of work that goes on side by side."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def results(futures: Sequence[Future[T]]) -> list[T]:
    """All results in order; the first failure, which is raised, cancels what has not started."""
    try:
        return [f.result() for f in futures]
    except BaseException:
        for f in futures:
            f.cancel()
        raise
