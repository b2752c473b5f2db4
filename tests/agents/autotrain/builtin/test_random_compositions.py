"""Any legal set of mechanisms, with any stated values, on data of any shape, gives a model that passes the smoke checks.

A short profile runs by itself; `AGENTICRS_COMPOSITIONS=500` tries so many, each a new one.
"""

from __future__ import annotations

import os

import pytest
import torch
from composed import model_class
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from planted_items import SCHEMAS as ITEM_SCHEMAS
from planted_items import collection, planted
from random_rows import random_rows

from agents.autotrain.builtin.architect import draw
from agents.autotrain.builtin.code_review import ids_in
from agents.autotrain.builtin.render import render
from agents.autotrain.engine import Code
from agents.autotrain.spec import Evidence, HyperParameter, Mechanism, MethodSpec, Scope
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers import CARDS
from sandboxes.kit.schema import CategoricalField, NumericField, Schema, SequenceField, Task
from sandboxes.kit.smoke import smoke
from sandboxes.policy import violations

ASKED = os.environ.get("AGENTICRS_COMPOSITIONS", "")
EXAMPLES = int(ASKED or 12)
SMALL, THIN = 12, 4  # the widest and the narrowest layer that is drawn: narrower ones may be too weak to overfit with
LONGEST = 3  # lists
ROOM = {"kl_weight": 1e-3, "loss_weight": 1.0}  # the strongest penalties under which 200 steps remember anything


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    """With or without categorical and numeric fields, histories, a scenario, several tasks, tasks that depend on others.

    There are always several of what attention weighs (fields, pairs of them, behaviours): the weight of one alone is constant,
    and smoke says so.
    """
    n_categorical, n_numeric = draw(st.sampled_from([(3, 2), (1, 2), (0, 3), (2, 1), (4, 0)]))
    sizes = draw(st.lists(st.integers(4, 12), min_size=n_categorical, max_size=n_categorical))
    fields = tuple(CategoricalField(f"c{i}", size) for i, size in enumerate(sizes))
    names = [f.name for f in fields]
    n_sequences = draw(st.integers(0, 2)) if names else 0
    sequences = tuple(SequenceField(f"s{i}", draw(st.sampled_from(names)), draw(st.integers(2, 6))) for i in range(n_sequences))
    tasks = tuple(
        Task(f"t{i}", draw(st.sampled_from([None, *(f"t{j}" for j in range(i))]))) for i in range(draw(st.integers(1, 3)))
    )
    scenario, target = (draw(st.sampled_from([None, *names])) for _ in range(2))
    return Schema(fields, tuple(NumericField(f"n{i}") for i in range(n_numeric)), sequences, tasks, scenario, target)


def values(argument: Argument) -> st.SearchStrategy[int | float | bool | str | list[int]]:
    """Stated values within the argument's range, of small models."""
    default, low, high = argument.default, argument.low, argument.high
    if isinstance(default, bool):
        return st.booleans()
    if isinstance(default, str):
        return st.just(default)
    assert low is not None and high is not None
    if isinstance(default, tuple):
        widths = st.integers(max(int(low), THIN), min(int(high), SMALL))
        return st.lists(widths, min_size=1, max_size=LONGEST)
    if isinstance(default, int):
        return st.integers(int(low), min(int(high), SMALL))
    return st.floats(low, ROOM.get(argument.name, high))


def stated(card: Card) -> st.SearchStrategy[dict[str, int | float | bool | str | list[int]]]:
    return st.fixed_dictionaries({}, optional={a.name: values(a) for a in card.arguments})


@st.composite
def specs(draw: st.DrawFn) -> MethodSpec:
    cards = draw(st.lists(st.sampled_from(CARDS), min_size=1, max_size=6, unique=True))
    mechanisms = tuple(
        Mechanism(
            id=f"m{i}",
            name=card.name.replace("_", " "),
            block=card.name,
            basis="stated",
            confidence=draw(st.sampled_from([0.5, 0.9])),
            evidence=(Evidence(quote="...", section="3 Method"),),
            arguments=draw(stated(card)),
        )
        for i, card in enumerate(cards, 1)
    )
    hyper = {
        "embedding_dim": draw(st.integers(THIN, 8)),
        "hidden_units": draw(st.lists(st.integers(THIN, SMALL), min_size=1, max_size=LONGEST)),
        "dropout": draw(st.floats(0, 0.5)),
    }
    return MethodSpec(
        paper_id="p",
        title="A title",
        model_name="ABC",
        scope=Scope(kind="in_scope"),
        mechanisms=mechanisms,
        hyper_parameters=tuple(HyperParameter(name=n, value=v, basis="stated") for n, v in hyper.items()),
    )


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not ASKED,
    database=None,
    phases=[Phase.generate, Phase.shrink] if ASKED else [Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(specs(), st.one_of(schemas(), schemas(), st.sampled_from(list(ITEM_SCHEMAS.values()))))
def test_every_legal_composition_passes_the_smoke_checks(spec: MethodSpec, schema: Schema) -> None:
    blueprint = draw(spec, schema, CARDS)
    code = render(blueprint)
    note(code)
    assert not violations(code)
    noted = {n.source.id for n in blueprint.notes}
    assert ids_in(Code(code, True)) | noted == {m.id for m in spec.mechanisms}
    if schema.predicts == "items":
        queries = planted(schema, 600)
        checks, _ = smoke(model_class(code), schema, queries, {}, 0, collection(schema, queries))
    else:
        checks, _ = smoke(model_class(code), schema, random_rows(schema), {})
    assert [f"{c.name}: {c.detail}" for c in checks if not c.passed] == []
