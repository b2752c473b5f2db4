"""A Chroma server that is not there, is none, or ends: said in a sentence, and no record is lost."""

from __future__ import annotations

import http.server
import json
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from chroma_server import begun_server, end_server
from memory_processes import cheap
from memory_records import Letters, found_by_itself, papers, vectors_in

from memory import chroma
from memory.errors import MemoryUnusable
from memory.store import MemoryStore


def refused(folder: Path, address: str) -> str:
    with pytest.raises(MemoryUnusable) as said:
        cheap(folder, address).similar("bread", "paper")
    text = str(said.value)
    assert "\n" not in text and "Traceback" not in text and len(text) < 300
    assert said.value.__suppress_context__ or said.value.__context__ is None
    return text


@pytest.mark.parametrize(
    "address", ["chroma", "localhost:8000", "ftp://localhost", "http://", "http://[::1", "http://localhost:many", "http:///x"]
)
def test_an_address_that_is_none_is_said(address: str, tmp_path: Path) -> None:
    assert refused(tmp_path, address).endswith("is not the address of a Chroma server: give it as http://host:port")


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "https://127.0.0.1:1", "http://no.such.host.invalid:8000"])
def test_where_none_answers_is_said(address: str, tmp_path: Path) -> None:
    host = address.partition("//")[2]
    assert refused(tmp_path, address).startswith(f"no Chroma server answers at {host} (")
    assert refused(tmp_path, address).endswith("start it, or mend the setting")


def test_a_password_in_the_address_is_not_repeated(tmp_path: Path) -> None:
    assert "hunter2" not in refused(tmp_path, "http://me:hunter2@127.0.0.1:1")


@pytest.mark.parametrize(
    "answer",
    [(404, b"<html>Not here</html>"), (200, b"<html>Welcome</html>"), (200, b"{}"), (200, b"[]"), (200, b"7"), (500, b""), None],
    ids=["404", "html", "{}", "[]", "a number", "500", "hangs up"],
)
def test_a_server_that_is_not_chroma_is_said(answer: tuple[int, bytes] | None, tmp_path: Path) -> None:
    with answering(answer) as address:
        assert refused(tmp_path, address).startswith("no Chroma server answers at 127.0.0.1:")


def test_a_server_that_says_it_is_chroma_and_is_not_is_said(tmp_path: Path) -> None:
    with answering((200, json.dumps({"nanosecond heartbeat": 1}).encode())) as address:
        refused(tmp_path, address)


def test_an_address_that_never_answers_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chroma, "FIRST_S", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert "(ReadTimeout)" in refused(tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}")


def test_a_server_that_ends_and_comes_back_has_lost_nothing(tmp_path: Path) -> None:
    process, address = begun_server(tmp_path / "server")
    store = cheap(tmp_path / "memory", address)
    store.add(*papers(range(20)))
    end_server(process)
    with pytest.raises(
        MemoryUnusable, match=r"^the index .*: see that its server works, and repeat the command; no record is lost$"
    ):
        store.add(*papers(range(20, 25)))
    with pytest.raises(MemoryUnusable) as said:
        store.similar("bread", "paper")
    assert "\n" not in str(said.value)
    assert store.all() == papers(range(25)) and store.get("p24")
    process, _ = begun_server(tmp_path / "server", int(address.rpartition(":")[2]))
    try:
        for again in (store, cheap(tmp_path / "memory", address)):
            assert all(found_by_itself(again, record) for record in papers(range(25))) and vectors_in(again) == 25
    finally:
        end_server(process)


@pytest.mark.parametrize("before", ["it is opened again", "the same process asks"])
def test_a_server_that_comes_back_empty_is_filled_again(before: str, tmp_path: Path) -> None:
    process, address = begun_server(tmp_path / "server")
    store = cheap(tmp_path / "memory", address)
    store.add(*papers(range(20)))
    end_server(process)
    shutil.rmtree(tmp_path / "server")
    process, _ = begun_server(tmp_path / "server", int(address.rpartition(":")[2]))
    try:
        store = cheap(tmp_path / "memory", address) if before == "it is opened again" else store
        store.add(*papers([20]))
        assert all(found_by_itself(store, record) for record in papers(range(21))) and vectors_in(store) == 21
    finally:
        end_server(process)


def test_a_server_that_hangs_is_said_and_may_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process, address = begun_server(tmp_path / "server")
    monkeypatch.setattr(chroma, "LATER_S", 0.5)
    try:
        store = cheap(tmp_path / "memory", address)
        store.add(*papers(range(5)))
        process.send_signal(signal.SIGSTOP)
        begin = time.monotonic()
        with pytest.raises(MemoryUnusable, match="no record is lost"):
            store.add(*papers([5]))
        assert time.monotonic() - begin < 20
        process.send_signal(signal.SIGCONT)
        assert all(found_by_itself(store, record) for record in papers(range(6)))
    finally:
        process.send_signal(signal.SIGCONT)
        end_server(process)


def test_a_folder_may_go_to_a_server_and_back(tmp_path: Path, server: str) -> None:
    for number, address in enumerate(("", server, "", server)):
        store = cheap(tmp_path, address)
        store.add(*papers([number]))
        assert all(found_by_itself(store, record) for record in papers(range(number + 1))) and vectors_in(store) == number + 1


def test_memories_that_share_a_server_are_kept_apart(tmp_path: Path, server: str) -> None:
    stores = [cheap(tmp_path / str(number), server) for number in range(3)]
    for number, store in enumerate(stores):
        store.add(*papers(range(number * 10, number * 10 + 10)))
    stores[1].forget(["p10"], "not wanted")
    stores[0]._index._make_anew()
    for number, store in enumerate(stores):
        ids = {hit.record.id for hit in store.similar("bread", "paper", 100)}
        assert ids == {f"p{n}" for n in range(number * 10, number * 10 + 10)} - {"p10"}


def test_what_another_process_made_on_a_server_is_not_made_anew(tmp_path: Path, server: str) -> None:
    """It makes a collection for a kind that the first has not seen, and makes it again."""
    first, other = (MemoryStore(tmp_path, Letters(), server) for _ in range(2))
    ids = [f"p{n}" for n in range(10)]
    assert first.vectors("paper", ids) == {}
    other.add(*papers(range(10)))
    assert len(first.vectors("paper", ids)) == 10
    other._index._make_anew()
    assert len(first.vectors("paper", ids)) == len(other.vectors("paper", ids)) == 10
    assert len(first._embeddings.given) == 0 and len(other._embeddings.given) == 20


@contextmanager
def answering(answer: tuple[int, bytes] | None) -> Iterator[str]:
    """The address of a server that answers everything so, or hangs up."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if answer:
                self.send_response(answer[0])
                self.end_headers()
                self.wfile.write(answer[1])

        do_POST = do_GET

        def log_message(self, *said: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
