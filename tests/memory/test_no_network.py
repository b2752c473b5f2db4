"""The memory needs no network: nothing is sent, looked up or fetched, and no model is loaded from elsewhere."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from attacks import everything_in, no_network
from command import ROOT
from memory_records import ONE_OF_EACH, found_by_itself

from memory import chroma
from memory.embeddings import WordEmbeddings
from memory.store import MemoryStore

ASKED = """
import sys
sys.path[:0] = sys.argv[2:]
import socket

def never(*said, **more):
    raise AssertionError(f"a socket: {said}")

socket.socket.connect = socket.socket.connect_ex = socket.socket.bind = never
socket.getaddrinfo = socket.create_connection = socket.gethostbyname = never

from pathlib import Path
from memory.embeddings import WordEmbeddings
from memory.store import MemoryStore
from memory_records import ONE_OF_EACH, found_by_itself

store = MemoryStore(Path(sys.argv[1]), WordEmbeddings())
store.add(*ONE_OF_EACH)
assert all(found_by_itself(store, record) for record in ONE_OF_EACH)
store.forget(["p1"], "a test")
store.close()
print("done")
"""
CALLS = "connect,bind,listen,sendto,sendmsg"


def asked(home: Path, *before: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process without anything of this user's, that opens, writes, searches and forgets."""
    words = [*before, sys.executable, "-c", ASKED, str(home / "memory"), str(ROOT), str(ROOT / "tests")]
    own = {"HOME": str(home), "PATH": os.environ["PATH"], "TMPDIR": str(home)}
    return subprocess.run(words, cwd=home, env=own | environment, capture_output=True, text=True, timeout=120)


def test_a_process_opens_no_socket(tmp_path: Path) -> None:
    done = asked(tmp_path)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
    assert done.stderr == ""
    left = {name.partition("/")[0] for name in everything_in(tmp_path)}
    assert left == {"memory"}  # no model, no id of a user for telemetry, no cache


def test_the_kernel_sees_none_either(tmp_path: Path) -> None:
    """Libraries that are not Python open theirs past Python."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    done = asked(tmp_path, "strace", "-f", "-qq", "-e", f"trace={CALLS}", "-o", str(tmp_path / "calls"))
    assert done.stdout == "done\n", done.stderr
    calls = [line for line in (tmp_path / "calls").read_text().splitlines() if "AF_INET" in line or "sin_addr" in line]
    assert calls == []


def test_without_a_network_at_all_it_works(tmp_path: Path) -> None:
    """In a network namespace that holds nothing, not even a loopback that is up."""
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
        pytest.skip("no network namespace can be made here: that needs root")
    done = asked(tmp_path, "unshare", "--net")
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_settings_of_chroma_in_the_environment_turn_nothing_on(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ANONYMIZED_TELEMETRY=True\nOPENAI_API_KEY=k\n")
    done = asked(tmp_path, ANONYMIZED_TELEMETRY="True", CHROMA_SERVER_HOST="example.com", CHROMA_SERVER_HTTP_PORT="80")
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_nothing_but_the_server_is_spoken_to(tmp_path: Path, server: str) -> None:
    with no_network() as tried:
        store = MemoryStore(tmp_path, WordEmbeddings(), server)
        store.add(*ONE_OF_EACH)
        assert all(found_by_itself(store, record) for record in ONE_OF_EACH)
    assert tried == []


def test_telemetry_is_off_in_both_kinds_of_client(tmp_path: Path, server: str) -> None:
    for client in (chroma.in_folder(tmp_path / "index"), chroma.at_server(server)):
        assert client.get_settings().anonymized_telemetry is False


def test_no_collection_has_a_model_of_its_own(tmp_path: Path, address: str, caplog: pytest.LogCaptureFixture) -> None:
    """Chroma's own would be downloaded on first use."""
    with caplog.at_level(logging.WARNING):
        store = MemoryStore(tmp_path, WordEmbeddings(), address)
        store.add(*ONE_OF_EACH)
        MemoryStore(tmp_path, WordEmbeddings(), address).similar("x", "paper")
    assert not [r for r in caplog.records if r.name.startswith("chromadb")]
    for collection in store._index._index._all().values():
        assert collection._embedding_function is None or "default" not in str(collection.configuration.get("embedding_function"))


def test_nothing_is_imported_before_it_is_needed() -> None:
    """`--help` of the program does not wait for Chroma or a model."""
    code = "import memory.store, sys; print([m for m in ('chromadb', 'wordllama', 'langchain.embeddings') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": "."}
    )
    assert done.stdout == "[]\n", done.stderr
