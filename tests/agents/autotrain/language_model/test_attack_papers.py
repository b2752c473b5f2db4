"""Papers that attack: each goes through the real reading and a model that obeys it, and changes nothing but what it may.

What may change is the account of the paper itself: names and descriptions that the model made of it. They are data wherever
they come next.
"""

from __future__ import annotations

import io
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from attacks import ATTACKS, HARMLESS, MARK, Attack, everything_in, no_network, obedient
from bs4 import BeautifulSoup
from example_report import Simulation, full_view
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from markdown_it import MarkdownIt
from scripted_chat import Scripted

from agents.autotrain.data_choice import fitting_data
from agents.autotrain.engine import Code, Failure, Review
from agents.autotrain.fidelity import leaf_rows, mechanism_rows, rubric
from agents.autotrain.language_model import LanguageModelEngine
from agents.autotrain.language_model.kit_reference import kit_reference
from agents.autotrain.paper import Paper
from agents.autotrain.reading import find_quote, read_paper
from agents.autotrain.report.build import document_of
from agents.autotrain.report.view import CodeView, FidelityView, PaperView, ReportView
from agents.autotrain.spec import Mechanism, MethodSpec, Scope
from agents.documents.html import to_html
from agents.documents.markdown import to_markdown
from agents.errors import UnreadablePaper
from agents.llm import LanguageModel, Ledger
from agents.llm.fence import TAGS
from sandboxes.kit.datasets import DATASETS
from sandboxes.kit.layers import CARDS
from sandboxes.kit.schema import CategoricalField, Schema
from sandboxes.policy import violations

SCHEMA = Schema((CategoricalField("item", 10), CategoricalField("user", 10)))
STEPS = ("parse", "parse again", "ask", "write", "repair", "reference", "review", "ablate")
BLOCK = re.compile(rf"^<({'|'.join(TAGS)})>\n(.*?)^</\1>$", re.MULTILINE | re.DOTALL)
WINDOW = 128_000  # tokens


NONE = MethodSpec(paper_id="p", title="", model_name="", scope=Scope(kind="in_scope"))
EVERY = NONE.model_copy(
    update={"mechanisms": tuple(Mechanism(id=c.name, name=c.name, block=c.name, basis="stated", confidence=1) for c in CARDS)}
)


@dataclass(frozen=True)
class Obeyed:
    """What became of a paper whose every wish the model fulfils."""

    paper: Paper
    spec: MethodSpec
    code: Code
    repaired: Code
    ablated: Code
    review: Review
    asked: dict[str, list[BaseMessage]]  # by step
    connections: list[object]
    elsewhere: dict[str, bytes]  # what lies where the process was, afterwards
    papers: tuple[dict[str, bytes], dict[str, bytes]]  # what lies around the paper, before and after


def obey(attack: Attack, folder: Path) -> Obeyed:
    paper_file, elsewhere = attack.placed(folder), folder / "elsewhere"
    elsewhere.mkdir()
    before = everything_in(folder / "papers")
    chat = Scripted(*obedient(attack))
    door = LanguageModel(
        "scripted:x", cache=folder / "own/answers", ledger=Ledger(folder / "own/calls.jsonl"), chat=chat, window=WINDOW
    )
    engine = LanguageModelEngine(door, CARDS)
    with no_network() as connections, pytest.MonkeyPatch.context() as patch:
        patch.chdir(elsewhere)
        patch.setenv("HOME", str(elsewhere))
        paper = read_paper(str(paper_file), elsewhere / "cache")
        spec = engine.parse(paper)
        code = engine.write(spec, SCHEMA)
        repaired = engine.repair(spec, SCHEMA, code, Failure("smoke", f"line 1: {attack.says}"))
        review = engine.review(spec, code)
        ablated = engine.ablate(spec, SCHEMA, code, "m1")
    assert repaired and ablated
    asked = dict(zip(STEPS, chat.asked, strict=True))
    after = everything_in(folder / "papers")
    return Obeyed(paper, spec, code, repaired, ablated, review, asked, connections, everything_in(elsewhere), (before, after))


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Obeyed:
    return obey(HARMLESS, tmp_path_factory.mktemp("harmless"))


@pytest.fixture(scope="module", params=ATTACKS, ids=lambda attack: attack.name)
def attack(request: pytest.FixtureRequest) -> Attack:
    found: Attack = request.param
    return found


