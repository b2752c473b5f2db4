"""Secrets planted in the environment come out nowhere: not in prompts, files, databases, traces, the terminal or a sandbox."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from chat_server import ChatServer, Reply, chat_server
from command import NOTE, ROOT, command, environment
from sandbox_host import MAKERS, bench
from scripted_method import MODEL, READING, REVIEWED
from small_clicks import clicks

from agents.llm.providers import PROVIDERS
from sandboxes import SandboxUnavailable, choose

NAMES = (
    *sorted({key for provider in PROVIDERS.values() for key in provider.keys}),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "HF_TOKEN", "GITHUB_TOKEN", "LANGSMITH_API_KEY"),
    *("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_PASSWORD", "AGENTICRS_API_KEY"),
)
CANARIES = {name: f"canary-{number}-of-this-test" for number, name in enumerate(NAMES)}
PASSWORDS = {"base url": "canary-p@ss-of-the-server", "redis": "canary-of-redis"}
CANARY = re.compile(rb"canary-(?:\d+-of-this|p(?:@|%40)ss-of-the|of-redis)")
FENCED = f"```python\n{MODEL}```"
WORKS: list[Reply] = [json.dumps(READING), FENCED, json.dumps(REVIEWED)]
KEY = CANARIES["OPENAI_API_KEY"]
ECHO = f"Incorrect API key provided: {KEY}. The address was http://user:{PASSWORDS['base url']}@127.0.0.1/v1."


@dataclass(frozen=True)
class Done:
    code: int
    printed: bytes
    home: Path
    asked: bytes
    keys: list[str]


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server() as found:
        yield found


def planted(home: Path, server: ChatServer) -> dict[str, str]:
    address = server.url.replace("://", f"://user:{quote(PASSWORDS['base url'])}@")
    more = {"AGENTICRS_REDIS_URL": f"redis://:{PASSWORDS['redis']}@127.0.0.1:1/0", "NO_PROXY": "127.0.0.1", "NO_COLOR": "1"}
    return environment(home) | CANARIES | more | {"OPENAI_BASE_URL": address}


def reproduced(folder: Path, server: ChatServer, replies: list[Reply], *words: str) -> Done:
    """A run of the command line with every secret in its environment, recorded, its log at its most talkative."""
    try:
        choose("auto", composed=False)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    server.replies = list(replies)
    home, asked = folder / "home", ("--seeds", "1", "--trials", "1", "--epochs", "1", "--no-ablation", "--model", "openai:m")
    data = clicks(folder / "clicks.csv", 2000)
    line = command("reproduce", NOTE, "--data", data, "--baselines", "lr", *asked, "--record", home / "record", *words)
    done = subprocess.run(line, capture_output=True, cwd=ROOT, env=planted(home, server), timeout=280, check=False)
    return Done(done.returncode, done.stdout + done.stderr, home, json.dumps(server.asked).encode(), server.keys)


def leaks(done: Done) -> list[str]:
    """Where canaries were found."""
    files = [p for p in done.home.rglob("*") if p.is_file()]
    assert files
    found = [str(p.relative_to(done.home)) for p in files if CANARY.search(p.read_bytes()) or CANARY.search(p.name.encode())]
    return [*found, *(["printed"] if CANARY.search(done.printed) else []), *(["prompts"] if CANARY.search(done.asked) else [])]


def holding(done: Done, word: bytes) -> set[str]:
    return {p.name for p in done.home.rglob("*") if p.is_file() and word in p.read_bytes()}


@pytest.mark.slow
def test_a_run_that_works_leaves_none(tmp_path: Path, server: ChatServer) -> None:
    done = reproduced(tmp_path, server, WORKS)
    assert done.code == 0, done.printed.decode()
    assert leaks(done) == []
    # The search sees through every kind of file that is looked for: what was asked and answered is in all of them.
    kinds = {Path(name).suffix for name in holding(done, b"inner products of all pairs")}
    assert {".json", ".sqlite", ".html", ".md"} <= kinds
    for kept in ("calls.jsonl", "checkpoints.sqlite", "mlflow.sqlite", "chroma.sqlite3", "report.html", "001-parse"):
        assert any(kept in p.name for p in done.home.rglob("*")), kept


@pytest.mark.slow
@pytest.mark.parametrize("status", [400, 401, 402])
def test_an_error_that_repeats_the_key_leaves_none(status: int, tmp_path: Path, server: ChatServer) -> None:
    """The error itself is kept, with the variable's name in the secret's place. LangChain knows 400 and 401, and 402 not."""
    done = reproduced(tmp_path, server, [(status, ECHO)])
    assert done.code not in (0, 2), done.printed.decode()
    assert leaks(done) == []
    assert "mlflow.sqlite" in holding(done, b"(OPENAI_API_KEY)")
    shown = done.printed.decode()
    assert "(OPENAI_API_KEY)" in shown or "refuses the key" in shown, shown


@pytest.mark.slow
def test_a_fault_while_a_model_is_reviewing_leaves_none(tmp_path: Path, server: ChatServer) -> None:
    """Late: checkpoints and traces have been written to."""
    done = reproduced(tmp_path, server, [*WORKS[:2], (400, ECHO)])
    assert done.code != 0
    assert leaks(done) == []


def test_an_unforeseen_fault_leaves_none(tmp_path: Path, server: ChatServer) -> None:
    """What is no language model's error is kept with its traceback."""
    text = f"raise RuntimeError('{ECHO}') from KeyError('{KEY}')"
    program = f"import workflows.steps.reading as r\ndef fails(*a):\n    import os\n    {_from_environment(text)}\n"
    program += "r.read_paper = fails\nfrom workflows.cli import main\nmain()\n"
    home = tmp_path / "home"
    env = planted(home, server)
    line = ["-c", program, "reproduce", str(NOTE), "--seeds", "1"]
    done = subprocess.run([*command()[:1], *line], capture_output=True, cwd=ROOT, env=env, timeout=280, check=False)
    seen = Done(done.returncode, done.stdout + done.stderr, home, b"", [])
    assert leaks(seen) == []
    assert "fault.txt" in holding(seen, b"(OPENAI_API_KEY)")
    assert b"RuntimeError" in seen.printed


