"""Synthetic decisions: a generated log of what a policy chose, how likely that was and what came of it, where the true reward of
every choice is known. No result on it says anything about real users.

Planted: which action a user likes (in part by the user's segment), actions that all like, kinds of actions that suit an hour. The
logging policy has a rough idea of segments and none of users, and takes any action now and then.
Notation: n decisions, U users, A actions, S segments, H hidden width.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Sequence, Split, TableSpec
from sandboxes.kit.datasets.generated import generated_data_set, generated_source

Floats = NDArray[np.float64]
HIDDEN, HOURS = 4, 4


@dataclass(frozen=True)
class SyntheticDecisions:
    """The generator's parameters. Strengths are in logits of the reward, and 0 plants nothing of the kind. `explored` is the
    share of decisions that the logging policy takes evenly. Other numbers of a `log` are other decisions in the same world."""

    decisions: int = 40_000
    users: int = 2_000
    actions: int = 20
    kinds: int = 4
    segments: int = 5
    base: float = -2.5
    taste: float = 1.5
    liking: float = 0.7
    hour: float = 0.7
    logging: float = 1.0
    explored: float = 0.3
    seed: int = 0
    log: int = 0


@dataclass(frozen=True)
class Generated:
    """The log (n rows, in order of time), and the truth of each row: P(reward | action) and P(action) of the logging policy, both
    (n, A)."""

    table: pl.DataFrame
    rewards: Floats
    logging: Floats

    def value(self, policy: Floats, rows: slice = slice(None)) -> float:
        """The true mean reward of a policy (n, A), or of one for all rows (A,), in the contexts of `rows`."""
        return float((policy * self.rewards[rows]).sum(1).mean())


def spec() -> TableSpec:
    """The log's description."""
    return TableSpec(
        name="synthetic-decisions",
        tasks=(Label("reward"),),
        categorical=(
            Categorical("user_id", "user", side="user"),
            Categorical("segment", side="user"),
            Categorical("hour"),
            Categorical("action_id", "action", side="item"),
            Categorical("kind", side="item"),
        ),
        sequences=(Sequence("rewarded_actions", of="action_id", length=10, where="reward"),),
        user="user",
        time="time",
        target_item="action_id",
        split=Split(by="time"),
        predicts="actions",
        propensity="probability",
    )


def generate(config: SyntheticDecisions) -> Generated:
    """The log and its truth; the same for the same parameters."""
    world = np.random.default_rng(config.seed)
    kind = np.arange(config.actions) % config.kinds  # (A,)
    of_segment = world.normal(size=(config.segments, HIDDEN))
    segment = world.integers(config.segments, size=config.users)  # (U,)
    tastes = 0.7 * of_segment[segment] + 0.7 * world.normal(size=(config.users, HIDDEN))  # (U, H)
    looks = world.normal(size=(config.actions, HIDDEN)) / np.sqrt(HIDDEN)  # (A, H)
    liked = config.base + config.liking * world.normal(size=config.actions)  # (A,)
    suits = config.hour * world.normal(size=(HOURS, config.kinds))[:, kind]  # (hours, A)
    idea = config.logging * (of_segment @ looks.T + world.normal(size=(config.segments, config.actions)))  # (S, A)

    random = np.random.default_rng((config.seed, config.log, 1))
    users, hours = (random.integers(n, size=config.decisions) for n in (config.users, HOURS))
    rewards = 1 / (1 + np.exp(-(liked + config.taste * (tastes @ looks.T)[users] + suits[hours])))  # (n, A)
    greedy = np.exp(idea - idea.max(1, keepdims=True))
    policy = (1 - config.explored) * greedy / greedy.sum(1, keepdims=True) + config.explored / config.actions  # (S, A)
    logging = policy[segment[users]]  # (n, A)
    actions = np.minimum((logging.cumsum(1) < random.random((config.decisions, 1))).sum(1), config.actions - 1)  # (n,)
    own = np.arange(config.decisions), actions
    table = pl.DataFrame(
        {
            "time": np.arange(config.decisions),
            "user": users,
            "segment": segment[users],
            "hour": hours,
            "action": actions,
            "kind": kind[actions],
            "probability": logging[own],
            "reward": (random.random(config.decisions) < rewards[own]).astype(np.int8),
        }
    )
    return Generated(table, rewards, logging)


def synthetic_source(config: SyntheticDecisions) -> Source:
    """The log as a source, marked synthetic."""
    return generated_source(spec(), asdict(config), lambda: generate(config).table)


SYNTHETIC_DECISIONS = generated_data_set(
    synthetic_source(SyntheticDecisions()),
    "SYNTHETIC decisions, 40,000 rows: which of 20 actions a policy chose, how likely that was, and what came of it",
)
