"""Sandboxes: where code that nobody has read is run, so that only data comes out."""

from sandboxes.choose import SANDBOXES, SandboxUnavailable, choose
from sandboxes.policy import Violation, violations
from sandboxes.protocol import Limits, RunRequest, RunResult, Sandbox

__all__ = [
    "SANDBOXES",
    "Limits",
    "RunRequest",
    "RunResult",
    "Sandbox",
    "SandboxUnavailable",
    "Violation",
    "choose",
    "violations",
]
