"""Naive references: written from the spec alone, bound to layers by the reviewer, and asked only where both can be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scripted_chat import Scripted

from agents.autotrain.engine import Code, Judged, NumericCheck
from agents.autotrain.fidelity import by_numbers, leaf_rows, rubric
from agents.autotrain.language_model import LanguageModelEngine
from agents.autotrain.spec import Mechanism, MethodSpec, Scope
from agents.llm import LanguageModel, Ledger
from sandboxes.equations import EquationRow

SPEC = MethodSpec(
    paper_id="p",
    title="",
    model_name="",
    scope=Scope(kind="in_scope"),
    mechanisms=(
        Mechanism(id="m1", name="pairs", block="fm", basis="stated", confidence=1, equations=("y = sum <e_i, e_j>", "z = y / 2")),
        Mechanism(id="m2", name="a tower", block=None, basis="stated", confidence=1),
    ),
)
CODE = Code("class Pairs:\n    secret_of_the_file = 1\n", composed=False)
REFERENCE = {
    "leaves": ["m1.e1"],
    "inputs": [{"name": "e", "shape": "(B, F, D)"}],
    "parameters": [{"name": "w", "shape": "(D,)"}],
    "output": "y (B,)",
    "code": "def reference(*, e, w):\n    return naive_secret(e)\n",
}
PROBE = {
    "reference": 1,
    "layer": "Pairs",
    "arguments": {"width": 4},
    "inputs": [{"name": "e", "shape": [5, 3, 4]}],
    "parameters": {"w": "project.weight"},
}


def reviewed(folder: Path, references: list[object], probes: list[object]) -> tuple[tuple[NumericCheck, ...], Scripted]:
    leaves = [{"leaf": leaf.id, "judgement": "met", "first_line": 1, "last_line": 1} for leaf in rubric(SPEC)]
    chat = Scripted(json.dumps({"references": references}), json.dumps({"leaves": leaves, "probes": probes}))
    door = LanguageModel("scripted:x", cache=folder / "answers", ledger=Ledger(folder / "calls.jsonl"), chat=chat)
    return LanguageModelEngine(door, ()).review(SPEC, CODE).checks, chat


def test_writer_of_the_reference_sees_no_code_and_its_binder_sees_no_reference(tmp_path: Path) -> None:
    (check,), chat = reviewed(tmp_path, [REFERENCE], [PROBE])
    asked, binding = chat.asked[0][-1].text, chat.asked[1][-1].text
    assert "secret_of_the_file" not in asked and "m1.e1 (equation): y = sum <e_i, e_j>" in asked and "m2 (mechanism)" not in asked
    assert "naive_secret" not in binding and "1. m1.e1: inputs e (B, F, D) normal; parameters w (D,); gives y (B,)" in binding
    assert check.leaves == ("m1.e1",)
    assert check.equation.reference == REFERENCE["code"]
    assert check.equation.probe.inputs[0].shape == (5, 3, 4) and check.equation.probe.parameters == {"w": "project.weight"}


@pytest.mark.parametrize(
    ("reference", "probe"),
    [
        ({"leaves": ["m1"]}, {}),  # a mechanism is no equation
        ({"leaves": ["m9.e1"]}, {}),
        ({}, {"reference": 2}),
        ({}, {"inputs": [{"name": "e", "shape": [0, 3]}]}),
        ({}, {"layer": "not a name"}),
        ({}, {"inputs": [{"name": "e", "shape": [10_000, 10_000]}]}),
    ],
)
def test_what_cannot_be_asked_is_left_to_the_reviewer(
    tmp_path: Path, reference: dict[str, object], probe: dict[str, object]
) -> None:
    checks, _ = reviewed(tmp_path, [REFERENCE | reference], [PROBE | probe])
    assert checks == ()


def test_a_spec_without_equations_asks_for_no_reference(tmp_path: Path) -> None:
    chat = Scripted(json.dumps({"leaves": []}))
    door = LanguageModel("scripted:x", cache=tmp_path, ledger=Ledger(tmp_path / "calls.jsonl"), chat=chat)
    LanguageModelEngine(door, ()).review(SPEC.model_copy(update={"mechanisms": SPEC.mechanisms[1:]}), CODE)
    assert len(chat.asked) == 1


@pytest.mark.parametrize(
    ("verdict", "judged", "by"),
    [("agrees", "met", "numbers"), ("differs", "missing", "numbers"), ("undecided", "partly", "reviewer")],
)
def test_numbers_decide_and_opinions_do_not(tmp_path: Path, verdict: str, judged: str, by: str) -> None:
    checks, _ = reviewed(tmp_path, [REFERENCE], [PROBE])
    row = EquationRow(id=checks[0].equation.id, verdict=verdict, largest_difference=0.5, detail="at (0,) 1 and 2")  # type: ignore[arg-type]
    opinions = [Judged("m1.e1", "partly", (1, 1), "a factor is missing"), Judged("m1.e2", "met", (2, 2))]
    rows = {r.leaf: r for r in leaf_rows(rubric(SPEC), opinions, (), [*by_numbers(checks, [row])])}
    assert (rows["m1.e1"].judgement, rows["m1.e1"].decided_by, rows["m1.e1"].lines) == (judged, by, (1, 1))
    assert ("at (0,) 1 and 2" in rows["m1.e1"].note) == (by == "numbers")
    assert (rows["m1.e2"].judgement, rows["m1.e2"].decided_by) == ("met", "reviewer")
