"""The sandbox image: its name, and the packages it holds. `python -m sandboxes.image` prints both, for the build script.

The image holds dependencies only; the kit is mounted, so that editing the kit never makes an image stale.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import version

DEPENDENCIES = ("torch", "numpy", "polars", "safetensors")
RECIPE = 1  # raise it when deploy/sandbox/Dockerfile changes what the image is


def requirements() -> tuple[str, ...]:
    """The exact versions that this installation uses, the build included (torch "+cpu"): the same numbers in every sandbox."""
    return tuple(f"{name}=={version(name)}" for name in DEPENDENCIES)


def image_name() -> str:
    """`agenticrs-sandbox:<hash of what is in it>`"""
    content = "\n".join((str(RECIPE), *requirements()))
    return f"agenticrs-sandbox:{hashlib.sha256(content.encode()).hexdigest()[:12]}"


if __name__ == "__main__":
    print(image_name(), *requirements(), sep="\n")
