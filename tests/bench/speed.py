"""Training speed of the kit beside other libraries and a hand-written loop: `make bench`.

Every contender is a process of its own; all of them run once in a round, in an order that rotates, on the same arrays. The exit
code is 0 unless the kit itself failed. `--quick` takes 50,000 rows: it shows that everything runs, and its figures say little.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from bench import criteo_shaped, fuxictr_zoo, movielens
from bench.arrays import bench_home, read_meta
from bench.machine import Machine, fp32_bound, measure
from bench.speed_table import KIT, LOOP, Run, rotated, table, verdicts

ROOT = Path(__file__).resolve().parents[2]
PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
QUICK_ROWS = 50_000
RUN_TIMEOUT_S = 3600
PEERS = {
    "FuxiCTR": "peer_fuxictr",
    "RecBole": "peer_recbole",
    "DeepCTR-Torch": "peer_deepctr_torch",
    "torch-rechub": "peer_torch_rechub",
}


@dataclass(frozen=True)
class Contender:
    """`module` in `bench.contenders`, run by `python`; `options` as it knows them."""

    name: str
    module: str
    python: Path
    options: str = ""


def contenders(bf16: bool, wanted: list[str] | None) -> list[Contender]:
    """All, or those whose names begin with a wanted word. Variants of the loop in bf16 only where that can pay."""
    own = Path(sys.executable)
    loops = ["", "compile", "onednn", *(["bf16", "bf16,compile"] if bf16 else [])]
    listed = [Contender(KIT, "kit", own)]
    listed += [Contender(" ".join([LOOP, *words.split(",")]).strip(), "loop", own, words) for words in loops]
    listed += [Contender(name, module, PEERS_PYTHON) for name, module in PEERS.items()]
    return [c for c in listed if wanted is None or any(c.name.lower().startswith(w.lower()) for w in wanted)]


def run(contender: Contender, data: Path, model: str, round: int, threads: int) -> Run:
    """One process. A failure is an answer too: its last line."""
    command = [
        str(contender.python),
        "-m",
        f"bench.contenders.{contender.module}",
        "--data",
        str(data.resolve()),
        "--model",
        model,
    ]
    command += ["--threads", str(threads), "--seed", str(round), "--options", contender.options]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests"), "OMP_NUM_THREADS": str(threads)}
    if contender.module == PEERS["FuxiCTR"]:
        try:
            environment[fuxictr_zoo.VARIABLE] = str(fuxictr_zoo.find(bench_home()))
        except fuxictr_zoo.NoZoo as error:
            return Run(contender.name, round, None, str(error))
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=RUN_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return Run(contender.name, round, None, f"no end after {RUN_TIMEOUT_S} s")
    except OSError as error:
        return Run(contender.name, round, None, f"{error.strerror}: {error.filename}")
    if done.returncode == 0:
        return Run(contender.name, round, json.loads(done.stdout.splitlines()[-1]))
    return Run(contender.name, round, None, (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1])


def main() -> int:
    """Measures and prints; returns the exit code."""
    given = _arguments()
    home, machine, began = bench_home(), measure(given.threads), datetime.now()
    home.mkdir(parents=True, exist_ok=True)
    kept = home / f"speed-{began:%Y%m%d-%H%M%S}.json"
    print(f"{began:%Y-%m-%d}, {machine.described()}; medians of {given.repeats} interleaved rounds.", flush=True)
    results: dict[str, list[Run]] = {}
    for data in _data(given, home):
        for model in given.models.split(","):
            runs = results.setdefault(f"{model} on {data.name}", [])
            _measure(runs, data, model, given, machine, lambda: _keep(kept, machine, results))
            print("\n".join(_section(runs, model, data, machine)), flush=True)
    print(f"\nEvery run: {kept}")
    failed = [r for runs in results.values() for r in runs if r.contender == KIT and r.answer is None]
    return 1 if failed else 0


def _measure(
    runs: list[Run], data: Path, model: str, given: argparse.Namespace, machine: Machine, keep: Callable[[], None]
) -> None:
    listed = {c.name: c for c in contenders(machine.bf16_pays, given.contenders and given.contenders.split(","))}
    for round in range(given.repeats):
        for name in rotated(list(listed), round):
            runs.append(run(listed[name], data, model, round, given.threads))
            seen = runs[-1].answer
            print(
                f"  {model} {data.name} round {round + 1} {name}: {seen['samples_per_s'] if seen else runs[-1].failure}",
                file=sys.stderr,
            )
            keep()


def _section(runs: list[Run], model: str, data: Path, machine: Machine) -> list[str]:
    meta = read_meta(data)
    bound = fp32_bound(machine, model, len(meta.fields))
    facts = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in meta.facts.items())
    lines = ["", f"### {model} on {meta.name} ({facts})", "", *table(runs), ""]
    lines += [f"Matrix products in fp32 alone would allow {bound / 1000:.1f} thousand samples/s here.", ""]
    return lines + [f"- {line}" for line in verdicts(runs, model, meta.name)]


def _data(given: argparse.Namespace, home: Path) -> list[Path]:
    """The folders of the wanted data sets, made where they are missing."""
    rows, folders = (QUICK_ROWS if given.quick else None), []
    if "criteo" in given.data:
        folders.append(criteo_shaped.prepared(home, rows or criteo_shaped.ROWS))
    if "movielens" in given.data:
        try:
            folders.append(movielens.prepared(home, given.movielens, rows))
        except FileNotFoundError as error:
            print(f"\nMovieLens-1M is left out: {error.filename} is missing; name its folder with --movielens.", flush=True)
    return folders


def _keep(file: Path, machine: Machine, results: dict[str, list[Run]]) -> None:
    content = {"machine": asdict(machine), "runs": {name: [asdict(r) for r in runs] for name, runs in results.items()}}
    file.write_text(json.dumps(content, indent=1), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    raw = Path(os.environ.get("AGENTICRS_DATA_FOLDER", ROOT.parent / "shared" / "data")) / "movielens-1m"
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", default="deepfm,dcnv2")
    parser.add_argument("--data", default="criteo,movielens")
    parser.add_argument("--movielens", type=Path, default=raw, help="folder with ml-1m.inter(.gz), ml-1m.user and ml-1m.item")
    parser.add_argument("--contenders", help="the beginnings of names, with commas between; all by default")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS} rows of each data set")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
