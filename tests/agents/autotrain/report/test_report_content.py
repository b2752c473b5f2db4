"""What a report says: the verdict first, the same in HTML and Markdown, synthetic data named, and short honest ones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from bs4 import BeautifulSoup
from example_report import SEEDS, Simulation, full_view, out_of_scope_view
from markdown_it import MarkdownIt

from agents.autotrain.report import AblationView, CostView, ModelView, ReportView, write_report
from agents.autotrain.report.build import document_of
from agents.autotrain.report.view import Outcome
from agents.autotrain.results import ModelResult, SeedRow
from agents.compare import Trained, compare
from agents.documents.html import to_html
from agents.documents.markdown import to_markdown
from sandboxes.reports import EpochRow


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return Simulation(rows=6000)


@pytest.fixture(scope="module")
def view(simulation: Simulation) -> ReportView:
    return full_view(simulation)


@pytest.fixture(scope="module")
def page(view: ReportView) -> BeautifulSoup:
    return BeautifulSoup(to_html(document_of(view)), "lxml")


@pytest.fixture(scope="module")
def markdown(view: ReportView) -> BeautifulSoup:
    return as_page(to_markdown(document_of(view)))


def as_page(markdown: str) -> BeautifulSoup:
    return BeautifulSoup(MarkdownIt("commonmark").enable("table").render(markdown), "lxml")


def cells(page: BeautifulSoup) -> list[list[str]]:
    """All tables, row by row, as text."""
    return [[" ".join(c.get_text().split()) for c in row.find_all(["th", "td"])] for row in page.find_all("tr")]


def test_the_verdict_stands_at_the_top_in_one_sentence(view: ReportView, page: BeautifulSoup) -> None:
    assert view.comparison is not None
    header = page.header
    assert header is not None
    sentence = header.find(class_="verdict").p.get_text()  # type: ignore[union-attr]
    assert (sentence[0].lower() + sentence[1:]).startswith(view.comparison.sentence)
    assert sentence.endswith("on planted-clicks (synthetic).")
    assert page.main.section["id"] == "results"  # type: ignore[union-attr,index]


def test_html_and_markdown_hold_the_same_tables_number_for_number(page: BeautifulSoup, markdown: BeautifulSoup) -> None:
    assert cells(page) == cells(markdown)
    assert len(cells(page)) > 80


def test_html_and_markdown_hold_the_same_headings_and_statements(page: BeautifulSoup, markdown: BeautifulSoup) -> None:
    assert [h.get_text() for h in page.find_all("h2")] == [h.get_text() for h in markdown.find_all("h2")]
    text = " ".join(markdown.get_text().split())
    for element in page.main.find_all(["p", "blockquote", "li", "desc"]):  # type: ignore[union-attr]
        assert " ".join(element.get_text().split()) in text


def test_every_part_of_the_view_is_there(page: BeautifulSoup) -> None:
    ids = {s["id"] for s in page.find_all("section")}
    wanted = "results claims fidelity ablation method code failures protocol checks data paper memory cost"
    assert ids == set(wanted.split())
    text = page.get_text()
    for said in (
        "Table 3 could not be read",
        "0.91",
        "a gate on cross layers (frappe, ctr): 1 run against",
        "no row of test occurs in train",
        "import of os is not allowed",
        "2.4 M (Table 4)",
        "2,317,009",
        "28 runs, 7 of them found finished",
        "bubblewrap: no network",
        "agenticrs reproduce gatecross.pdf",
        "the temperature is annealed",
        "12 min 22 s",
    ):
        assert said in text, said


def test_scores_in_the_table_are_those_of_the_scorer(simulation: Simulation, page: BeautifulSoup) -> None:
    aucs = [simulation.scores["dcnv2"][s].primary.values["auc"] for s in SEEDS]
    row = next(r for r in cells(page) if r[0] == "dcnv2" and "±" in r[1])
    assert row[1].startswith(f"{sum(aucs) / len(aucs):.4f} ±")
    by_seed = [r for r in cells(page) if r[:2] == ["dcnv2", "3"]]
    assert by_seed[0][3] == f"{aucs[2]:.5f}"


def test_other_tasks_stand_in_a_table_of_their_own(page: BeautifulSoup) -> None:
    table = next(t for t in page.find_all("table") if t.caption and "Other tasks" in t.caption.get_text())
    rows = [[c.get_text() for c in r.find_all(["th", "td"])][:3] for r in table.tbody.find_all("tr")]
    assert rows == [[name, "purchase", metric] for name in ("lr", "dnn", "dcnv2") for metric in ("AUC", "log loss")]


def test_of_ranked_lists_it_says_queries_and_has_no_columns_of_labels() -> None:
    listed = Simulation(rows=1500, predicts="items")
    view = full_view(listed).model_copy(update={"spec": None, "claims": ()})  # the paper's own words are of clicks
    page = BeautifulSoup(to_html(document_of(view)), "lxml")
    text = page.get_text(" ")
    for foreign in ("AUC", "og loss", "alibration", "observed", "Rows of", " test rows", "labels"):
        assert foreign not in text, foreign
    for said in (
        "1,500 test queries (750 users)",
        "Queries of test",
        "counts from 0.002 in nDCG@20",
        "Its answers never entered",
    ):
        assert said in text, said
    rows = cells(page)
    assert ["Model", "nDCG@20", "Recall@20", "nDCG@10", "Recall@10", "Recall@100", "Items in a first 20"] in [r[:7] for r in rows]
    row = next(r for r in rows if r[0] == "two_towers" and "±" in r[1])
    for cell, metric in zip(row[1:7], listed.truth.question.columns, strict=True):
        values = [listed.scores["two_towers"][s].primary.values[metric] for s in SEEDS]
        assert cell.startswith(f"{sum(values) / len(values):.4f} ±")
    by_seed = next(r for r in rows if r[:2] == ["two_towers", "3"])
    assert by_seed[3:5] == [f"{listed.scores['two_towers'][3].primary.values[m]:.5f}" for m in ("ndcg", "recall")]
    assert rows == cells(as_page(to_markdown(document_of(view))))


def test_fidelity_links_to_lines_of_the_code(page: BeautifulSoup) -> None:
    links = [a["href"] for a in page.find(id="fidelity").find_all("a")]  # type: ignore[union-attr]
    assert links == ["#L18", "#L19", "#L20"]
    line = page.find(id="L18")
    assert line is not None
    assert "# m1" in line.get_text()


def test_synthetic_data_never_goes_without_saying_so(page: BeautifulSoup, markdown: BeautifulSoup) -> None:
    for text in (page.get_text(" "), markdown.get_text(" ")):
        named = re.findall(r"(?<!--data )planted-clicks.{0,12}", text)
        assert len(named) >= 4
        assert all(n.startswith("planted-clicks (synthetic)") for n in named), named
        assert "not seen in the world" in text


def test_real_data_is_not_called_synthetic(simulation: Simulation) -> None:
    assert "synthetic" not in to_html(document_of(full_view(simulation, synthetic=False)))


def test_out_of_scope_is_short_and_says_why() -> None:
    doc = document_of(out_of_scope_view())
    page = BeautifulSoup(to_html(doc), "lxml")
    assert (doc.badge, doc.tone) == ("out of scope", "warn")
    assert doc.headline == "The paper is a survey and proposes no model of its own"
    assert [s.id for s in doc.sections] == ["scope", "paper", "cost"]
    assert "we review more than two hundred works" in page.get_text()
    assert page.find("svg") is None
    assert "Results" not in page.get_text()


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_a_view_with_nothing_in_it_still_is_a_report(outcome: Outcome, tmp_path: Path) -> None:
    html, markdown = write_report(ReportView(run_id="r1", created="today", outcome=outcome), tmp_path / "new" / "folder")
    assert "the run ended without a verdict" in html.read_text().lower()
    assert "r1" in markdown.read_text()


def failed_model() -> ModelView:
    """A baseline whose second seed died, with values that are not numbers in what it said."""
    said = EpochRow(epoch=1, stage="train", train_loss=float("nan"), valid={"auc": float("inf"), "log_loss": 1.0}, seconds=1.0)
    seeds = (
        SeedRow(job="j1", status="ok", seconds=3.0, seed=1, epochs=(said,), samples_per_s=float("nan")),
        SeedRow(job="", status="out_of_memory", reason="it needed more than 4096 MB\nTraceback ...", seed=2),
    )
    return ModelView(result=ModelResult(name="dcnv2", role="baseline", setting={}, trials=(), seeds=seeds))


def test_failed_runs_are_shown_as_failed(simulation: Simulation) -> None:
    failed = Trained("dcnv2", failure="seed 2 ran out of memory", data_hash="d4c0ffee")
    found = compare(simulation.trained("candidate"), [failed], simulation.truth, SEEDS)
    view = ReportView(
        run_id="r1", created="today", outcome="done", comparison=found, models=(simulation.model("candidate"), failed_model())
    )
    doc = document_of(view)
    page = BeautifulSoup(to_html(doc), "lxml")
    assert doc.badge == "not comparable"
    assert "dcnv2 failed: seed 2 ran out of memory" in page.get_text()
    row = next(r for r in cells(page) if r[:2] == ["dcnv2", "2"])
    assert row[2] == "out_of_memory: it needed more than 4096 MB Traceback ..."
    assert row[3:6] == ["–", "–", "–"]
    assert cells(page) == cells(as_page(to_markdown(doc)))
    assert "nan" not in to_html(doc).replace("nano", "").lower()


def test_a_smoke_run_has_no_verdict(simulation: Simulation) -> None:
    found = compare(simulation.trained("candidate"), [simulation.trained("dnn")], simulation.truth, (1, 2))
    doc = document_of(ReportView(run_id="r1", created="today", outcome="done", comparison=found))
    assert doc.badge == "smoke"
    assert "there is no verdict" in doc.headline


def test_an_ablation_shows_its_own_comparison(simulation: Simulation) -> None:
    found = compare(simulation.trained("dnn"), [simulation.trained("candidate")], simulation.truth, SEEDS)
    view = ReportView(
        run_id="r1",
        created="today",
        outcome="done",
        ablation=AblationView(mechanism="m1", name="cross network", comparison=found),
    )
    text = to_markdown(document_of(view))
    assert "worse than candidate" in text
    assert "without m1 (cross network)" in text
    assert "Without it minus with it" in text


@pytest.mark.parametrize(("usd", "said"), [(0.1234, "$0.1234"), (None, "price not known")])
def test_money_spent_on_a_language_model_is_said(usd: float | None, said: str) -> None:
    cost = CostView(seconds=60, llm="provider:model", llm_input_tokens=12_345, llm_output_tokens=678, llm_usd=usd)
    page = to_html(document_of(ReportView(run_id="r1", created="today", outcome="failed", cost=cost)))
    assert f"provider:model: 12,345 tokens in, 678 out, {said}" in page


@pytest.mark.parametrize(
    ("verdict", "sizes", "says"),
    [
        ("worse", (1000, 1010), "It helps, and not by the number of parameters."),
        ("worse", (1000, 1500), "whether the idea does or the additional parameters do"),
        ("tie", (1000, 1500), "is not shown"),
        ("better", (1000, 1500), "better without it"),
    ],
)
def test_an_ablation_says_whether_the_idea_or_the_size_helped(
    view: ReportView, verdict: str, sizes: tuple[int, int], says: str
) -> None:
    assert view.comparison is not None
    found = view.comparison.model_copy(update={"verdict": verdict})
    shown = AblationView(mechanism="m1", name="cross network", comparison=found, parameters=sizes)
    text = to_markdown(document_of(view.model_copy(update={"ablation": shown})))
    assert "1,000 parameters without it" in text and says in text
