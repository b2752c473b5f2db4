"""Composed models where the data holds logged decisions: blocks score actions, what would need right answers is noted, and the
model is a policy that learns from rewards and propensities."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from composed import model_class, spec_of
from planted_decisions import ACTIONS, SCHEMAS, collection, planted

from agents.autotrain.builtin.architect import draw
from agents.autotrain.builtin.code_review import ids_in
from agents.autotrain.builtin.render import render
from agents.autotrain.engine import Code
from sandboxes.kit.layers import CARDS
from sandboxes.kit.schema import Schema
from sandboxes.kit.smoke import smoke
from sandboxes.kit.training import TrainConfig, build, fit, goal_of, policies
from sandboxes.policy import violations

SEVERAL = ("dnn", "cross_network_v2", "gru_history", "item_tower", "contrastive_loss", "squeeze_excitation", "sharpness_aware")
LOSSES = ("inverse_propensity", "doubly_robust")


def composed(blocks: tuple[str, ...], schema: Schema) -> tuple[str, set[str]]:
    """The code, and the names of blocks that it says it lacks."""
    torch.set_num_threads(1)
    spec = spec_of(blocks, hyper={"hidden_units": [16, 8]})
    blueprint = draw(spec, schema, CARDS)
    code = render(blueprint)
    assert not violations(code) and max(map(len, code.splitlines())) <= 130
    assert ids_in(Code(code, True)) | {n.source.id for n in blueprint.notes} == {m.id for m in spec.mechanisms}
    return code, {n.source.name for n in blueprint.notes if n.outcome == "left out"}


@pytest.mark.parametrize("name", SEVERAL + LOSSES)
def test_blocks_that_say_something_of_a_context_pass_smoke(name: str) -> None:
    schema = SCHEMAS["context"]
    code, lacking = composed((name,), schema)
    assert not lacking and code.startswith('"""A policy composed')
    rows = planted(schema, 600)
    checks, _ = smoke(model_class(code), schema, rows, {"embedding_dim": 4}, 0, collection(schema, rows))
    assert [f"{c.name}: {c.detail}" for c in checks if not c.passed] == []


def test_what_speaks_of_labels_or_right_items_is_left_out() -> None:
    code, lacking = composed(("fm", "linear", "sampled_softmax", "pairwise_ranking", "dnn"), SCHEMAS["context"])
    assert lacking == {"fm", "linear", "sampled softmax", "pairwise ranking"}
    assert "softmax_over_items" not in code
    model = build(model_class(code), SCHEMAS["context"], {"embedding_dim": 4}, 0)
    assert model(planted(SCHEMAS["context"], 7).contexts()).shape == (7, ACTIONS + 2)


@pytest.mark.parametrize("blocks", [("cross_network_v2", "contrastive_loss"), ("dnn",), ("dnn", "doubly_robust")])
def test_a_composed_policy_learns_and_is_served_the_same(blocks: tuple[str, ...]) -> None:
    """By the kit's own loss, whether the model spells it out for the sake of another one beside it or not."""
    schema = SCHEMAS["context"]
    code, lacking = composed(blocks, schema)
    assert not lacking
    assert ("inverse_propensity_loss(self.scores(batch, fields), batch)" in code) == ("contrastive_loss" in blocks)
    assert ("self.doubly_robust(self.scores(batch, fields), batch)" in code) == ("doubly_robust" in blocks)
    train, valid, test = (planted(schema, n, seed) for seed, n in ((1, 4000), (2, 1000), (3, 1000)))
    model = build(model_class(code), schema, {"embedding_dim": 8}, 0, collection=collection(schema, train))
    fit(model, train, valid, TrainConfig(learning_rate=1e-2, batch_size=128, max_epochs=10, patience=4), goal=goal_of(schema))
    policy = policies(model, test, schema.n_items)
    assert test.value(policy) > 0.6
    served = build(model_class(code), schema, {"embedding_dim": 8}, 5)
    served.load_state_dict(model.state_dict())
    assert np.array_equal(policies(served, test, schema.n_items), policy)
