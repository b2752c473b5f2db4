"""The stream from a sandbox to the host: frames of a kind (one byte), a length (four bytes) and that many bytes."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

STARTED = b"S"  # the job runs
STDOUT, STDERR = b"O", b"E"  # what it printed
PROGRESS = b"P"  # what was added to out/progress.jsonl
QUIT = b"Q"  # the job has ended; its outputs follow
FILE = b"N"  # an output begins: JSON {"name", "size"}
DATA = b"D"  # the next bytes of that output
BAD = b"B"  # something in out/ that may not come back: a sentence
END = b"X"  # the last frame: JSON {"exit_code", "over", "reason"}

KINDS = frozenset((STARTED, STDOUT, STDERR, PROGRESS, QUIT, FILE, DATA, BAD, END))
LARGEST = 1 << 20  # bytes in one frame
_HEADER = struct.Struct(">cI")


class BrokenStream(Exception):
    """What arrived is not a stream of frames: the sandbox did not start, or the code wrote into the stream."""


def send(fd: int, kind: bytes, payload: bytes = b"") -> None:
    """Writes one frame, whole. Raises OSError when the host is gone."""
    rest = memoryview(_HEADER.pack(kind, len(payload)) + payload)
    while rest:
        rest = rest[os.write(fd, rest) :]


class FrameReader:
    """Cuts a byte stream into frames; holds at most one unfinished frame."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, chunk: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The frames that `chunk` completes, in order. Raises `BrokenStream`."""
        self._held += chunk
        while len(self._held) >= _HEADER.size:
            kind, length = _HEADER.unpack_from(self._held)
            if kind not in KINDS or length > LARGEST:
                raise BrokenStream("the stream from the sandbox is not made of frames")
            if len(self._held) < _HEADER.size + length:
                return
            payload = bytes(self._held[_HEADER.size : _HEADER.size + length])
            del self._held[: _HEADER.size + length]
            yield kind, payload
