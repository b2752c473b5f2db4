"""The steps of a reproduction: each takes the context, does one thing and leaves its result in the run's folder."""

from workflows.steps.candidate import change, choose, tried, write
from workflows.steps.cascade import check, review, sample, smoke
from workflows.steps.closing import report
from workflows.steps.judging import ablate, compare, score
from workflows.steps.known import look_up
from workflows.steps.planning import plan, plan_in_words, recall
from workflows.steps.reading import parse, read
from workflows.steps.remembering import remember
from workflows.steps.training import train

__all__ = [
    "ablate",
    "change",
    "check",
    "choose",
    "compare",
    "look_up",
    "parse",
    "plan",
    "plan_in_words",
    "read",
    "recall",
    "remember",
    "report",
    "review",
    "sample",
    "score",
    "smoke",
    "train",
    "tried",
    "write",
]
