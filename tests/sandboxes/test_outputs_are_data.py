"""Attacks through what is left in out/: only plain data of known kinds comes back, in every sandbox."""

from __future__ import annotations

import io
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_host import SMALL, Bench

from sandboxes.outputs import BadOutput, Receiver, check, check_json, check_npy, check_safetensors

GOOD = """
    import json, numpy as np
    np.save("out/test.npy", np.arange(6.0).reshape(3, 2))
    json.dump({"epochs": [1]}, open("out/result.json", "w"))
    open("out/notes.txt", "w").write("two lines\\nof text")
"""
PICKLE = """
    import numpy as np, os
    class Bomb:
        def __reduce__(self): return (os.system, ("touch /tmp/unpickled-on-the-host",))
    np.save("out/test.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
"""


def test_plain_data_come_back(sandbox: Bench) -> None:
    result = sandbox.run(GOOD)
    assert (result.status, sorted(result.outputs)) == ("ok", ["notes.txt", "result.json", "test.npy"])
    assert np.load(result.outputs["test.npy"], allow_pickle=False).tolist() == [[0, 1], [2, 3], [4, 5]]
    assert all(path.parent == sandbox.outputs and path.stat().st_mode & 0o777 == 0o600 for path in result.outputs.values())


def test_a_failed_run_gives_what_it_left(sandbox: Bench) -> None:
    result = sandbox.run("open('out/error.json', 'w').write('{}'); raise SystemExit(1)")
    assert (result.status, list(result.outputs)) == ("failed", ["error.json"])


def test_a_timed_out_run_gives_nothing(sandbox: Bench) -> None:
    result = sandbox.run("open('out/test.json', 'w').write('{}')\nwhile True: pass", replace(SMALL, timeout_s=1.5))
    assert (result.status, dict(result.outputs), list(sandbox.outputs.iterdir())) == ("timed_out", {}, [])


def test_a_pickle_is_not_taken(sandbox: Bench) -> None:
    result = sandbox.run(PICKLE)
    assert (result.status, dict(result.outputs)) == ("bad_output", {})
    assert not Path("/tmp/unpickled-on-the-host").exists()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("os.symlink('/etc/passwd', 'out/test.json')", "symbolic link"),
        ("os.symlink('/proc/1/environ', 'out/a.txt')", "symbolic link"),
        ("open('a', 'w').write('{}'); os.link('a', 'out/test.json')", "hard link"),
        ("os.mkfifo('out/test.npy')", "named pipe"),
        ("socket.socket(socket.AF_UNIX).bind('out/test.json')", "socket"),
        ("os.makedirs('out/deep/er')", "folder"),
        ("os.rmdir('out'); os.symlink('/etc', 'out')", "no longer a folder"),
        ("os.chmod('out', 0); import time; time.sleep(0.3)", "no longer a folder"),
        ("open('out/model.pkl', 'wb').write(b'x')", "may not come back"),
        ("open('out/code.py', 'w').write('x')", "may not come back"),
        ("open('out/.hidden.json', 'w').write('{}')", "name"),
        ("open(b'out/\\xff\\xfe.json', 'w').write('{}')", "name"),
        ("open('out/a\\x1b[2J.json', 'w').write('{}')", "name"),
        ("open('out/..json', 'w').write('{}')", "name"),
        ("[open(f'out/{i}.json', 'w').write('{}') for i in range(80)]", "more than 64"),
        ("open('out/big.npy', 'wb').truncate(1 << 40)", ""),
        ("open('out/big.json', 'wb').truncate(12 << 20)", "bytes"),
        ("open('out/test.json', 'wb').write(b'\\xff\\xfe{}')", "UTF-8"),
        ("open('out/test.json', 'w').write('[' * 100_000)", "nested"),
        ("open('out/test.json', 'w').write('{\"a\": ')", "JSON"),
        ("open('out/test.npy', 'wb').write(b'\\x93NUMPY\\x01\\x00')", "npy"),
        ("open('out/test.safetensors', 'wb').write(b'\\xff' * 64)", "safetensors"),
    ],
)
def test_what_is_not_plain_data_is_refused(any_sandbox: Bench, statement: str, said: str) -> None:
    result = any_sandbox.run(f"import os, socket\n{statement}")
    assert result.status in (("bad_output",) if said else ("bad_output", "failed", "over_limit")), result
    assert said in result.reason
    assert not {"test.json", "test.npy", "test.safetensors", "big.json", "big.npy", "a.txt"} & set(result.outputs)


def test_a_link_in_out_is_refused_everywhere(sandbox: Bench) -> None:
    result = sandbox.run("import os; os.symlink('/etc/passwd', 'out/test.txt')")
    assert (result.status, dict(result.outputs)) == ("bad_output", {})


def test_a_pipe_in_out_holds_nothing_up(sandbox: Bench) -> None:
    assert sandbox.run("import os; os.mkfifo('out/progress.jsonl'); os.mkfifo('out/test.npy')").status == "bad_output"


def test_a_link_as_progress_file_shows_nothing(sandbox: Bench) -> None:
    lines: list[str] = []
    sandbox.run("import os, time; os.symlink('/etc/passwd', 'out/progress.jsonl'); time.sleep(0.5)", progress=lines.append)
    assert lines == []


def test_a_folder_of_outputs_that_is_not_empty_is_not_touched(sandbox: Bench) -> None:
    sandbox.outputs.mkdir()
    (sandbox.outputs / "kept.json").write_text("{}")
    assert sandbox.run("pass").status == "unavailable"
    assert [p.name for p in sandbox.outputs.iterdir()] == ["kept.json"]


