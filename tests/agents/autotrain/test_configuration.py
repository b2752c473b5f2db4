"""The canonical hash: blind to layout, comments and seeds; not to what changes a result."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.autotrain.configuration import canonical, configuration
from agents.autotrain.plan import ExperimentPlan, make_plan
from agents.autotrain.spec import MethodSpec, Scope
from sandboxes.kit.data import Prepared
from sandboxes.kit.schema import CategoricalField, Schema

CODE = """
import torch


class Model(torch.nn.Module):
    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(width, 1)

    def forward(self, x):
        return self.layer(x)
"""
SAME = {
    "comments": CODE.replace("import torch", "import torch  # m1"),
    "docstrings": CODE.replace("def forward(self, x):", 'def forward(self, x):\n        """Says something."""'),
    "layout": CODE.replace("torch.nn.Linear(width, 1)", "torch.nn.Linear(\n            width,\n            1,\n        )"),
}
OTHER = {"a number": CODE.replace("8", "16"), "an operation": CODE.replace("self.layer(x)", "self.layer(x).tanh()")}


def a_plan(**change: object) -> ExperimentPlan:
    schema = Schema((CategoricalField("item", 50, "item"),), target_item="item")
    data = Prepared("d", Path(), schema, "h", {"train": 1000, "valid": 100, "test": 100}, synthetic=True, provenance="")
    spec = MethodSpec(paper_id="p", title="", model_name="", scope=Scope(kind="in_scope"))
    return make_plan(spec, data, ("lr", "dnn"), baselines=("lr", "dnn")).model_copy(update=change)


@pytest.mark.parametrize("how", SAME)
def test_comments_docstrings_and_layout_do_not_count(how: str) -> None:
    assert SAME[how] != CODE
    assert configuration(SAME[how], a_plan()) == configuration(CODE, a_plan())


@pytest.mark.parametrize("how", OTHER)
def test_other_code_is_another_configuration(how: str) -> None:
    assert configuration(OTHER[how], a_plan()) != configuration(CODE, a_plan())


@pytest.mark.parametrize(
    "change",
    [
        {"data_hash": "other"},
        {"baselines": ("lr",)},
        {"trials": 9},
        {"embedding_dim": 5},
        {"batch_size": 7},
        {"max_epochs": 9},
        {"patience": 9},
        {"seeds": (1, 2, 3, 4)},
    ],
    ids=str,
)
def test_another_protocol_is_another_configuration(change: dict[str, object]) -> None:
    assert configuration(CODE, a_plan(**change)) != configuration(CODE, a_plan())


@pytest.mark.parametrize("change", [{"seeds": (4, 5, 6)}, {"threads": 7}, {"baselines": ("dnn", "lr")}], ids=str)
def test_which_seeds_which_machine_and_which_order_do_not_count(change: dict[str, object]) -> None:
    assert configuration(CODE, a_plan(**change)) == configuration(CODE, a_plan())


@given(st.sampled_from([ast, inspect, st]))
def test_canonical_code_is_code_and_stays_as_it_is(module: object) -> None:
    once = canonical(inspect.getsource(module))  # type: ignore[arg-type]
    assert canonical(once) == once
