"""A container's standard streams over the daemon's socket: frames from its output, the lifeline to its input."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Any

_HEADER = struct.Struct(">BxxxI")  # the daemon's: stream number, length
_STDERR = 2
_MOST_COMPLAINTS = 64 << 10


class Attached:
    """A `Channel` over an attached container. The daemon closes the container's input when this socket goes."""

    def __init__(self, stream: Any) -> None:
        """`stream` is what the Docker library returns for an attached socket: a wrapper on a unix socket, or a plain one."""
        self._stream = stream
        self._socket: socket.socket = getattr(stream, "_sock", stream)
        self._socket.settimeout(None)
        self._left, self._kind = 0, 0
        self._said = b""

    def read(self) -> bytes:
        """The next bytes that the first process sent as frames."""
        while True:
            if self._left == 0:
                header = self._exactly(_HEADER.size)
                if not header:
                    return b""
                self._kind, self._left = _HEADER.unpack(header)
                continue
            chunk = self._socket.recv(min(self._left, 1 << 16))
            self._left -= len(chunk)
            if not chunk:
                return b""
            if self._kind != _STDERR:
                return chunk
            self._said = (self._said + chunk)[-_MOST_COMPLAINTS:]

    def complaints(self) -> str:
        """What the first process itself said on standard error."""
        return self._said.decode("utf-8", "replace")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._stream.close()

    def _exactly(self, size: int) -> bytes:
        """`size` bytes, or b"" when the stream ends before."""
        got = b""
        while len(got) < size:
            chunk = self._socket.recv(size - len(got))
            if not chunk:
                return b""
            got += chunk
        return got
