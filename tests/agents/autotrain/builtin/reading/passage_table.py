"""Reads single labelled passages with the built-in engine; run as a script, prints precision, recall and what was confused.

A line of `passages.jsonl` holds a passage in its writer's own words, the section it stands in, its kind (plain wording; a
paraphrase far from it; a distractor, which only rejects or reviews; mixed), the blocks it proposes, and those it may be read as
proposing, which count neither way. Their writer had seen neither the cards nor the engine, and neither was changed by what the
passages show; those by which the engine was improved stand in `seen_passages.jsonl` and count no more. Those of
`own_passages.jsonl` are by the writers of the blocks' cards: they are counted apart, and prove less.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

PASSAGES, OWN, SEEN = (Path(__file__).with_name(f"{name}.jsonl") for name in ("passages", "own_passages", "seen_passages"))
ROOT = Path(__file__).resolve().parents[5]
sys.path[:0] = [str(ROOT)]  # a script and a test alike

from agents.autotrain.builtin.parse import parse  # noqa: E402
from agents.autotrain.paper import Paper, Section  # noqa: E402
from sandboxes.kit.layers import CARDS  # noqa: E402

HEADINGS = {"abstract": "Abstract", "introduction": "Introduction", "related": "Related Work", "method": "Method"}
KINDS = ("plain", "paraphrase", "mixed", "distractor")


@dataclass(frozen=True)
class Passage:
    text: str
    section: str
    kind: str
    blocks: frozenset[str]
    may: frozenset[str]
    found: frozenset[str]

    @property
    def right(self) -> frozenset[str]:
        return self.found & self.blocks

    @property
    def wrong(self) -> frozenset[str]:
        return self.found - self.blocks - self.may

    @property
    def missed(self) -> frozenset[str]:
        return self.blocks - self.found


def read_all(file: Path = PASSAGES) -> list[Passage]:
    """Each passage, read as a paper of one section."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return [_read(json.loads(line)) for line in lines]


def _read(line: dict[str, object]) -> Passage:
    text, section = str(line["text"]), str(line["section"])
    heading = HEADINGS[section]
    start = len(heading) + 2
    sections = (Section(title=heading, level=1, start=start, end=start + len(text)),)
    spec = parse(Paper(title="", source="passage", format="text", text=f"{heading}\n\n{text}", sections=sections), CARDS)
    found = frozenset(m.block for m in spec.mechanisms if m.block)
    return Passage(text, section, str(line["kind"]), _set(line["blocks"]), _set(line["may"]), found)


def _set(names: object) -> frozenset[str]:
    assert isinstance(names, list)
    return frozenset(map(str, names))


def precision_and_recall(passages: Iterable[Passage]) -> tuple[float, float]:
    """Over all blocks of all passages; 1 where there is nothing to be wrong about."""
    right, wrong, missed = (sum(len(getattr(p, what)) for p in passages) for what in ("right", "wrong", "missed"))
    return right / max(right + wrong, 1), right / max(right + missed, 1)


def by_kind(passages: Sequence[Passage]) -> list[str]:
    lines = ["| passages | number | blocks proposed | found | missed | wrong | precision | recall |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for kind in (*KINDS, "all"):
        own = [p for p in passages if kind in (p.kind, "all")]
        right, wrong, missed = (sum(len(getattr(p, what)) for p in own) for what in ("right", "wrong", "missed"))
        precision, recall = precision_and_recall(own)
        shares = f"{precision:.2f} | {recall:.2f}" if kind != "distractor" else " | "
        lines.append(f"| {kind} | {len(own)} | {right + missed} | {right} | {missed} | {wrong} | {shares} |")
    return lines


def confusions(passages: Sequence[Passage]) -> list[str]:
    """Block by block: how often proposed and found, and what was read where it was missed or instead of nothing."""
    lines = ["| block | proposed | found | missed, and what was read there | read where it is not proposed |"]
    lines.append("| --- | ---: | ---: | --- | ---: |")
    for card in CARDS:
        proposed = [p for p in passages if card.name in p.blocks]
        instead = Counter(name for p in proposed if card.name in p.missed for name in (p.wrong or {"nothing"}))
        wrong = sum(card.name in p.wrong for p in passages)
        said = ", ".join(f"{name} {n}" if n > 1 else name for name, n in instead.most_common())
        found = sum(card.name in p.right for p in passages)
        lines.append(f"| {card.name} | {len(proposed)} | {found} | {said} | {wrong or ''} |")
    return lines


if __name__ == "__main__":
    passages = read_all()
    print("\n".join([*by_kind(passages), "", *confusions(passages), "", *by_kind(read_all(OWN)), "", *by_kind(read_all(SEEN))]))