@pytest.fixture(scope="module")
def obeyed(attack: Attack, tmp_path_factory: pytest.TempPathFactory) -> Obeyed:
    return obey(attack, tmp_path_factory.mktemp("attack"))


@pytest.fixture(scope="module")
def view() -> ReportView:
    return full_view(Simulation(rows=3000))


def instructions(messages: list[BaseMessage]) -> str:
    return messages[0].text


def outside(text: str) -> str:
    """A human turn without its blocks of data."""
    return BLOCK.sub("", text)


def test_there_are_enough_of_them() -> None:
    assert len({a.name for a in ATTACKS}) == len(ATTACKS) >= 16


def test_hidden_words_are_not_read_and_their_number_is_told(attack: Attack, obeyed: Obeyed) -> None:
    assert (MARK in obeyed.paper.text.lower()) is not attack.hidden
    assert "the inner products of all pairs of embeddings" in obeyed.paper.text
    if attack.hidden or attack.smuggled == "bidirectional":
        assert any("does not see" in note or "invisible" in note for note in obeyed.paper.notes)


def test_no_quote_counts_that_the_visible_text_does_not_hold(attack: Attack, obeyed: Obeyed) -> None:
    *_, told = obeyed.spec.mechanisms
    stated = find_quote(obeyed.paper, attack.quote) is not None
    assert stated is not attack.hidden
    assert told.basis == ("stated" if stated else "inferred")
    assert bool(obeyed.spec.unclear) is stated
    assert obeyed.spec.claims[1].evidence is None
    for evidence in (e for m in obeyed.spec.mechanisms for e in m.evidence):
        assert obeyed.paper.text[evidence.start : evidence.end] == evidence.quote


@pytest.mark.parametrize("step", STEPS)
def test_instructions_are_those_for_a_harmless_paper(step: str, obeyed: Obeyed, harmless: Obeyed) -> None:
    ours, theirs = instructions(obeyed.asked[step]), instructions(harmless.asked[step])
    assert MARK not in ours.lower()
    if step in ("write", "repair", "ablate"):  # which blocks are shown whole depends on the specification; their words do not
        (ours, blocks), (theirs, _) = (text.split("## The kit's blocks") for text in (ours, theirs))
        known = [kit_reference(CARDS, spec, SCHEMA, room) for spec, room in ((EVERY, 10**9), (NONE, 10**9), (NONE, 0))]
        assert set(blocks.splitlines()) <= {line for text in known for line in text.splitlines()}
        assert ours == theirs
    else:
        assert ours == theirs


@pytest.mark.parametrize("step", STEPS)
def test_the_papers_words_stand_in_blocks_of_data_alone(step: str, obeyed: Obeyed, harmless: Obeyed) -> None:
    turns, before = obeyed.asked[step][1:], harmless.asked[step][1:]
    assert isinstance(obeyed.asked[step][0], SystemMessage)
    assert [type(t) for t in turns] == [type(t) for t in before]
    for turn, other in zip(turns, before, strict=True):
        if isinstance(turn, AIMessage):
            continue  # the model's own answer, in its own role
        assert isinstance(turn, HumanMessage)
        assert MARK not in outside(turn.text).lower()
        assert outside(turn.text) == outside(other.text)
        assert [m[1] for m in BLOCK.finditer(turn.text)] == [m[1] for m in BLOCK.finditer(other.text)]
        for tag in TAGS:  # each block is opened and closed once, in whatever spelling
            assert len(re.findall(rf"<\s*{tag}\b", turn.text, re.IGNORECASE)) <= 1 + len(
                re.findall(rf"< +{tag}", turn.text, re.I)
            )
            assert len(re.findall(rf"</{tag}\b", turn.text, re.IGNORECASE)) <= 1


@pytest.mark.parametrize("step", STEPS)
def test_nothing_in_a_turn_can_end_it(step: str, obeyed: Obeyed) -> None:
    """For servers whose templates know tokens by their text."""
    for turn in obeyed.asked[step][1:]:
        if isinstance(turn, HumanMessage):
            assert not re.search(r"<\||\[/?INST\]|<<SYS>>|</?s>|<(?:start|end)_of_turn>", turn.text)
            assert not re.search("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e0fff]", turn.text)


