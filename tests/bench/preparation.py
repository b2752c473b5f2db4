"""Preparation of raw text, the kit's beside FuxiCTR's: `PYTHONPATH=tests python -m bench.preparation`.

Both get the same three CSV files of Criteo's shape and leave encoded arrays on disk; the kit also hashes every row, looks for
leaks, and hashes what it wrote. Each runs in a process of its own, one after the other in turn. The exit code is 0 unless the kit
failed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from bench.arrays import bench_home
from bench.raw_clicks import write_parts

ROOT = Path(__file__).resolve().parents[2]
PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
TIMEOUT_S = 3600
GOAL = 5.0

KIT, FUXICTR = "kit", "FuxiCTR"


def run(name: str, files: list[Path]) -> dict[str, Any] | None:
    """One process; None, with its last line on stderr, when it fails."""
    python, module = (Path(sys.executable), "prepare_kit") if name == KIT else (PEERS_PYTHON, "prepare_fuxictr")
    with tempfile.TemporaryDirectory(dir=files[0].parent) as folder:
        return _answer(name, [str(python), "-m", f"bench.contenders.{module}", folder, *map(str, files)])


def _answer(name: str, command: list[str]) -> dict[str, Any] | None:
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'tests'}{os.pathsep}{ROOT}"}
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S)
    except (subprocess.TimeoutExpired, OSError) as error:
        print(f"  {name}: {error}", file=sys.stderr)
        return None
    if done.returncode:
        print(f"  {name}: {(done.stderr.strip() or 'no answer').splitlines()[-1]}", file=sys.stderr)
        return None
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def main() -> int:
    given = _arguments()
    files = list(write_parts(bench_home() / f"raw-{given.rows}", given.rows).values())
    rounds: list[dict[str, dict[str, Any]]] = []
    for round in range(given.repeats):
        order = (KIT, FUXICTR) if round % 2 == 0 else (FUXICTR, KIT)
        rounds.append({name: answer for name in order if (answer := run(name, files))})
        print(f"  round {round + 1}: " + ", ".join(f"{n} {a['seconds']:.1f} s" for n, a in rounds[-1].items()), file=sys.stderr)
    size_mb = sum(file.stat().st_size for file in files) / 2**20
    print(
        f"{date.today()}: {given.rows:,} rows x 39 columns, {size_mb:,.0f} MB of CSV; medians of {given.repeats} rounds in turn."
    )
    print("\n".join(table(rounds)))
    return 0 if all(KIT in answers for answers in rounds) else 1


def table(rounds: list[dict[str, dict[str, Any]]]) -> list[str]:
    """The lines of the table, and whether the goal is met."""
    lines = ["", "| | seconds | peak memory, MB | of it libraries, MB | ids |", "| --- | ---: | ---: | ---: | ---: |"]
    for name in (KIT, FUXICTR):
        answers = [answers[name] for answers in rounds if name in answers]
        if answers:
            seconds, peak, own = (statistics.median(a[key] for a in answers) for key in ("seconds", "peak_mb", "libraries_mb"))
            lines.append(f"| {name} | {seconds:.2f} | {peak:,.0f} | {own:,.0f} | {answers[0]['ids']:,} |")
    ratios = [a[FUXICTR]["seconds"] / a[KIT]["seconds"] for a in rounds if len(a) == 2]
    if ratios:
        ratio = statistics.median(ratios)
        met = "met" if ratio >= GOAL else "not met"
        lines += [
            "",
            f"The kit is {ratio:.1f} times as fast (goal {GOAL:g}: {met}); rounds {min(ratios):.1f} to {max(ratios):.1f}.",
        ]
    return lines


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
