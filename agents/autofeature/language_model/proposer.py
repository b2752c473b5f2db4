"""Asks a language model for features: it sees names, kinds and counts of columns, no values; what it says becomes proposals that
the space may refuse and trials decide about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.autofeature.changes import Add
from agents.autofeature.propose.families import plain
from agents.autofeature.propose.known import Known, Proposed
from agents.llm import LanguageModel
from agents.llm.fence import fenced
from sandboxes.kit.features import AnyTransform
from sandboxes.kit.features.bins import Bins, By
from sandboxes.kit.features.cross import Cross
from sandboxes.kit.features.histories import HistoryMeasure, Says
from sandboxes.kit.features.statistics import Rate, Share
from sandboxes.kit.features.times import Elapsed, Part, TimePart

MOST = 12
PROMPT = Path(__file__).with_name("propose.md")


class SaidFeature(BaseModel):
    """One feature as the model says it; which of the fields below `of` matter depends on `how`."""

    model_config = ConfigDict(extra="ignore")
    how: Literal["cross", "bins", "rate", "share", "time_part", "elapsed", "history"]
    of: list[str] = Field(min_length=1, max_length=3)
    why: str = Field(min_length=1, max_length=400)
    by: By = "auto"
    bins: int = Field(default=32, ge=2, le=256)
    part: Part = "hour"
    says: Says = "matches"


class SaidFeatures(BaseModel):
    model_config = ConfigDict(extra="ignore")
    features: list[SaidFeature] = Field(max_length=50)


class LanguageModelProposer:
    """Errors: those of `agents.llm`."""

    def __init__(self, door: LanguageModel) -> None:
        self._door, self.name = door, door.name

    def propose(self, known: Known) -> list[Proposed]:
        """What the model proposes and transforms can express; at most `MOST`, in its order."""
        system = PROMPT.read_text(encoding="utf-8").strip().replace("{most}", str(MOST))
        said = self._door.ask_for(SaidFeatures, "propose", system, "\n\n".join(described(known)))
        made = (_proposed(known, one) for one in said.features[:MOST])
        return [p for p in made if p is not None]


def described(known: Known) -> Iterator[str]:
    """What is asked about: the table, and what memory says."""
    lines = [f"task: {known.task}; {known.rows:,} training rows"]
    alone = known.unexplained()
    roles = {known.spec.user: "the user", known.spec.time: "the row's own time"}
    roles |= {known.spec.column_of(known.spec.target_item): "the item"} if known.spec.target_item else {}
    for column, facts in known.columns.items():
        said = [facts.kind, f"{facts.values:,} values", *([roles[column]] if column in roles else [])]
        said += [f"z {alone[column]:.1f}"] if column in alone else []
        lines.append(f"column {column}: {', '.join(said)}")
    lines += [f"history {s.name}: the user's last {s.length} values of {s.of}" for s in known.spec.sequences]
    lines += [f"feature already there: {d.name} ({d.how.replace('_', ' ')})" for d in known.spec.derived]
    yield fenced("table", "\n".join(lines))
    if known.lessons:
        yield fenced("lessons", "\n".join(known.lessons))


def _proposed(known: Known, said: SaidFeature) -> Proposed | None:
    made = _transform(known, said)
    if made is None:
        return None
    change = Add(name=made.name, gives=made.gives, derived=(made,), min_frequency=2 if made.how == "cross" else 1)
    return Proposed(change, said.why, known.relied_on)


def _transform(known: Known, said: SaidFeature) -> AnyTransform | None:
    """The transform, None where what was said makes none here."""
    of = tuple(dict.fromkeys(said.of))
    name = f"{'_x_'.join(map(plain, of))}_{said.how}"
    name = name.removesuffix("_cross")  # as the rules call it, so that one thing is not proposed twice
    first, unit = of[0], known.columns[of[0]].unit if of[0] in known.columns else "s"
    learns = bool(known.learns)
    match said.how:
        case "cross":
            return Cross(name, of)
        case "share":
            return Share(name, of)
        case "rate":
            return Rate(name, of, known.learns) if learns else None
        case "bins":
            supervised = said.by in ("tree", "auto")
            by = "equal_frequency" if supervised and not learns else said.by
            return Bins(name, first, by, said.bins, known.learns if by in ("tree", "auto") else "")
        case "time_part":
            return TimePart(f"{plain(first)}_{said.part}", first, said.part, unit)
        case "elapsed":
            now = known.spec.time
            return Elapsed(name, now, first, unit) if now else None
        case "history":
            return HistoryMeasure(f"{plain(first)}_{said.says}", first, said.says)
