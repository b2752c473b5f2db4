"""`agenticrs kit`: everything of the kit is listed and can be shown, in words and for scripts."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest
from command import ROOT, agenticrs
from rich.console import Console

from sandboxes.kit.card import Card
from sandboxes.kit.datasets import DATASETS
from sandboxes.kit.example import whole_example
from sandboxes.kit.layers import CARDS
from sandboxes.kit.models import ALL_MODELS
from sandboxes.kit.ports import SLOTS
from workflows.exit_codes import ExitCode
from workflows.kit import NotInTheKit, find, listing, print_entry, print_listing


def shown(name: str, width: int = 160) -> str:
    console = Console(width=width, no_color=True)
    with console.capture() as said:
        for entry in find(name):
            print_entry(console, entry)
    return said.get()


def test_everything_is_listed_once_with_a_summary() -> None:
    rows = listing()
    assert sorted((r["kind"], r["name"]) for r in rows) == sorted(
        [*(("blocks", c.name) for c in CARDS), *(("models", m) for m in ALL_MODELS), *(("data", d.name) for d in DATASETS)]
    )
    assert all(r["summary"] and "\n" not in r["summary"] for r in rows)
    assert [r for r in rows if r["kind"] == "models"] == listing("models")
    slots = [r["slot"] for r in listing("blocks")]
    assert list(dict.fromkeys(slots)) == [s for s in SLOTS if s in slots]  # blocks of a slot stand together


def test_the_list_in_words_names_slots_and_blocks() -> None:
    console = Console(width=160, no_color=True)
    with console.capture() as said:
        print_listing(console, listing())
    text = said.get()
    for row in listing():
        assert row["name"] in text
    assert text.index("blocks, history: ") < text.index("gru_history") < text.index("blocks, scenario: ")
    assert text.index("reference models") < text.index("deepfm") < text.index("data sets") < text.index("census-income")


@pytest.mark.parametrize("card", CARDS, ids=lambda c: c.name)
def test_a_card_is_shown_whole_and_its_code_can_be_pasted(card: Card) -> None:
    text = shown(card.name, width=60)
    flat = " ".join(text.split())
    for said in (card.summary, card.equation, str(card.ports), *card.cues):
        assert " ".join(said.split()) in flat
    for argument in card.arguments:
        assert argument.name in text
    assert f"\n{whole_example(card)}" in text  # no line of it is broken, however narrow the terminal


def test_a_models_constructor_is_shown() -> None:
    text = shown("din")
    (entry,) = find("din")
    assert [a["argument"] for a in entry["arguments"]] == list(inspect.signature(ALL_MODELS["din"]).parameters)
    assert "Zhou et al., KDD 2018" in text and "attention_units" in text and "(80, 40)" in text
    assert "target attention" in entry["summary"]


def test_ranges_places_and_needs_are_shown() -> None:
    (entry,) = find("GRUHistory")
    assert entry["name"] == "gru_history" and entry["needs"] == ["behaviour histories"]
    assert entry["arguments"][0] | {"in papers": []} == {
        "argument": "hidden_size",
        "default": "64",
        "range": "1 to 2048",
        "in papers": [],
    }
    assert "added to the logits" in shown("attentional_fm")
    assert "no redistribution" in shown("frappe")


def test_a_name_that_a_block_and_a_model_share_shows_both() -> None:
    assert [e["kind"] for e in find("mmoe")] == ["blocks", "models"]
    assert [e["kind"] for e in find("mmoe", "models")] == ["models"]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("gru_histroy", "gru_history"),
        ("attention", "attention_pooling"),
        ("movielens-1", "movielens-1m"),
        ("hidden layers", "dnn"),
    ],
)
def test_an_unknown_name_is_the_users_mistake_and_near_ones_are_named(name: str, near: str) -> None:
    with pytest.raises(NotInTheKit, match=f"named {name}; did you mean .*{near}"):
        find(name)
    with pytest.raises(NotInTheKit, match="no model named squeeze_excitation"):
        find("squeeze_excitation", "models")


def test_the_commands_for_scripts(tmp_path: Path) -> None:
    (entry,) = json.loads(agenticrs(tmp_path, "kit", "show", "fm", "--kind", "blocks", "--json").stdout)
    assert entry == json.loads(json.dumps(find("fm", "blocks")[0]))
    assert json.loads(agenticrs(tmp_path, "kit", "list", "data", "--json").stdout) == listing("data")
    done = agenticrs(tmp_path, "kit", "show", "no-such-thing")
    assert done.returncode == ExitCode.USAGE and "agenticrs kit list" in done.stderr and "Traceback" not in done.stderr


def test_nothing_is_loaded_that_the_kit_does_not_need() -> None:
    heavy = ("sklearn", "mlflow", "chromadb", "langgraph", "langchain_core", "scipy", "matplotlib", "optuna")
    code = f"import sys, workflows.cli, workflows.kit; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
