"""Reads the shared papers with the built-in engine beside their labels; run as a script, prints a Markdown table."""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[5]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]  # a script and a test alike

from paper_labels import SHARED_PAPERS, Label, read_labels  # noqa: E402

from agents.autotrain.builtin.parse import parse  # noqa: E402
from agents.autotrain.paper import Paper  # noqa: E402
from agents.autotrain.reading import read_paper  # noqa: E402
from agents.autotrain.spec import MethodSpec  # noqa: E402
from sandboxes.kit.layers import CARDS  # noqa: E402


@dataclass(frozen=True)
class Read:
    file: str
    label: Label
    paper: Paper
    spec: MethodSpec

    @property
    def right(self) -> bool:
        return self.spec.scope.kind in self.label.kinds

    @property
    def blocks(self) -> frozenset[str]:
        return frozenset(m.block for m in self.spec.mechanisms if m.block)

    def row(self) -> str:
        kinds = " or ".join(sorted(self.label.kinds))
        got = self.spec.scope.kind if self.right else f"{self.spec.scope.kind} (wrong)"
        wrong = ", ".join(sorted(self.blocks - self.label.right))
        missed = "; ".join(s.what for s in self.label.states if s.by and not s.by & self.blocks)
        return f"| {' | '.join([self.file, kinds, got, ', '.join(sorted(self.blocks)), wrong, missed])} |"


def read_all(papers: Path) -> Iterator[Read]:
    with tempfile.TemporaryDirectory() as cache:
        for file, label in read_labels(SHARED_PAPERS).items():
            if (papers / file).exists():
                paper = read_paper(str(papers / file), Path(cache))
                yield Read(file, label, paper, parse(paper, CARDS))


def table(reads: list[Read]) -> str:
    head = "| file | expected | got | mechanisms | wrong | missed |\n|---|---|---|---|---|---|\n"
    return head + "\n".join(r.row() for r in reads)


if __name__ == "__main__":
    print(table(list(read_all(ROOT.parent / "shared" / "papers"))))
