"""From a paper to a `MethodSpec`, without a language model: names, passages, stances, mechanisms, settings, findings, scope.

`python -m agents.autotrain.builtin.parse PAPER...` prints one line for each paper.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from agents.autotrain.builtin import findings
from agents.autotrain.builtin.arguments import read_arguments
from agents.autotrain.builtin.claims import read_claims
from agents.autotrain.builtin.matching import Matcher
from agents.autotrain.builtin.names import find_names
from agents.autotrain.builtin.passages import Passage, passages_of
from agents.autotrain.builtin.proposals import Proposal, proposals
from agents.autotrain.builtin.recognise import KEPT, Recognised, read_mechanisms
from agents.autotrain.builtin.scope import fitting, judge
from agents.autotrain.builtin.settings import read_settings
from agents.autotrain.builtin.stance import Stance, stances_of
from agents.autotrain.paper import Paper
from agents.autotrain.reading import read_paper
from agents.autotrain.spec import Mechanism, MethodSpec, TaskKind
from agents.errors import AgentError
from sandboxes.kit.card import Card
from sandboxes.kit.ports import VALUES

UNCLEAR = 8  # passages listed at most
UNCOVERED = 4  # proposals without a block listed at most as mechanisms
EQUATIONS = 3  # kept for a mechanism
EQUATION_REACH = 700  # characters between a passage and the equation that belongs to it


@cache
def _matcher(cards: tuple[Card, ...]) -> Matcher:
    return Matcher(cards)


def parse(paper: Paper, cards: Sequence[Card]) -> MethodSpec:
    """What the paper proposes. Deterministic, and raises on no text: what cannot be read is left out."""
    names = find_names(paper)
    passages = passages_of(paper, names)
    stances = stances_of(passages)
    reading = read_mechanisms(passages, stances, _matcher(tuple(cards)))
    said = proposals(paper, passages, stances, reading.matches, {r.card for r in reading.mechanisms})
    built = [_mechanism(paper, cards[r.card], r, passages, stances) for r in reading.mechanisms]
    mechanisms = _numbered([*built, *_usual(built, cards), *_uncovered(paper, passages, stances, said)])
    fit, topic = fitting(passages, stances)
    scope = judge(paper, passages, stances, _buildable(mechanisms, cards), fit)
    return MethodSpec(
        paper_id=paper.id,
        title=paper.title,
        model_name=names.model,
        scope=scope,
        task=_task(mechanisms, cards) if topic.task == "ctr" else topic.task,
        mechanisms=mechanisms,
        losses=findings.losses(paper, passages, stances),
        scheme=findings.stages(paper, passages, stances),
        hyper_parameters=read_settings(paper, passages),
        datasets=findings.datasets(paper, passages, names.aliases),
        baselines=findings.baselines(paper, passages, names.aliases),
        claims=read_claims(paper, passages, names.aliases),
        unclear=tuple(passages[i].evidence(paper) for i in _unclear(said)),
    )


def _usual(built: Sequence[Mechanism], cards: Sequence[Card]) -> list[Mechanism]:
    """Blocks that give what a recognised one takes of another, where none was recognised: a loss to pre-train with."""
    by_name = {c.name: c for c in cards}
    given = {by_name[m.block].ports.gives for m in built if m.block}
    taken = dict.fromkeys(v for m in built if m.block for v in by_name[m.block].ports.takes)
    stand_ins = [by_name[VALUES[v].usual] for v in taken if v not in given and VALUES[v].usual in by_name]
    return [
        Mechanism(
            id="m0",
            name=card.cues[0],
            block=card.name,
            basis="default",
            confidence=0.0,
            description=f"the paper was not seen to say which, so the usual one is taken: {card.summary}",
        )
        for card in stand_ins
    ]


def _buildable(mechanisms: Sequence[Mechanism], cards: Sequence[Card]) -> list[Mechanism]:
    """Those that some block implements, if what it takes of other blocks is given."""
    ports = {c.name: c.ports for c in cards}
    given = {ports[m.block].gives for m in mechanisms if m.block}
    return [m for m in mechanisms if m.block and all(v in given for v in ports[m.block].takes if VALUES[v].absent)]


def _mechanism(paper: Paper, card: Card, found: Recognised, passages: Sequence[Passage], stances: Sequence[Stance]) -> Mechanism:
    values, said = read_arguments(paper, passages, stances, card)
    quoted = list(dict.fromkeys([*(i for i, _ in found.support[:KEPT]), *said]))[: KEPT + 2]
    return Mechanism(
        id="m0",
        name=card.cues[0],
        block=card.name,
        basis="stated" if found.cued else "inferred",
        confidence=round(found.confidence, 3),
        evidence=tuple(passages[i].evidence(paper) for i in quoted),
        arguments=values,
        equations=_equations(paper, [passages[i] for i, _ in found.support[:KEPT] if passages[i].role in ("method", "other")]),
        description=card.summary,
    )


def _equations(paper: Paper, near: Sequence[Passage]) -> tuple[str, ...]:
    """Displayed equations that begin shortly after a passage, in the order of the paper."""
    kept = [e for e in paper.equations if any(0 <= e.start - p.end <= EQUATION_REACH or p.start <= e.start < p.end for p in near)]
    return tuple(dict.fromkeys(e.text.strip() for e in kept[:EQUATIONS]))


def _uncovered(paper: Paper, passages: Sequence[Passage], stances: Sequence[Stance], said: Sequence[Proposal]) -> list[Mechanism]:
    """Named proposals that no recognised mechanism covers, as mechanisms without a block; each phrase once."""
    out: dict[str, Mechanism] = {}
    for proposal in _in_order_of_weight(passages, said):
        key = " ".join(w.stem for w in passages[proposal.passage].words if proposal.start <= w.start < proposal.end)
        if proposal.covered or not proposal.name or key in out:
            continue
        out[key] = Mechanism(
            id="m0",
            name=" ".join(proposal.name.split()),
            block=None,
            basis="stated",
            confidence=round(stances[proposal.passage].value, 3),
            evidence=(passages[proposal.passage].evidence(paper),),
            description="the paper proposes it, and no block of the kit was recognised in it",
        )
    return list(out.values())[:UNCOVERED]


def _in_order_of_weight(passages: Sequence[Passage], said: Sequence[Proposal]) -> list[Proposal]:
    """The abstract's proposals first, then the others in reading order."""
    return sorted(said, key=lambda p: (passages[p.passage].role != "abstract", p.start))


