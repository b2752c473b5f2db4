"""What is taken when the user names no data or no baselines: what the method makes use of, and what the data has."""

from __future__ import annotations

import pytest
from random_rows import OUTCOMES, PLAIN, RICH

from agents.autotrain.data_choice import fitting_data
from agents.autotrain.plan import default_baselines
from agents.autotrain.spec import Mechanism, MethodSpec, Scope, TaskKind
from sandboxes.kit.datasets import DATASETS
from sandboxes.kit.layers import CARDS
from sandboxes.kit.schema import Schema


@pytest.mark.parametrize(
    ("block", "data", "why"),
    [
        ("dnn", "census-income", "nothing special"),
        ("target_attention", "synthetic-clicks", "needs behaviour histories"),
        ("outcome_gru", "synthetic-learners", "outcomes of past events"),
        ("decaying_attention", "synthetic-learners", "outcomes of past events"),
        ("delayed_feedback", "synthetic-conversions", "needs labels that arrive late"),
        ("incremental_windows", "synthetic-clicks", "needs times of rows"),
    ],
)
def test_the_first_data_set_that_has_what_a_block_makes_use_of_is_taken(block: str, data: str, why: str) -> None:
    mechanism = Mechanism(id="m1", name="it", block=block, basis="stated", confidence=0.9)
    spec = MethodSpec(paper_id="p", title="", model_name="", scope=Scope(kind="in_scope"), mechanisms=(mechanism,))
    name, said = fitting_data(spec, CARDS, DATASETS)
    assert name == data and why in said and "lacks" not in said


@pytest.mark.parametrize(
    ("task", "block", "data", "why"),
    [
        ("items", "dnn", "synthetic-visits", "needs items that were right"),
        ("actions", "doubly_robust", "synthetic-decisions", "logged decisions"),
        ("items", "graph_propagation", "synthetic-visits", "known users"),
        ("knowledge_tracing", "dnn", "synthetic-learners", "outcomes of past events"),
        ("ctr", "pairwise_ranking", "census-income", "lacks a choice among all items"),
    ],
)
def test_what_the_paper_asks_for_comes_first(task: TaskKind, block: str, data: str, why: str) -> None:
    mechanism = Mechanism(id="m1", name="it", block=block, basis="stated", confidence=0.9)
    scope = Scope(kind="in_scope")
    spec = MethodSpec(paper_id="p", title="", model_name="", scope=scope, task=task, mechanisms=(mechanism,))
    name, said = fitting_data(spec, CARDS, DATASETS)
    assert name == data and why in said


@pytest.mark.parametrize(("schema", "beside"), [(PLAIN, ()), (RICH, ("shared_bottom", "din")), (OUTCOMES, ("din", "dkt"))])
def test_baselines_use_what_the_data_has(schema: Schema, beside: tuple[str, ...]) -> None:
    assert default_baselines(schema) == ("lr", "dnn", "dcnv2", *beside)
