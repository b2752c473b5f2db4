"""What a language model is told of the kit is true: the example file passes policy and smoke, the reference names everything."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import get_args

import pytest
from planted_decisions import SCHEMAS as DECISION_SCHEMAS
from planted_items import SCHEMAS as ITEM_SCHEMAS
from planted_items import collection, planted
from random_rows import RICH, SCHEMAS, random_rows
from torch import nn

from agents.autotrain.language_model.answers import code_in
from agents.autotrain.language_model.kit_reference import block_list, kit_reference, nearest
from agents.autotrain.language_model.prompts import prompt
from agents.autotrain.spec import Mechanism, MethodSpec, Scope
from sandboxes.kit.layers import CARDS, FeatureEmbedding
from sandboxes.kit.model_file import class_in_file
from sandboxes.kit.needs import offered
from sandboxes.kit.schema import Predicts
from sandboxes.kit.smoke import smoke
from sandboxes.policy import violations


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_the_example_for_labels_passes_what_generated_code_must_pass(kind: str, tmp_path: Path) -> None:
    model = example("labels", kind, tmp_path)
    checks, _ = smoke(model, SCHEMAS[kind], random_rows(SCHEMAS[kind]), {})
    assert [c for c in checks if not c.passed] == []


@pytest.mark.parametrize("kind", sorted(ITEM_SCHEMAS))
def test_the_example_for_items_passes_what_generated_code_must_pass(kind: str, tmp_path: Path) -> None:
    schema = ITEM_SCHEMAS[kind]
    queries = planted(schema, 256)
    checks, _ = smoke(example("items", kind, tmp_path), schema, queries, {}, 0, collection(schema, queries))
    assert [c for c in checks if not c.passed] == []


def example(predicts: str, kind: str, folder: Path) -> type[nn.Module]:
    code = code_in(prompt(f"predicts_{predicts}"))
    assert violations(code) == ()
    file = folder / "model.py"
    file.write_text(code)
    return class_in_file(file, f"example_{predicts}_{kind.replace(' ', '_')}")


def spec_of(*mechanisms: Mechanism) -> MethodSpec:
    return MethodSpec(paper_id="p", title="", model_name="", scope=Scope(kind="in_scope"), mechanisms=mechanisms)


def test_the_reference_names_every_block_its_class_and_its_arguments() -> None:
    every = [Mechanism(id=f"m{i}", name=c.name, block=c.name, basis="stated", confidence=1) for i, c in enumerate(CARDS)]
    whole = kit_reference(CARDS, spec_of(*every), RICH, room=10**9)
    short = "\n".join(
        kit_reference(CARDS, spec_of(), schema, room=10**9)
        for schema in (*SCHEMAS.values(), *ITEM_SCHEMAS.values(), *DECISION_SCHEMAS.values())
    )
    listed = block_list(CARDS)
    for card in CARDS:
        assert f"### {card.name}: `{card.block}(" in whole
        assert card.example.strip() in whole
        own = whole.split(f"### {card.name}: ")[1].split("```")[0]
        assert ("outcomes (B, L, O)" in own) == ("outcomes" in card.ports.takes)
        assert f"- `{card.name}`:" in listed
        assert f"- `{card.name}`, `{card.block}(" in short
        for argument in card.arguments:
            assert f"`{argument.name}={argument.default!r}`" in listed
            for text in (whole, short):
                assert re.search(rf"`{card.block}\([^`]*\b{argument.name}\b", text), argument.name


def test_blocks_that_are_near_a_mechanism_are_shown_whole() -> None:
    gate = Mechanism(
        id="m1",
        name="interest evolution",
        block=None,
        basis="stated",
        confidence=1,
        description="A recurrent network with gates runs over the user's behaviour sequence.",
    )
    named = Mechanism(id="m2", name="a linear part", block="linear", basis="stated", confidence=1)
    shown = nearest(CARDS, spec_of(gate, named))
    assert shown[0].name == "linear" and len(shown) in (3, 4, 5)
    assert any("gru" in card.name for card in shown)
    reference = kit_reference(CARDS, spec_of(gate, named), RICH, room=10**9)
    assert reference.count("\n### ") + 1 == len(shown)
    able = [card for card in CARDS if offered(RICH).issuperset(card.needs)]
    assert 30 < len(able) < len(CARDS)
    assert all(f"`{card.block}(" in reference for card in able)
    assert "`ItemTower(" not in reference and "`SampledSoftmax(" not in reference  # for data that asks which item


@pytest.mark.parametrize(
    "name",
    [
        "read",
        "write",
        "repair",
        "ablate",
        "review",
        "probe",
        "reference",
        "contract",
        "kit",
        *(f"predicts_{p}" for p in get_args(Predicts)),
    ],
)
def test_no_prompt_is_empty(name: str) -> None:
    assert len(prompt(name)) > 300


def test_a_small_window_keeps_whole_what_the_specification_names() -> None:
    named = Mechanism(id="m1", name="two streams", block="two_stream_mlp", basis="stated", confidence=1)
    able = [card for card in CARDS if offered(RICH).issuperset(card.needs)]
    short = kit_reference(CARDS, spec_of(named), RICH, room=17_000)
    assert len(short) <= 17_000
    assert short.startswith("### two_stream_mlp: `TwoStreamMLP(")
    assert all(f"- `{c.name}`:" in short or f"### {c.name}:" in short for c in able)


def test_a_block_shown_whole_names_what_it_learns() -> None:
    named = Mechanism(id="m1", name="crosses", block="cross_network_v1", basis="stated", confidence=1)
    assert "Learned: `weight`, `bias`." in kit_reference(CARDS, spec_of(named), RICH, room=10**9)


def test_numbers_can_be_left_out_of_the_embedding_as_writers_are_told() -> None:
    bare = FeatureEmbedding(dataclasses.replace(RICH, numeric=()), 8)
    batch = random_rows(RICH).batch(slice(0, 4))
    assert bare(batch).shape == (4, RICH.n_fields - len(RICH.numeric), 8)
