"""PDFs: reading order, headings, equations with scripts and fractions, tables, hyphens, what repeats and what floats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.autotrain.paper import Paper
from agents.autotrain.reading import read_paper, roles
from agents.autotrain.reading.hyphens import Vocabulary
from agents.autotrain.reading.pdf_fonts import plain_characters
from agents.autotrain.reading.pdf_text import line_text
from agents.autotrain.reading.pdf_word import Word

LEFT, RIGHT = 54.0, 318.0
FILL = "lorem ipsum dolor sit amet consectetur adipiscing elit"


def _prose(start: str, lines: int, end: str = "and so it ends.") -> list[str]:
    return [start, *(f"{FILL} {'abcdefghijklmnopqrstuvwxyz'[n]}" for n in range(lines - 2)), end]


@pytest.fixture
def paper(
    make_pdf: Callable[..., Path], stack: Callable[..., list[Any]], tmp_path: Path, check_offsets: Callable[[Paper], None]
) -> Paper:
    first = [
        (120, 80, "Gated Networks for Click Prediction", 17, "bold"),
        (150, 110, "Ann Author", 11, "roman"),
        (400, 110, "Bob Writer", 11, "roman"),
        *stack(["Abstract"], LEFT, 150, 12, font="bold"),
        *stack(_prose("We propose gates that learn inter-", 9, "field weights. Gates are good."), LEFT, 166),
        *stack(["1 Introduction"], LEFT, 290, 12, font="bold"),
        *stack(_prose("Clicks are predicted in the left column", 14, "and this sentence goes on to"), LEFT, 306),
        *stack(_prose("the right column without a break", 12), RIGHT, 150),
        *stack(["2 Our Method"], RIGHT, 310, 12, font="bold"),
        *stack(["2.1 Gate Layer"], RIGHT, 328, 11, font="bold"),
        *stack(_prose("The gate layer scales every field as", 6, "in the following formula:"), RIGHT, 344),
        (380, 430, "g", 10, "italic"),
        (385.2, 432, "i", 7, "italic"),
        (390, 430, "= s(w", 10, "roman"),
        (412, 426, "2", 7, "roman"),
        (418, 430, "x) + b", 10, "roman"),
        (540, 430, "(1)", 10, "roman"),
        *stack(_prose("where s is the sigmoid function that", 8), RIGHT, 452),
        *stack(["1 See our web page for code."], LEFT, 720, 8),
        (300, 760, "1", 10, "roman"),
    ]
    second = [
        *stack(["3 Experiments"], LEFT, 80, 12, font="bold"),
        *stack(_prose("Table 1 shows that our model wins on", 10), LEFT, 96),
        *stack(["Table 1: Results on two data sets."], LEFT, 240, 9, font="bold"),
        *[
            (x, 256 + 11 * n, cell, 9, "roman")
            for n, row in enumerate((("Model", "AUC", "Loss"), ("FM", "0.79", "0.46"), ("Gate Net", "0.81", "0.44")))
            for x, cell in zip((60, 150, 220), row, strict=True)
        ],
        *stack(_prose("After the table the text goes on as", 10), LEFT, 320),
        *stack(_prose("The second column of the second page", 20), RIGHT, 80),
        *stack(["References"], RIGHT, 340, 12, font="bold"),
        *stack(["[1] A. Author. A paper on gates, with", "more words in it. 2019."], RIGHT, 356, 8, 10),
        *stack(["[2] B. Writer. Another paper. 2020."], RIGHT, 376, 8, 10),
        (300, 760, "2", 10, "roman"),
    ]
    found = read_paper(str(make_pdf(first, second)), tmp_path)
    check_offsets(found)
    return found


def test_title_sections_and_pages(paper: Paper) -> None:
    assert (paper.title, paper.format, paper.pages) == ("Gated Networks for Click Prediction", "pdf", 2)
    assert [(s.level, s.title, role) for s, role in roles(paper)] == [
        (1, "Abstract", "abstract"),
        (1, "1 Introduction", "introduction"),
        (1, "2 Our Method", "method"),
        (2, "2.1 Gate Layer", "method"),
        (1, "3 Experiments", "experiments"),
        (1, "References", "references"),
    ]


def test_columns_are_read_left_then_right(paper: Paper) -> None:
    assert "this sentence goes on to the right column without a break" in paper.text
    order = [
        paper.text.index(words)
        for words in (
            "Ann Author",
            "Bob Writer",
            "We propose",
            "Clicks are",
            "the right column",
            "The gate layer",
            "After the table",
        )
    ]
    assert order == sorted(order)


def test_equation_stands_alone_with_number_and_scripts(paper: Paper) -> None:
    (equation,) = paper.equations
    assert (equation.text.replace(" ", ""), equation.label) == ("g_i=s(w^2x)+b", "1")
    assert "where s is the sigmoid" in paper.text[equation.end :]


def test_table_rows_and_caption(paper: Paper) -> None:
    (table,) = paper.tables
    assert table.caption == "Table 1: Results on two data sets."
    assert table.rows == (("Model", "AUC", "Loss"), ("FM", "0.79", "0.46"), ("Gate Net", "0.81", "0.44"))


def test_page_numbers_go_and_footnotes_do_not_interrupt(paper: Paper) -> None:
    assert "\n\n2\n\n" not in paper.text
    assert "1 See our web page for code." in paper.text.split("\n\n")


def test_references_are_apart(paper: Paper) -> None:
    references = paper.body(paper.sections[-1]).split("\n\n")
    assert references == ["[1] A. Author. A paper on gates, with more words in it. 2019.", "[2] B. Writer. Another paper. 2020."]


def test_one_column_page(make_pdf: Callable[..., Path], stack: Callable[..., list[Any]], tmp_path: Path) -> None:
    wide = [f"{FILL} {FILL} number {n} of the lines" for n in range(30)]
    text = read_paper(str(make_pdf([*stack(["1 Introduction"], 70, 90, 13, font="bold"), *stack(wide, 70, 110)])), tmp_path).text
    places = [text.index(f"number {n} of") for n in range(30)]
    assert places == sorted(places)


def test_hyphens_at_line_ends() -> None:
    vocabulary = Vocabulary(["the network has low-order and high-dimensional inputs", "a cross order of things"])
    assert vocabulary.join(["a deep net-", "work"]) == "a deep network"
    assert vocabulary.join(["with low-", "order terms"]) == "with low-order terms"
    assert vocabulary.join(["cost-per-", "click"]) == "cost-per-click"
    assert vocabulary.join(["low-", "dimensional"]) == "low-dimensional"
    assert vocabulary.join(["cross-", "ings"]) == "crossings"
    assert vocabulary.join(["k-", "means"]) == "k-means"


def _word(x0: float, x1: float, baseline: float, text: str, size: float = 10, font: str = "CMMI10") -> Word:
    return Word(x0, x1, baseline, text, font, size)


def test_scripts_limits_and_accents_as_text() -> None:
    both = [_word(0, 5, 100, "x"), _word(5, 8, 96, "T", 7), _word(5, 8, 103, "l", 7), _word(11, 16, 100, "w")]
    assert line_text(both) == "x_l^T w"
    total = [
        _word(10, 24, 90, "∑", 10, "CMEX10"),
        _word(8, 12, 112, "i", 7),
        _word(12, 20, 112, "=1", 7),
        _word(15, 19, 85, "N", 7),
    ]
    assert line_text([*total, _word(27, 32, 100, "y")]) == "∑_{i=1}^N y"
    assert line_text([_word(0, 5, 100, "y"), _word(4.8, 9, 100, "ˆ", 10, "CMR10")]) == "ŷ"
    assert line_text([_word(0, 30, 100, "dataset", font="Times"), _word(30, 33, 96, "2", 7, "Times")]) == "dataset"


def test_a_fraction_drawn_with_a_bar_is_one_term() -> None:
    from agents.autotrain.reading.pdf_fractions import with_fractions
    from agents.autotrain.reading.pdf_geometry import Page

    words = (_word(50, 55, 100, "p"), _word(58, 64, 100, "="), _word(69, 74, 93.5, "a"), _word(68, 75, 106.5, "bc"))
    page = with_fractions(Page(600, 800, words, ((68.0, 75.0, 97.5),)), 10)
    assert sorted(w.text for w in page.words) == ["=", "\\frac{a}{bc}", "p"]
    rule_of_a_table = with_fractions(Page(600, 800, words[2:], ((68.0, 75.0, 97.5),)), 10)
    assert len(rule_of_a_table.words) == 2


@pytest.mark.parametrize(
    ("text", "font", "shown"),
    [
        ("⇤!2\uf8ff", "AAAAAA+CMSY9", "∗→∈≤"),
        ("\x00x✓", "AAAAAA+CMMI9", "\ufffdxθ"),
        ("[x", "AAAAAA+txsys", "[x"),
        ("(cid:44)", "AAAAAA+MSAM10", "≜"),
        ("(cid:12)nd!", "AAAAAA+CMR10", "find!"),
    ],
)
def test_signs_of_fonts_that_name_them_wrongly(text: str, font: str, shown: str) -> None:
    """A letter that the file no longer tells apart stays visible as a gap, so that no formula reads as a complete other one."""
    assert plain_characters(text, font) == shown
