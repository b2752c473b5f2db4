"""What a memory would hold after the shared abstracts were read and run, and the labelled queries to ask it.

Papers and their sections are the abstracts; mechanisms are what a reader found in them; runs ended as `past_runs.toml` tells. Ids
end in the file's name without its ending, `paper-alpt` and `run-alpt`. Records say what a run's own would, in their words.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paper_labels import SHARED_PAPERS, Label, read_labels

from memory.records import (
    AnyRecord,
    DecisionRecord,
    LessonRecord,
    MechanismRecord,
    MethodRecord,
    OutcomeRecord,
    PaperRecord,
    Polarity,
    RunRecord,
    SectionRecord,
)
from memory.retrieval import Root

HERE = Path(__file__).parent
SENTENCES = 2  # of an abstract in a section
POLARITY: dict[str, Polarity] = {"better": "positive", "worse": "negative", "tie": "neutral"}


@dataclass(frozen=True)
class Query:
    text: str
    difficulty: str
    root: Root
    relevant: frozenset[str]  # ids of roots
    itself: str = ""  # a root that is no answer


def queries() -> list[Query]:
    entries = tomllib.loads((HERE / "recall_queries.toml").read_text(encoding="utf-8"))["query"]
    return [_query(entry) for entry in entries]


def _query(entry: dict[str, Any]) -> Query:
    root: Root = "paper" if entry["about"] == "papers" else "run"
    return Query(entry["text"], entry["difficulty"], root, frozenset(f"{root}-{Path(name).stem}" for name in entry["relevant"]))


def abstracts_as_queries(papers: Sequence[AnyRecord]) -> list[Query]:
    """Each paper's abstract, as agents ask with it; what answers a labelled query beside the paper is related to it."""
    asked = [q.relevant for q in queries() if q.root == "paper"]
    related = {p.id: frozenset().union(*(r for r in asked if p.id in r)) - {p.id} for p in papers}
    found = [(p, related[p.id]) for p in papers if isinstance(p, PaperRecord) and related[p.id]]
    return [Query(p.abstract, "abstract", "paper", others, p.id) for p, others in found]


def records(abstracts: Path) -> list[AnyRecord]:
    """Of the papers in a folder, and of the runs that are told of them."""
    labels = read_labels(SHARED_PAPERS)
    files = sorted(abstracts.glob("*.txt"))
    read = [record for file in files for record in _paper(file, labels[f"abstracts/{file.name}"])]
    past = tomllib.loads((HERE / "past_runs.toml").read_text(encoding="utf-8"))["run"]
    return [*read, *(record for run in past for record in _run(run))]


def _paper(file: Path, label: Label) -> Iterator[AnyRecord]:
    name, (title, _, rest) = file.stem, file.read_text(encoding="utf-8").partition("\n")
    sentences = re.split(r"(?<=[.!?])\s+(?=[A-Z(])", " ".join(rest.split()))
    paper = f"paper-{name}"
    yield PaperRecord(id=paper, title=title.strip(), source=file.name, abstract=" ".join(sentences))
    for n in range(0, len(sentences), SENTENCES):
        part = " ".join(sentences[n : n + SENTENCES])
        yield SectionRecord(id=f"section-{name}-{n}", parents=(paper,), title=title.strip(), beginning=part)
    if not label.states:
        return
    method, blocks = f"method-{name}", tuple(sorted({block for stated in label.states for block in stated.by}))
    yield MethodRecord(id=method, parents=(paper,), name=name, mechanisms=blocks)
    for n, stated in enumerate(label.states, 1):
        block = min(stated.by, default="")
        yield MechanismRecord(id=f"{method}-m{n}", parents=(method,), name=stated.what, block=block, quote=stated.what)


def _run(past: dict[str, Any]) -> Iterator[AnyRecord]:
    name, reason = Path(past["paper"]).stem, past["reason"].strip()
    paper, run = f"paper-{name}", f"run-{name}"
    baseline = "matrix_factorisation" if past["task"] == "items" else "dnn"
    where = {"agent": "AutoTrain", "dataset": past["dataset"], "task": past["task"]}
    tried = {"candidate": name, "baselines": (baseline,), "seeds": 3, "trials": 1, "sandbox": "process"}
    yield RunRecord(id=run, parents=(paper,), data_hash="d", code_hash="c", **tried, **where)
    yield DecisionRecord(
        id=f"decision-{name}",
        parents=(run,),
        state="which data to train on",
        alternatives=(),
        choice=past["dataset"],
        rationale="it is packaged and suits the method",
        **where,
    )
    ended = {"status": past["status"], "verdict": past["verdict"], "reason": reason}
    yield OutcomeRecord(id=f"outcome-{name}", parents=(paper, run), **ended, **where)
    built = ", ".join(past["mechanisms"]) or "none of the paper's mechanisms"
    if past["status"] == "done":
        subject, polarity = f"a model with {built} against {baseline}", POLARITY[past["verdict"]]
        claim = f"{subject}: {past['verdict']}"
    else:
        subject, polarity = f"a method with {', '.join([*past['mechanisms'], *past['lacking']])}", "negative"
        claim = f"no trainable model came of {subject}"
    said = {"subject": subject, "claim": claim, "polarity": polarity, "reason": reason, "evidence": (run,)}
    yield LessonRecord(id=f"lesson-{name}", parents=(run,), **said, **where)