def _unclear(said: Sequence[Proposal]) -> list[int]:
    """Passages with a proposal that nothing covers."""
    return list(dict.fromkeys(p.passage for p in said if not p.covered))[:UNCLEAR]


def _numbered(mechanisms: Sequence[Mechanism]) -> tuple[Mechanism, ...]:
    return tuple(m.model_copy(update={"id": f"m{i}"}) for i, m in enumerate(mechanisms, 1))


def _task(mechanisms: Sequence[Mechanism], cards: Sequence[Card]) -> TaskKind:
    """Of click and conversion models, what the recognised mechanisms need of the data decides: the rarer need first."""
    by_name = {c.name: c for c in cards}
    needs = {need for m in mechanisms if m.block for need in by_name[m.block].needs}
    kinds: tuple[tuple[str, TaskKind], ...] = (
        ("entire_space", "entire_space"),
        ("scenario", "multi_scenario"),
        ("several_tasks", "multi_task"),
        ("history", "sequence"),
    )
    return next((kind for need, kind in kinds if need in needs), "ctr")


def line(spec: MethodSpec) -> str:
    """A spec on one line, for a person who looks over many."""
    found = ", ".join(
        f"{m.block or '(' + m.name + ')'} {m.confidence:.2f}{'' if m.basis == 'stated' else '?'}" for m in spec.mechanisms
    )
    return f"{spec.title[:60]:60s} | {spec.model_name or '-'} | {spec.scope.kind} | {spec.task} | {found or '-'}"


def main(sources: Sequence[str]) -> int:
    from sandboxes.kit.layers import CARDS

    failed = 0
    with tempfile.TemporaryDirectory() as cache:
        for source in sources:
            try:
                print(line(parse(read_paper(source, Path(cache)), CARDS)), flush=True)
            except AgentError as error:
                print(f"{source}: {error}", file=sys.stderr)
                failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
