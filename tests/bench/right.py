"""Is the kit right? Its reference models against FuxiCTR's own, trained in the same run on the same split with the same settings.

    PYTHONPATH=tests .venv/bin/python -m bench.right --movielens-1m FOLDER --frappe FOLDER [--bars FOLDER] [--models lr,fm]

FuxiCTR runs in an environment of its own (`--peers-python`), its model files come as `fuxictr_zoo` says. Every training is a
process of one thread; the two sides of a pair run side by side. A result is a file in `bench/right/results`, so what broke off
goes on, and other settings train anew. Test rows are scored by `sandboxes.kit.metrics` for both. With BARS' files the published
board stands beside.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from bench import fuxictr_zoo, right_data
from bench.arrays import bench_home, read_meta, read_split
from bench.right_settings import PAIRS, PROTOCOLS
from bench.right_table import PUBLISHED_AUC, board, lines

from sandboxes.kit.metrics import auc, log_loss

ROOT = Path(__file__).resolve().parents[2]
SIDES = ("kit", "fuxictr")


@dataclass(frozen=True)
class Run:
    """One training: of `model` on the data set `data` by `side`."""

    data: str
    model: str
    seed: int
    side: str

    def result(self, home: Path) -> Path:
        return home / "right" / "results" / self.data / f"{self.model}.{self.side}.{self.seed}.json"


def main() -> int:
    """Trains what has no result yet and prints the tables; 1 when a training failed."""
    given = _arguments()
    home = bench_home()
    folders = _folders(given, home)
    runs = [
        Run(data, model, seed, side)
        for seed in range(given.seeds)
        for data in folders
        for model in given.models.split(",")
        for side in SIDES
    ]
    missing = [run for run in runs if _known(run, home) is None]
    print(f"{len(runs)} trainings, {len(runs) - len(missing)} known already", file=sys.stderr)
    os.environ[fuxictr_zoo.VARIABLE] = str(fuxictr_zoo.find(home))  # the workers', too
    with ThreadPoolExecutor(given.parallel) as pool:
        done = list(pool.map(lambda run: _train(run, folders[run.data], home, given.peers_python), missing))
    print("\n".join(tables(runs, home)))
    return 0 if all(done) else 1


def tables(runs: Sequence[Run], home: Path) -> list[str]:
    """Markdown of all results that there are."""
    results: dict[tuple[str, str, str], list[Mapping[str, float]]] = {}
    for run in runs:
        known = _known(run, home)
        if known is not None:
            results.setdefault((run.data, run.model, run.side), []).append(known)
    beside = board(results)
    return [*lines(results), *(["", *beside] if beside else [])]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--movielens-1m", type=Path, help="folder with ml-1m.inter, .user and .item")
    parser.add_argument("--frappe", type=Path, help="folder with the libfm files")
    parser.add_argument(
        "--bars", type=Path, help=f"folder with {' or '.join(PUBLISHED_AUC)}: train.csv, valid.csv, test.csv in each"
    )
    parser.add_argument("--models", default=",".join(PAIRS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--parallel", type=int, default=2, help="trainings at a time, each in one thread")
    parser.add_argument("--peers-python", type=Path, default=ROOT / ".venv-bench" / "bin" / "python")
    given = parser.parse_args()
    if unknown := set(given.models.split(",")) - PAIRS.keys():
        parser.error(f"no such models: {', '.join(sorted(unknown))}; choose from {', '.join(PAIRS)}")
    return given


def _folders(given: argparse.Namespace, home: Path) -> dict[str, Path]:
    """The prepared folder of each data set that was named."""
    folders = {}
    if given.movielens_1m:
        folders["movielens-1m"] = right_data.movielens_1m(home, given.movielens_1m)
    if given.frappe:
        folders["frappe"] = right_data.frappe(home, given.frappe)
    for name in PUBLISHED_AUC if given.bars else ():
        if (given.bars / name).is_dir():
            folders[name] = right_data.bars(home, name, given.bars / name)
    if not folders:
        raise SystemExit("no data: name a folder by --movielens-1m, --frappe or --bars")
    return folders


def _settings(run: Run, folder: Path) -> dict[str, object]:
    """All that a result depends on but the code, as JSON gives it back."""
    protocol, meta = PROTOCOLS[run.data], read_meta(folder)
    pair = PAIRS[run.model]
    own = pair.kit if run.side == "kit" else pair.fuxictr(protocol, meta.fields)
    settings: dict[str, object] = json.loads(
        json.dumps({"protocol": asdict(protocol), "faster": pair.faster, "own": own}, default=list)
    )
    return settings


def _known(run: Run, home: Path) -> Mapping[str, float] | None:
    """The result of the run, unless it is missing or came about with other settings."""
    path = run.result(home)
    if not path.exists():
        return None
    result: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    if result["settings"] != _settings(run, home / "right" / "data" / run.data):
        return None
    return {"auc": float(str(result["auc"])), "log_loss": float(str(result["log_loss"]))}


def _train(run: Run, folder: Path, home: Path, peers_python: Path) -> bool:
    """Trains in a process, scores, and writes the result; False, with the process's last words, when it failed."""
    path = run.result(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    python = sys.executable if run.side == "kit" else str(peers_python)
    command = [python, "-m", f"bench.right_{run.side}", "--data", str(folder), "--protocol", run.data]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "tests"), str(ROOT))), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as out:
        command += ["--model", run.model, "--seed", str(run.seed), "--out", out]
        ended = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if ended.returncode:
            print(f"{run}: failed\n{ended.stderr[-2000:]}", file=sys.stderr)
            return False
        pctr = np.load(Path(out) / "pctr.npy")
        said = json.loads((Path(out) / "said.json").read_text(encoding="utf-8"))
    labels = np.asarray(read_split(folder, "test").labels)
    scores = {"auc": auc(labels, pctr), "log_loss": log_loss(labels, pctr)}
    whole = path.with_suffix(".partial")
    whole.write_text(json.dumps({**scores, **said, "settings": _settings(run, folder)}, indent=1), encoding="utf-8")
    whole.rename(path)
    words = f"{run.data} {run.model} {run.side} seed {run.seed}"
    print(f"{words}: AUC {scores['auc']:.5f}, {said['epochs']} epochs, {said['seconds']} s", file=sys.stderr)
    return True


if __name__ == "__main__":
    raise SystemExit(main())
