"""Synthetic learners: a generated log of exercises whose true probabilities are known. No result on it says anything about real
people.

Planted: a learner's ability differs from skill to skill, grows with every attempt at the skill and fades while the skill rests;
questions have a skill and a difficulty. What a learner can do shows only in what came of earlier attempts, so that a model that
sees which questions were tried, and not how it went, is left with guessing abilities by the learner's name and by practice.

The split is by each learner's last attempts, and a test row's history holds no test row.
Notation: n rows, U learners, Q questions, S skills.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.prepared import Prepared
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Sequence, Split, TableSpec
from sandboxes.kit.datasets.generated import generated_data_set, generated_source

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class SyntheticLearners:
    """The generator's parameters. Strengths are in logits, and 0 plants nothing of the kind: `ability` is the standard deviation
    over a learner's skills, `practice` what an attempt adds to its skill. Half of that is gone after `half_life` days."""

    learners: int = 2_000
    questions: int = 60
    skills: int = 6
    attempts: int = 50  # of each learner
    history: int = 30
    last: int = 3  # attempts of each learner that test
    ability: float = 2.0
    practice: float = 0.3
    half_life: float = 5.0
    staying: float = 0.5  # chance that an attempt is at the skill of the one before
    seed: int = 0


@dataclass(frozen=True)
class Generated:
    """The log (n rows, in order of time) and the truth behind it: P(correct) (n,)."""

    table: pl.DataFrame
    probabilities: Floats


def spec(config: SyntheticLearners) -> TableSpec:
    """The log's description."""
    return TableSpec(
        name="synthetic-learners",
        tasks=(Label("correct"),),
        categorical=(
            Categorical("learner_id", side="user"),
            Categorical("question_id", side="item"),
            Categorical("skill_id", side="item"),
        ),
        sequences=(
            Sequence("past_questions", of="question_id", length=config.history),
            Sequence("past_skills", of="skill_id", length=config.history),
            Sequence("past_answers", of="correct", length=config.history),
        ),
        user="learner_id",
        time="day",
        target_item="question_id",
        split=Split(by="last", last=config.last),
    )


def generate(config: SyntheticLearners) -> Generated:
    """The log and its truth; the same for the same parameters."""
    random = np.random.default_rng(config.seed)
    learners = np.arange(config.learners)
    skill_of = np.arange(config.questions) % config.skills  # (Q,)
    difficulty = random.normal(0.0, 0.5, config.skills)[skill_of] + random.normal(0.0, 0.7, config.questions)  # (Q,)
    ability = 0.3 + config.ability * random.normal(0.0, 1.0, (config.learners, config.skills))  # (U, S)
    fresh = np.zeros((config.learners, config.skills))  # (U, S) what practice has added and time has left
    day, skill = random.uniform(0.0, 30.0, config.learners), random.integers(config.skills, size=config.learners)
    names = ("learner_id", "question_id", "skill_id", "day", "p", "correct")
    log: dict[str, list[NDArray[Any]]] = {name: [] for name in names}
    for _ in range(config.attempts):
        passed = random.exponential(0.5, config.learners)  # days
        day = day + passed
        fresh *= 0.5 ** (passed / config.half_life)[:, None]
        stays = random.random(config.learners) < config.staying
        skill = np.where(stays, skill, random.integers(config.skills, size=config.learners))
        question = _question(config, random, skill)
        p = 1.0 / (1.0 + np.exp(difficulty[question] - ability[learners, skill] - fresh[learners, skill]))
        correct = (random.random(config.learners) < p).astype(np.int8)
        fresh[learners, skill] += config.practice
        columns: tuple[NDArray[Any], ...] = (learners, question, skill, day, p, correct)
        for name, column in zip(names, columns, strict=True):
            log[name].append(column)
    table = pl.DataFrame({name: np.concatenate(parts) for name, parts in log.items()}).sort("day", maintain_order=True)
    return Generated(table.drop("p"), table["p"].to_numpy())


def _question(config: SyntheticLearners, random: np.random.Generator, skill: Ints) -> Ints:
    """A question (U,) of each skill (U,), drawn evenly from those of it."""
    of_skill = -(-(config.questions - skill) // config.skills)  # (U,) how many there are
    return np.asarray(skill + config.skills * (random.random(len(skill)) * of_skill).astype(np.int64))


def synthetic_source(config: SyntheticLearners) -> Source:
    """The log as a source, marked synthetic."""
    return generated_source(spec(config), asdict(config), lambda: generate(config).table)


def prepare_synthetic(config: SyntheticLearners, folder: Path) -> Prepared:
    """The generated log, prepared under `folder`."""
    return prepare(synthetic_source(config), folder)


SYNTHETIC_LEARNERS = generated_data_set(
    synthetic_source(SyntheticLearners()),
    "SYNTHETIC exercises, 100,000 rows, 1 task: answered correctly; histories of questions, skills and outcomes",
)
