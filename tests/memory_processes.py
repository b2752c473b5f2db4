"""Real processes that use a memory, to run side by side and to be killed: each says in a file what it has been promised.

They are forked from a process that has imported everything and opened nothing, so that one begins within a hundredth of a second.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from memory_records import Letters, papers

from memory.embeddings import NamedEmbeddings, WordEmbeddings
from memory.store import MemoryStore

LONGEST_S = 120

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["memory_processes", "chromadb", "httpx", "wordllama", "memory.embeddings"])


def begun(function: Callable[..., None], *arguments: Any) -> BaseProcess:
    process = _context.Process(target=function, args=arguments, daemon=True)
    process.start()
    return process


def ended(*processes: BaseProcess) -> list[int | None]:
    """Their exit codes, once they have ended."""
    for process in processes:
        process.join(LONGEST_S)
        if process.is_alive():
            process.kill()
    return [process.exitcode for process in processes]


def killed(process: BaseProcess, file: Path, draw: random.Random, longest_s: float) -> bool:
    """Kills it at a random moment after it has said a first word in `file`; whether it was still at work."""
    deadline = time.monotonic() + LONGEST_S
    while not (file.exists() and file.stat().st_size) and process.is_alive() and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(draw.uniform(0, longest_s))
    process.kill()
    process.join(LONGEST_S)
    return process.exitcode == -signal.SIGKILL


def say(file: Path, *words: str) -> None:
    """Adds a line for each word, each whole or not at all."""
    with file.open("ab", buffering=0) as out:
        out.write("".join(f"{word}\n" for word in words).encode())


def lines(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []


def cheap(folder: Path, server: str = "") -> MemoryStore:
    return MemoryStore(folder, Letters(), server)


def write(folder: Path, file: Path, start: int, batches: int, size: int, server: str = "", cheaply: bool = True) -> None:
    """Adds so many batches of papers, and says the ids of each once it has been written."""
    embeddings: NamedEmbeddings = Letters() if cheaply else WordEmbeddings()
    store = MemoryStore(folder, embeddings, server)
    say(file, "begun")
    for first in range(start, start + batches * size, size):
        records = papers(range(first, first + size))
        store.add(*records)
        say(file, *(record.id for record in records))
    say(file, "ended")
    os._exit(0)
