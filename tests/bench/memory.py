"""Whether memory stays flat while rows grow: `PYTHONPATH=tests python -m bench.memory` prints rows, peak memory and seconds.

The preparation of every size and the training on it are processes of their own. The raw text (270 bytes a row) is written block
by block, and removed after its run unless `--keep` is given; about three times its size is needed on disk. The vocabularies stop
growing at a million ids, so that what grows is due to rows alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from bench.arrays import bench_home
from bench.raw_clicks import write_raw

ROOT = Path(__file__).resolve().parents[2]
BYTES_A_ROW = 1_000  # on disk: the text, the columns in work, and the arrays
MILLION = 1_000_000


def run(module: str, *arguments: object) -> dict[str, Any]:
    """A contender in a process of its own. Raises `CalledProcessError`."""
    command = [sys.executable, "-m", f"bench.contenders.{module}", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'tests'}{os.pathsep}{ROOT}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def main() -> int:
    given = _arguments()
    home = given.folder or bench_home() / "memory"
    home.mkdir(parents=True, exist_ok=True)
    print(f"{date.today()}: Criteo-shaped CSV, 39 columns; its preparation, and one epoch of a small DeepFM; one process each.\n")
    print("| | million rows | peak memory, MB | of it libraries, MB | bytes a row beyond the first | seconds | thousand rows/s |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    first: dict[str, dict[str, Any]] = {}
    for millions in map(float, given.rows.split(",")):
        rows = round(millions * MILLION)
        free = shutil.disk_usage(home).free
        if free < rows * BYTES_A_ROW:
            print(
                f"{rows:,} rows need {rows * BYTES_A_ROW / 2**30:.0f} GB in {home}; {free / 2**30:.0f} are free", file=sys.stderr
            )
            return 1
        file = write_raw(home / f"raw-{rows}.csv", rows)
        with tempfile.TemporaryDirectory(dir=home) as folder:
            prepared = run("prepare_kit", folder, file)
            if not given.keep:
                file.unlink()
            print(_line("preparation", prepared, first), flush=True)
            print(_line("training", run("train_kit", prepared["visible"]), first), flush=True)
    return 0


def _line(what: str, answer: dict[str, Any], first: dict[str, dict[str, Any]]) -> str:
    """A line of the table; `first` keeps the first answer of each kind, from which growth is counted."""
    since = first.setdefault(what, answer)
    rows, peak, seconds = answer["rows"], answer["peak_mb"], answer["seconds"]
    grown = f"{(peak - since['peak_mb']) * 2**20 / (rows - since['rows']):.1f}" if rows > since["rows"] else ""
    figures = f"{peak:,.0f} | {answer['libraries_mb']:,.0f} | {grown} | {seconds:.0f} | {rows / seconds / 1000:.0f}"
    return f"| {what} | {rows / MILLION:g} | {figures} |"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", default="1,5,20", help="millions of rows, with commas between")
    parser.add_argument("--folder", type=Path, help="for the raw text and the arrays; the benchmarks' own by default")
    parser.add_argument("--keep", action="store_true", help="leaves the raw text for another run")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
