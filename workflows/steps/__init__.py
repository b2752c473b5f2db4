"""The steps of a reproduction: each takes the context, does one thing and leaves its result in the run's folder."""

from workflows.steps.candidate import check, repair, smoke, write
from workflows.steps.closing import remember, report
from workflows.steps.judging import compare, review, score
from workflows.steps.planning import plan, plan_in_words, recall
from workflows.steps.reading import parse, read
from workflows.steps.training import train

__all__ = [
    "check",
    "compare",
    "parse",
    "plan",
    "plan_in_words",
    "read",
    "recall",
    "remember",
    "repair",
    "report",
    "review",
    "score",
    "smoke",
    "train",
    "write",
]
