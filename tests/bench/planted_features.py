"""Whether AutoFeature finds what is planted, and nothing else: whole runs on generated logs of which the truth is known.

    PYTHONPATH=tests python -m bench.planted_features [--seeds 20] [--rows 30000] [--judge lr]

Of each seed's log: was the useful cross kept, were all leaks set aside, was the noise dropped, and how many of the features that
were kept are made of noise. On two cores a seed takes about a minute and a half.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from agents.autofeature.agent import AutoFeature, Done
from agents.autofeature.changes import Add, Change
from agents.autofeature.settings import Settings
from agents.autofeature.trainer import Trainer
from agents.contract import take_turn
from memory.embeddings import open_embeddings
from memory.store import MemoryStore
from sandboxes import choose
from sandboxes.jobs import JobRunner
from sandboxes.kit.datasets.synthetic_features import SyntheticFeatures, Truth, synthetic_source, truth
from sandboxes.protocol import Limits


@dataclass(frozen=True)
class Found:
    """What one run came to, against the truth."""

    seed: int
    verdict: str
    cross: bool
    leaks: bool
    noise_dropped: int
    noise: int
    useful_dropped: int
    kept: int
    false: int
    gain: float
    low: float
    seconds: float


def run(seed: int, rows: int, judge: str, folder: Path) -> Found:
    """One whole turn of the agent on the log of that seed, leaks among its features."""
    config = SyntheticFeatures(rows=rows, seed=seed)
    runner = JobRunner(choose("process", composed=True), folder / "jobs", Limits(600.0, 4096, 1.0))
    trainer = Trainer(synthetic_source(config, leaks=True), folder / "data", runner, parallel=2)
    agent = AutoFeature(trainer, MemoryStore(folder / "memory", open_embeddings("")), Settings(model=judge))
    began = time.monotonic()
    turn = take_turn(agent)
    done = turn.outcome.result
    assert isinstance(done, Done)
    adopted = done.last.changes if done.last.verdict == "adopted" else ()
    aside = {s.column for s in turn.state.set_aside}
    return _against(seed, truth(config), adopted, aside, done, time.monotonic() - began)


def _against(seed: int, known: Truth, adopted: tuple[Change, ...], aside: set[str], done: Done, seconds: float) -> Found:
    adds = [c for c in adopted if isinstance(c, Add)]
    dropped = {c.name for c in adopted if c.kind == "drop"}
    noise = set(known.noise)
    gain = done.last.gain
    return Found(
        seed=seed,
        verdict=done.last.verdict,
        cross=any(set(known.crossed) <= columns_of(c) for c in adds),
        leaks=set(known.leaks) <= aside and not aside - set(known.leaks),
        noise_dropped=len(dropped & noise),
        noise=len(noise),
        useful_dropped=len(dropped & set(known.alone)),
        kept=len(adds),
        false=sum(bool(columns_of(c) & noise) for c in adds),
        gain=gain.value if gain else 0.0,
        low=gain.low if gain else 0.0,
        seconds=seconds,
    )


def columns_of(change: Add) -> set[str]:
    """The table's columns that a feature is made of."""
    made = {d.name for d in change.derived}
    return {c for d in change.derived for c in d.inputs if c not in made} | ({change.column} if change.column else set())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--judge", default="lr")
    asked = parser.parse_args()
    print("seed  cross  leaks refused  noise dropped  useful dropped  kept  of noise  AUC gained on test        seconds")
    found = []
    for seed in range(asked.seeds):
        with TemporaryDirectory() as folder:
            f = run(seed, asked.rows, asked.judge, Path(folder))
        found.append(f)
        print(
            f"{f.seed:4}  {'yes' if f.cross else 'NO':5}  {'all' if f.leaks else 'NOT ALL':13}  "
            f"{f'{f.noise_dropped} of {f.noise}':13}  {f.useful_dropped:14}  {f.kept:4}  {f.false:8}  "
            f"{f.gain:+.4f}, from {f.low:+.4f} up  {f.seconds:7.0f}",
            flush=True,
        )
    shares = [f.false / f.kept if f.kept else 0.0 for f in found]
    print(
        f"cross found {sum(f.cross for f in found)} of {len(found)}; all leaks refused, and nothing else, "
        f"{sum(f.leaks for f in found)} of {len(found)}; noise dropped {sum(f.noise_dropped for f in found)} of "
        f"{sum(f.noise for f in found)}; useful columns dropped {sum(f.useful_dropped for f in found)}; false discovery rate "
        f"{mean(shares):.3f} (mean over seeds), {sum(f.false for f in found)} of {sum(f.kept for f in found)} features kept"
    )


if __name__ == "__main__":
    main()
