"""The kit's preparation of raw text, in a process of its own: `... prepare_kit FOLDER FILE` or `... FOLDER TRAIN VALID TEST`.

What it makes lies in FOLDER afterwards. Prints one line of JSON: seconds from the text to arrays on disk, the folder made, and
the process's peak memory with and without its libraries.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from bench.peak import peak_mb
from bench.raw_clicks import source

from sandboxes.kit.data.prepare import prepare


def main() -> None:
    folder, *files = map(Path, sys.argv[1:])
    table = source(dict(zip(("train", "valid", "test"), files, strict=True)) if len(files) > 1 else {"": files[0]})
    before, began = peak_mb(), time.perf_counter()
    made = prepare(table, folder)
    answer = {"seconds": time.perf_counter() - began, "peak_mb": peak_mb(), "libraries_mb": before}
    answer |= {"rows": sum(made.sizes.values()), "ids": sum(f.cardinality for f in made.schema.categorical)}
    print(json.dumps(answer | {"visible": str(made.visible)}))


if __name__ == "__main__":
    main()
