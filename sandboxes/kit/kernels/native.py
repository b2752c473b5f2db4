"""Compiles touched_rows.cpp once for this machine's processor and loads it.

The library lies in `built/` beside this file, so that a sandbox, which mounts the kit but may not write to it, finds what the
host has made. Where there is no compiler, or no place to write, there is no library, and callers do it in torch.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).with_name("touched_rows.cpp")
BUILT = Path(__file__).with_name("built")
COMPILERS = ("c++", "g++", "clang++")
FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-std=c++17", "-shared", "-fPIC")
COMPILE_LIMIT_S = 60.0

_pointer, _whole, _real = ctypes.c_void_p, ctypes.c_int64, ctypes.c_float
_ADAM = [_real] * 4  # learning rate, beta1, beta2, epsilon
_SIGNATURES = {
    # weight, moments, last, width, rows, n, now, Adam, sum, lag_sum, top, part, parts
    "bring_up": [_pointer, _pointer, _pointer, _whole, _pointer, _whole, _whole, *_ADAM, _pointer, _pointer, *[_whole] * 3],
    # weight, moments, last, slot, width, rows, gradients, n, now, Adam, part, parts
    "update": [_pointer, _pointer, _pointer, _pointer, _whole, _pointer, _pointer, _whole, _whole, *_ADAM, _whole, _whole],
}


@cache
def library() -> ctypes.CDLL | None:
    """The compiled functions `bring_up` and `update`, or None where they cannot be had."""
    file = BUILT / f"touched_rows-{_key()}.so"
    if not file.exists() and not _compile(file):
        return None
    try:
        loaded = ctypes.CDLL(str(file))
    except OSError:  # made for another C library: a container that is older than the host
        return None
    for name, arguments in _SIGNATURES.items():
        function = getattr(loaded, name)
        function.argtypes, function.restype = arguments, None
    return loaded


def _compile(file: Path) -> bool:
    """Whether `file` is there now. It appears complete or not at all, whoever else compiles at the same time."""
    compiler = next((found for name in COMPILERS if (found := shutil.which(name))), None)
    if compiler is None:
        return False
    try:
        file.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            made = Path(folder) / file.name
            command = [compiler, *FLAGS, "-o", str(made), str(SOURCE), "-lm"]
            subprocess.run(command, check=True, capture_output=True, timeout=COMPILE_LIMIT_S)
            made.rename(file)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _key() -> str:
    """A hash of the source and of the processor that it is compiled for."""
    try:
        said = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        processor = next((line for line in said.splitlines() if line.startswith(("flags", "Features"))), "")
    except OSError:
        processor = ""
    content = f"{os.name} {platform.machine()} {processor} {FLAGS}".encode() + SOURCE.read_bytes()
    return hashlib.sha256(content).hexdigest()[:16]