def _from_environment(text: str) -> str:
    """The statement with the key read where it is raised, as a library would have it."""
    return text.replace(f"'{ECHO}'", "'key ' + os.environ['OPENAI_API_KEY'] + os.environ['OPENAI_BASE_URL']").replace(
        f"'{KEY}'", "os.environ['OPENAI_API_KEY']"
    )


@pytest.mark.parametrize("words", [("doctor",), ("doctor", "--ask-model"), ("doctor", "--json"), ("runs",)])
def test_commands_print_none(words: tuple[str, ...], tmp_path: Path, server: ChatServer) -> None:
    server.replies = [(400, ECHO)]
    env = planted(tmp_path / "home", server) | {"AGENTICRS_MODEL": "openai:m"}
    env["AGENTICRS_TRACKING_URI"] = f"postgresql://user:{PASSWORDS['redis']}@127.0.0.1:1/mlflow"
    done = subprocess.run(command(*words), capture_output=True, cwd=ROOT, env=env, timeout=120, check=False)
    assert done.stdout
    assert not CANARY.search(done.stdout + done.stderr), done.stdout.decode()


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (("reproduce", f"https://user:{PASSWORDS['redis']}@127.0.0.1/paper.pdf"), {}),
        (("runs",), {"AGENTICRS_TRACKING_URI": f"http://user:{PASSWORDS['redis']}@127.0.0.1:1"}),
    ],
)
def test_a_password_in_an_address_that_would_be_kept_is_refused(
    words: tuple[str, ...], settings: dict[str, str], tmp_path: Path
) -> None:
    env = environment(tmp_path / "home") | settings
    done = subprocess.run(command(*words), capture_output=True, cwd=ROOT, env=env, timeout=120, check=False)
    assert done.returncode == 2
    assert b"leave user and password out of" in done.stderr
    assert not CANARY.search(done.stdout + done.stderr)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


@pytest.mark.parametrize("name", tuple(MAKERS))
def test_no_sandbox_has_one_in_its_environment(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in CANARIES.items():
        monkeypatch.setenv(variable, value)
    seen = bench(name, tmp_path).run("import os; print(dict(os.environ), open('/proc/self/environ').read())")
    assert seen.ok and "PATH" in seen.stdout
    assert not CANARY.search((seen.stdout + seen.stderr).encode())
