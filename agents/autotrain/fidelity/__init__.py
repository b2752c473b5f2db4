"""How faithful a candidate is: a rubric from the spec, judged leaf by leaf, by what decides each best."""

from agents.autotrain.fidelity.numbers import by_numbers
from agents.autotrain.fidelity.rows import LeafRow, MechanismRow, faithful, lacking, leaf_rows, mechanism_rows
from agents.autotrain.fidelity.rubric import Leaf, rubric
from agents.autotrain.fidelity.settings import as_run

__all__ = [
    "Leaf",
    "LeafRow",
    "MechanismRow",
    "as_run",
    "by_numbers",
    "faithful",
    "lacking",
    "leaf_rows",
    "mechanism_rows",
    "rubric",
]
