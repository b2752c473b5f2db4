"""Which sandbox is chosen, and what a person is told when none will do."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import patch

import pytest

from sandboxes import SANDBOXES, SandboxUnavailable, choose
from sandboxes.bubblewrap import BubblewrapSandbox
from sandboxes.container import ContainerSandbox, _unreachable
from sandboxes.process import ProcessSandbox


@contextmanager
def machine(docker: str | None = None, bubblewrap: str | None = None, process: str | None = None) -> Iterator[None]:
    """A machine on which these are the troubles of the sandboxes."""
    with (
        patch.object(ContainerSandbox, "available", lambda self: docker),
        patch.object(BubblewrapSandbox, "available", lambda self: bubblewrap),
        patch.object(ProcessSandbox, "available", lambda self: process),
    ):
        yield


def test_the_strongest_that_works_is_chosen() -> None:
    with machine():
        assert choose("auto", composed=False).name == "docker"
    with machine(docker="no daemon"):
        assert choose("auto", composed=False).name == "bubblewrap"
    with machine(docker="no daemon", bubblewrap="not installed"):
        assert choose("auto", composed=True).name == "process"


def test_other_code_never_gets_the_process_sandbox_unless_allowed() -> None:
    with machine(docker="no daemon; start it", bubblewrap="not installed; install it"):
        with pytest.raises(SandboxUnavailable) as said:
            choose("auto", composed=False)
        for words in ("no daemon; start it", "not installed; install it", "--allow-unsafe-sandbox"):
            assert words in str(said.value)
        assert choose("auto", composed=False, allow_unsafe=True).name == "process"


def test_a_sandbox_asked_for_by_name_is_not_replaced() -> None:
    with machine(docker="no daemon; start it"), pytest.raises(SandboxUnavailable, match="no daemon; start it"):
        choose("docker", composed=True)
    with machine(), pytest.raises(SandboxUnavailable, match="--allow-unsafe-sandbox"):
        choose("process", composed=False)
    with machine():
        assert choose("process", composed=True).name == "process"


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SandboxUnavailable) as said:
        choose("dokcer", composed=True)
    assert all(name in str(said.value) for name in ("auto", *SANDBOXES))


@pytest.mark.parametrize(
    ("error", "installed", "remedy"),
    [
        ("('Connection aborted.', PermissionError(13, 'Permission denied'))", True, "usermod -aG docker"),
        ("('Connection aborted.', FileNotFoundError(2, 'No such file or directory'))", True, "start it"),
        ("('Connection aborted.', FileNotFoundError(2, 'No such file or directory'))", False, "install it"),
    ],
)
def test_why_docker_does_not_answer(error: str, installed: bool, remedy: str) -> None:
    with patch.object(shutil, "which", lambda name: "/usr/bin/docker" if installed else None):
        assert remedy in _unreachable(error)


def test_no_daemon_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    said = ContainerSandbox().available()
    assert said and ("start it" in said or "install it" in said)


def test_no_bubblewrap_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    said = BubblewrapSandbox().available()
    assert said and "apt-get install bubblewrap" in said


@pytest.mark.parametrize(
    ("stderr", "remedy"),
    [
        (b"bwrap: No permissions to create new namespace", "allow user namespaces"),
        (b"Traceback\nPermissionError: [Errno 13] Permission denied: '/home/me/.venv/bin/python'", "open them to all users"),
    ],
)
def test_why_bubblewrap_does_not_work(stderr: bytes, remedy: str) -> None:
    with (
        patch.object(shutil, "which", lambda name: "/usr/bin/bwrap"),
        patch.object(subprocess, "run", lambda *a, **k: SimpleNamespace(returncode=1, stderr=stderr)),
    ):
        said = BubblewrapSandbox().available()
    assert said and remedy in said
