"""Reads LaTeX sources out of archives and folders, in memory, within limits; nothing is ever unpacked to disk."""

from __future__ import annotations

import gzip
import io
import posixpath
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, NoReturn

from agents.autotrain.reading.latex_files import inputs_of
from agents.clean import decode
from agents.errors import UnreadablePaper

MAX_MEMBERS = 3000
MAX_MEMBER_BYTES = 20 * 2**20  # of one file that is read
MAX_UNPACKED_BYTES = 300 * 2**20  # of everything the archive inflates to, read or skipped
MAX_TEXT_BYTES = 30 * 2**20  # of all files that are read
TEXT_ENDINGS = (".tex", ".ltx", ".latex", ".bbl", ".txt")
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".tbz2", ".txz", ".zst")


def files_in_archive(data: bytes, name: str) -> dict[str, str]:
    """Path to text of the LaTeX files in a zip, tar, tar.gz, or gzipped single file.

    Raises UnreadablePaper for archives that are damaged, locked, too large when unpacked, or unsafe: paths that leave
    the folder, links, devices.
    """
    if data.startswith(b"PK"):
        return _from_zip(data, name)
    if data.startswith(b"\x1f\x8b"):
        return _from_gzip(data, name)
    return _from_tar(io.BytesIO(data), name)


def files_in_folder(folder: Path, name: str) -> dict[str, str]:
    """Path to text of the LaTeX files in a folder; links that leave it are not followed."""
    found: dict[str, str] = {}
    total = 0
    root = folder.resolve()
    for count, path in enumerate(sorted(folder.rglob("*"))):
        if count > MAX_MEMBERS:
            _refuse(name, f"holds more than {MAX_MEMBERS} files", "give the folder of the paper's source alone")
        if path.suffix.lower() not in TEXT_ENDINGS or not path.is_file() or not path.resolve().is_relative_to(root):
            continue
        total += path.stat().st_size
        if total > MAX_TEXT_BYTES:
            _refuse(name, "holds more text than any paper", "give the folder of the paper's source alone")
        found[path.relative_to(folder).as_posix()] = decode(path.read_bytes())
    return found


def files_around(main: Path, name: str) -> dict[str, str]:
    """A single LaTeX file with the files it inputs, looked up in its own folder and below, nowhere else."""
    root = main.parent.resolve()
    found = {main.name: decode(main.read_bytes())}
    waiting = [found[main.name]]
    while waiting:
        wanted = [*inputs_of(waiting.pop()), f"{main.stem}.bbl"]
        for path in (root / (w + ending) for w in wanted for ending in ("", ".tex")):
            inside = path.resolve()
            if not inside.is_relative_to(root) or not inside.is_file() or inside.suffix.lower() not in TEXT_ENDINGS:
                continue
            key = inside.relative_to(root).as_posix()
            if key not in found and len(found) < MAX_MEMBERS:
                if sum(map(len, found.values())) + inside.stat().st_size > MAX_TEXT_BYTES:
                    _refuse(name, "inputs more text than any paper", "give the paper's own files alone")
                found[key] = decode(inside.read_bytes())
                waiting.append(found[key])
    return found


def _refuse(name: str, fault: str, remedy: str) -> NoReturn:
    raise UnreadablePaper(f"{name} {fault}; {remedy}.") from None


def _damaged(name: str) -> NoReturn:
    _refuse(name, "is a damaged or incomplete archive", "download it again, or give the paper in another form")


