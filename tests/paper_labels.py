"""Labels of papers: what a competent reader finds in each of a folder's files, kept in a TOML file."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

SHARED_PAPERS = Path(__file__).parent / "agents" / "autotrain" / "builtin" / "reading" / "shared_papers.toml"


@dataclass(frozen=True)
class Stated:
    """A mechanism that a paper states, and the blocks that carry it, any of them; none where the kit lacks it."""

    what: str
    by: frozenset[str]


@dataclass(frozen=True)
class Label:
    """Acceptable kinds of scope, the stated mechanisms, and blocks whose recognition is neither right nor wrong.

    A paper of the field states mechanisms; of others nothing is asked.
    """

    kinds: frozenset[str]
    states: tuple[Stated, ...] = ()
    may: frozenset[str] = frozenset()

    @property
    def right(self) -> frozenset[str]:
        """Blocks that may be recognised."""
        return self.may.union(*(s.by for s in self.states))


def read_labels(file: Path) -> dict[str, Label]:
    """The labels by path below the papers' folder, such as "pdf/dcn.pdf"."""
    return {path: _label(entry) for path, entry in tomllib.loads(file.read_text()).items()}


def _label(entry: dict[str, list]) -> Label:  # type: ignore[type-arg]
    states = tuple(Stated(s["what"], frozenset(s["by"])) for s in entry.get("states", ()))
    return Label(frozenset(entry["kinds"]), states, frozenset(entry.get("may", ())))
