"""HTML, Markdown and plain text: headings, equations, tables, and what is left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agents.autotrain.paper import Paper
from agents.autotrain.reading import read_paper, roles

Reads = Callable[[str, str], Paper]

LATEXML = """<!DOCTYPE html><html><head><title>1234 GateNet</title>
<style>.x{}</style></head><body><nav>menu</nav>
<article class="ltx_document"><h1 class="ltx_title ltx_title_document">GateNet: <math alttext="L_{0}"><mi>L</mi></math></h1>
<div class="ltx_abstract"><h6 class="ltx_title">Abstract</h6>
<p>We propose <em>GateNet</em><script>alert(1)</script> for CTR.</p></div>
<section><h2 class="ltx_title"><span>1 </span>Introduction</h2><p>Hello <math><semantics><mi>x</mi>
<annotation encoding="application/x-tex">x_{i}</annotation></semantics></math> world.</p></section>
<section><h2>2 Method</h2><section><h3>2.1 Gate</h3><p>The gate is</p>
<table class="ltx_equation ltx_eqn_table"><tbody><tr><td><math alttext="g=\\sigma(We)" display="block"><mi>g</mi></math></td>
<td><span class="ltx_tag ltx_tag_equation">(1)</span></td></tr></tbody></table>
<table class="ltx_equationgroup"><tbody class="ltx_equation ltx_eqn_row"><tr>
<td><math alttext="a"/></td><td><math alttext="=b"/></td>
<td><span class="ltx_tag ltx_tag_equation">(2)</span></td></tr></tbody><tbody class="ltx_equation"><tr>
<td><math alttext="c=d"/></td></tr></tbody></table>
<p>where x. And $$ z = 3 $$ too.</p></section></section>
<figure class="ltx_table"><figcaption>Table 1: AUC.</figcaption><table>
<tr><th>Model</th><th>AUC</th></tr><tr><td>FM</td><td>0.79</td></tr></table>
</figure></article><footer>foot</footer></body></html>"""

MARKDOWN = """---
title: "GateNet"
---

## Abstract

We *propose* [GateNet](http://x.y) with `relu`, $x_i^2$ and a_b_c.

Method
------

$$
g_i = \\sigma(W_i e_i) \\label{eq:g}
$$

```math
L = -y \\log p
```

\\begin{equation}
a = b
\\end{equation}

### Gate __part__

- item one
- item two

Table 1: results.

| Model | AUC |
|:-----|----:|
| FM | 0.79 |
| A \\| B | 0.8 |
"""

TEXT = """GateNet: a gated network

1 Introduction
We predict clicks with a net-
work of gates.

2 Proposed method
2.1 Gate

p = sigmoid(w x + b)   (3)

EXPERIMENTS

It works."""


@pytest.fixture
def read(tmp_path: Path, check_offsets: Callable[[Paper], None]) -> Reads:
    def reader(text: str, name: str) -> Paper:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        paper = read_paper(str(path), tmp_path)
        check_offsets(paper)
        return paper

    return reader


def test_latexml_page(read: Reads) -> None:
    paper = read(LATEXML, "page.html")
    assert (paper.title, paper.format) == ("GateNet: $L_{0}$", "html")
    assert [(s.level, s.title) for s in paper.sections] == [
        (1, "Abstract"),
        (1, "1 Introduction"),
        (1, "2 Method"),
        (2, "2.1 Gate"),
    ]
    assert [(e.text, e.label) for e in paper.equations] == [("g=\\sigma(We)", "1"), ("a =b", "2"), ("c=d", ""), ("z = 3", "")]
    assert paper.tables[0].rows == (("Model", "AUC"), ("FM", "0.79"))
    assert paper.text.count("Table 1: AUC.") == 1
    assert "Hello $x_{i}$ world." in paper.text
    for left_out in ("menu", "alert", "foot", ".x{}"):
        assert left_out not in paper.text


def test_content_decides_over_the_name(read: Reads) -> None:
    assert read(LATEXML, "page.txt").format == "html"
    assert read("\\documentclass{x}\\begin{document}\\section{A} Some text.\\end{document}", "paper.txt").format == "latex"
    assert read(MARKDOWN, "paper.unknown").format == "markdown"


def test_markdown(read: Reads) -> None:
    paper = read(MARKDOWN, "note.md")
    assert paper.title == "GateNet"
    assert [(s.title, role) for s, role in roles(paper)] == [
        ("Abstract", "abstract"),
        ("Method", "method"),
        ("Gate part", "method"),
    ]
    assert [(e.text, e.label) for e in paper.equations] == [
        ("g_i = \\sigma(W_i e_i)", "eq:g"),
        ("L = -y \\log p", ""),
        ("a = b", ""),
    ]
    assert paper.tables[0].caption == "Table 1: results."
    assert paper.tables[0].rows == (("Model", "AUC"), ("FM", "0.79"), ("A | B", "0.8"))
    assert "We propose GateNet with relu, $x_i^2$ and a_b_c." in paper.text


def test_plain_text_with_headings(read: Reads) -> None:
    paper = read(TEXT, "paper.txt")
    assert paper.title == "GateNet: a gated network"
    assert [(s.level, s.title, role) for s, role in roles(paper)] == [
        (1, "1 Introduction", "introduction"),
        (1, "2 Proposed method", "method"),
        (2, "2.1 Gate", "method"),
        (1, "EXPERIMENTS", "experiments"),
    ]
    assert "a network of gates." in paper.text
    assert [(e.text, e.label) for e in paper.equations] == [("p = sigmoid(w x + b)", "3")]


def test_bare_abstract_is_one_section(read: Reads) -> None:
    paper = read("A title of mine\n\nWe propose a thing. It predicts clicks.", "a.txt")
    assert paper.title == "A title of mine"
    assert [(s.title, paper.body(s)) for s in paper.sections] == [("Abstract", "We propose a thing. It predicts clicks.")]
    assert [s.title for s in read("We propose a thing. It predicts clicks.", "b.txt").sections] == ["Abstract"]


def test_encodings_and_harmful_characters(tmp_path: Path) -> None:
    hidden = "a\u202eb\u200bc\x1b[31md\x00e ﬁeld x² ünï"
    for encoding, bom in (("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")):
        path = tmp_path / "enc.txt"
        path.write_bytes(bom + hidden.encode(encoding))
        assert "abc[31mde field x² ünï" in read_paper(str(path), tmp_path).text
    path.write_bytes("Müller proposes a café model.".encode("latin-1"))
    assert "Müller proposes a café model." in read_paper(str(path), tmp_path).text
