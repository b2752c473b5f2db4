"""The long-term memory at a size of years: `PYTHONPATH=tests python -m bench.store` prints times and what is found.

Records are made of sentences of the shared abstracts, shuffled among each other and numbered, so that none is another's copy.
Each figure is measured in one process on a store that another has written; `--server` measures a Chroma server as well.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
from bench.peak import peak_mb
from chroma_server import chroma_server
from command import ROOT, environment
from shared_data import shared

from memory.embeddings import WordEmbeddings, vectors_of
from memory.narrowing import ANYTHING, Only
from memory.records import AnyRecord, DecisionRecord, LessonRecord, MechanismRecord, OutcomeRecord, PaperRecord, RunRecord
from memory.retrieval import find
from memory.store import MemoryStore

SIZE, QUERIES, K, DATASETS = 100_000, 500, 10, 20
KINDS = ("paper", "mechanism", "run", "decision", "outcome", "lesson")
WRITTEN = 1000
NARROWED = {
    "any": ANYTHING,
    "one data set of 20": Only(dataset="data-3"),
    "half of the outcomes": Only(outcome="positive"),
    "one data set, one outcome, the last tenth": Only(dataset="data-3", outcome="positive", since="2026-11-01"),
}


def sentences() -> list[str]:
    folder = shared("papers/abstracts")
    if folder is None:
        raise SystemExit("the abstracts are not here: put them into shared/papers/abstracts beside the checkout")
    texts = [p.read_text(encoding="utf-8") for p in sorted(folder.glob("*.txt"))]
    return [s for text in texts for s in re.split(r"(?<=[.?!])\s+", text.replace("\n", " ")) if len(s.split()) > 6]


def made(number: int, said: list[str], seed: int) -> AnyRecord:
    """The record of that number: two sentences, a few words of a third, and numbers.

    Six in a row belong together: a paper, a mechanism of it, a run on it, and a decision, the outcome and a lesson of the run.
    """
    draw, group = random.Random(f"{seed}/{number}"), number // len(KINDS)
    first, second, third = draw.sample(said, 3)
    text = f"{first} {second} {' '.join(draw.sample(third.split(), 4))} {draw.random():.4f}"
    day = f"2026-{1 + 11 * (group % 1000) // 1000:02d}-15T00:00:00+00:00"
    shared = {"id": f"r{seed}-{number}", "created": day, "dataset": f"data-{group % DATASETS}", "task": "ctr"}
    paper, run = (f"r{seed}-{group * len(KINDS) + KINDS.index(kind)}" for kind in ("paper", "run"))
    ended = ("positive", "negative")[group // DATASETS % 2]
    match KINDS[number % len(KINDS)]:
        case "paper":
            return PaperRecord.model_validate({**shared, "title": first, "source": "", "abstract": text})
        case "mechanism":
            return MechanismRecord.model_validate({**shared, "parents": (paper,), "name": first[:60], "quote": text})
        case "run":
            fixed = {"data_hash": "h", "code_hash": "c", "baselines": ("dnn",), "seeds": 3, "trials": 1, "sandbox": "docker"}
            return RunRecord.model_validate({**shared, **fixed, "parents": (paper,), "candidate": text})
        case "decision":
            chosen = {"state": text, "alternatives": (), "choice": "a", "rationale": ""}
            return DecisionRecord.model_validate({**shared, **chosen, "parents": (run,)})
        case "outcome":
            came = {"status": "done", "verdict": ended, "reason": text}
            return OutcomeRecord.model_validate({**shared, **came, "parents": (paper, run)})
        case _:
            taught = {"subject": first[:60], "claim": text, "polarity": ended, "reason": "", "evidence": (run,)}
            return LessonRecord.model_validate({**shared, **taught, "parents": (run,)})


def build(folder: Path, server: str, size: int) -> dict[str, float]:
    said, began = sentences(), time.perf_counter()
    store = MemoryStore(folder, WordEmbeddings(), server)
    for start in range(0, size, 5000):
        store.add(*(made(i, said, 0) for i in range(start, min(start + 5000, size))))
    store.close()
    return {"building, s": time.perf_counter() - began}


def measure(folder: Path, server: str, size: int) -> dict[str, float]:
    """In a process that has not touched the store yet."""
    began = time.perf_counter()
    store = MemoryStore(folder, WordEmbeddings(), server)
    store.similar("the first question", "lesson", K)
    found = {"opening and the first answer, s": time.perf_counter() - began}
    said, draw = sentences(), random.Random(1)
    asked = [f"{draw.choice(said)} {' '.join(draw.sample(draw.choice(said).split(), 4))}" for _ in range(QUERIES)]
    for name, only in NARROWED.items():
        kinds = ("lesson", "outcome") if only.outcome else KINDS
        times = [_timed(partial(store.similar, q, kinds[i % len(kinds)], K, only)) for i, q in enumerate(asked)]
        _note(found, f"the 10 nearest, {name}", times)
    for root in ("paper", "run"):
        for name, only in (("any", ANYTHING), ("one data set of 20", NARROWED["one data set of 20"])):
            _note(found, f"find 5 {root}s, {name}", [_timed(partial(find, store, q, root, 5, only)) for q in asked[:200]])
    found["recall@10 of the index against exact search"] = _overlap(store, asked, size, said)
    found["writing 1,000 records, s"] = _timed(lambda: store.add(*(made(i, said, 2) for i in range(WRITTEN))))
    found["peak memory, MB"] = peak_mb()
    return found


def _note(found: dict[str, float], what: str, seconds: list[float]) -> None:
    found[f"{what}: median ms"] = 1000 * statistics.median(seconds)
    found[f"{what}: p95 ms"] = 1000 * statistics.quantiles(seconds, n=20)[-1]


def _timed(what: Callable[[], object]) -> float:
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def _overlap(store: MemoryStore, asked: list[str], size: int, said: list[str]) -> float:
    """Of the ten that are truly nearest among lessons, the share that the index names."""
    embeddings, numbers = WordEmbeddings(), [i for i in range(size) if KINDS[i % len(KINDS)] == "lesson"]
    vectors = np.concatenate(
        [vectors_of(embeddings, [made(i, said, 0).text() for i in numbers[s : s + 5000]]) for s in range(0, len(numbers), 5000)]
    )
    shares = []
    for question in asked[:200]:
        exact = np.argsort(-(vectors @ store.vector(question)))[:K]
        named = {hit.record.id for hit in store.similar(question, "lesson", K)}
        shares.append(len(named & {f"r0-{numbers[i]}" for i in exact}) / K)
    return float(np.mean(shares))


@contextmanager
def _place(server: bool) -> Iterator[tuple[Path, str]]:
    folder = Path(tempfile.mkdtemp(prefix="memory-"))
    try:
        with chroma_server(folder / "chroma") if server else nullcontext("") as address:
            yield folder / "memory", address
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _in_a_process(what: str, folder: Path, server: str, size: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.store", what, str(folder), server or "-", str(size)]
    variables = environment(folder) | {"PYTHONPATH": str(ROOT / "tests")}
    variables.pop("OMP_NUM_THREADS")
    done = subprocess.run(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def main() -> int:
    if sys.argv[1:2] in (["build"], ["measure"]):
        what, folder, server, size = sys.argv[1:]
        do = {"build": build, "measure": measure}[what]
        print(json.dumps(do(Path(folder), "" if server == "-" else server, int(size))))
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--size", type=int, default=SIZE, help="records")
    parser.add_argument("--server", action="store_true", help="a Chroma server on loopback as well")
    given = parser.parse_args()
    columns = {}
    for name, server in (("in a folder", False), *([("at a Chroma server", True)] if given.server else [])):
        with _place(server) as (folder, address):
            columns[name] = _in_a_process("build", folder, address, given.size)
            columns[name] |= _in_a_process("measure", folder, address, given.size)
    print(f"\n{date.today()}: {given.size:,} records, {QUERIES} questions\n")
    print(f"| | {' | '.join(columns)} |\n| --- |{' --- |' * len(columns)}")
    for row in next(iter(columns.values())):
        print(f"| {row} | {' | '.join(f'{c[row]:.3g}' if c[row] < 1000 else f'{c[row]:,.0f}' for c in columns.values())} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
