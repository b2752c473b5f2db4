"""Finds FuxiCTR's model files, which its wheel leaves out: a folder that is named, or a clone of one commit of its repository."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

VARIABLE = "AGENTICRS_FUXICTR_ZOO"
REPOSITORY = "https://github.com/reczoo/FuxiCTR"
COMMIT = "0245987fdc1d43c36164ea496a02324885a8557a"  # the newest for release 2.3.10
CLONE_TIMEOUT_S = 300


class NoZoo(FileNotFoundError):
    """There are no model files and none could be fetched, so FuxiCTR cannot take part. The message says what to do."""


def find(home: Path) -> Path:
    """The folder that holds `model_zoo`: that of AGENTICRS_FUXICTR_ZOO, else a clone under `home`. Raises `NoZoo`."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        return _checked(Path(named))
    folder = home / "fuxictr-zoo"
    if not (folder / "model_zoo").is_dir():
        _clone(folder)
    return _checked(folder)


def _checked(folder: Path) -> Path:
    if not (folder / "model_zoo" / "DCNv2" / "src" / "DCNv2.py").is_file():
        raise NoZoo(f"{folder} has no model_zoo; name a checkout of {REPOSITORY} in {VARIABLE}")
    return folder.resolve()


def _clone(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    steps = (["init", "-q"], ["fetch", "-q", "--depth", "1", REPOSITORY, COMMIT], ["checkout", "-q", "FETCH_HEAD"])
    quiet = os.environ | {"GIT_TERMINAL_PROMPT": "0"}
    try:
        for step in steps:
            subprocess.run(["git", "-C", str(folder), *step], check=True, capture_output=True, timeout=CLONE_TIMEOUT_S, env=quiet)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoZoo(f"cloning {REPOSITORY} failed ({type(error).__name__}); name a checkout in {VARIABLE}") from error
