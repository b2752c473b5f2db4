"""Sends what a job left in out/: regular files directly in it, and a sentence for anything else. Links are never followed."""

# Descriptors and plain paths: this runs many times a second, beside code that plays tricks with links.
# ruff: noqa: PTH118, PTH208

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator

from sandboxes.inside import frames

MOST_FILES = 64
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def send_outputs(stream: int, work: str) -> None:
    """Writes FILE, DATA and BAD frames to the descriptor `stream`."""
    try:
        folder = os.open(os.path.join(work, "out"), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        _bad(stream, "out/ is no longer a folder")
        return
    names = sorted(os.listdir(folder))
    if len(names) > MOST_FILES:
        _bad(stream, f"out/ holds {len(names)} entries, more than {MOST_FILES}")
    for name in names[:MOST_FILES]:
        fault = _send_file(stream, folder, name)
        if fault:
            _bad(stream, f"out/{ascii(name)[1:-1][:80]} {fault}")


def open_regular(work: str, name: str) -> int | None:
    """A descriptor of the regular file out/`name`; None for whatever else that is, without waiting for it."""
    try:
        folder = os.open(os.path.join(work, "out"), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        return None
    finally:
        os.close(folder)
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    return None


def _send_file(stream: int, folder: int, name: str) -> str:
    """Sends one output, or says why not."""
    info = os.lstat(name, dir_fd=folder)
    if not stat.S_ISREG(info.st_mode):
        return f"is {_KINDS.get(stat.S_IFMT(info.st_mode), 'not a file')}"
    if info.st_nlink != 1:
        return "has a second name (a hard link)"
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    try:
        opened = os.fstat(fd)
        if (opened.st_dev, opened.st_ino) != (info.st_dev, info.st_ino):
            return "changed while it was read"
        frames.send(stream, frames.FILE, json.dumps({"name": name, "size": opened.st_size}).encode())
        for chunk in _chunks(fd, opened.st_size):
            frames.send(stream, frames.DATA, chunk)
    finally:
        os.close(fd)
    return ""


def _chunks(fd: int, size: int) -> Iterator[bytes]:
    while size > 0 and (chunk := os.read(fd, min(size, frames.LARGEST))):
        size -= len(chunk)
        yield chunk


def _bad(stream: int, sentence: str) -> None:
    frames.send(stream, frames.BAD, sentence.encode())
