"""A paper under another title, its model under another name, is read and written the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command import NOTE
from random_rows import RICH
from shared_data import shared

from agents.autotrain.builtin import BuiltinEngine
from agents.autotrain.builtin.engine import _structure
from agents.autotrain.builtin.names import find_names
from agents.autotrain.paper import Paper
from agents.autotrain.reading import read_paper
from agents.autotrain.spec import MethodSpec
from agents.errors import NothingToBuild

ENGINE = BuiltinEngine()
ABSTRACTS = sorted((shared("papers/abstracts") or Path("none")).glob("*.txt"))


def renamed(paper: Paper, model: str, title: str) -> str:
    """The paper's text with its title gone and its model's name, variants included, replaced throughout."""
    names = find_names(paper)
    text = paper.text.replace(paper.title, title)
    for i, name in enumerate(sorted({n for n in (names.model, *names.aliases) if n}, key=len, reverse=True)):
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", f"{model}{i or ''}", text)
    return text


def read_again(text: str, folder: Path, ending: str) -> Paper:
    path = folder / f"something{ending}"
    path.write_text(text, encoding="utf-8")
    return read_paper(str(path), folder / "cache")


def essence(spec: MethodSpec) -> object:
    """What must not change: mechanisms in order with their arguments, scope, task and settings."""
    mechanisms = [(m.block, m.arguments, m.basis) for m in spec.mechanisms if m.block]
    return mechanisms, spec.scope.kind, spec.task, {h.name: h.value for h in spec.hyper_parameters}


def code_of(spec: MethodSpec) -> str:
    try:
        return _structure(ENGINE.write(spec, RICH).text)
    except NothingToBuild:
        return "nothing to build"


@pytest.mark.parametrize(("model", "title"), [("ZyQRnet", "Whatever this is about"), ("Orchid", "On gardens, in six parts")])
def test_the_packaged_note(tmp_path: Path, model: str, title: str) -> None:
    before = ENGINE.parse(read_paper(str(NOTE), tmp_path / "cache"))
    text = NOTE.read_text().replace("DeepFM", model)
    text = re.sub(r"^# .*$", f"# {title}", text, count=1, flags=re.MULTILINE)
    after = ENGINE.parse(read_again(text, tmp_path, ".md"))
    assert essence(after) == essence(before)
    assert code_of(after) == code_of(before) != "nothing to build"


@pytest.mark.skipif(not ABSTRACTS, reason="no papers/abstracts beside the checkout")
def test_every_abstract_at_hand(tmp_path: Path) -> None:
    changed = []
    for path in ABSTRACTS:
        paper = read_paper(str(path), tmp_path / "cache")
        before = ENGINE.parse(paper)
        after = ENGINE.parse(read_again(renamed(paper, "ZyQRnet", "Whatever this is about"), tmp_path, ".txt"))
        if essence(after) != essence(before) or (before.scope.inside and code_of(after) != code_of(before)):
            changed.append((path.stem, essence(before), essence(after)))
    assert not changed
