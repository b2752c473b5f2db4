"""Reproductions that a strong language model once drove, answering from the prompts alone: their exchanges and what they came to.

Each folder under tests/recorded/ holds the exchanges, without the paper's sentences (see `elided`), and run.toml: the paper,
below the shared papers' folder; the request's options; the code's hash and the verdict. One is made of a run's folder and of what
it recorded: `PYTHONPATH=tests python tests/recorded_papers.py NAME PAPER RUN KEPT`.
"""

from __future__ import annotations

import hashlib
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from elided import elide, restore

from agents.autotrain.paper import Paper
from workflows.request import ReproductionRequest
from workflows.run_folder import RunFolder

RECORDED = Path(__file__).parent / "recorded"


@dataclass(frozen=True)
class Recorded:
    """A reproduction as it was recorded. `code` is the SHA-256 of its model.py."""

    folder: Path
    paper: str
    options: dict[str, object]
    verdict: str
    code: str

    def exchanges(self, paper: Paper, place: Path) -> Path:
        """The exchanges with the paper's sentences put back, as a folder that can be replayed."""
        place.mkdir(parents=True)
        for file in self.folder.glob("[0-9]*.json"):
            (place / file.name).write_text(restore(file.read_text(encoding="utf-8"), paper.text), encoding="utf-8")
        return place


def recorded() -> list[Recorded]:
    return [Recorded(f.parent, **tomllib.loads(f.read_text(encoding="utf-8"))) for f in sorted(RECORDED.glob("*/run.toml"))]


def digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def keep(name: str, paper: str, run: RunFolder, kept: Path) -> None:
    """Writes a folder under tests/recorded/ for a run that has ended. `paper` is its place below the shared papers."""
    place = RECORDED / name
    place.mkdir(parents=True)
    text, asked = run.load("paper", Paper).text, run.load("request", ReproductionRequest)
    for file in kept.glob("[0-9]*.json"):
        (place / file.name).write_text(elide(file.read_text(encoding="utf-8"), text), encoding="utf-8")
    (place / "run.toml").write_text(
        f'paper = "{paper}"\nverdict = "{run.summary.verdict}"\ncode = "{digest(run.read_text("model.py"))}"\n\n[options]\n'
        f'data = "{asked.data}"\nbaselines = {list(asked.baselines)}\nseeds = {asked.seeds}\ntrials = {asked.trials}\n'
        f'epochs = {asked.epochs}\nway = "{asked.way}"\n'.replace("'", '"'),
        encoding="utf-8",
    )


if __name__ == "__main__":
    keep(sys.argv[1], sys.argv[2], RunFolder(Path(sys.argv[3])), Path(sys.argv[4]))
