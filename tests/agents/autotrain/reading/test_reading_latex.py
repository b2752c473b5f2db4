"""LaTeX: inputs, comments, macros, equations, tables, text, references; safety of inputs."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from agents.autotrain.paper import Paper
from agents.autotrain.reading import read_paper, roles
from agents.autotrain.reading.latex_macros import expand
from agents.errors import UnreadablePaper

MAIN = r"""
\documentclass{article} % comment \section{No}
\newcommand{\ours}{\textsc{GateNet}}
\newcommand{\vect}[1]{\mathbf{#1}}
\newcommand{\norm}[2][2]{\lVert #2 \rVert_{#1}}
\def\R{\mathbb{R}}
\DeclareMathOperator{\relu}{ReLU}
\title{GateNet: Gated \\ Interactions\thanks{At X}}
\author{Ann B\"ohm}
\begin{document}
\begin{abstract}
We propose \ours{}, a 10\% better model~\cite{guo,wang}.
\end{abstract}
\section{Introduction}\label{sec:intro}
\input{parts/intro}
\iffalse
\section{Hidden} secret \ifx a b c\fi
\fi
\section{The Proposed Method}
\subsection{Gate layer}
Each field has $\vect{e}_i \in \R^d$, see Eq.~\eqref{eq:gate} and Section~\ref{sec:intro}.%
\footnote{Biases are \emph{omitted}.}
\begin{equation}\label{eq:gate}
\vect{g} = \sigma(\vect{W} e), \norm{x} + \norm[1]{y} = \relu(z) % note
\end{equation}
where $\sigma$ is ``sigmoid''---a gate.
\begin{align}
a &= b \\
c &= d \label{eq:c}
\end{align}
In \eqref{eq:c} we use \[ L = -\sum_i y_i \log p_i \]
\begin{itemize}
\item first point
\item second point
\end{itemize}
\section{Experiments}
\begin{table}[t]
\caption{AUC on \textbf{Criteo}.}
\begin{tabular}{l|cc}
\toprule
Model & \multicolumn{2}{c}{AUC} \\ \midrule
FM & 0.79 & \makecell{0.1\\0.2} \\
\ours & \textbf{0.81} & 5\% \\[2pt]
\bottomrule
\end{tabular}
\end{table}
\begin{figure}\includegraphics{a.pdf}\caption{The architecture.}\end{figure}
\begin{comment}
invisible
\end{comment}
\bibliography{refs}
\appendix
\section{Proof}
Done.
\end{document}
"""
INTRO = 'CTR matters \\citep[see][]{guo}. % hidden\n\\input{parts/intro}\nSecond line.\n\nNew paragraph by M\\"uller.'
BBL = r"""\begin{thebibliography}{9} \bibitem{guo} H. Guo. \newblock DeepFM.
\bibitem[W(17)]{wang} R. Wang. DCN. \end{thebibliography}"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    (folder / "parts").mkdir(parents=True)
    (folder / "main.tex").write_text(MAIN)
    (folder / "parts" / "intro.tex").write_text(INTRO)
    (folder / "main.bbl").write_text(BBL)
    return folder


@pytest.fixture
def paper(project: Path, tmp_path: Path) -> Paper:
    return read_paper(str(project), tmp_path)


def test_title_sections_and_roles(paper: Paper, check_offsets: Callable[[Paper], None]) -> None:
    check_offsets(paper)
    assert (paper.title, paper.format) == ("GateNet: Gated Interactions", "latex")
    assert [(s.level, s.title, role) for s, role in roles(paper)] == [
        (1, "Abstract", "abstract"),
        (1, "Introduction", "introduction"),
        (1, "The Proposed Method", "method"),
        (2, "Gate layer", "method"),
        (1, "Experiments", "experiments"),
        (1, "References", "references"),
        (1, "Appendix", "appendix"),
        (1, "Proof", "appendix"),
    ]


def test_text_is_plain(paper: Paper) -> None:
    assert "We propose GateNet, a 10% better model [1, 2]." in paper.text
    assert "CTR matters [1]. Second line." in paper.text
    assert "New paragraph by Müller." in paper.text
    assert r"Each field has $\mathbf{e}_i \in \mathbb{R}^d$, see Eq. (1) and Section 1. (Biases are omitted.)" in paper.text
    assert "where $\\sigma$ is “sigmoid”—a gate." in paper.text
    assert "• second point" in paper.text
    assert "[2] R. Wang. DCN." in paper.text
    for hidden in ("secret", "hidden", "note", "invisible", "No", "At X"):
        assert hidden not in paper.text.split()


def test_equations_keep_latex_with_macros_expanded(paper: Paper) -> None:
    assert [(e.text, e.label) for e in paper.equations] == [
        (r"\mathbf{g} = \sigma(\mathbf{W} e), \lVert x \rVert_{2} + \lVert y \rVert_{1} = \operatorname{ReLU}(z)", "1"),
        (r"a = b \\ c = d", "3"),
        (r"L = -\sum_i y_i \log p_i", ""),
    ]


def test_tables_have_rows_and_captions(paper: Paper) -> None:
    (table,) = paper.tables
    assert table.caption == "Table: AUC on Criteo."
    assert table.rows == (("Model", "AUC", ""), ("FM", "0.79", "0.1 0.2"), ("GateNet", "0.81", "5%"))


def test_archive_file_and_folder_give_the_same_text(project: Path, paper: Paper, tmp_path: Path) -> None:
    archive = tmp_path / "source.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(project, arcname=".")
    assert read_paper(str(archive), tmp_path).text == paper.text
    assert read_paper(str(project / "main.tex"), tmp_path).text == paper.text


def test_inputs_cannot_leave_the_folder_or_loop(tmp_path: Path) -> None:
    (tmp_path / "secret.tex").write_text("TOPSECRET")
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "link.tex").symlink_to(tmp_path / "secret.tex")
    body = r"\section{A} Text here. \input{../secret} \input{/etc/hostname} \input{link} \input{a}"
    (folder / "a.tex").write_text(rf"\documentclass{{x}}\begin{{document}}{body}\end{{document}}")
    for source in (folder, folder / "a.tex"):
        paper = read_paper(str(source), tmp_path)
        assert "TOPSECRET" not in paper.text
        assert any("missing" in note for note in paper.notes)
        assert any("inputs itself" in note for note in paper.notes)


def test_self_calling_macros_end() -> None:
    text, cut = expand(r"\newcommand{\a}{x \b}\newcommand{\b}{y \a}\newcommand{\c}{z}see \a and \c")
    assert cut
    assert text.endswith("and z")


def test_macro_growth_is_bounded() -> None:
    names = "abcdefghijklm"
    doubling = "".join(f"\\newcommand{{\\q{b}}}{{\\q{a}\\q{a}\\q{a}\\q{a}}}" for a, b in pairwise(names))
    text, cut = expand(rf"\newcommand{{\qa}}{{xxxxxxxxxx}}{doubling}\qm\qm\qm")
    assert cut
    assert len(text) < 10_000_000


def test_a_bomb_of_inputs_is_refused(tmp_path: Path) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        files = {f"f{n}.tex": f"\\input{{f{n + 1}}}" * 10 + "word " * 50 for n in range(9)}
        files |= {"f9.tex": "end", "main.tex": "\\documentclass{x}\\begin{document}\\input{f0}\\end{document}"}
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    path = tmp_path / "bomb.tar.gz"
    path.write_bytes(data.getvalue())
    with pytest.raises(UnreadablePaper, match="larger than any paper"):
        read_paper(str(path), tmp_path)
