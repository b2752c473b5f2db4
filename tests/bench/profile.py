"""The profile of a table of the size of a day's log: `PYTHONPATH=tests python -m bench.profile` prints seconds and memory.

The table is drawn at random and written as Parquet first; the profile is made in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from bench.peak import peak_mb
from command import ROOT, environment

from agents.autofeature.profile import document_of, profile
from agents.documents.html import to_html
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Numeric, TableSpec

ROWS = 1_000_000
SIZES = (3, 10, 50, 200, 1000, 5000, 20_000, 100_000, 300_000)  # distinct values of the categories
SPEC = TableSpec(
    "bench",
    (Label("click"),),
    tuple(Categorical(f"c{i}") for i in range(len(SIZES))),
    tuple(Numeric(f"n{i}") for i in range(6)),
    user="c8",
    time="time",
)


def written(file: Path, rows: int) -> None:
    """Categories of Zipf-like shares, numbers of several forms and half-empty ones, times, ids, text and lists."""
    draw = np.random.default_rng(0)
    categories = {f"c{i}": (size * draw.random(rows) ** 2).astype(np.int64) for i, size in enumerate(SIZES)}
    table = pl.DataFrame(categories).with_columns(pl.format("v{}", f"c{i}").alias(f"c{i}") for i in (1, 3, 5, 7))
    normal = draw.normal(size=rows)
    words = np.array(["red", "small", "new", "shoe", "shirt", "for", "the", "garden", "sale", "blue"])
    made = {
        "n0": normal,
        "n1": draw.lognormal(size=rows),
        "n2": draw.poisson(3, size=rows),
        "n3": np.where(draw.random(rows) < 0.6, np.nan, draw.random(rows)),
        "n4": draw.integers(10**6, size=rows),
        "n5": normal + draw.normal(size=rows),
        "n6": (draw.random(rows) * 100).round(2),
        "flag": draw.random(rows) < 0.2,
        "row": np.arange(rows),
        "seen": 1_760_000_000 + np.arange(rows) - draw.integers(10**6, size=rows),
        "time": 1_760_000_000 + np.arange(rows),
        "click": (draw.random(rows) < 1 / (1 + np.exp(2.5 - normal))).astype(np.int8),
    }
    titles = [pl.Series(words[draw.integers(len(words), size=rows)]) for _ in range(5)]
    text = pl.DataFrame({f"w{i}": t for i, t in enumerate(titles)}).select(title=pl.concat_str(pl.all(), separator=" "))
    lists = pl.DataFrame({"a": draw.integers(99, size=rows), "b": draw.integers(99, size=rows)}).select(
        past=pl.concat_list("a", "b")
    )
    request = pl.DataFrame({"row": draw.permutation(rows)}).select(request_id=pl.format("r{}", "row"))
    pl.concat([table, pl.DataFrame(made), text, lists, request], how="horizontal").write_parquet(file)


def measured(file: Path) -> dict[str, float | str]:
    before = peak_mb()
    began, worked = time.perf_counter(), time.process_time()
    found = profile(Source(SPEC, lambda: pl.scan_parquet(file), content="", synthetic=True))
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    page = to_html(document_of(found))
    return {
        "rows": found.rows,
        "columns": len(found.columns),
        "seconds": seconds,
        "seconds of processors": worked,
        "peak memory, MB": peak_mb(),
        "of it before, MB": before,
        "page, kB": len(page) / 1024,
        "suspects": "; ".join(f"{s.column} ({s.reason})" for s in found.suspects) or "none",
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--measure", type=Path, help="of a file that is written already, in this process")
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measured(given.measure)))
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-profile-") as folder:
        file = Path(folder) / "table.parquet"
        written(file, given.rows)
        command = [sys.executable, "-m", "bench.profile", "--measure", str(file)]
        variables = environment(Path(folder)) | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
        variables.pop("OMP_NUM_THREADS", None)
        done = subprocess.run(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True, check=True)
    print(f"\n{date.today()}: the profile of a table\n")
    for name, value in json.loads(done.stdout.splitlines()[-1]).items():
        print(f"{name}: {value if isinstance(value, str) else f'{value:,.1f}' if value % 1 else f'{value:,.0f}'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
