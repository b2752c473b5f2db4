"""Reads the shared papers with the built-in engine beside their labels; run as a script, prints a Markdown table."""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[5]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT)]  # a script and a test alike

from scope_labels import ABSTRACTS, PDFS, Expected  # noqa: E402

from agents.autotrain.builtin.parse import parse  # noqa: E402
from agents.autotrain.paper import Paper  # noqa: E402
from agents.autotrain.reading import read_paper  # noqa: E402
from agents.autotrain.spec import MethodSpec  # noqa: E402
from sandboxes.kit.layers import CARDS  # noqa: E402


@dataclass(frozen=True)
class Read:
    file: str
    expected: Expected
    paper: Paper
    spec: MethodSpec

    @property
    def right(self) -> bool:
        return self.spec.scope.kind in self.expected.kinds

    @property
    def blocks(self) -> frozenset[str]:
        return frozenset(m.block for m in self.spec.mechanisms if m.block)

    def row(self) -> str:
        kinds = " or ".join(sorted(self.expected.kinds))
        mark = "" if self.right else " (wrong)"
        return f"| {self.file} | {kinds} | {self.spec.scope.kind}{mark} | {', '.join(sorted(self.blocks)) or '-'} |"


def read_all(papers: Path) -> Iterator[Read]:
    with tempfile.TemporaryDirectory() as cache:
        for folder, suffix, labels in (("abstracts", ".txt", ABSTRACTS), ("pdf", ".pdf", PDFS)):
            for stem, expected in labels.items():
                path = papers / folder / (stem + suffix)
                if path.exists():
                    paper = read_paper(str(path), Path(cache))
                    yield Read(path.name, expected, paper, parse(paper, CARDS))


def table(reads: list[Read]) -> str:
    head = "| file | expected | got | mechanisms |\n|---|---|---|---|\n"
    return head + "\n".join(r.row() for r in reads)


if __name__ == "__main__":
    print(table(list(read_all(ROOT.parent / "shared" / "papers"))))
