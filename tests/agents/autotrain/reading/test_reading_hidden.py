"""What a reader does not see is not read; what only looks as if it were hidden, is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from simple_pdf import write_pdf

from agents.autotrain.paper import Paper
from agents.autotrain.reading import read_paper

SEEN = "A model for clicks with a gate and a deep network beside it."
Reads = Callable[[str, str], Paper]


@pytest.fixture
def read(tmp_path: Path) -> Reads:
    def reader(text: str, name: str) -> Paper:
        (tmp_path / name).write_text(text)
        return read_paper(str(tmp_path / name), tmp_path / "cache")

    return reader


def page(body: str, head: str = "") -> str:
    return f"<html><head><title>T</title>{head}</head><body><h1>T</h1><p>{SEEN}</p>{body}</body></html>"


@pytest.mark.parametrize(
    "body",
    [
        "<p hidden>secret words</p>",
        "<p style='display : NONE'>secret words</p>",
        "<div style='visibility:hidden'><p>secret <b>words</b></p></div>",
        "<p style='color:red; opacity: 0'>secret words</p>",
        "<p style='opacity:0.0 !important'>secret words</p>",
        "<p style='font-size:0'>secret words</p>",
        "<p style='font-size: .5px'>secret words</p>",
        "<p style='position:absolute;left:-10000px'>secret words</p>",
        "<p style='text-indent:-9999px'>secret words</p>",
        "<p style='color: white'>secret words</p>",
        "<p style='color:#ffffff;background:#fff'>secret words</p>",
        "<p style='color:rgb(255, 255, 255)'>secret words</p>",
        "<p style='color:transparent'>secret words</p>",
        "<font color='#FFFFFF'>secret words</font>",
        "<p class='a x'>secret words</p>",
        "<p id='y'>secret words</p>",
        "<h2 style='display:none'>secret words</h2>",
        "<table><tr><td>a</td><td style='display:none'>secret words</td></tr></table>",
        "<!-- secret words -->",
    ],
)
def test_hidden_parts_of_a_page(body: str, read: Reads) -> None:
    rules = "<style>/* .z */ p.x, .w { margin: 0; display: none } #y { color: #FFF }</style>"
    found = read(page(f"{body}<p>After it.</p>", rules), "a.html")
    assert "secret" not in found.text
    assert SEEN in found.text and "After it." in found.text
    assert found.notes == ("2 words that a reader does not see (comments, hidden or unreadable text) left out",)


@pytest.mark.parametrize(
    "body",
    [
        "<p style='display:block; opacity:0.9; font-size:10px'>open words</p>",
        "<p style='opacity: 0.05e1'>open words</p>",
        "<p style='background-color:#003; color:#fff'>open words</p>",
        "<div style='background:navy'><p style='color:white'>open words</p></div>",
        "<table bgcolor='black'><tr><td style='color:white'>open words</td></tr></table>",
        "<p style='color:#fff4e0'>open words</p>",
        "<p style='background:white;border-color:white'>open words</p>",
        "<p class='printed'>open words</p>",
        "<p class='x-wide'>open words</p>",
        "<p aria-hidden='true'>open words</p>",
        "<p style='margin-left:-1px'>open words</p>",
    ],
)
def test_parts_of_a_page_that_are_seen(body: str, read: Reads) -> None:
    rules = "<style>@media print { .printed { display: none } } .x { display: none } .y .printed { display: none }</style>"
    found = read(page(body, rules), "a.html")
    assert "open words" in found.text
    assert found.notes == ()


@pytest.mark.parametrize(
    "hidden",
    [
        "<!-- secret words -->",
        "[//]: # (secret words)",
        '[a]: https://example.org "secret words"',
        "<span style='display:none'>secret words</span>",
        "<div hidden>\n\nsecret words\n\n</div>",
        '<p style="color:white">secret words</p>',
        "<script>secret words</script>",
        "<style>secret words</style>",
    ],
)
def test_hidden_parts_of_markdown(hidden: str, read: Reads) -> None:
    found = read(f"# T\n\n## Method\n\n{SEEN}\n\n{hidden}\n\nAfter it.\n", "a.md")
    assert "secret" not in found.text
    assert SEEN in found.text and "After it." in found.text
    assert len(found.notes) == 1 and "does not see" in found.notes[0]


@pytest.mark.parametrize(
    "shown", ["```html\n<!-- open words -->\n<p hidden>x</p>\n```", "<b style='color:red'>open words</b>", "[1] open words"]
)
def test_parts_of_markdown_that_are_seen(shown: str, read: Reads) -> None:
    found = read(f"# T\n\n## Method\n\n{SEEN}\n\n{shown}\n\nAfter it.\n", "a.md")
    assert "open words" in found.text and "After it." in found.text
    assert found.notes == ()


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ("% secret words", False),
        ("\\iffalse secret words \\fi", False),
        ("\\begin{comment}secret words\\end{comment}", False),
        ("\\textcolor{white}{secret words}", False),
        ("{\\color{white} secret words}", False),
        ("{\\color[HTML]{FFFFFF}secret words}", False),
        ("\\textcolor[gray]{1}{secret words}", False),
        ("\\color{white}secret words\\color{black}", False),
        ("\\textcolor{red}{secret words}", True),
        ("\\colorbox{black}{\\textcolor{white}{secret words}}", True),
        ("\\textcolor{whitesmoke}{secret words}", True),
    ],
)
def test_latex(body: str, seen: bool, read: Reads) -> None:
    text = f"\\section{{Method}}\n{SEEN}\n\n{body}\n\nAfter it.\n"
    found = read(f"\\documentclass{{article}}\n\\begin{{document}}\n{text}\\end{{document}}\n", "a.tex")
    assert ("secret words" in found.text) is seen
    assert SEEN in found.text and "After it." in found.text
    assert bool(found.notes) is not seen


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.tex"])
@pytest.mark.parametrize(
    ("characters", "count"),
    [
        ("".join(chr(0xE0000 + ord(c)) for c in "obey"), 4),
        ("".join(chr(0xE0100 + ord(c)) for c in "obey"), 4),
        ("\u200b\u200d\u200b", 3),
        ("\u202eyebo\u202c", 2),
        ("\u3164\u2800\u034f", 3),
    ],
)
def test_characters_without_a_sign(characters: str, count: int, name: str, read: Reads) -> None:
    text = {
        "a.txt": f"Title\n\nAbstract\n\n{SEEN}{characters}\n",
        "a.md": f"# Title\n\n## Method\n\n{SEEN}{characters}\n",
        "a.html": page(f"<p>b{characters}</p>"),
        "a.tex": f"\\documentclass{{article}}\n\\begin{{document}}\n{SEEN}{characters}\n\\end{{document}}\n",
    }[name]
    found = read(text, name)
    assert not set(characters) - set("yebo") & set(found.text)
    assert found.notes == (f"{count} invisible characters left out",)


@pytest.mark.parametrize("text", ["na\u00adive", "x\u2062y", "\u2714\ufe0f", "e\u0301", "模型"])
def test_characters_of_typesetting_are_no_hiding(text: str, read: Reads) -> None:
    assert read(f"Title\n\nAbstract\n\n{SEEN} {text}\n", "a.txt").notes == ()


def test_pdf(tmp_path: Path, stack: Callable[..., list[Any]]) -> None:
    shown = [(72.0, 80.0 + 14 * i, f"{SEEN} Line {i} of the text.", 10.0, "roman") for i in range(12)]
    unseen = [
        (72.0, 400.0, "secret words", 10.0, "white"),
        (72.0, 420.0, "secret words", 0.4, "roman"),
        (-300.0, 440.0, "secret words", 10.0, "roman"),
    ]
    found = read_paper(str(write_pdf(tmp_path / "a.pdf", [[*shown, *unseen]])), tmp_path)
    assert "Line 11 of the text." in found.text
    assert "secret" not in found.text
    assert any(note.startswith("33 characters that a reader does not see") for note in found.notes)
    clean = read_paper(str(write_pdf(tmp_path / "b.pdf", [shown])), tmp_path)
    assert clean.text == found.text
    assert clean.notes == ()
