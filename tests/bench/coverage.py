"""What becomes of a folder of papers: `PYTHONPATH=tests python -m bench.coverage FOLDER` prints a table and its share.

Every file that can be read is reproduced by the built-in engine, in a small experiment, on the packaged data that suits it. The
table tells of each which stated mechanisms its code holds, which it simplifies and which it lacks, the data, and the verdict.
What a paper states is what a reader found in it, where a file of labels says so (`--labels`; those of the shared papers unless
said otherwise), and what the engine found elsewhere. Finished runs are kept under the home folder and not made again. With
`--without-training` papers are read, and code is written and reviewed, which takes seconds.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bench.arrays import bench_home
from paper_labels import SHARED_PAPERS, Label, read_labels

from agents.autotrain.builtin import BuiltinEngine
from agents.autotrain.builtin.parse import parse
from agents.autotrain.data_choice import fitting_data
from agents.autotrain.fidelity import leaf_rows, mechanism_rows, rubric
from agents.autotrain.reading import read_paper
from agents.autotrain.spec import MethodSpec
from agents.compare import Comparison
from agents.errors import NothingToBuild
from sandboxes.kit.datasets import DATASETS, resolve_data
from sandboxes.kit.layers import CARDS
from workflows.driver import begin, go
from workflows.request import ReproductionRequest
from workflows.settings import Settings
from workflows.steps.candidate import ReviewResult

READ = (".pdf", ".txt", ".md", ".tex", ".html", ".gz")
SMALL = {"seeds": 3, "trials": 1, "epochs": 2, "ablation": False, "way": "touched,fp32,eager"}  # a way is not worth measuring
BASELINES = {"items": ("popularity", "matrix_factorisation"), "actions": ("best_fixed_action", "direct_method")}
FIELD = ("in_scope", "no_mechanism")  # papers of the field; of others nothing is asked
STATUSES = ("implemented", "simplified", "missing")


@dataclass(frozen=True)
class Covered:
    """A paper, and the status in the code of each of its stated mechanisms; where there is no code, all are missing."""

    file: str
    spec: MethodSpec | None
    statuses: tuple[tuple[str, str], ...]
    outcome: str
    dataset: str = ""
    in_field: bool = False
    unasked: tuple[str, ...] = ()  # blocks in the code that no stated mechanism asks for

    def row(self) -> str:
        held = [name if status == "implemented" else f"{name} ({status})" for name, status in self.statuses]
        if self.unasked:
            held.append(f"not stated: {', '.join(self.unasked)}")
        task = self.spec.task.replace("_", " ") if self.spec and self.in_field else ""
        return f"| {self.file} | {task} | {'; '.join(held) if self.in_field else ''} | {self.dataset} | {_cell(self.outcome)} |"


def reproduce(paper: Path, site: Settings, label: Label | None) -> Covered:
    """The whole way, to the verdict."""
    task = parse(read_paper(str(paper), site.home / "papers"), CARDS).task
    baselines = BASELINES.get(task, ("lr", "dnn"))
    folder = begin(site, ReproductionRequest(paper=str(paper), baselines=baselines, **SMALL))
    summary = go(site, folder, lambda event: None).summary
    if summary.status == "stopped":
        sys.exit(f"stopped at {paper.name}; the same command goes on")
    spec = folder.load("spec", MethodSpec) if folder.has("spec.json") else None
    outcome = f"{summary.status.replace('_', ' ')}: {summary.reason}"
    if summary.status == "done":
        outcome = folder.load("comparison", Comparison).sentence
    reviewed = folder.load("review", ReviewResult).rows if folder.has("review.json") else ()
    return _covered(paper, label, spec, {row.mechanism: row.status for row in reviewed}, outcome, summary.dataset)


def compose(paper: Path, site: Settings, label: Label | None) -> Covered:
    """Reading, writing and review alone."""
    spec = parse(read_paper(str(paper), site.home / "papers"), CARDS)
    if not spec.scope.inside:
        return _covered(paper, label, spec, {}, f"out of scope: {spec.scope.reason}", "")
    dataset, _ = fitting_data(spec, CARDS, DATASETS)
    engine = BuiltinEngine()
    try:
        code = engine.write(spec, resolve_data(dataset, site.home / "data").schema)
    except NothingToBuild as why:
        return _covered(paper, label, spec, {}, f"no candidate: {why}", dataset)
    leaves = leaf_rows(rubric(spec), engine.review(spec, code).judged)
    statuses = {row.mechanism: row.status for row in mechanism_rows(spec, leaves)}
    return _covered(paper, label, spec, statuses, "not trained", dataset)


def _covered(
    paper: Path, label: Label | None, spec: MethodSpec | None, by_id: Mapping[str, str], outcome: str, dataset: str
) -> Covered:
    """What the paper states beside what the code holds: by the label where there is one, by the engine's own reading else."""
    read = {m.block or f"“{m.name}”": by_id.get(m.id, "missing") for m in spec.mechanisms} if spec else {}
    if label is None:
        inside = spec is not None and spec.scope.kind in FIELD
        return Covered(paper.name, spec, tuple(read.items()), outcome, dataset, inside)
    blocks = {name: status for name, status in read.items() if status != "missing"}
    unasked = tuple(sorted(blocks.keys() - label.right))
    return Covered(paper.name, spec, _stated(label, blocks), outcome, dataset, bool(label.states), unasked)


def _stated(label: Label, blocks: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The label's mechanisms, each with the best status among the blocks that carry it."""
    by = [(s.what, [blocks[b] for b in s.by & blocks.keys()]) for s in label.states]
    return tuple((what, min(statuses, key=STATUSES.index, default="missing")) for what, statuses in by)


def table(covered: Sequence[Covered]) -> str:
    lines = [
        "| paper | task | what it states, in the code unless said otherwise | data | outcome |",
        "| --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*lines, *(c.row() for c in covered)])


def share(covered: Sequence[Covered]) -> str:
    """How many of the stated mechanisms of papers of the field are there, in a sentence."""
    counts = Counter(status for c in covered if c.in_field for _, status in c.statuses)
    total = sum(counts.values())
    said = ", ".join(f"{counts[s]} {s}" for s in STATUSES)
    rate = f" ({counts['implemented'] / total:.0%} implemented)" if total else ""
    inside = sum(c.in_field for c in covered)
    return f"{len(covered)} papers, {inside} of the field, with {total} stated mechanisms: {said}{rate}."


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("papers", type=Path, help="a folder, looked through with all that is below it")
    parser.add_argument("--labels", type=Path, default=SHARED_PAPERS, help="what readers found in its papers, by path below it")
    parser.add_argument("--without-training", action="store_true", help="stop at the reviewed code")
    given = parser.parse_args()
    files = sorted(p for p in given.papers.rglob("*") if p.suffix in READ and p.name.lower() != "readme.md")
    if not files:
        print(f"{given.papers} holds no paper; give a folder with {', '.join(READ)} files", file=sys.stderr)
        return 1
    site = Settings(home=bench_home() / "coverage", parallel=2)
    labels = read_labels(given.labels)
    cover = compose if given.without_training else reproduce
    covered = []
    for file in files:
        covered.append(cover(file, site, labels.get(file.relative_to(given.papers).as_posix())))
        print(f"{file.name}: {covered[-1].outcome}", file=sys.stderr, flush=True)
    print(f"{date.today()}: {share(covered)}\n\n{table(covered)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
