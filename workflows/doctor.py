"""Examines the machine: what is installed, reachable and missing, each with its remedy."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from urllib.parse import urlparse

from agents.secrets import without_secrets
from workflows.settings import Settings

DISK_GB = 5.0


@dataclass(frozen=True)
class Finding:
    """`missing` narrows what can be done; `broken` means that a reproduction cannot run."""

    name: str
    state: Literal["ok", "missing", "broken"]
    detail: str
    remedy: str = ""


def examine(settings: Settings, *, ask_model: bool = False) -> list[Finding]:
    """All findings, the necessary first. With `ask_model` the language model is asked for a word, which may cost."""
    checks: tuple[Callable[[Settings], list[Finding]], ...] = (
        _python,
        _home,
        _sandboxes,
        _compiler,
        _gpu,
        _redis,
        _asked_model if ask_model else _model,
        _tracking,
        _memory,
        _data,
    )
    return [replace(finding, detail=without_secrets(finding.detail)) for check in checks for finding in check(settings)]


def _python(settings: Settings) -> list[Finding]:
    found = [Finding("Python", "ok", f"{platform.python_version()}, {os.cpu_count()} processors")]
    for package in ("torch", "langgraph", "mlflow", "chromadb", "polars"):
        try:
            found.append(Finding(package, "ok", version(package)))
        except PackageNotFoundError:
            found.append(Finding(package, "broken", "not installed", f"{sys.executable} -m pip install -e ."))
    return found


def _home(settings: Settings) -> list[Finding]:
    home = settings.home
    if not os.access(home, os.W_OK):
        return [Finding("home", "broken", f"{home} cannot be written", "set AGENTICRS_HOME to a folder of yours")]
    free = shutil.disk_usage(home).free / 1e9
    if free < DISK_GB:
        return [Finding("disk", "missing", f"{free:.1f} GB free at {home}", f"keep {DISK_GB:g} GB free, or move AGENTICRS_HOME")]
    return [Finding("disk", "ok", f"{free:.0f} GB free at {home}")]


def _sandboxes(settings: Settings) -> list[Finding]:
    from sandboxes import SANDBOXES, SandboxUnavailable, choose

    found = []
    for name, make in SANDBOXES.items():
        trouble = make().available()
        if trouble:
            found.append(Finding(f"sandbox {name}", "missing", trouble))
        else:
            found.append(
                Finding(f"sandbox {name}", "ok", "for the built-in engine's code only" if name == "process" else "ready")
            )
    try:
        found.append(Finding("sandbox choice", "ok", f"{settings.sandbox} takes {choose(settings.sandbox, composed=True).name}"))
    except SandboxUnavailable as error:
        found.append(Finding("sandbox choice", "broken", str(error)))
    return found


def _gpu(settings: Settings) -> list[Finding]:
    import torch

    if torch.cuda.is_available():
        return [Finding("GPU", "ok", torch.cuda.get_device_name(0))]
    remedy = "with an NVIDIA card, install a CUDA build of torch; everything runs without one"
    return [Finding("GPU", "missing", "no CUDA device; training uses processors", remedy)]


def _compiler(settings: Settings) -> list[Finding]:
    from sandboxes.kit.kernels import native

    if native.library() is not None:
        return [Finding("compiled loops", "ok", "updates of large embedding tables are compiled for this processor")]
    detail = "no C++ compiler was found, or the package's folder cannot be written; tables are updated by torch, which is slower"
    return [Finding("compiled loops", "missing", detail, "install g++ or clang++, and run this once as the package's owner")]


def _redis(settings: Settings) -> list[Finding]:
    if not settings.redis_url:
        remedy = "set AGENTICRS_REDIS_URL to queue jobs across machines"
        return [Finding("Redis", "missing", "no address is set; jobs run in this process", remedy)]
    place = urlparse(settings.redis_url)
    try:
        with socket.create_connection((place.hostname or "localhost", place.port or 6379), timeout=2):
            return [Finding("Redis", "ok", f"answers at {place.hostname}:{place.port or 6379}")]
    except OSError as error:
        return [
            Finding("Redis", "missing", f"{place.hostname}:{place.port or 6379} does not answer: {error}", "start redis-server")
        ]


def _model(settings: Settings) -> list[Finding]:
    """Says what is set up; it does not call the provider, which would cost money."""
    if not settings.model:
        remedy = "set AGENTICRS_MODEL=provider:model, or give --model; for an OpenAI-compatible server, OPENAI_BASE_URL too"
        return [Finding("language model", "missing", "none is set; the built-in engine serves", remedy)]
    from agents.llm.providers import lack_of

    if lack := lack_of(settings.model):
        return [Finding("language model", "missing", lack.detail, lack.remedy)]
    provider = settings.model.partition(":")[0]
    server = os.environ.get("OPENAI_BASE_URL", "") if provider == "openai" else ""
    return [Finding("language model", "ok", f"{settings.model}{' at ' + server if server else ''} (not asked; --ask-model does)")]


def _asked_model(settings: Settings) -> list[Finding]:
    """The same, and whether the model answers: a wrong key, name or address shows only then."""
    found = _model(settings)
    if found[0].state != "ok":
        return found
    from agents.errors import AgentError
    from agents.llm import LanguageModel, Ledger

    with TemporaryDirectory() as folder:
        try:
            door = LanguageModel(settings.model, cache=Path(folder), ledger=Ledger(Path(folder) / "calls.jsonl"), retries=0)
            door.ask("doctor", "You answer with one word.", "Say hello.")
        except AgentError as error:
            what, _, remedy = str(error).partition("; ")
            return [Finding("language model", "missing", what, remedy)]
        (call,) = door.ledger.calls
    return [Finding("language model", "ok", f"{settings.model} answers, in {call.seconds:.1f} s")]


def _tracking(settings: Settings) -> list[Finding]:
    uri = settings.mlflow_uri
    if not uri.startswith("http"):
        return [Finding("MLflow store", "ok", uri)]
    import httpx

    try:
        httpx.get(f"{uri.rstrip('/')}/health", timeout=3).raise_for_status()
    except httpx.HTTPError as error:
        return [
            Finding(
                "MLflow store", "broken", f"{uri} does not answer: {error}", "start the server, or unset AGENTICRS_TRACKING_URI"
            )
        ]
    return [Finding("MLflow store", "ok", uri)]


def _memory(settings: Settings) -> list[Finding]:
    from memory.errors import MemoryUnusable
    from workflows.memory import open_memory

    try:
        memory = open_memory(settings)
        memory.similar("recommendation", "lesson", 1)
    except MemoryUnusable as error:
        what, _, remedy = str(error).partition(": ")
        return [Finding("memory", "broken", what, remedy)]
    where = f"vectors at {settings.chroma_url}" if settings.chroma_url else f"in {settings.home / 'memory'}"
    return [Finding("memory", "ok", f"{len(memory):,} records {where}, found by {memory.embedding}")]


def _data(settings: Settings) -> list[Finding]:
    if settings.data_folder is None:
        remedy = "set AGENTICRS_DATA_FOLDER to where official data sets lie"
        return [Finding("data folder", "missing", "none is set; the packaged data sets are there", remedy)]
    if not settings.data_folder.is_dir():
        return [Finding("data folder", "missing", f"{settings.data_folder} is not a folder", "correct AGENTICRS_DATA_FOLDER")]
    return [Finding("data folder", "ok", str(settings.data_folder))]
