"""Each limit ends a run in the middle of a step, and going on with a larger one pays for nothing that had finished."""

from __future__ import annotations

import io
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, chat_server
from command import NOTE, agenticrs
from rich.console import Console
from scripted_method import answer_to, asked_for
from small_clicks import clicks

from agents.llm import Ledger
from sandboxes.json_lines import read_rows
from sandboxes.meter import Meter, Spell
from workflows.budget import Account, Budget
from workflows.conclusion import conclude
from workflows.driver import Ended, begin, go
from workflows.exit_codes import ExitCode
from workflows.request import ReproductionRequest
from workflows.run_folder import RunFolder
from workflows.settings import Settings

pytestmark = pytest.mark.slow
Event = dict[str, object]
CALLS = ["parse", "write", "review", "ablate"]
JOBS = ["calibrate", "smoke", "train", "train", "train", "train"]  # on a sample, the candidate, lr, the ablation


@dataclass
class Site:
    """A small site whose language model is a scripted server; a run there needs `CALLS` and `JOBS`."""

    server: ChatServer
    settings: Settings
    data: Path

    def run(self, budget: Budget, watch: Callable[[Event], None] = lambda event: None) -> tuple[Ended, list[Event]]:
        """Begins the run, or goes on with it."""
        request = ReproductionRequest(
            paper=str(NOTE),
            data=str(self.data),
            baselines=("lr",),
            seeds=1,
            trials=1,
            epochs=1,
            way="whole,fp32,eager",
            model="openai:m",
            sandbox="process",
            allow_unsafe_sandbox=True,
        )
        events: list[Event] = []

        def emit(event: Event) -> None:
            events.append(event)
            watch(event)

        return go(self.settings, begin(self.settings, request), emit, changes={"budget": budget}), events


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    data = clicks(tmp_path / "clicks.csv", rows=2000)
    settings = Settings(home=tmp_path / "home", parallel=1, usd_per_million_input=0, usd_per_million_output=1)
    with chat_server() as server:
        server.answer = answer_to
        for name, value in {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k", "NO_PROXY": "127.0.0.1"}.items():
            monkeypatch.setenv(name, value)
        yield Site(server, settings, data)


def stages(events: list[Event]) -> list[object]:
    return [e["stage"] for e in events if e["event"] == "stage_started"]


def calls(folder: RunFolder) -> list[str]:
    return [call.step for call in Ledger(folder.path("calls.jsonl")).calls]


def spells(folder: RunFolder) -> list[Spell]:
    """The last of each job."""
    return [s for s in read_rows(folder.path("sandbox.jsonl"), Spell) if s.status != "running"]


def all_paid_once(site: Site, ended: Ended, broken_off: tuple[str, ...] = ()) -> None:
    """The run is done, asked every question once, and ran every job once, beside those that a limit ended."""
    assert (ended.summary.status, ended.code) == ("done", ExitCode.DONE), ended.summary.reason
    assert calls(ended.folder) == CALLS and len(site.server.asked) == len(CALLS)
    finished = [s for s in spells(ended.folder) if s.status == "ok"]
    assert [s.action for s in finished] == JOBS and len({s.job for s in finished}) == len(JOBS)
    assert tuple(s.job for s in spells(ended.folder) if s.status != "ok") == broken_off


@pytest.mark.parametrize(
    ("small", "large", "said"),
    [
        (Budget(usd=0.5), Budget(usd=2), r"^\$1.0\d* of \$0.5000 are spent .* --budget-usd 2.0\d* goes on$"),
        (
            Budget(tokens=500_000),
            Budget(tokens=3_000_000),
            r"^1,00\d,\d* of 500,000 tokens are .* --budget-tokens 20\d* goes on$",
        ),
    ],
)
def test_what_a_model_costs_ends_the_run_before_the_next_question(site: Site, small: Budget, large: Budget, said: str) -> None:
    def dear_review(question: dict[str, Any]) -> str:
        dear = asked_for(str(question["messages"][0]["content"])) == "review"
        site.server.usage = (1000, 1_000_000 if dear else 100)
        return answer_to(question)

    site.server.answer = dear_review
    ended, _ = site.run(small)
    assert (ended.summary.status, ended.summary.stage, ended.code) == ("budget_exhausted", "ablate", ExitCode.BUDGET)
    assert re.search(said, ended.summary.reason), ended.summary.reason
    assert calls(ended.folder) == CALLS[:-1]
    done, events = site.run(large)
    assert stages(events)[0] == "ablate"
    all_paid_once(site, done)
    assert done.folder.load("request", ReproductionRequest).budget == large  # a plain resume later goes on with it
    assert done.summary.tokens == sum(c.input_tokens + c.output_tokens for c in Ledger(done.folder.path("calls.jsonl")).calls)


@pytest.mark.parametrize(
    ("spent", "small", "large"),
    [
        (Account, Budget(minutes=100), Budget(minutes=100)),
        (Meter, Budget(sandbox_minutes=100), Budget(sandbox_minutes=200)),
    ],
)
def test_time_that_is_spent_ends_a_training_that_runs(
    site: Site, spent: type, small: Budget, large: Budget, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, gone = spent.seconds, [0.0]
    monkeypatch.setattr(spent, "seconds", property(lambda self: plain.fget(self) + gone[0]))

    def hours_pass() -> None:
        gone[0] = 60 * 100.0

    def during_the_second(event: Event) -> None:
        if event["event"] == "run_started" and event["model"] == "lr":
            threading.Timer(0.3, hours_pass).start()  # when its sandbox has started, and long before it ends

    ended, _ = site.run(small, during_the_second)
    assert (ended.summary.status, ended.summary.stage, ended.code) == ("budget_exhausted", "train", ExitCode.BUDGET)
    assert "minutes are spent; what finished is kept, and agenticrs resume" in ended.summary.reason
    assert [(s.action, s.status) for s in spells(ended.folder)][-2:] == [("train", "ok"), ("train", "cancelled")]
    broken_off = spells(ended.folder)[-1].job
    gone[0] = 0.0
    done, events = site.run(large)
    assert stages(events)[0] == "train"
    reused = {e["model"]: e["reused"] for e in events if e["event"] == "run_finished"}
    assert (reused["candidate"], reused["lr"]) == (True, False)
    all_paid_once(site, done, (broken_off,))
    assert Counter(s.job for s in spells(done.folder))[broken_off] == 2


def test_no_step_begins_when_the_minutes_are_spent_and_all_say_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[float] = []
    monkeypatch.setattr(Account, "seconds", property(lambda self: sum(gone)))

    def after_reading(event: Event) -> None:
        if event == {"event": "stage_finished", "stage": "parse"}:
            gone.append(60 * 5.5)

    ended, events = site.run(Budget(minutes=5), after_reading)
    assert (stages(events), ended.summary.status) == (["read", "parse"], "budget_exhausted")
    run, said = ended.folder.run_id, io.StringIO()
    conclude(Console(file=said, width=300), site.settings, ended)
    assert (
        f"budget exhausted: 5.50 of 5.00 minutes are spent; what finished is kept, and agenticrs resume {run}" in said.getvalue()
    )
    assert "spent: 5.5 minutes, 0.0 in sandboxes; 1,100 tokens for $0.0001" in said.getvalue()
    listed = agenticrs(site.settings.home, "runs").stdout
    assert "budget exhausted" in listed and "$0.0001" in listed
    assert f"budget exhausted: {ended.summary.reason}" in agenticrs(site.settings.home, "show", run).stdout
    gone.clear()
    all_paid_once(site, site.run(Budget(minutes=5))[0])


def test_what_cannot_be_bounded_is_refused_before_work_starts(site: Site) -> None:
    unpriced = site.settings.model_copy(update={"usd_per_million_input": None})
    ended, events = Site(site.server, unpriced, site.data).run(Budget(usd=1))
    assert (ended.summary.status, ended.code, events) == ("failed", ExitCode.MODEL, [])
    assert "AGENTICRS_USD_PER_MILLION_INPUT" in ended.summary.reason
    assert site.server.asked == []
    ended, _ = Site(site.server, unpriced, site.data).run(Budget(tokens=10_000_000))
    all_paid_once(site, ended)
    assert (ended.summary.cost_usd, ended.summary.cost_in_words) == (None, "unknown")
    assert "price not known" in (ended.folder.root / "report.md").read_text()
