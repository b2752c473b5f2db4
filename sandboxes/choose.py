"""Which sandbox runs what: the strongest wall that works here, and never silently a weaker one than was asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, get_args

from sandboxes.bubblewrap import BubblewrapSandbox
from sandboxes.container import ContainerSandbox
from sandboxes.process import ProcessSandbox
from sandboxes.protocol import Sandbox

SandboxName = Literal["auto", "docker", "bubblewrap", "process"]

# Strongest first. A new sandbox: one file, one line here, and the contract tests.
SANDBOXES: Mapping[str, Callable[[], Sandbox]] = MappingProxyType(
    {
        "docker": ContainerSandbox,
        "bubblewrap": BubblewrapSandbox,
        "process": ProcessSandbox,
    }
)


class SandboxUnavailable(Exception):
    """No sandbox that may run this code works here; the text is one sentence with the remedy."""


def choose(name: str, *, composed: bool, allow_unsafe: bool = False) -> Sandbox:
    """The sandbox `name`, or for "auto" the first of `SANDBOXES` that works here and may run such code.

    `composed` says that the code holds only the kit's own blocks; `allow_unsafe` lets other code run without a wall.
    Raises `SandboxUnavailable`; a sandbox asked for by name is never replaced by another.
    """
    if name == "auto":
        return _first(composed, allow_unsafe)
    if name not in SANDBOXES:
        raise SandboxUnavailable(f"there is no sandbox {name!r}; choose one of {', '.join(get_args(SandboxName))}")
    if name == "process" and not (composed or allow_unsafe):
        raise SandboxUnavailable(
            "the process sandbox has no wall, and this code is not composed from the kit's blocks; "
            "use docker or bubblewrap, or say --allow-unsafe-sandbox"
        )
    sandbox = _make(name, allow_unsafe)
    trouble = sandbox.available()
    if trouble:
        raise SandboxUnavailable(trouble)
    return sandbox


def _first(composed: bool, allow_unsafe: bool) -> Sandbox:
    troubles = []
    for name in SANDBOXES:
        if name == "process" and not (composed or allow_unsafe):
            troubles.append(
                "process has no wall and runs only code composed from the kit's own blocks, which this is not; "
                "say --allow-unsafe-sandbox to run it with your own rights all the same"
            )
            continue
        sandbox = _make(name, allow_unsafe)
        trouble = sandbox.available()
        if trouble is None:
            return sandbox
        troubles.append(f"{name}: {trouble}")
    numbered = ". ".join(f"({number}) {trouble}" for number, trouble in enumerate(troubles, start=1))
    raise SandboxUnavailable(f"no sandbox can run this code here; put one of these right. {numbered}")


def _make(name: str, allow_unsafe: bool) -> Sandbox:
    return ProcessSandbox(allow_unsafe) if name == "process" else SANDBOXES[name]()
