"""Papers from arXiv and other addresses: LaTeX source before HTML before PDF, kept on disk once fetched."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

from agents.autotrain.paper import Paper
from agents.autotrain.reading.fetch import Web
from agents.autotrain.reading.pieces import shorten
from agents.autotrain.reading.sources import read_file
from agents.errors import SourceUnreachable, UnreadablePaper

HOST = "https://arxiv.org"
FORMS = (("source", f"{HOST}/e-print/"), ("html", f"{HOST}/html/"), ("pdf", f"{HOST}/pdf/"))  # the preferred first
FULL_LENGTH = 3000  # characters; less is no whole paper, so that the next form is tried
_ID = r"(\d{4}\.\d{4,5}|[a-z][a-z-]{1,20}(?:\.[A-Z]{2})?/\d{7})(v\d{1,3})?"
_BARE = re.compile(rf"(?:arxiv\s*:\s*)?{_ID}", re.IGNORECASE)
_ADDRESS = re.compile(
    rf"(?:https?://)?(?:www\.|export\.)?(?:arxiv\.org/(?:abs|pdf|html|e-print|src|format)|ar5iv\.(?:labs\.arxiv\.)?org/(?:abs|html)|"
    rf"alphaxiv\.org/abs)/{_ID}(?:\.pdf)?/?(?:[?#].*)?",
    re.IGNORECASE,
)


def arxiv_id(source: str) -> str | None:
    """The id, with its version if given, that a bare id, "arXiv:..." or an address of arXiv names; None for anything else."""
    match = _BARE.fullmatch(source.strip()) or _ADDRESS.fullmatch(source.strip())
    return match[1] + (match[2] or "").lower() if match else None


def read_arxiv(identifier: str, source: str, cache: Path, web: Web) -> Paper:
    """The paper in the best form that arXiv has and that can be read.

    Raises SourceUnreachable when arXiv does not answer and nothing is cached; UnreadablePaper when it has no such paper.
    """
    folder = cache / "arxiv"
    short: Paper | None = None
    fault: UnreadablePaper | None = None
    for form, address in FORMS:
        path = folder / f"{identifier.replace('/', '_')}.{form}"
        try:
            if not path.exists() and not _download(address + identifier, path, web):
                continue
            paper = read_file(path, source, latex_folder=False)
        except UnreadablePaper as error:
            fault = fault or error
            continue
        except SourceUnreachable:
            if short is not None:
                break
            raise SourceUnreachable(
                "arxiv.org could not be reached; try again later, or download the PDF and give its path."
            ) from None
        if len(paper.text) >= FULL_LENGTH:
            return paper
        short = short or paper
    if short is not None:
        return short
    raise fault or UnreadablePaper(f"arXiv has no paper {identifier} in a form that can be read; check the id, or give a file.")


def read_address(url: str, cache: Path, web: Web) -> Paper:
    """The paper at any other address."""
    path = cache / "web" / hashlib.sha256(url.encode()).hexdigest()[:32]
    if not path.exists() and not _download(url, path, web):
        raise UnreadablePaper(f"{shorten(url)} does not exist on its server; check the address, or give a file's path.")
    return read_file(path, url, latex_folder=False)


def _download(url: str, path: Path, web: Web) -> bool:
    """Puts what the address gives at `path`, whole or not at all; False when the server has nothing there."""
    answer = web.get(url)
    if answer is None:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".download-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(answer.data)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    return True
