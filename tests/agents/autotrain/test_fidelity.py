"""Fidelity: the rubric that a spec gives, who decides which leaf, and what follows for mechanisms."""

from __future__ import annotations

import pytest

from agents.autotrain.engine import Judged
from agents.autotrain.fidelity import as_run, faithful, lacking, leaf_rows, mechanism_rows, rubric
from agents.autotrain.plan import ExperimentPlan
from agents.autotrain.spec import HyperParameter, Mechanism, MethodSpec, Named, Scope

SPEC = MethodSpec(
    paper_id="p",
    title="A paper",
    model_name="",
    scope=Scope(kind="in_scope"),
    mechanisms=(
        Mechanism(id="m1", name="a gate", block=None, basis="stated", confidence=0.9, equations=("g = s(Wx)", "y = g x")),
        Mechanism(id="m2", name="a tower", block="dnn", basis="stated", confidence=0.9),
    ),
    losses=(Named(name="log loss"),),
    scheme=(Named(name="pre-training"),),
    hyper_parameters=(
        HyperParameter(name="embedding_dim", value=10, basis="stated"),
        HyperParameter(name="hidden_units", value=[400, 400], basis="stated"),
        HyperParameter(name="learning_rate", value=0.01, basis="stated"),
        HyperParameter(name="dropout", value=0.5, basis="default"),
        HyperParameter(name="temperature", value=2, basis="stated"),
    ),
)
CODE = """
class Model:
    def __init__(self, schema, *, embedding_dim=16, hidden_units=(400, 400),
                 temperature=3, other=undefined):
        pass
"""


def test_the_rubric_holds_everything_that_the_spec_states() -> None:
    assert [(leaf.id, leaf.kind, leaf.of) for leaf in rubric(SPEC)] == [
        ("m1", "mechanism", "m1"),
        ("m1.e1", "equation", "m1"),
        ("m1.e2", "equation", "m1"),
        ("m2", "mechanism", "m2"),
        ("l1", "loss", ""),
        ("s1", "scheme", ""),
        ("h1", "hyper-parameter", ""),
        ("h2", "hyper-parameter", ""),
        ("h3", "hyper-parameter", ""),
        ("h5", "hyper-parameter", ""),
    ]


def test_settings_are_seen_and_count_before_opinions() -> None:
    plan = ExperimentPlan.model_construct(embedding_dim=10, batch_size=256)
    settings = list(as_run(SPEC, plan, CODE))
    assert [(j.leaf, j.judgement, j.lines) for j in settings] == [
        ("h1", "met", None),
        ("h2", "met", (3, 3)),
        ("h3", "partly", None),
        ("h5", "missing", (4, 4)),
    ]
    rows = {r.leaf: r for r in leaf_rows(rubric(SPEC), [Judged("h5", "met", (4, 4)), Judged("l1", "met", (2, 2))], settings)}
    assert (rows["h5"].judgement, rows["h5"].decided_by) == ("missing", "settings")
    assert (rows["l1"].judgement, rows["l1"].decided_by) == ("met", "reviewer")
    assert (rows["s1"].judgement, rows["s1"].decided_by) == (None, "nobody")


@pytest.mark.parametrize(
    ("judged", "status"),
    [
        ({}, "missing"),
        ({"m1": "missing", "m1.e1": "met"}, "missing"),
        ({"m1": "met", "m1.e1": "met", "m1.e2": "met"}, "implemented"),
        ({"m1": "met"}, "implemented"),
        ({"m1": "partly"}, "simplified"),
        ({"m1": "met", "m1.e1": "met", "m1.e2": "missing"}, "simplified"),
    ],
)
def test_a_mechanism_stands_as_its_leaves_do(judged: dict[str, str], status: str) -> None:
    opinions = [Judged(leaf, judgement, (1, 1), f"of {leaf}") for leaf, judgement in judged.items()]  # type: ignore[arg-type]
    first, second = mechanism_rows(SPEC, leaf_rows(rubric(SPEC), opinions, ()))
    assert (first.mechanism, first.status) == ("m1", status)
    assert second.status == "missing"


def test_what_is_faithful_and_what_is_lacking() -> None:
    opinions = [Judged("m1", "met", (1, 1)), Judged("m1.e1", "partly", (1, 1), "a bias is added"), Judged("m2", "missing")]
    rows = leaf_rows(rubric(SPEC), opinions, [Judged("h3", "missing")])
    assert faithful(rows) == 0.5
    assert lacking(rows) == "m1.e1 (equation: g = s(Wx)) is partly: a bias is added\nm2 (mechanism: a tower) is missing"
    assert faithful(leaf_rows(rubric(SPEC), (), ())) == 1.0
