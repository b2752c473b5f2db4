"""Composed models where the data asks for items: every block stands where it can, the rest is noted, and models pass smoke."""

from __future__ import annotations

import pytest
import torch
from composed import model_class, spec_of
from planted_items import ITEMS, SCHEMAS, collection, planted

from agents.autotrain.builtin.architect import draw
from agents.autotrain.builtin.code_review import ids_in
from agents.autotrain.builtin.render import render
from agents.autotrain.engine import Code
from sandboxes.kit.layers import CARDS
from sandboxes.kit.needs import offered
from sandboxes.kit.schema import Schema
from sandboxes.kit.smoke import smoke
from sandboxes.kit.training import TrainConfig, build, fit, goal_of, ranked_lists
from sandboxes.policy import violations

OF_OTHER_DATA = {"scenario", "several_tasks", "actions"}
FITS = [c.name for c in CARDS if not c.ports.adds_or_changes_labels and not OF_OTHER_DATA & set(c.needs)]

NEEDS_MORE = ("pretrain_then_finetune", "alternating_updates")  # another block's loss


def composed(blocks: tuple[str, ...], schema: Schema) -> tuple[str, set[str]]:
    """The code, and the names of blocks that it says it lacks."""
    torch.set_num_threads(1)
    spec = spec_of(blocks, hyper={"hidden_units": [16, 8]})
    blueprint = draw(spec, schema, CARDS)
    code = render(blueprint)
    assert not violations(code) and max(map(len, code.splitlines())) <= 130
    noted = {n.source.id for n in blueprint.notes}
    assert ids_in(Code(code, True)) | noted == {m.id for m in spec.mechanisms}
    return code, {n.source.name for n in blueprint.notes if n.outcome == "left out"}


@pytest.mark.parametrize("name", FITS)
def test_every_block_that_says_something_of_a_query_passes_smoke(name: str) -> None:
    needs = next(c.needs for c in CARDS if c.name == name)
    fitting = (s for s in (SCHEMAS["context"], *SCHEMAS.values()) if set(needs) <= offered(s))
    schema = next(fitting, SCHEMAS["context"])
    code, lacking = composed((name,), schema)
    assert not lacking or name in NEEDS_MORE or not set(needs) <= offered(schema)
    rows = planted(schema, 600)
    checks, _ = smoke(model_class(code), schema, rows, {"embedding_dim": 4}, 0, collection(schema, rows))
    assert [f"{c.name}: {c.detail}" for c in checks if not c.passed] == []


@pytest.mark.parametrize("shape", SCHEMAS)
def test_what_speaks_of_labels_is_left_out(shape: str) -> None:
    code, lacking = composed(("fm", "linear", "mmoe", "entire_space_product", "multi_path_averaging", "dnn"), SCHEMAS[shape])
    assert {"fm", "linear", "mmoe", "entire space product"} <= lacking and "dnn" not in lacking
    model = build(model_class(code), SCHEMAS[shape], {"embedding_dim": 4}, 0)
    assert model(planted(SCHEMAS[shape], 7).all).shape == (7, ITEMS + 2)


def test_a_composed_model_learns_and_is_served_the_same() -> None:
    schema = SCHEMAS["user_and_history"]
    code, lacking = composed(("target_attention", "cross_network_v2", "contrastive_loss"), schema)
    assert not lacking and "softmax_over_items(self.scores(batch, fields), batch.answer)" in code
    train, valid, test = (planted(schema, n, seed, seed == 1) for seed, n in ((1, 3000), (2, 400), (3, 1000)))
    model = build(model_class(code), schema, {"embedding_dim": 8}, 0, collection=collection(schema, train))
    config = TrainConfig(learning_rate=1e-2, batch_size=128, max_epochs=20, patience=6)
    fit(model, train, valid, config, goal=goal_of(schema))
    lists = ranked_lists(model, test, schema.n_items)
    assert goal_of(schema).measure(test, lists)["ndcg"] > 0.5
    served = build(model_class(code), schema, {"embedding_dim": 8}, 5)
    served.load_state_dict(model.state_dict())
    assert (ranked_lists(served, test, schema.n_items) == lists).all()


def test_items_are_scored_and_ranked_as_the_paper_has_it() -> None:
    schema = SCHEMAS["user_and_history"]
    code, lacking = composed(("graph_propagation", "pairwise_ranking"), schema)
    assert not lacking and "Embedding" not in code and "DNN" not in code  # the graph scores by itself
    code, lacking = composed(("item_tower", "sampled_softmax", "gru_history", "graph_propagation"), schema)
    assert not lacking and "self.item_tower(represented, self.embedding)" in code and "ItemScores" not in code
    assert "scores = scores + self.graph_propagation(batch)" in code
    _, lacking = composed(("graph_propagation", "dnn"), SCHEMAS["history"])
    assert lacking == {"graph propagation"}  # nobody is known


@pytest.mark.parametrize("blocks", [("graph_propagation", "pairwise_ranking"), ("item_tower", "sampled_softmax")])
def test_what_scores_and_ranks_items_learns_and_is_served_the_same(blocks: tuple[str, ...]) -> None:
    schema = SCHEMAS["user_and_history"]
    code, _ = composed(blocks, schema)
    train, valid, test = (planted(schema, n, seed, seed == 1) for seed, n in ((1, 3000), (2, 400), (3, 1000)))
    model = build(model_class(code), schema, {"embedding_dim": 8}, 0, collection=collection(schema, train))
    config = TrainConfig(learning_rate=1e-2, batch_size=128, max_epochs=20, patience=6)
    fit(model, train, valid, config, goal=goal_of(schema))
    lists = ranked_lists(model, test, schema.n_items)
    assert goal_of(schema).measure(test, lists)["ndcg"] > 0.5
    served = build(model_class(code), schema, {"embedding_dim": 8}, 5)
    served.load_state_dict(model.state_dict())
    assert (ranked_lists(served, test, schema.n_items) == lists).all()
