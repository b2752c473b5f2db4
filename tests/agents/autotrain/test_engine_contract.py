"""What every engine must do, whichever mind it is: quotes that are in the paper, legal code, reviews that point at lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import NOTE
from random_rows import PLAIN
from scripted_chat import Scripted
from scripted_method import MODEL, PATCH, READING, REVIEWED, WITHOUT

from agents.autotrain.builtin import BuiltinEngine
from agents.autotrain.engine import Engine, Failure
from agents.autotrain.fidelity import rubric
from agents.autotrain.language_model import LanguageModelEngine
from agents.autotrain.paper import Paper
from agents.autotrain.reading import read_paper
from agents.autotrain.spec import MethodSpec
from agents.llm import LanguageModel, Ledger
from sandboxes.kit.layers import CARDS
from sandboxes.policy import violations


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Paper:
    return read_paper(str(NOTE), tmp_path_factory.mktemp("papers"))


@pytest.fixture(params=["builtin", "language_model"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "builtin":
        return BuiltinEngine()
    fenced = f"```python\n{MODEL}```"
    chat = Scripted(json.dumps(READING), fenced, PATCH, json.dumps(REVIEWED), f"```python\n{WITHOUT}```")
    ledger = Ledger(tmp_path / "calls.jsonl")
    return LanguageModelEngine(LanguageModel("scripted:x", cache=tmp_path / "answers", ledger=ledger, chat=chat), CARDS)


def test_the_whole_life_of_a_candidate(engine: Engine, paper: Paper) -> None:
    spec = engine.parse(paper)
    quotes_hold(spec, paper)
    code = engine.write(spec, PLAIN)
    assert not violations(code.text)
    assert code.composed == (engine.name == "builtin")  # only the kit's own composition may run without a wall
    changed = engine.repair(spec, PLAIN, code, Failure("smoke", "the gradient reaches every parameter: no gradient reaches fm"))
    assert changed is None or changed.text != code.text
    assert changed is None or changed.composed == code.composed
    review = engine.review(spec, code)
    judged = {j.leaf: j for j in review.judged}
    assert {m.id for m in spec.mechanisms} <= judged.keys() <= {leaf.id for leaf in rubric(spec)}
    for j in review.judged:
        assert j.lines is None if j.judgement == "missing" else j.lines or j.note
        assert j.lines is None or 1 <= j.lines[0] <= j.lines[1] <= len(code.text.splitlines())
    assert judged[str(review.main_mechanism)].judgement != "missing"
    less = engine.ablate(spec, PLAIN, code, str(review.main_mechanism))
    assert less is not None and less.text != code.text
    assert not violations(less.text)


def quotes_hold(spec: MethodSpec, paper: Paper) -> None:
    assert spec.scope.inside
    assert {m.block for m in spec.mechanisms} >= {"fm", "dnn"}
    assert len({m.id for m in spec.mechanisms}) == len(spec.mechanisms)
    for mechanism in spec.mechanisms:
        assert 0 <= mechanism.confidence <= 1
        assert mechanism.basis != "stated" or mechanism.evidence
        for evidence in mechanism.evidence:
            assert paper.text[evidence.start : evidence.end] == evidence.quote
    assert {h.name: h.value for h in spec.hyper_parameters if h.basis == "stated"}["embedding_dim"] == 10
