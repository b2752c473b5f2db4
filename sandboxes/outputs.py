"""Receives what a sandbox left and checks it: only plain data of known kinds, of bounded size, comes to rest on the host.

It does not judge the numbers: an array of nonsense is still an array.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

MB = 1 << 20
MOST_FILES = 64
DEEPEST_JSON = 64
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_SAFETENSORS_BYTES = {
    1: ("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"),
    2: ("U16", "I16", "F16", "BF16"),
    4: ("U32", "I32", "F32"),
    8: ("U64", "I64", "F64"),
}
_SAFETENSORS_TYPES = {name: size for size, names in _SAFETENSORS_BYTES.items() for name in names}


class BadOutput(Exception):
    """Something that may not come back; the text is what is said of the file, such as "is not UTF-8 text"."""


class Receiver:
    """Writes outputs into `folder` as they arrive, at most `most_bytes` in all; keeps what passes the checks.

    Files are made new by the host under checked names, so that nothing a sandbox does can be a link or a device here.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.fault = ""  # the first thing that was wrong, as a sentence
        self.kept: dict[str, Path] = {}
        self._folder, self._room = folder, most_bytes
        self._count, self._fd, self._name, self._due = 0, -1, "", 0

    def begin(self, header: bytes) -> None:
        """A file begins; `header` is JSON {"name", "size"}."""
        self.close()
        try:
            said = json.loads(header)
            name, size = str(said["name"]), int(said["size"])
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            self.refuse("the sandbox sent an output without a name")
            return
        self._count += 1
        fault = self._unwelcome(name, size)
        if fault:
            self.refuse(f"out/{ascii(name)[1:-1][:80]} {fault}")
            return
        path = self._folder / name
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        self._name, self._due, self._room = name, size, self._room - size

    def data(self, chunk: bytes) -> None:
        """More of the file that has begun; ignored after a refused beginning, and beyond the announced size."""
        if self._fd < 0:
            return
        chunk = chunk[: self._due]
        self._due -= len(chunk)
        while chunk:
            chunk = chunk[os.write(self._fd, chunk) :]

    def close(self) -> None:
        """The file is complete: checks it, and removes it when it is not what its name says."""
        if self._fd < 0:
            return
        os.close(self._fd)
        path, self._fd = self._folder / self._name, -1
        try:
            if self._due:
                raise BadOutput("changed while it was read")
            check(path)
        except BadOutput as error:
            path.unlink()
            self.refuse(f"out/{self._name} {error}")
        else:
            self.kept[self._name] = path

    def discard(self) -> None:
        """Removes everything: the run did not come to an end that gives outputs."""
        if self._fd >= 0:
            os.close(self._fd)
            (self._folder / self._name).unlink(missing_ok=True)
            self._fd = -1
        for path in self.kept.values():
            path.unlink(missing_ok=True)
        self.kept.clear()

    def refuse(self, sentence: str) -> None:
        self.fault = self.fault or sentence

    def _unwelcome(self, name: str, size: int) -> str:
        if not _NAME.fullmatch(name):
            return "has a name that may not come back: letters, digits, '_', '-' and '.' only"
        if Path(name).suffix not in CHECKS:
            return f"is of a kind that may not come back; allowed are {', '.join(CHECKS)}"
        if name in self.kept or self._count > MOST_FILES:
            return f"is one too many: at most {MOST_FILES} files, each once"
        if size > (most := min(self._room, LARGEST.get(Path(name).suffix, self._room))) or size < 0:
            return f"is {size} bytes, more than the {most} that may come back"
        return ""


def check(path: Path) -> None:
    """Raises `BadOutput` unless the file holds what its ending says. Never unpickles, never imports."""
    CHECKS[path.suffix](path)


def check_npy(path: Path) -> None:
    """A plain array of numbers or booleans whose header and size agree."""
    from numpy.lib import format as npy

    with path.open("rb") as file:
        try:
            version = npy.read_magic(file)
            read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
            shape, _, dtype = read(file)
        except (ValueError, KeyError, SyntaxError, TypeError, RecursionError, MemoryError):
            raise BadOutput("is not a readable .npy array") from None
        rest = path.stat().st_size - file.tell()
    if dtype.hasobject or dtype.kind not in "biuf":
        raise BadOutput("holds Python objects or records; only numbers and booleans may come back")
    if any(side < 0 for side in shape) or math.prod(shape) * dtype.itemsize != rest:
        raise BadOutput(f"has {rest} bytes of data, which is not what its header says")


def check_json(path: Path) -> None:
    """JSON that parses, nested at most `DEEPEST_JSON` deep."""
    text = _text(path)
    if _depth(text) > DEEPEST_JSON:
        raise BadOutput(f"is nested deeper than {DEEPEST_JSON}")
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        raise BadOutput("is not valid JSON") from None


def check_text(path: Path) -> None:
    _text(path)


def check_safetensors(path: Path) -> None:
    """A header whose tensors have known types and lie inside the file, without gaps in their sizes."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, 16 * MB):
            raise BadOutput("is not a safetensors file")
        raw = file.read(length)
    try:
        header = json.loads(raw)
        header.pop("__metadata__", None)
        ends = [_tensor_end(entry) for entry in header.values()]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise BadOutput("has a safetensors header that does not hold together") from None
    if max(ends, default=0) != size - 8 - length:
        raise BadOutput("has a safetensors header that does not fit its size")


def _tensor_end(entry: Mapping[str, Any]) -> int:
    """Where a tensor of the header ends. Raises ValueError, KeyError or TypeError when its entry does not hold together."""
    shape, (begin, end) = [int(side) for side in entry["shape"]], [int(offset) for offset in entry["data_offsets"]]
    if min([begin, *shape]) < 0 or end - begin != math.prod(shape) * _SAFETENSORS_TYPES[str(entry["dtype"])]:
        raise ValueError
    return end


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadOutput("is not UTF-8 text") from None


def _depth(text: str) -> int:
    """How deep brackets nest outside strings: counted before parsing, since parsers recurse."""
    bare = re.sub(r'(?s)"(?:[^"\\]++|\\.)*+"?', "", text)  # a string that never ends is one too: else every quote starts a search
    deepest = depth = 0
    for bracket in re.findall(r"[\[\]{}]", bare):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


CHECKS: Mapping[str, Callable[[Path], None]] = MappingProxyType(
    {
        ".npy": check_npy,
        ".json": check_json,
        ".jsonl": check_text,
        ".safetensors": check_safetensors,
        ".txt": check_text,
    }
)
LARGEST = MappingProxyType({".json": 4 * MB, ".jsonl": 64 * MB, ".txt": 16 * MB})  # bytes; others: the disk limit