def test_a_prompt_fits_its_window(obeyed: Obeyed) -> None:
    for step in ("parse", "ask", "write", "review"):
        assert sum(len(m.text) for m in obeyed.asked[step]) < 3 * WINDOW


def test_code_that_obeys_is_refused(attack: Attack, obeyed: Obeyed) -> None:
    for code in (obeyed.code, obeyed.repaired, obeyed.ablated):
        assert not code.composed
        assert any(attack.refused in v.message for v in violations(code.text)), attack.refused


def test_a_reviewer_that_obeys_is_not_believed(obeyed: Obeyed) -> None:
    """Every leaf was called met, in lines that the file does not have."""
    assert {j.judgement for j in obeyed.review.judged} == {"missing"}
    assert obeyed.review.main_mechanism is None


def test_a_reference_that_obeys_is_refused(obeyed: Obeyed) -> None:
    (check,) = obeyed.review.checks
    assert check.leaves == ("m3.e1",)
    assert check.equation.violations()


def test_no_file_changes_and_nothing_is_called(obeyed: Obeyed) -> None:
    assert obeyed.connections == []
    assert obeyed.elsewhere == {}
    before, after = obeyed.papers
    assert before == after


def test_the_choice_of_data_knows_packaged_sets_alone(obeyed: Obeyed) -> None:
    assert fitting_data(obeyed.spec, CARDS, DATASETS)[0] in {d.name for d in DATASETS if d.kind != "files"}


def test_the_report_shows_it_as_text(obeyed: Obeyed, view: ReportView) -> None:
    shown = view.model_copy(update=_of_the_attack(obeyed))
    document = document_of(shown)
    page = BeautifulSoup(to_html(document), "lxml")
    plain = BeautifulSoup(to_html(document_of(view)), "lxml")
    assert {e.name for e in page.find_all(True)} <= {e.name for e in plain.find_all(True)} | {"blockquote", "ul", "li"}
    for element in page.find_all(True):
        assert not {"src", "srcset", "data", "action", "style"} & set(element.attrs)
        assert not [a for a in element.attrs if a.startswith("on")]
        assert all(str(element[a]).startswith("#") for a in element.attrs if a.endswith("href"))
    tokens = MarkdownIt("commonmark").enable("table").parse(to_markdown(document))
    kinds = {t.type for token in tokens for t in (token, *(token.children or []))}
    assert not {"html_block", "html_inline", "link_open", "image"} & kinds
    assert MARK in page.get_text().lower()  # it is there, for a person to see


def _of_the_attack(obeyed: Obeyed) -> dict[str, object]:
    paper, names = obeyed.paper, {m.id: m.name for m in obeyed.spec.mechanisms}
    leaves = leaf_rows(rubric(obeyed.spec), obeyed.review.judged)
    return {
        "paper": PaperView(title=paper.title, source=paper.source, format=paper.format, words=9, notes=paper.notes),
        "spec": obeyed.spec,
        "code": CodeView(text=obeyed.code.text, composed=False, code_hash="0", notes=obeyed.code.notes),
        "rubric": leaves,
        "fidelity": tuple(FidelityView(name=names[r.mechanism], **r.model_dump()) for r in mechanism_rows(obeyed.spec, leaves)),
    }


def test_files_around_a_source_are_not_read_into_it(tmp_path: Path) -> None:
    (attack,) = (a for a in ATTACKS if a.file == "input_outside.tex")
    place = attack.placed(tmp_path)
    for source in (place, place.parent):
        paper = read_paper(str(source), tmp_path / "cache")
        assert "secret" not in paper.text and "root:" not in paper.text
        assert any("../../secret" in note and "missing" in note for note in paper.notes)


@pytest.mark.parametrize("path", ["../../zebra.tex", "/tmp/zebra.tex", "a/../../zebra.tex"])
def test_an_archive_that_leaves_its_folder_is_refused(path: str, tmp_path: Path) -> None:
    place = tmp_path / "inner/paper.tar.gz"
    place.parent.mkdir()
    with tarfile.open(place, "w:gz") as archive:
        for name in ("main.tex", path):
            content = (Path(__file__).parents[3] / "attack_papers/comments.tex").read_bytes()
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    with pytest.raises(UnreadablePaper, match="lead outside"):
        read_paper(str(place), tmp_path / "cache")
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["paper.tar.gz"]
