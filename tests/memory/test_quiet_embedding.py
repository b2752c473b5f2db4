"""The default embedding's library has all that others log shown, unless it is kept from it."""

from __future__ import annotations

import subprocess
import sys

from command import ROOT

CODE = """
import logging
from memory.embeddings import WordEmbeddings

WordEmbeddings().embed_query("words")
logging.getLogger("some.library").info("a request")
print(logging.getLogger().level, logging.getLogger().handlers)
"""


def test_it_leaves_logging_as_it_was() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, cwd=ROOT, check=True)
    assert (done.stdout.split(), done.stderr) == (["30", "[]"], "")
