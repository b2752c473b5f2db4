"""Fetches an official archive where its licence allows that, and says what to do where the network does not."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from sandboxes.kit.data.errors import DataError

TIMEOUT_S = 30.0
MAX_BYTES = 200_000_000


def fetch_zip(data_set: str, url: str, members: tuple[str, ...], folder: Path) -> None:
    """Downloads the zip file at `url` and puts `members` (base names) into `folder`, all or none. Raises `DataError`."""
    remedy = f"fetch it elsewhere and put {', '.join(members)} into {folder}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent) as place:
            archive = Path(place) / "archive.zip"
            _download(url, archive)
            for name in members:
                _extract(archive, name, Path(place) / name)
            for name in members:
                (Path(place) / name).replace(folder / name)
    except (URLError, TimeoutError, ConnectionError) as error:
        raise DataError(f"{data_set} could not be downloaded from {url} ({getattr(error, 'reason', error)}); {remedy}") from None
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise DataError(f"what {url} gave is not the archive of {data_set} ({error}); {remedy}") from None


def _download(url: str, file: Path) -> None:
    with urlopen(url, timeout=TIMEOUT_S) as answer, file.open("wb") as out:
        while block := answer.read(1 << 20):
            out.write(block)
            if out.tell() > MAX_BYTES:
                raise ValueError(f"more than {MAX_BYTES:,} bytes")


def _extract(archive: Path, name: str, target: Path) -> None:
    """The member whose base name is `name`; paths inside the archive do not decide where it goes."""
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            if Path(member.filename).name == name:
                if member.file_size > MAX_BYTES:
                    raise ValueError(f"{name} has {member.file_size:,} bytes")
                with opened.open(member) as packed, target.open("wb") as out:
                    shutil.copyfileobj(packed, out)
                return
    raise KeyError(f"{name} is not in it")
