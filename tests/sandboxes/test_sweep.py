"""What a killed host process leaves: it ends by itself, or `sweep` of a later process finds it. What lives is left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from sandbox_host import MAKERS, Bench

from sandboxes.owner import alive, this_owner
from sandboxes.workspace import PREFIX, mark, sweep_workspaces

ROOT = Path(__file__).parents[2]
HOST = """
import sys
from pathlib import Path
from sandbox_host import MAKERS, SMALL
from sandboxes import RunRequest
code = "import os, time\\nif os.fork() == 0: os.setsid()\\nopen('out/progress.jsonl', 'w').write('{}\\\\n')\\ntime.sleep(50)"
request = RunRequest({"victim.py": code}, Path(sys.argv[2]), argv=("victim.py",), limits=SMALL, label="victim")
MAKERS[sys.argv[1]]().run(request, progress=lambda line: print("running", flush=True))
"""


def traces(pid: int) -> list[str]:
    """What is left on the host of the runs of process `pid`."""
    found = [str(f) for f in Path(tempfile.gettempdir()).glob(f"{PREFIX}*") if f'"pid": "{pid}"' in _text(f / "owner.json")]
    found += [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit() and "victim.py" in _text(entry / "cmdline")]
    return found


def _text(path: Path) -> str:
    try:
        return path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def test_leftovers_of_a_killed_process_are_found(sandbox: Bench) -> None:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    command = [sys.executable, "-c", HOST, sandbox.name, str(sandbox.outputs)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == "running\n"
        assert traces(host.pid)
        mine = MAKERS[sandbox.name]()
        mine.sweep()
        assert traces(host.pid), "a sweep leaves what has a living owner"
        host.send_signal(signal.SIGKILL)
        host.wait()
    deadline = time.monotonic() + 15
    swept = 0
    while traces(host.pid) and time.monotonic() < deadline:
        swept += mine.sweep()
        time.sleep(0.2)
    assert traces(host.pid) == []
    assert swept >= 1
    if sandbox.name == "docker":
        listed = ["docker", "ps", "--all", "--quiet", "--filter", "name=agenticrs-victim"]
        assert subprocess.run(listed, capture_output=True, text=True, timeout=20, check=True).stdout == ""


@pytest.fixture
def folder() -> Path:
    return Path(tempfile.mkdtemp(prefix=PREFIX))


def test_a_folder_of_a_dead_owner_goes_with_its_processes(folder: Path) -> None:
    (folder / "owner.json").write_text(json.dumps(this_owner() | {"pid": "999999999"}))
    name, _, value = mark(folder).partition("=")
    (folder / "run" / "closed").mkdir(parents=True)
    (folder / "run" / "closed").chmod(0)
    with subprocess.Popen(["sleep", "50"], env={name: value}, start_new_session=True) as left:
        time.sleep(0.2)  # until its environment is in place
        assert sweep_workspaces() >= 1
        assert left.wait(5) == -signal.SIGKILL
    assert not folder.exists()


@pytest.mark.parametrize("owner", [{}, {"host": "another-machine"}, {"table": "pid:[1]"}])
def test_what_may_have_an_owner_is_left_alone(folder: Path, owner: dict[str, str]) -> None:
    (folder / "owner.json").write_text(json.dumps(this_owner() | owner))
    sweep_workspaces()
    assert folder.is_dir()
    (folder / "owner.json").unlink()
    folder.rmdir()


def test_a_number_that_went_to_another_process_is_not_the_owner() -> None:
    assert alive(this_owner())
    assert not alive(this_owner() | {"start": "1"})
    assert not alive(this_owner() | {"boot": "another"})
    assert alive({})
