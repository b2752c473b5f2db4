"""arXiv and other addresses: ids, the order of forms, the cache, politeness, and what is never fetched."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from agents.autotrain.reading import Web, read_paper
from agents.autotrain.reading.arxiv import arxiv_id
from agents.errors import SourceUnreachable, UnreadablePaper

BODY = "We propose a gated network that predicts clicks. " * 100
LATEX = gzip.compress(rf"\documentclass{{a}}\title{{Gates}}\begin{{document}}\section{{Method}} {BODY}\end{{document}}".encode())
HTML = f"<!doctype html><html><body><h1>Gates</h1><h2>Method</h2><p>{BODY}</p></body></html>".encode()
Handler = Callable[[httpx.Request], httpx.Response]


class Server:
    """Answers from a table of paths and remembers what it was asked."""

    def __init__(self, answers: dict[str, httpx.Response | Exception]) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        answer = self.answers.get(str(request.url), httpx.Response(404))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def web(self, addresses: tuple[str, ...] = ("93.184.216.34",)) -> Web:
        return Web(httpx.MockTransport(self), lambda host: addresses, self.slept.append)


@pytest.mark.parametrize(
    ("source", "identifier"),
    [
        ("1708.05123", "1708.05123"),
        ("1708.05123v2", "1708.05123v2"),
        ("arXiv:1708.05123", "1708.05123"),
        ("ARXIV: 2101.00001V3", "2101.00001v3"),
        ("cs/0112017", "cs/0112017"),
        ("math.GT/0309136v1", "math.GT/0309136v1"),
        ("https://arxiv.org/abs/1708.05123", "1708.05123"),
        ("http://arxiv.org/pdf/1708.05123v1.pdf", "1708.05123v1"),
        ("https://www.arxiv.org/html/1708.05123v1?x=1#S2", "1708.05123v1"),
        ("arxiv.org/abs/cs/0112017", "cs/0112017"),
        ("https://ar5iv.labs.arxiv.org/html/1708.05123", "1708.05123"),
        ("https://example.org/abs/1708.05123", None),
        ("https://arxiv.org.evil.com/abs/1708.05123", None),
        ("1708", None),
        ("../1708.05123", None),
    ],
)
def test_ids(source: str, identifier: str | None) -> None:
    assert arxiv_id(source) == identifier


def test_source_comes_first_and_is_cached(tmp_path: Path) -> None:
    server = Server({"https://arxiv.org/e-print/1708.05123": httpx.Response(200, content=LATEX)})
    paper = read_paper("arXiv:1708.05123", tmp_path, server.web())
    assert (paper.title, paper.format, paper.source) == ("Gates", "latex", "arXiv:1708.05123")
    assert server.asked == ["https://arxiv.org/e-print/1708.05123"]
    offline = Server({})
    assert read_paper("1708.05123", tmp_path, offline.web()).text == paper.text
    assert offline.asked == []
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".download")]


def test_html_then_pdf_follow(tmp_path: Path, make_pdf: Callable[..., Path], stack: Callable[..., list[Any]]) -> None:
    page = httpx.Response(200, content=HTML, headers={"content-type": "text/html; charset=utf-8"})
    server = Server({"https://arxiv.org/html/1708.05123": page})
    assert read_paper("1708.05123", tmp_path / "a", server.web()).format == "html"
    data = make_pdf(stack([f"Line {n} of a paper on gates and clicks." for n in range(50)], 60, 60)).read_bytes()
    server = Server(
        {"https://arxiv.org/pdf/1708.05123": httpx.Response(200, content=data, headers={"content-type": "application/pdf"})}
    )
    assert read_paper("1708.05123", tmp_path / "b", server.web()).format == "pdf"
    assert [url.split("/")[3] for url in server.asked] == ["e-print", "html", "pdf"]


def test_a_stub_of_a_source_gives_way_to_a_whole_page(tmp_path: Path) -> None:
    stub = gzip.compress(b"\\documentclass{a}\\begin{document}\\section{A} See the PDF.\\end{document}")
    server = Server({"https://arxiv.org/e-print/1708.05123": httpx.Response(200, content=stub)})
    assert "See the PDF." in read_paper("1708.05123", tmp_path / "a", server.web()).text
    server.answers["https://arxiv.org/html/1708.05123"] = httpx.Response(200, content=HTML, headers={"content-type": "text/html"})
    assert read_paper("1708.05123", tmp_path / "b", server.web()).format == "html"


def test_unknown_id(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePaper, match=r"^arXiv has no paper 1708\.05123 [^\n]*\.$"):
        read_paper("1708.05123", tmp_path, Server({}).web())


def test_offline_says_what_to_do(tmp_path: Path) -> None:
    server = Server({"https://arxiv.org/e-print/1708.05123": httpx.ConnectError("no network")})
    with pytest.raises(SourceUnreachable, match=r"^arxiv\.org could not be reached; [^\n]*download the PDF and give its path\.$"):
        read_paper("1708.05123", tmp_path, server.web())
    assert server.slept == [3.0, 6.0]
    assert not list(tmp_path.rglob("*.source"))


def test_a_busy_server_is_asked_again_politely(tmp_path: Path) -> None:
    answers = iter(
        [httpx.Response(503), httpx.Response(429), httpx.Response(200, content=HTML, headers={"content-type": "text/html"})]
    )
    slept: list[float] = []
    web = Web(httpx.MockTransport(lambda request: next(answers)), lambda host: ["93.184.216.34"], slept.append)
    assert read_paper("https://example.org/paper", tmp_path, web).title == "Gates"
    assert slept == [3.0, 6.0]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/paper.pdf",
        "http://localhost:8080/x",
        "http://10.0.0.5/x",
        "http://192.168.1.1/x",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/x",
        "http://[fe80::1]/x",
        "http://[::ffff:127.0.0.1]/x",
        "http://0.0.0.0/x",
        "http://100.64.0.1/x",
        "file:///etc/passwd",
        "ftp://example.org/x.pdf",
        "gopher://example.org/x",
        "http:///nohost",
    ],
)
def test_private_addresses_and_other_schemes_are_never_asked(url: str, tmp_path: Path) -> None:
    server = Server({})
    addresses = {"localhost": ("127.0.0.1",)}.get(url.split("/")[2].split(":")[0], ("93.184.216.34",))
    with pytest.raises(UnreadablePaper, match=r"private network|only http and https"):
        read_paper(url, tmp_path, server.web(addresses))
    assert server.asked == []


def test_one_private_address_among_public_ones_is_enough(tmp_path: Path) -> None:
    server = Server({})
    with pytest.raises(UnreadablePaper, match="private network"):
        read_paper("http://example.org/x", tmp_path, server.web(("93.184.216.34", "10.1.2.3")))
    assert server.asked == []


def test_redirects_are_checked_and_counted(tmp_path: Path) -> None:
    inward = Server({"http://example.org/x": httpx.Response(302, headers={"location": "http://127.0.0.1/secret"})})
    with pytest.raises(UnreadablePaper, match="private network"):
        read_paper("http://example.org/x", tmp_path, inward.web())
    assert inward.asked == ["http://example.org/x"]
    loop = Server({"http://example.org/x": httpx.Response(302, headers={"location": "/x"})})
    with pytest.raises(UnreadablePaper, match="redirects too often"):
        read_paper("http://example.org/x", tmp_path, loop.web())
    onward = Server(
        {
            "http://example.org/x": httpx.Response(301, headers={"location": "https://example.org/y"}),
            "https://example.org/y": httpx.Response(200, content=HTML, headers={"content-type": "text/html"}),
        }
    )
    assert read_paper("http://example.org/x", tmp_path, onward.web()).title == "Gates"


def test_size_type_and_absence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.autotrain.reading.fetch.MAX_BYTES", 1000)
    big = Server({"http://example.org/x": httpx.Response(200, content=b"a" * 5000, headers={"content-type": "text/plain"})})
    with pytest.raises(UnreadablePaper, match="gives more than"):
        read_paper("http://example.org/x", tmp_path, big.web())
    video = Server({"http://example.org/x": httpx.Response(200, content=b"a", headers={"content-type": "video/mp4"})})
    with pytest.raises(UnreadablePaper, match="video/mp4, not a paper"):
        read_paper("http://example.org/x", tmp_path, video.web())
    with pytest.raises(UnreadablePaper, match="does not exist on its server"):
        read_paper("http://example.org/x", tmp_path, Server({}).web())
    closed = Server({"http://example.org/x": httpx.Response(403)})
    with pytest.raises(UnreadablePaper, match="not open to readers"):
        read_paper("http://example.org/x", tmp_path, closed.web())
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "url", ["http://exa mple.org/x", "http://[::1", "http://example.org:99999/x", "http://\u202eexample.org/"]
)
def test_malformed_addresses(url: str, tmp_path: Path) -> None:
    with pytest.raises((UnreadablePaper, SourceUnreachable)) as caught:
        read_paper(url, tmp_path, Server({}).web())
    assert "\n" not in str(caught.value)
    assert "\u202e" not in str(caught.value)
