"""A real Chroma server on loopback, in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST_START_S = 60


@contextmanager
def chroma_server(folder: Path) -> Iterator[str]:
    """Its address; what it keeps lies in `folder`. It ends with the block."""
    process, address = begun_server(folder)
    try:
        yield address
    finally:
        end_server(process)


def begun_server(folder: Path, port: int = 0) -> tuple[subprocess.Popen[bytes], str]:
    """A server that answers, and its address; without a port it takes a free one."""
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
        port = free.getsockname()[1]
    words = [Path(sys.executable).with_name("chroma"), "run", "--path", folder, "--host", "127.0.0.1", "--port", port]
    process = subprocess.Popen(
        list(map(str, words)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"ANONYMIZED_TELEMETRY": "False"},
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, process)
    except BaseException:
        end_server(process)
        raise
    return process, address


def end_server(process: subprocess.Popen[bytes]) -> None:
    """At once: asked to end, it waits for seconds until its clients have gone."""
    process.kill()
    process.wait(20)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + LONGEST_START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/api/v2/heartbeat", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the Chroma server did not start")
