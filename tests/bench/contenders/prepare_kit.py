"""The kit's preparation of raw text, in a process of its own: `... prepare_kit FILE` or `... prepare_kit TRAIN VALID TEST`.

Prints one line of JSON: seconds from the text to arrays on disk, and the process's peak memory with and without its libraries.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from bench.raw_clicks import source

from sandboxes.kit.data.prepare import prepare


def peak_mb() -> float:
    """The most resident memory since the program began. Not `ru_maxrss`, which remembers the parent that it was forked from."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def main() -> None:
    files = [Path(name) for name in sys.argv[1:]]
    table = source(dict(zip(("train", "valid", "test"), files, strict=True)) if len(files) > 1 else {"": files[0]})
    with tempfile.TemporaryDirectory(dir=files[0].parent) as folder:
        before, began = peak_mb(), time.perf_counter()
        made = prepare(table, Path(folder))
        answer = {"seconds": time.perf_counter() - began, "peak_mb": peak_mb(), "libraries_mb": before}
        answer |= {"rows": sum(made.sizes.values()), "ids": sum(f.cardinality for f in made.schema.categorical)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
