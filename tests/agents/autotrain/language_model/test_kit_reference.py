"""What a language model is told of the kit is true: the example file passes policy and smoke, the reference names everything."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from random_rows import SCHEMAS, random_rows

from agents.autotrain.language_model.answers import code_in
from agents.autotrain.language_model.kit_reference import block_list, kit_reference
from agents.autotrain.language_model.prompts import prompt
from sandboxes.kit.layers import CARDS
from sandboxes.kit.model_file import class_in_file
from sandboxes.kit.schema import Predicts
from sandboxes.kit.smoke import smoke
from sandboxes.policy import violations


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_the_example_file_passes_what_generated_code_must_pass(kind: str, tmp_path: Path) -> None:
    code = code_in(prompt("kit"))
    assert violations(code) == ()
    file = tmp_path / "model.py"
    file.write_text(code)
    checks, _ = smoke(class_in_file(file, f"example_{kind.replace(' ', '_')}"), SCHEMAS[kind], random_rows(SCHEMAS[kind]), {})
    assert [c for c in checks if not c.passed] == []


def test_the_reference_names_every_block_its_class_and_its_arguments() -> None:
    reference, listed = kit_reference(CARDS, "", room=10**9), block_list(CARDS)
    for card in CARDS:
        assert f"### {card.name}: `{card.block}`" in reference
        assert card.example.strip() in reference
        own = reference.split(f"### {card.name}: ")[1].split("```")[0]
        assert ("outcomes (B, L, O)" in own) == ("outcomes" in card.ports.takes)
        assert f"- `{card.name}`:" in listed
        for argument in card.arguments:
            assert f"`{argument.name}={argument.default!r}`" in reference
            assert f"`{argument.name}={argument.default!r}`" in listed


@pytest.mark.parametrize(
    "name", ["read", "write", "repair", "ablate", "review", "contract", "kit", *(f"predicts_{p}" for p in get_args(Predicts))]
)
def test_no_prompt_is_empty(name: str) -> None:
    assert len(prompt(name)) > 300


def test_a_small_window_keeps_whole_what_the_specification_names() -> None:
    short = kit_reference(CARDS, "the block `two_stream_mlp`", room=30_000)
    assert len(short) < 31_000
    assert short.startswith("### two_stream_mlp: `TwoStreamMLP`")
    assert all(f"### {c.name}:" in short or f"- `{c.name}`:" in short for c in CARDS)
