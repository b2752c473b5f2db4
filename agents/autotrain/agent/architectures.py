"""The open space of architectures: files that define a model, composed of the kit's blocks or written by an engine.

Composed ones can be drawn and told to the letter; of written ones it is known that they keep to the code policy and define a
model. Whether a model of either kind works, the smoke tests say.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from agents.autotrain.agent.recipe import Values, same_again
from agents.autotrain.builtin import BuiltinEngine
from agents.autotrain.engine import Code
from agents.autotrain.spec import Mechanism, MethodSpec, Scope, TaskKind
from agents.errors import NothingToBuild
from sandboxes.kit.card import Card
from sandboxes.kit.layers import CARDS
from sandboxes.kit.needs import offered
from sandboxes.kit.schema import Schema
from sandboxes.policy import violations

MOST_BLOCKS = 4  # of a model that is drawn: of more, few fit together
DRAWS = 200  # sets of blocks that are tried until one can be built

_BUILTIN = BuiltinEngine()


@dataclass(frozen=True)
class Architecture:
    """A file `model.py` with the blocks that it was made of or asked for, and the settings that it is trained by.

    `composed` is claimed by whoever decides; the space holds it against what the blocks come to.
    """

    code: str
    blocks: tuple[str, ...]
    composed: bool
    training: Values = field(default_factory=lambda: MappingProxyType({}))

    @property
    def values(self) -> Values:
        return {**self.training, "blocks": ", ".join(self.blocks), "composed": self.composed, "code": self.code}


@dataclass(frozen=True)
class Architectures:
    """See `agents.contract.Space`. On data of one schema; all are trained as what stands is, by `training`."""

    schema: Schema
    task: TaskKind
    training: Values

    def sample(self, random: random.Random) -> Architecture:
        """Raises `NothingToBuild` where hardly any set of blocks fits the data."""
        for _ in range(DRAWS):
            blocks = self.draw_blocks(random, self.names)
            if (code := self.composed_of(blocks)) is not None:
                return self.of(code, blocks)
        raise NothingToBuild(f"of {DRAWS} sets of the kit's blocks none makes a model on this data")

    def faults(self, decision: Architecture) -> Sequence[str]:
        found = [f"line {v.line}: {v.message}" for v in violations(decision.code)]
        if decision.training != self.training:
            found.append("it would be trained by other settings than what stands, so that the two could not be compared")
        if decision.composed and not found and not self._is_composed(decision):
            found.append("it is said to be composed of the kit's blocks and is not what these blocks come to")
        return found

    @cached_property
    def blocks(self) -> tuple[Card, ...]:
        """Those that the data has what they need for."""
        has = offered(self.schema)
        of_labels = "items" not in has
        return tuple(c for c in CARDS if set(c.needs) <= has and (of_labels or not c.ports.adds_or_changes_labels))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(card.name for card in self.blocks)

    def draw_blocks(self, random: random.Random, among: Sequence[str]) -> tuple[str, ...]:
        """Some of the blocks, whether or not they can stand in one model."""
        return tuple(sorted(random.sample(among, random.randint(1, min(MOST_BLOCKS, len(among))))))

    def composed_of(self, blocks: Sequence[str]) -> Code | None:
        """The model of these blocks; None where they cannot all stand in one."""
        try:
            code = _BUILTIN.write(self.spec(blocks), self.schema)
        except NothingToBuild:
            return None
        return None if any(": left out, " in note for note in code.notes) else code

    def of(self, code: Code, blocks: Sequence[str]) -> Architecture:
        return Architecture(code.text, tuple(blocks), code.composed, self.training)

    def spec(self, blocks: Sequence[str]) -> MethodSpec:
        """A method that no paper has: these blocks together."""
        cards = {card.name: card for card in CARDS}
        mechanisms = tuple(
            Mechanism(
                id=f"m{number}",
                name=cards[name].cues[0],
                block=name,
                basis="inferred",
                confidence=1.0,
                description=cards[name].summary,
            )
            for number, name in enumerate(blocks, 1)
            if name in cards
        )
        title = f"A model of {', '.join(m.name for m in mechanisms)}"
        return MethodSpec(
            paper_id="", title=title, model_name="", scope=Scope(kind="in_scope"), task=self.task, mechanisms=mechanisms
        )

    def _is_composed(self, decision: Architecture) -> bool:
        known = {card.name for card in self.blocks}
        if not decision.blocks or not set(decision.blocks) <= known:
            return False
        code = self.composed_of(decision.blocks)
        return code is not None and ast.dump(ast.parse(code.text)) == ast.dump(ast.parse(decision.code))


def same_code(code: str) -> str:
    """Equal for code that does the same, whatever it is called and however it is trained."""
    return same_again({"code": code})
