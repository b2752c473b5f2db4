"""Logged decisions in memory with planted rewards, over schemas of every shape that predicts actions.

Notation: n rows, A actions, L history length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.ranking import Answers
from sandboxes.kit.schema import FIRST_ID, CategoricalField, NumericField, Schema, SequenceField

ACTIONS, USERS, KINDS, LENGTH = 12, 40, 4, 5
LIKED, SUITS = 0.1, 0.6  # what the best liked actions and those that suit the context add to a chance of reward of 0.1
USER, ACTION = CategoricalField("user", USERS + 2, "user"), CategoricalField("action", ACTIONS + 2, "item")
KIND, HOUR = CategoricalField("kind", KINDS + 2, "item"), CategoricalField("hour", 6)
SEEN = SequenceField("seen", "action", LENGTH)

SCHEMAS: Mapping[str, Schema] = {
    "user": Schema((USER, ACTION), target_item="action", user="user", predicts="actions"),
    "context": Schema(
        (HOUR, ACTION, KIND),
        (NumericField("age", "user"), NumericField("price", "item")),
        (SEEN, SequenceField("kinds", "kind", LENGTH)),
        target_item="action",
        predicts="actions",
    ),
}


@dataclass(frozen=True)
class PlantedDecisions:
    """A split in memory, as the trainer takes it, and the true chances of reward (n, A)."""

    all: Batch
    rewards: NDArray[np.float64]

    @property
    def labels(self) -> NDArray[np.float32]:
        assert self.all.labels is not None
        labels: NDArray[np.float32] = self.all.labels.numpy()
        return labels

    @property
    def answers(self) -> Answers:
        assert self.all.answer is not None
        return Answers(np.arange(len(self) + 1), self.all.answer.numpy().astype(np.int32))

    @property
    def propensity(self) -> NDArray[np.float32]:
        assert self.all.propensity is not None
        propensity: NDArray[np.float32] = self.all.propensity.numpy()
        return propensity

    def __len__(self) -> int:
        return len(self.all)

    def batch(self, rows: NDArray[np.int64] | slice) -> Batch:
        return self.all[rows if isinstance(rows, slice) else torch.from_numpy(rows)]

    def contexts(self) -> Batch:
        """What a model may see of a test row."""
        return replace(self.all, labels=None, answer=None, propensity=None)

    def value(self, policy: NDArray[np.floating]) -> float:
        """The true value of a policy (n, I)."""
        return float((policy[:, FIRST_ID:] * self.rewards).sum(1).mean())


def suiting(schema: Schema, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """The kind of action (n,) that suits each row: its user's, else its hour's."""
    names = [f.name for f in schema.categorical]
    points: NDArray[np.int64] = next(ids[:, names.index(n)] for n in ("user", "hour") if n in names)
    return points % KINDS


def planted(schema: Schema, rows: int, seed: int = 0, even: bool = False) -> PlantedDecisions:
    """Actions of the kind that suits the user, else the hour, are rewarded most; the first actions are rewarded more in general.

    The logging policy prefers the last actions, three to one, whatever the context; or none, where it is `even`.
    """
    rng = np.random.default_rng(seed)
    ids = np.stack([rng.integers(2, f.cardinality, rows) for f in schema.categorical], 1)
    suits = suiting(schema, ids)[:, None] == np.arange(ACTIONS) % KINDS  # (n, A)
    rewards = 0.1 + LIKED * np.linspace(1, 0, ACTIONS) + SUITS * suits
    preferred = np.linspace(1, 1 if even else 3, ACTIONS)
    logging = preferred / preferred.sum()
    action = rng.choice(ACTIONS, rows, p=logging)
    reward = rng.random(rows) < rewards[np.arange(rows), action]
    of_ids, of_numeric = schema.item_columns
    ids[:, of_ids] = 0
    numeric = rng.normal(size=(rows, len(schema.numeric))).astype(np.float32)
    numeric[:, of_numeric] = 0
    history = {s.name: torch.from_numpy(rng.integers(2, schema.cardinality_of(s), (rows, s.length))) for s in schema.sequences}
    batch = Batch(
        torch.from_numpy(ids),
        torch.from_numpy(numeric),
        history,
        labels=torch.from_numpy(reward[:, None].astype(np.float32)),
        answer=torch.from_numpy(action + FIRST_ID),
        propensity=torch.from_numpy(logging[action].astype(np.float32)),
    )
    return PlantedDecisions(batch, rewards)


def collection(schema: Schema, train: PlantedDecisions) -> Collection:
    """All actions with their kinds."""
    ids = torch.zeros(ACTIONS + 2, len(schema.categorical), dtype=torch.int64)
    for column, field in enumerate(schema.categorical):
        if field.name == "action":
            ids[:, column] = torch.arange(ACTIONS + 2)
        elif field.name == "kind":
            ids[FIRST_ID:, column] = FIRST_ID + torch.arange(ACTIONS) % KINDS
            ids[1, column] = 1
    history = {s.name: torch.zeros(ACTIONS + 2, s.length, dtype=torch.int64) for s in schema.sequences}
    items = Batch(ids, torch.zeros(ACTIONS + 2, len(schema.numeric)), history)
    taken = torch.from_numpy(train.answers.items.astype(np.int64))
    return Collection(items, torch.stack([torch.zeros_like(taken), taken], 1))
