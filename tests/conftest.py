"""What holds for every test: a service that must be there is not skipped for, and the end says what was skipped and why."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest

REQUIRE = "AGENTICRS_REQUIRE_SERVICES"  # set where the services are known to be there, as in .ci/run
SERVICES = re.compile(r"\b(docker|bubblewrap|bwrap|redis)\b", re.IGNORECASE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """With `AGENTICRS_REQUIRE_SERVICES=1`, a skip whose reason names Docker, bubblewrap or Redis is a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get(REQUIRE) == "1" and SERVICES.search(_reason(report)):
        report.outcome = "failed"
        report.longrepr = f"skipped although {REQUIRE}=1: {_reason(report)}"
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Every reason for skipping, with how many tests it kept from running."""
    reasons = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", []))
    if not reasons:
        return
    terminalreporter.section("skipped, and why")
    for reason, count in reasons.most_common():
        terminalreporter.line(f"{count:5d}  {reason}")


def _reason(report: Any) -> str:
    """The sentence of a skipped report, whose `longrepr` is (file, line, "Skipped: sentence")."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")
