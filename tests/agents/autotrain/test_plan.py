"""The plan: which baselines a data set asks for, and in whose words."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.autotrain.plan import PlanImpossible, default_baselines, make_plan
from agents.autotrain.spec import MethodSpec, Scope
from sandboxes.kit.data import Prepared
from sandboxes.kit.schema import CategoricalField, Schema, SequenceField, Task

ITEM = CategoricalField("item", 50, "item")
SEEN = SequenceField("seen", "item", 10)
CLICKS = Schema((ITEM,), target_item="item")
NEXT = Schema((ITEM,), sequences=(SEEN,), target_item="item", predicts="items")
DECISIONS = Schema((ITEM,), target_item="item", predicts="actions")
SPEC = MethodSpec(paper_id="p", title="", model_name="", scope=Scope(kind="in_scope"))


def prepared(schema: Schema) -> Prepared:
    return Prepared("d", Path(), schema, "h", {"train": 1000, "valid": 100, "test": 100}, synthetic=True, provenance="")


@pytest.mark.parametrize(
    ("schema", "baselines"),
    [
        (CLICKS, ("lr", "dnn", "dcnv2")),
        (Schema((ITEM,), sequences=(SEEN,), tasks=(Task("a"), Task("b"))), ("lr", "dnn", "dcnv2", "shared_bottom", "din")),
        (Schema((ITEM,), target_item="item", predicts="items"), ("popularity", "matrix_factorisation", "two_towers")),
        (NEXT, ("popularity", "matrix_factorisation", "two_towers", "sasrec")),
        (DECISIONS, ("best_fixed_action", "direct_method", "inverse_propensity", "doubly_robust")),
    ],
)
def test_baselines_are_those_of_the_question_and_of_what_the_data_has(schema: Schema, baselines: tuple[str, ...]) -> None:
    assert default_baselines(schema) == baselines
    assert make_plan(SPEC, prepared(schema), baselines).baselines == baselines


def test_a_plan_knows_what_is_asked() -> None:
    labels, items, actions = (
        make_plan(SPEC, prepared(schema), default_baselines(schema)) for schema in (CLICKS, NEXT, DECISIONS)
    )
    assert (labels.question.primary, labels.question.rows) == ("auc", "rows")
    assert (items.question.primary, items.question.rows) == ("ndcg", "queries")
    assert (actions.question.primary, actions.question.rows) == ("value", "decisions")


def test_a_baseline_that_is_not_there_is_named() -> None:
    with pytest.raises(PlanImpossible, match="no baseline named sasrec"):
        make_plan(SPEC, prepared(NEXT), ("popularity", "matrix_factorisation", "two_towers"))
