"""Downloads, against files on this machine: all or nothing, and a sentence when there is no network."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from official_files import WRITERS

from sandboxes.kit.data import DataError
from sandboxes.kit.datasets import download, movielens
from sandboxes.kit.datasets.download import fetch_zip
from sandboxes.kit.datasets.resolve import prepare_named

MEMBERS = ("ratings.dat", "users.dat", "movies.dat")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    raw = tmp_path / "ml-1m"
    raw.mkdir()
    WRITERS["movielens-1m"][0](raw)
    file = tmp_path / "ml-1m.zip"
    with zipfile.ZipFile(file, "w") as z:
        for member in raw.iterdir():
            z.write(member, f"ml-1m/../../{member.name}" if member.name == "users.dat" else f"ml-1m/{member.name}")
        z.writestr("ml-1m/README", "x")
    return file


def test_members_arrive_and_nothing_else(archive: Path, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "raw" / "movielens-1m"
    fetch_zip("movielens-1m", archive.as_uri(), MEMBERS, target)
    assert {f.name for f in target.iterdir()} == set(MEMBERS)
    assert [f.name for f in target.parent.iterdir()] == ["movielens-1m"]


@pytest.mark.parametrize("content", [b"<html>not found</html>", None])
def test_what_goes_wrong_is_said(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "x.zip"
    if content:
        file.write_bytes(content)
    with pytest.raises(DataError, match=r"put ratings\.dat, users\.dat, movies\.dat into") as caught:
        fetch_zip("movielens-1m", file.as_uri(), MEMBERS, tmp_path / "raw")
    assert "\n" not in str(caught.value) and not list((tmp_path / "raw").iterdir())


def test_an_archive_without_a_member_gives_nothing(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not the archive"):
        fetch_zip("x", archive.as_uri(), ("ratings.dat", "other.dat"), tmp_path / "raw")
    assert not list((tmp_path / "raw").iterdir())


def test_too_large_a_download_is_stopped(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "MAX_BYTES", 1000)
    with pytest.raises(DataError, match="more than 1,000 bytes"):
        fetch_zip("x", archive.as_uri(), MEMBERS, tmp_path / "raw")


def test_a_missing_set_is_fetched_once(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movielens, "URL", f"{archive.parent.as_uri()}/{{}}.zip")
    data_set = movielens._data_set("movielens-1m", "few", "ml-1m", movielens.OFFICIAL_1M, movielens.spec)
    made = prepare_named((data_set,), "movielens-1m", tmp_path / "data", None)
    assert sum(made.sizes.values()) == 750
    archive.unlink()
    assert prepare_named((data_set,), "movielens-1m", tmp_path / "data", None).reused