class _Collector:
    """Checks each member and keeps those that are text."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._members = 0
        self._total = 0
        self._inner = ""  # an archive inside
        self.files: dict[str, str] = {}

    def take(self, path: str, size: int, read: Callable[[int], bytes]) -> None:
        """`read(limit)` gives at most that many bytes; it is called for text files only."""
        self._members += 1
        if self._members > MAX_MEMBERS:
            _refuse(self._name, f"holds more than {MAX_MEMBERS} files", "give the paper's source alone")
        clean = posixpath.normpath(path.replace("\\", "/"))
        if clean.startswith(("/", "../")) or clean == ".." or ":" in clean.split("/", 1)[0] or "\0" in clean:
            _refuse(
                self._name, "contains paths that lead outside its folder, which is not safe", "give the paper in another form"
            )
        if not clean.lower().endswith(TEXT_ENDINGS):
            self._inner = self._inner or (clean if clean.lower().endswith(_ARCHIVES) else "")
            return
        content = read(MAX_MEMBER_BYTES + 1) if size <= MAX_MEMBER_BYTES else b"\0" * (MAX_MEMBER_BYTES + 1)
        self._total += len(content)
        if len(content) > MAX_MEMBER_BYTES or self._total > MAX_TEXT_BYTES:
            _refuse(self._name, "unpacks to more text than any paper", "give the paper's source alone")
        self.files[clean] = decode(content)

    def result(self) -> dict[str, str]:
        if not self.files and self._inner:
            _refuse(self._name, "holds another archive instead of a paper", "unpack it and give the inner one")
        return self.files


def _from_zip(data: bytes, name: str) -> dict[str, str]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
        if any(m.filename in ("word/document.xml", "ppt/presentation.xml", "mimetype") for m in members):
            _refuse(name, "is an office document or e-book", "export it as PDF and give that")
        if sum(m.file_size for m in members) > MAX_UNPACKED_BYTES:
            _refuse(name, f"unpacks to more than {MAX_UNPACKED_BYTES // 2**20} MB", "give the paper's source alone")
        collector = _Collector(name)
        for member in members:
            if member.is_dir():
                continue
            if member.flag_bits & 1:
                _refuse(name, "is protected by a password", "unpack it and give the folder")
            if (member.external_attr >> 16) & 0o170000 not in (0, 0o100000):
                _refuse(name, "contains links or devices, which is not safe", "give the paper in another form")
            collector.take(member.filename, member.file_size, partial(_read_zip, archive, member))
        return collector.result()
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        MemoryError,
        OverflowError,
    ):
        _damaged(name)


def _read_zip(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes:
    with archive.open(member) as file:
        return file.read(limit)


class _Capped(io.RawIOBase):
    """A stream that fails once more has been read than an archive may inflate to."""

    def __init__(self, inner: IO[bytes] | gzip.GzipFile, name: str) -> None:
        self._inner = inner
        self._name = name
        self._left = MAX_UNPACKED_BYTES

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        got = self._inner.read(min(size, 2**20) if size >= 0 else 2**20)
        self._left -= len(got)
        if self._left < 0:
            _refuse(self._name, f"unpacks to more than {MAX_UNPACKED_BYTES // 2**20} MB", "give the paper's source alone")
        return got


def _from_gzip(data: bytes, name: str) -> dict[str, str]:
    """A gzipped tar, or as arXiv has it a gzipped single file."""
    try:
        head = gzip.GzipFile(fileobj=io.BytesIO(data)).read(512)
        if len(head) > 262 and head[257:262] == b"ustar":
            return _from_tar(_Capped(gzip.GzipFile(fileobj=io.BytesIO(data)), name), name)
        content = gzip.GzipFile(fileobj=io.BytesIO(data)).read(MAX_MEMBER_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        _damaged(name)
    if len(content) > MAX_MEMBER_BYTES:
        _refuse(name, "unpacks to more text than any paper", "give the paper's source alone")
    return {"main.tex": decode(content)}


def _from_tar(stream: IO[bytes] | _Capped, name: str) -> dict[str, str]:
    try:
        collector = _Collector(name)
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                if member.isdir():
                    continue
                if not member.isreg():
                    _refuse(name, "contains links or devices, which is not safe", "give the paper in another form")
                file = archive.extractfile(member)
                if file is not None:
                    collector.take(member.name, member.size, file.read)
        return collector.result()
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, OverflowError, MemoryError):
        _damaged(name)
