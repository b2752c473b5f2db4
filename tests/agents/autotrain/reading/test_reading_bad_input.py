"""Bad input: each kind gets one sentence that says what is wrong and what to do, in bounded time, and never a traceback."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter

from agents.autotrain.reading import archives, pdf, read_paper, sources
from agents.errors import UnreadablePaper

Refused = Callable[..., str]


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """Writes the bytes to a file and returns the one sentence that reading them is refused with."""

    def run(data: bytes | Path, name: str = "paper.pdf", within_s: float = 20.0) -> str:
        path = data if isinstance(data, Path) else tmp_path / name
        if isinstance(data, bytes):
            path.write_bytes(data)
        start = time.monotonic()
        with pytest.raises(UnreadablePaper) as caught:
            read_paper(str(path), tmp_path / "cache")
        assert time.monotonic() - start < within_s
        sentence = str(caught.value)
        assert "\n" not in sentence
        assert sentence.endswith(".")
        assert len(sentence) < 300
        assert "Traceback" not in sentence
        return sentence

    return run


@pytest.fixture
def good_pdf(make_pdf: Callable[..., Path], stack: Callable[..., list[Any]]) -> Path:
    return make_pdf(stack(["This line is text that can be read without trouble."] * 30, 60, 80), name="good.pdf")


def test_empty_file(refused: Refused) -> None:
    assert "is empty" in refused(b"")
    assert "is empty" in refused(b"\0" * 5000, "zeros.txt")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePaper, match=r"nothere\.pdf is neither a file nor"):
        read_paper(str(tmp_path / "nothere.pdf"), tmp_path)


@pytest.mark.parametrize("source", ["", "   ", "x" * 5000, "a\0b", "just words", "~nobodyhasthisname/x.pdf"])
def test_names_that_are_nothing(source: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadablePaper) as caught:
        read_paper(source, tmp_path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_encrypted_pdf(refused: Refused, good_pdf: Path, tmp_path: Path) -> None:
    writer = PdfWriter()
    writer.append(PdfReader(good_pdf))
    writer.encrypt("secret", algorithm="RC4-128")
    with (tmp_path / "locked.pdf").open("wb") as file:
        writer.write(file)
    assert "password" in refused(tmp_path / "locked.pdf")


def test_scanned_pdf_without_text(refused: Refused, make_pdf: Callable[..., Path]) -> None:
    assert "OCR" in refused(make_pdf([], [(300, 760, "2", 10, "roman")], name="scan.pdf"))


@pytest.mark.parametrize("kept", [0.0, 0.02, 0.4])
def test_truncated_pdf(refused: Refused, good_pdf: Path, kept: float) -> None:
    data = good_pdf.read_bytes()
    sentence = refused(data[: max(20, int(kept * len(data)))], "cut.pdf")
    assert "damaged" in sentence or "no text" in sentence


def test_too_many_pages(refused: Refused, make_pdf: Callable[..., Path], stack: Callable[..., list[Any]]) -> None:
    page = stack(["Some words."], 60, 80)
    assert "201 pages" in refused(make_pdf(*[page] * 201, name="long.pdf"))


def test_too_large_file(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "large.pdf"
    with path.open("wb") as file:
        file.write(b"%PDF-1.5\n")
        file.truncate(200 * 2**20)
    assert "200 MB" in refused(path)


def test_pdf_that_takes_too_long(refused: Refused, good_pdf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "TIMEOUT_S", 0.01)
    assert "took longer" in refused(good_pdf)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "a picture"),
        (b"\x7fELF" + bytes(range(256)) * 4, "a program"),
        (b"\xd0\xcf\x11\xe0" + bytes(200), "office"),
        (b"%!PS-Adobe-3.0\n", "PostScript"),
        (bytes(range(256)) * 50, "binary file"),
    ],
)
def test_wrong_type_under_a_pdf_name(refused: Refused, data: bytes, says: str) -> None:
    assert says in refused(data)


def test_text_without_letters(refused: Refused) -> None:
    assert "no readable text" in refused(b"12 34 56\n\n--- 78\n", "numbers.txt")


def test_endless_text(refused: Refused) -> None:
    assert "more" in refused(b"word " * (5 * 2**20), "big.txt")


def test_folder_and_latex_without_a_document(refused: Refused, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert "no LaTeX document" in refused(folder)
    (folder / "macros.tex").write_text("\\newcommand{\\a}{b}")
    assert "no LaTeX document" in refused(folder)


def test_device_and_unreadable_file(refused: Refused, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.pdf"
    os.mkfifo(pipe)
    assert "not a regular file" in refused(pipe)


def _zip(**members: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return data.getvalue()


def _tar(*members: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz") -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as archive:  # type: ignore[call-overload]
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


def _info(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def test_zip_bomb(refused: Refused) -> None:
    assert "unpacks to more" in refused(_zip(main_dot_tex=b"a " * (40 * 2**20)), "bomb.zip")
    assert "unpacks to more" in refused(_zip(**{f"x{n}_dot_png": bytes(50 * 2**20) for n in range(7)}), "bomb.zip")


def test_zip_that_lies_about_its_size(refused: Refused) -> None:
    data = bytearray(_zip(main_dot_tex=b"\\section{A} " + b"a " * 2**20))
    real = (len(b"\\section{A} ") + 2 * 2**20).to_bytes(4, "little")
    while (at := data.find(real)) >= 0:
        data[at : at + 4] = (10).to_bytes(4, "little")
    sentence = refused(bytes(data), "liar.zip")
    assert "damaged" in sentence or "no LaTeX" in sentence


def test_tar_and_gzip_bombs(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 20 * 2**20)
    assert "unpacks to more" in refused(_tar((_info("a.png"), bytes(30 * 2**20))), "bomb.tar.gz")
    assert "unpacks to more" in refused(_tar((_info("a.tex"), b"a" * (25 * 2**20))), "bomb.tar.gz")
    assert "unpacks to more" in refused(gzip.compress(b"a" * (25 * 2**20)), "bomb.gz")


@pytest.mark.parametrize("name", ["../evil.tex", "/etc/evil.tex", "a/../../evil.tex", "C:\\evil.tex", "..\\evil.tex"])
def test_paths_that_leave_the_archive(refused: Refused, name: str, tmp_path: Path) -> None:
    assert "not safe" in refused(_tar((_info(name), b"\\section{A} text")), "evil.tar.gz")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), "\\section{A} text")
    assert "not safe" in refused(data.getvalue(), "evil.zip")
    assert not list(tmp_path.rglob("evil.tex"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_archives(refused: Refused, kind: bytes) -> None:
    assert "links or devices" in refused(_tar((_info("main.tex", kind, "/etc/passwd"), b"")), "links.tar.gz")


def test_too_many_members_nested_archives_and_office_files(refused: Refused) -> None:
    many = _tar(*((_info(f"{n}.png"), b"") for n in range(archives.MAX_MEMBERS + 1)))
    assert "files" in refused(many, "many.tar.gz")
    assert "another archive" in refused(_zip(inner_dot_zip=_zip(main_dot_tex=b"x")), "nested.zip")
    assert "office" in refused(_zip(word__document_dot_xml=b"<x/>"), "thesis.docx")


def test_locked_and_damaged_archives(refused: Refused) -> None:
    locked = bytearray(_zip(main_dot_tex=b"\\section{A}"))
    for magic, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.find(magic) + flag] |= 1
    assert "password" in refused(bytes(locked), "locked.zip")
    assert "damaged" in refused(_zip(main_dot_tex=b"\\section{A}")[:60], "cut.zip")
    whole = _tar((_info("main.tex"), os.urandom(50_000)))
    assert "damaged" in refused(whole[: len(whole) // 2], "cut.tar.gz")
    assert "damaged" in refused(b"\x1f\x8bnothing", "bad.gz")


def test_very_deep_html_and_latex_end(tmp_path: Path) -> None:
    for name, text in (
        ("deep.html", "<html><body>" + "<div>" * 50_000 + "words"),
        ("deep.tex", "\\section{A} words " + "\\textbf{" * 100_000),
    ):
        path = tmp_path / name
        path.write_text(text)
        start = time.monotonic()
        try:
            assert "words" in read_paper(str(path), tmp_path).text
        except UnreadablePaper as error:
            assert "\n" not in str(error)
        assert time.monotonic() - start < 20


def test_limits_are_those_promised() -> None:
    assert (pdf.MAX_PAGES, pdf.MAX_BYTES, sources.MAX_BYTES) == (200, 100 * 2**20, 100 * 2**20)


def test_endless_blank_lines_take_no_time(tmp_path: Path) -> None:
    path = tmp_path / "blank.txt"
    path.write_bytes(b"A paper on clicks." + b"\n \t" * 200_000 + b"the end")
    began = time.process_time()
    assert "the end" in read_paper(str(path), tmp_path).text
    assert time.process_time() - began < 5
