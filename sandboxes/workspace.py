"""The private host folder of one run: the files to hand in, the view of our package, and its owner, so that leftovers are found.

Layout: owner.json · files/ (handed in) · lib/sandboxes/ (what PYTHONPATH sees) · run/ (scratch of the process sandbox).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from sandboxes.inside import tree
from sandboxes.owner import alive, this_owner

PREFIX = "agenticrs-run-"
PACKAGE = Path(__file__).resolve().parent
PARTS = ("kit", "inside")  # of this package, what a sandbox sees
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def unfit_files(files: Mapping[str, str]) -> str:
    """Why these cannot be a working folder's files, or ""."""
    for name in files:
        if not _FILE_NAME.fullmatch(name) or name == "out":
            return f"{name!r} is not a plain file name; use letters, digits, '_', '-' and '.'"
    return ""


@contextlib.contextmanager
def workspace(files: Mapping[str, str]) -> Iterator[Path]:
    """A new private folder with `files` and the view of the package in it; removed at the end, whatever lies in it."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        (folder / "owner.json").write_text(json.dumps(this_owner()))
        for name in ("files", "run", "lib", "lib/sandboxes", *(f"lib/sandboxes/{part}" for part in PARTS)):
            (folder / name).mkdir(mode=0o755)
        (folder / "lib/sandboxes/__init__.py").write_text('"""Inside a sandbox this package is only its kit."""\n')
        for name, text in files.items():
            (folder / "files" / name).write_text(text, encoding="utf-8")
        for place in (folder / "files", folder / "lib"):
            open_to_others(place)
        folder.chmod(0o711)  # others may pass through, to what they are shown, and see nothing else
        yield folder
    finally:
        remove(folder)


def mark(folder: Path) -> str:
    """A line in the environment of every process of this run."""
    return f"AGENTICRS_RUN={folder.name}"


def remove(folder: Path) -> None:
    """Removes a folder also when it holds folders that its maker closed to everyone."""
    for parent, names, _ in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if not path.is_symlink():
                with contextlib.suppress(OSError):
                    path.chmod(0o700)
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except RecursionError:  # folders nested thousands deep: rm does not recurse by calls
        subprocess.run(["rm", "-rf", "--", str(folder)], check=False, timeout=60)


def sweep_workspaces() -> int:
    """Ends the processes and removes the folders of runs whose owner died; returns how many."""
    swept = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = _owner(folder)
        if owner is None or alive(owner):
            continue
        line = mark(folder)
        tree.end(lambda line=line: tree.marked(line))  # type: ignore[misc]
        remove(folder)
        swept += 1
    return swept


def readable_by_others(folder: Path) -> bool:
    """Whether a user with no rights of ours can read everything in `folder`, once inside it."""
    if folder.stat().st_mode & 0o005 != 0o005:
        return False
    for entry in os.scandir(folder):
        mode = entry.stat(follow_symlinks=False).st_mode
        if entry.is_dir(follow_symlinks=False):
            if not readable_by_others(Path(entry.path)):
                return False
        elif not mode & 0o004:
            return False
    return True


def open_to_others(folder: Path) -> None:
    """Lets every user read `folder`: for copies and texts that go into a sandbox under another user."""
    for parent, _, names in os.walk(folder):
        Path(parent).chmod(0o755)
        for name in names:
            Path(parent, name).chmod(0o644)


def for_others(folder: Path, scratch: Path) -> Path:
    """`folder` itself when every user can read it, else a copy at `scratch` that they can."""
    if readable_by_others(folder):
        return folder
    shutil.copytree(folder, scratch)
    open_to_others(scratch)
    return scratch


def _owner(folder: Path) -> dict[str, str] | None:
    try:
        if folder.stat().st_uid != os.getuid():
            return None
        owner: dict[str, str] = json.loads((folder / "owner.json").read_text())
    except (OSError, ValueError):
        return None
    return owner
