"""Whatever the bytes, a reader gives a paper whose offsets hold or one sentence, and nothing else."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.autotrain.paper import Paper, SourceFormat
from agents.autotrain.reading.archives import files_in_archive
from agents.autotrain.reading.html import read_html
from agents.autotrain.reading.kinds import kind_of
from agents.autotrain.reading.latex import read_latex
from agents.autotrain.reading.latex_macros import braces, expand
from agents.autotrain.reading.markdown import read_markdown
from agents.autotrain.reading.pdf_document import document
from agents.autotrain.reading.pdf_geometry import Page
from agents.autotrain.reading.pdf_layout import layout
from agents.autotrain.reading.pdf_word import Word
from agents.autotrain.reading.pieces import Draft, assemble
from agents.autotrain.reading.sections import role_at, roles
from agents.autotrain.reading.sources import read_file
from agents.autotrain.reading.text import read_text
from agents.clean import clean, decode
from agents.errors import UnreadablePaper

LATEX = [
    r"\section{",
    r"}",
    r"{",
    r"[",
    r"]",
    r"$",
    r"$$",
    r"\[",
    r"\]",
    r"\(",
    r"%",
    r"&",
    r"\\",
    r"\item",
    r"\cite{a}",
    r"\begin{equation}",
    r"\end{equation}",
    r"\begin{table}",
    r"\caption{",
    r"\begin{tabular}{ll}",
]
LATEX += [
    r"\end{tabular}",
    r"\end{table}",
    r"\newcommand{\a}[1]{#1\b}",
    r"\def\b{\a{x}}",
    r"\a",
    r"\b",
    r"\input{x}",
    r"\iffalse",
    r"\fi",
    "~",
    "``",
]
LATEX += [
    r"\begin{document}",
    r"\end{document}",
    r"\footnote{",
    r"\label{x}",
    r"\ref{x}",
    r"\'e",
    "\n\n",
    "word",
    r"\title{",
    r"\begin{abstract}",
]
MARKUP = [
    "# ",
    "## A\n",
    "$$",
    "```math\n",
    "```\n",
    "| a | b |\n",
    "|---|---|\n",
    "===\n",
    "---\n",
    "\n\n",
    "**x**",
    "_",
    "[a](b)",
    "word ",
    "\\[",
    "\\]",
]
TAGS = [
    "<p>",
    "</p>",
    "<h1>",
    "<h2>a</h2>",
    "<table>",
    "<tr>",
    "<td>",
    "</table>",
    "<math alttext='x'>",
    "</math>",
    "<figure>",
    "<figcaption>",
    "word ",
]
TAGS += [
    "<div class='ltx_equation'>",
    "</div>",
    "<script>",
    "<!--",
    "-->",
    "&lt;",
    "&#0;",
    "&#x202e;",
    "<annotation encoding='application/x-tex'>",
    "$$",
]


def _soup(parts: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.one_of(st.sampled_from(parts), st.text(max_size=8)), max_size=60).map("".join)


def _holds(make: Callable[[], Draft], format: SourceFormat, check: Callable[[Paper], None]) -> None:
    try:
        paper = assemble(make(), "source", format)
    except UnreadablePaper as error:
        assert "\n" not in str(error)
        return
    check(paper)
    assert len(roles(paper)) == len(paper.sections)
    for offset in (0, len(paper.text) // 2, len(paper.text)):
        role_at(paper, offset)


fixed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)


@fixed
@given(text=_soup(LATEX))
def test_latex(text: str, check_offsets: Callable[[Paper], None]) -> None:
    _holds(lambda: read_latex({"main.tex": "\\section{A}" + text, "x.tex": text}, "source", "main.tex"), "latex", check_offsets)


@fixed
@given(text=_soup(MARKUP))
def test_markdown_and_text(text: str, check_offsets: Callable[[Paper], None]) -> None:
    _holds(lambda: read_markdown(text.encode("utf-8", "surrogatepass")), "markdown", check_offsets)
    _holds(lambda: read_text(text.encode("utf-8", "surrogatepass")), "text", check_offsets)


@fixed
@given(text=_soup(TAGS))
def test_html(text: str, check_offsets: Callable[[Paper], None]) -> None:
    _holds(lambda: read_html(text.encode("utf-8", "surrogatepass"), "source"), "html", check_offsets)


@fixed
@given(data=st.binary(max_size=3000))
def test_any_bytes_in_a_file(
    data: bytes, tmp_path_factory: pytest.TempPathFactory, check_offsets: Callable[[Paper], None]
) -> None:
    path = tmp_path_factory.getbasetemp() / "random.bin"
    path.write_bytes(data)
    try:
        check_offsets(read_file(path, "random.bin"))
    except UnreadablePaper as error:
        assert "\n" not in str(error)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(10, 2000), noise=st.binary(max_size=50))
def test_any_damage_to_a_pdf(
    cut: int, noise: bytes, make_pdf: Callable[..., Path], stack: Callable[..., list[Any]], tmp_path: Path
) -> None:
    data = make_pdf(stack(["A line of a paper that is read."] * 20, 60, 80)).read_bytes()
    path = tmp_path / "damaged.pdf"
    path.write_bytes(data[:cut] + noise + data[cut + len(noise) :])
    try:
        read_file(path, "damaged.pdf")
    except UnreadablePaper as error:
        assert "\n" not in str(error)


words = st.builds(
    lambda x, width, baseline, text, font, size: Word(x, x + width, baseline, text, font, size),
    st.floats(0, 600),
    st.floats(1, 300),
    st.floats(0, 800),
    st.sampled_from(
        [
            "word",
            "=",
            "x",
            "∑",
            "1",
            "(1)",
            "Table 1:",
            "Figure 2.",
            "Abstract",
            "REFERENCES",
            "[1]",
            "low-",
            "2.1",
            "•",
            "√",
            ".",
        ]
    ),
    st.sampled_from(["Times-Roman", "Times-Bold", "CMMI10", "CMEX10", "Helvetica"]),
    st.sampled_from([5.0, 7.0, 9.0, 10.0, 12.0, 17.0]),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pages=st.lists(st.lists(words, max_size=80), min_size=1, max_size=3),
    bars=st.lists(st.tuples(st.floats(0, 600), st.floats(0, 600), st.floats(0, 800)), max_size=5),
)
def test_any_words_on_pages(
    pages: list[list[Word]], bars: list[tuple[float, float, float]], check_offsets: Callable[[Paper], None]
) -> None:
    def draft() -> Draft:
        title, pieces = layout(document([Page(612, 792, tuple(page), tuple(bars)) for page in pages]))
        return Draft(title, pieces, len(pages))

    _holds(draft, "pdf", check_offsets)


@given(st.text())
def test_cleaning_is_harmless_and_settled(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert not any(char in once for char in "\x00\x1b\x07\u202e\u2066\u200b\u200d\ufeff\r\u2028")


@given(st.binary())
def test_every_byte_string_decodes(data: bytes) -> None:
    assert isinstance(decode(data), str)


@given(_soup(["{", "}", "\\{", "\\}", "a", "\\\\"]))
def test_braces_pair_up(text: str) -> None:
    for start, end in braces(text).items():
        assert (text[start], text[end]) == ("{", "}")
        inner = braces(text[start + 1 : end])
        assert all(start < start + 1 + s < end for s in inner)


@given(_soup(LATEX))
def test_expanding_ends(text: str) -> None:
    expand(text)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=600), st.sampled_from(["zip", "tar", "gz", "tgz"]), st.integers(0, 500), st.binary(min_size=1, max_size=20)
)
def test_damaged_archives(content: bytes, kind: str, place: int, noise: bytes) -> None:
    data = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr("main.tex", content)
    elif kind == "gz":
        data.write(gzip.compress(content))
    else:
        with tarfile.open(fileobj=data, mode="w:gz" if kind == "tgz" else "w") as tar:
            info = tarfile.TarInfo("main.tex")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    raw = data.getvalue()
    damaged = raw[:place] + noise + raw[place + len(noise) :]
    try:
        files_in_archive(damaged, "source")
    except UnreadablePaper as error:
        assert "\n" not in str(error)


@given(st.binary(max_size=200), st.text(max_size=20))
def test_kinds(data: bytes, name: str) -> None:
    try:
        assert kind_of(data, name, "source") in ("pdf", "archive", "html", "latex", "markdown", "text")
    except UnreadablePaper as error:
        assert "\n" not in str(error)
