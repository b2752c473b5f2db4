"""A first process started as a child of ours: its frames from a pipe, its lifeline, and its own complaints."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path


class Child:
    """A `Channel` over a subprocess. The lifeline is its standard input: it closes with this process, however that ends."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        """Raises OSError when the program cannot be started."""
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self.process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self._out = self.process.stdout

    def read(self) -> bytes:
        return os.read(self._out.fileno(), 1 << 16)

    def complaints(self) -> str:
        """What the first process or its starter said on standard error: never the job's own words, which come as frames."""
        self._said.seek(0)
        return self._said.read(1 << 16).decode("utf-8", "replace")

    def hang_up(self, wait_s: float) -> bool:
        """Closes the lifeline and waits; whether the child ended by itself."""
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        try:
            self.process.wait(wait_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """Ends the child and its process group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Frees the descriptors; call it once the child has ended."""
        for file in (self.process.stdin, self._out, self._said):
            if file is not None:
                with contextlib.suppress(OSError):
                    file.close()