# What the receiver checks, without a sandbox.


def received(folder: Path, name: str, content: bytes, size: int | None = None, most: int = 1 << 20) -> Receiver:
    folder.mkdir(parents=True, exist_ok=True)
    receiver = Receiver(folder, most)
    receiver.begin(json.dumps({"name": name, "size": len(content) if size is None else size}).encode())
    receiver.data(content)
    receiver.close()
    return receiver


@pytest.mark.parametrize(
    "name", ["../a.json", "/etc/a.json", "a/b.json", "..", "", "a.json\0", "a.json\n", "x" * 200 + ".json", "a.npy/."]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    receiver = received(tmp_path / "in", name, b"{}")
    assert (receiver.kept, bool(receiver.fault)) == ({}, True)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


@pytest.mark.parametrize(
    "header",
    [b"", b"[]", b"{}", b'{"name": 1}', b'{"name": "a.json", "size": 1e999}', b'{"name": "a.json", "size": -1}', b"[" * 99_999],
)
def test_a_senseless_header_is_refused(tmp_path: Path, header: bytes) -> None:
    receiver = Receiver(tmp_path, 100)
    receiver.begin(header)
    receiver.data(b"x")
    receiver.close()
    assert (receiver.kept, bool(receiver.fault), list(tmp_path.iterdir())) == ({}, True, [])


def test_a_file_of_another_size_than_announced_is_refused(tmp_path: Path) -> None:
    assert received(tmp_path, "a.txt", b"ab", size=3).kept == {}
    assert received(tmp_path, "b.txt", b"abc", size=2).kept["b.txt"].read_bytes() == b"ab"


def test_the_sum_of_sizes_is_bounded(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path, 10)
    for name in ("a.txt", "b.txt"):
        receiver.begin(json.dumps({"name": name, "size": 6}).encode())
        receiver.data(b"123456")
        receiver.close()
    assert (list(receiver.kept), bool(receiver.fault)) == (["a.txt"], True)


def test_a_name_given_twice_is_refused(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path, 10)
    for _ in range(2):
        receiver.begin(b'{"name": "a.txt", "size": 1}')
        receiver.data(b"x")
        receiver.close()
    assert receiver.fault


@pytest.mark.parametrize("text", ['"' * 400_001, '"\\"' * 400_000, '"' + '\\"' * 800_000, "{" * 2_000_000, "\\" * 2_000_000])
def test_json_made_to_be_slow_is_checked_quickly(tmp_path: Path, text: str) -> None:
    path = tmp_path / "slow.json"
    path.write_text(text)
    began = time.monotonic()
    with pytest.raises(BadOutput):
        check_json(path)
    assert time.monotonic() - began < 3.0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
@settings(max_examples=60, deadline=None)
def test_json_of_any_content_passes(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.mktemp("json") / "a.json"
    path.write_text(json.dumps(value))
    check_json(path)


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\x93NUMPY\x01\x00", b"\x93NUMPY\x02\x00", b"\x93NUMPY\x03\x00", b"\x10" + b"\0" * 7]),
)
@settings(max_examples=150, deadline=None)
def test_any_bytes_either_pass_or_are_refused(tmp_path_factory: pytest.TempPathFactory, body: bytes, start: bytes) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    for ending in (".npy", ".json", ".safetensors", ".txt"):
        path = folder / f"a{ending}"
        path.write_bytes(start + body)
        try:
            check(path)
        except BadOutput as error:
            assert str(error)


@given(
    st.lists(st.integers(-(2**63), 2**63), max_size=3),
    st.sampled_from(["'<f8'", "'|O'", "[('a', '<f8')]", "'|V8'", "'<U4'", "'<m8'", "None", "'<f9'"]),
    st.integers(0, 64),
)
@settings(max_examples=150, deadline=None)
def test_an_npy_header_does_not_lie(tmp_path_factory: pytest.TempPathFactory, shape: list[int], descr: str, size: int) -> None:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': ({''.join(f'{n},' for n in shape)}), }}".encode()
    path = tmp_path_factory.mktemp("npy") / "a.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(size))
    try:
        check_npy(path)
    except BadOutput:
        return
    assert np.load(path, allow_pickle=False).nbytes == size


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool", "uint8"])
def test_numbers_of_every_kind_pass(tmp_path: Path, dtype: str) -> None:
    np.save(tmp_path / "a.npy", np.ones((3, 2), dtype))
    check_npy(tmp_path / "a.npy")


def test_weights_pass_and_cut_ones_do_not(tmp_path: Path) -> None:
    from safetensors.numpy import save

    whole = save({"a": np.ones((2, 3), np.float32), "b": np.zeros(4, np.int64)}, {"epoch": "3"})
    path = tmp_path / "a.safetensors"
    path.write_bytes(whole)
    check_safetensors(path)
    for cut in (whole[:-1], whole[:20], whole + b"x", b""):
        path.write_bytes(cut)
        with pytest.raises(BadOutput):
            check_safetensors(path)


def test_a_zip_of_arrays_is_not_an_array(tmp_path: Path) -> None:
    held = io.BytesIO()
    np.savez(held, a=np.ones(3))
    (tmp_path / "a.npy").write_bytes(held.getvalue())
    with pytest.raises(BadOutput):
        check_npy(tmp_path / "a.npy")
