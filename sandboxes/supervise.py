"""The host's side of a run: reads a sandbox's frames, watches clock, caller and printed bytes, and says how the run ended.

What arrives is untrusted: it can only choose between the ways in which a run may end, and give data that is checked.
"""

from __future__ import annotations

import codecs
import json
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from sandboxes.inside import frames
from sandboxes.outputs import MB, Receiver
from sandboxes.protocol import Limits, Status

TAIL_BYTES = 64 << 10
COLLECT_S = 8.0  # for the outputs to arrive once the job has ended
MOST_PROGRESS = 16 * MB
MOST_LINES = 50_000  # each is a call to the caller
LONGEST_LINE = 64 << 10
_POLL_S = 0.1


class Channel(Protocol):
    """The bytes that come out of a sandbox."""

    def read(self) -> bytes:
        """Blocks for the next bytes; b"" at the end, also after the sandbox was killed."""
        ...


@dataclass
class Ending:
    """How a run ended, before it is put together with what the sandbox itself knows (kernel kills, start-up errors)."""

    status: Status
    reason: str = ""
    exit_code: int | None = None
    started: bool = False
    stdout: bytes = b""
    stderr: bytes = b""


@dataclass
class Supervisor:
    """Follows one run to its end. The caller kills the sandbox afterwards, whatever the ending."""

    limits: Limits
    receiver: Receiver
    progress: Callable[[str], None] | None = None
    cancelled: Callable[[], bool] | None = None
    _ending: Ending = field(default_factory=lambda: Ending("failed"))
    _done: threading.Event = field(default_factory=threading.Event)
    _pump: threading.Thread | None = None
    _printed: int = 0
    _lines: LineCutter = field(default_factory=lambda: LineCutter())

    def follow(self, channel: Channel) -> Ending:
        """Returns within `limits.timeout_s` plus `COLLECT_S`."""
        chunks: queue.Queue[bytes] = queue.Queue(maxsize=64)
        self._pump = threading.Thread(target=_pump, args=(channel, chunks, self._done), daemon=True, name="sandbox-output")
        self._pump.start()
        try:
            self._follow(chunks)
        except frames.BrokenStream as error:
            self._end("failed", str(error))
        finally:
            self._done.set()
        return self._ending

    def join(self) -> None:
        """Waits until nothing reads the channel any more; call it once the sandbox is gone and before the channel is closed."""
        if self._pump is not None:
            self._pump.join(5.0)

    def _follow(self, chunks: queue.Queue[bytes]) -> None:
        reader, deadline, quit_ = frames.FrameReader(), time.monotonic() + self.limits.timeout_s, False
        while True:
            if time.monotonic() > deadline:
                return self._end("timed_out", f"the code ran longer than {self.limits.timeout_s:g} s")
            if self.cancelled is not None and self.cancelled():
                return self._end("cancelled", "the run was cancelled")
            try:
                chunk = chunks.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if not chunk:
                return self._end("failed", "the sandbox ended without saying how")
            for kind, payload in reader.feed(chunk):
                if kind == frames.QUIT and not quit_:
                    deadline, quit_ = time.monotonic() + COLLECT_S, True
                if self._frame(kind, payload):
                    return None

    def _frame(self, kind: bytes, payload: bytes) -> bool:
        """Takes one frame; True when it ends the run."""
        ending = self._ending
        if kind == frames.STARTED:
            ending.started = True
        elif kind in (frames.STDOUT, frames.STDERR):
            return self._print(kind, payload)
        elif kind == frames.PROGRESS:
            return self._advance(payload)
        elif kind == frames.FILE:
            self.receiver.begin(payload)
        elif kind == frames.DATA:
            self.receiver.data(payload)
        elif kind == frames.BAD:
            self.receiver.close()
            self.receiver.refuse(_plain(payload.decode("utf-8", "replace")))
        elif kind == frames.END:
            self.receiver.close()
            self._conclude(payload)
            return True
        return False

    def _print(self, kind: bytes, payload: bytes) -> bool:
        name = "stdout" if kind == frames.STDOUT else "stderr"
        setattr(self._ending, name, (getattr(self._ending, name) + payload)[-TAIL_BYTES:])
        self._printed += len(payload)
        if self._printed <= self.limits.stdout_mb * MB:
            return False
        self._end("over_limit", f"the code printed more than {self.limits.stdout_mb} MB")
        return True

    def _advance(self, payload: bytes) -> bool:
        lines = self._lines.feed(payload)
        if self._lines.taken > MOST_PROGRESS or self._lines.cut > MOST_LINES:
            most = f"{MOST_PROGRESS // MB} MB or {MOST_LINES} lines"
            self._end("over_limit", f"the code wrote more than {most} to out/progress.jsonl")
            return True
        for line in lines:
            if self.progress is not None:
                self.progress(line)
        return False

    def _conclude(self, payload: bytes) -> None:
        try:
            said = json.loads(payload)
            code, over, reason = said["exit_code"], str(said["over"]), _plain(str(said["reason"]))
        except (ValueError, TypeError, KeyError, RecursionError):
            return self._end("failed", "the sandbox ended without saying how")
        self._ending.exit_code = code if isinstance(code, int) else None
        if over == "memory":
            return self._end("out_of_memory", reason or f"the code used more than {self.limits.memory_mb} MB of memory")
        if over:
            return self._end("over_limit", reason)
        if code != 0:
            return self._end(*_failure(code, self._ending.stderr))
        if self.receiver.fault:
            return self._end("bad_output", self.receiver.fault)
        return self._end("ok", "")

    def _end(self, status: Status, reason: str) -> None:
        self._ending.status, self._ending.reason = status, reason


class LineCutter:
    """Cuts text into complete lines; overlong ones are dropped. `taken` counts bytes, `cut` lines."""

    def __init__(self) -> None:
        self.taken = self.cut = 0
        self._decode = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self._skipping = False

    def feed(self, chunk: bytes) -> list[str]:
        self.taken += len(chunk)
        *complete, self._held = (self._held + self._decode.decode(chunk)).split("\n")
        self.cut += len(complete)
        if complete and self._skipping:
            complete, self._skipping = complete[1:], False
        if len(self._held) > LONGEST_LINE:
            self._held, self._skipping = "", True
        return [line for line in complete if len(line) <= LONGEST_LINE]


def _plain(text: str) -> str:
    """Words of a sandbox as they may stand in a sentence for a person: short, and without codes that steer a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:300])


def _failure(code: object, stderr: bytes) -> tuple[Status, str]:
    last = (stderr.decode("utf-8", "replace").strip().splitlines() or [""])[-1]
    if last.startswith("MemoryError"):
        return "out_of_memory", "the code asked for more memory than it may have"
    if isinstance(code, int) and code < 0:
        return "failed", f"the code was ended by signal {-code}"
    return "failed", f"the code ended with exit code {code}" + (f": {_plain(last)}" if last else "")


def _pump(channel: Channel, chunks: queue.Queue[bytes], done: threading.Event) -> None:
    """Moves bytes to the queue until the channel ends; the bounded queue makes a flood wait in the sandbox, not here.

    Once the run is `done`, bytes are read and dropped, so that a sandbox being ended is never stuck on a full pipe.
    """
    chunk = b"-"
    while chunk:
        try:
            chunk = channel.read()
        except (OSError, ValueError):  # killed under our hands
            chunk = b""
        while not done.is_set():
            try:
                chunks.put(chunk, timeout=_POLL_S)
                break
            except queue.Full:
                continue
