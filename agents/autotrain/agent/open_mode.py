"""Open mode: a new architecture as code, of blocks that memory speaks well of or says little about; composed, or written by a
language model that is told what memory knows.

Which blocks: of some sets that are drawn, half of them of promising blocks alone, the one whose blocks promise most. A block
promises what evidence says of it, and a little chance that fades as evidence grows, so that what is unknown is tried and what
failed is left.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agents.autotrain.agent.architectures import Architecture, Architectures, same_code
from agents.autotrain.agent.mode import chance_of
from agents.autotrain.agent.recipe import Values
from agents.autotrain.agent.state import Believed, PastTurn, TrainingState
from agents.autotrain.engine import Code, Engine, Failure, Tried
from agents.contract import Proposal
from agents.errors import NothingToBuild
from sandboxes.kit.layers import CARDS
from sandboxes.kit.schema import Schema

CANDIDATES = 24  # sets of blocks that are drawn, of which one is tried
PROMISING = 8  # blocks of which half of the sets are drawn
ELSEWHERE = 0.5  # of what evidence from other data counts here
CHANCE = 0.3  # spread of chance in a block's promise without evidence: as much as one run says against a belief of another
REPAIRS = 2  # asked of an engine whose file the space refuses
TOLD = 8  # earlier models that a language model is shown, the newest
OF_MODEL = ("code", "blocks", "composed", "model")  # values that are not of training


@dataclass(frozen=True)
class OpenMode:
    """See `Mode`. Without an `engine`, models are composed of the kit's blocks."""

    schema: Schema
    engine: Engine | None = None
    seed: int = 0

    @property
    def smokes(self) -> bool:
        return True

    def space(self, state: TrainingState) -> Architectures:
        training = {name: value for name, value in state.incumbent.items() if name not in OF_MODEL}
        return Architectures(self.schema, state.task, training)

    def decide(self, state: TrainingState) -> Proposal[Architecture]:
        """Raises `NothingToBuild`, and what the engine raises."""
        space, evidence = self.space(state), evidence_of(state.beliefs)
        blocks, code = self._most_promising(space, state, evidence)
        relied = tuple(dict.fromkeys(name for b in blocks for known in evidence.get(b, ()) for name in known.lessons))
        said = f"its blocks promise most of {CANDIDATES} sets that were drawn" + (f", by {len(relied)} lessons" if relied else "")
        if self.engine is not None and (written := self._written(self.engine, space, state, blocks)) is not None:
            return Proposal(written, f"written for blocks of which {said}", self.engine.name, relied)
        return Proposal(space.of(code, blocks), said, "builtin", relied)

    def values(self, decision: Architecture) -> Values:
        return decision.values

    def _most_promising(
        self, space: Architectures, state: TrainingState, evidence: Mapping[str, Sequence[Believed]]
    ) -> tuple[tuple[str, ...], Code]:
        chance = chance_of(self.seed, state)
        promised = {card.name: promise(evidence.get(card.name, ()), chance) for card in space.blocks}
        tried = {same_code(str(turn.values["code"])) for turn in state.past if "code" in turn.values}
        tried |= {same_code(str(state.incumbent["code"]))} if "code" in state.incumbent else set()
        best = sorted(space.names, key=lambda name: -promised[name])[:PROMISING]
        drawn = {space.draw_blocks(chance, among) for among in (space.names, best) for _ in range(CANDIDATES // 2)}
        for blocks in sorted(drawn, key=lambda names: (-sum(promised[n] for n in names) / len(names), names)):
            code = space.composed_of(blocks)
            if code is not None and same_code(code.text) not in tried:
                return blocks, code
        raise NothingToBuild(
            f"{len(drawn)} sets of blocks were drawn, and each makes no model or one that was tried on this data"
        )

    def _written(
        self, engine: Engine, space: Architectures, state: TrainingState, blocks: tuple[str, ...]
    ) -> Architecture | None:
        """What the engine writes for a method of these blocks; None where the space refuses it to the last, or it was tried."""
        spec, tried = space.spec(blocks), [turn for turn in state.past if "code" in turn.values]
        code: Code | None = engine.write(
            spec, self.schema, [_told(turn) for turn in tried[-TOLD:]], [b.in_words for b in state.beliefs]
        )
        for _ in range(REPAIRS):
            if code is None or not (faults := space.faults(space.of(code, blocks))):
                break
            code = engine.repair(spec, self.schema, code, Failure("policy", "\n".join(faults)))
        if code is None or space.faults(space.of(code, blocks)):
            return None
        return None if same_code(code.text) in {same_code(str(t.values["code"])) for t in tried} else space.of(code, blocks)


def evidence_of(beliefs: Sequence[Believed]) -> dict[str, list[Believed]]:
    """What is believed of models or comparisons that a block stands in."""
    found: dict[str, list[Believed]] = {}
    for belief in beliefs:
        for block in blocks_in(belief.subject):
            found.setdefault(block, []).append(belief)
    return found


def blocks_in(subject: str) -> Iterator[str]:
    """The blocks that a lesson's subject is about: not what it was compared with, nor what stood around the one in question."""
    words = re.split(r" against | in a model with ", subject)[0]
    names = re.findall(r"[a-z0-9_]+", words.removeprefix("a model with ").removeprefix("a method with "))
    yield from (name for name in dict.fromkeys(names) if name in _NAMES)


def promise(evidence: Sequence[Believed], chance: random.Random) -> float:
    """What a block may gain, from -1 to 1 or so: the mean of its evidence, with one voice for not knowing, and chance."""
    counts = [(1.0 if known.here else ELSEWHERE, known.strength) for known in evidence]
    weight = 1.0 + sum(count for count, _ in counts)
    mean = sum(count * strength for count, strength in counts) / weight
    return mean + CHANCE * chance.gauss(0.0, 1.0) / math.sqrt(weight)


def _told(turn: PastTurn) -> Tried:
    outcome = "it could not be trained" if turn.reward is None else f"{turn.reward:+.4f} against what stood"
    return Tried(str(turn.values["code"]), f"tried on this data: {outcome}")


_NAMES = frozenset(card.name for card in CARDS)
