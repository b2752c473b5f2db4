"""Bounds on a run: which hold on when a later command names others, and the sentence said where one is reached."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from agents.errors import BudgetExhausted, ModelUnavailable
from agents.llm.ledger import Call
from workflows.budget import Account, Budget, Kind
from workflows.cli import app
from workflows.driver import ended_before
from workflows.engines import make_engine
from workflows.request import ReproductionRequest
from workflows.run_folder import RunFolder, Summary
from workflows.settings import Settings

CALL = Call(step="parse", input_tokens=900, output_tokens=100, cost_usd=0.5, seconds=1.0)


def test_totals_stay_and_minutes_are_of_one_command() -> None:
    first = Budget(usd=1, tokens=5, minutes=3)
    assert first.then(Budget()) == Budget(usd=1, tokens=5)
    assert first.then(Budget(usd=2, sandbox_minutes=4, minutes=1)) == Budget(usd=2, tokens=5, minutes=1, sandbox_minutes=4)


def test_a_budget_changes_nothing_of_what_is_asked() -> None:
    assert ReproductionRequest(paper="p").key == ReproductionRequest(paper="p", budget=Budget(usd=1, tokens=1)).key


def test_without_bounds_all_is_affordable(tmp_path: Path) -> None:
    Account(RunFolder(tmp_path / "r1"), Budget()).afford(1e9, 10**12)


@pytest.mark.parametrize("kind", ["usd", "tokens", "minutes", "sandbox_minutes"])
def test_at_a_limit_the_sentence_names_what_is_spent_and_a_command_that_goes_on(
    tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds: dict[str, float] = {"usd": 0.6, "tokens": 1500, "minutes": 5, "sandbox_minutes": 2}
    account = Account(RunFolder(tmp_path / "r1"), Budget.model_validate({kind: bounds[kind]}))
    account.calls.add(CALL)
    account.afford(0.05, 400)
    monkeypatch.setattr(Account, "seconds", 60 * 5.25)
    monkeypatch.setattr(type(account.sandbox), "seconds", 60 * 2.5)
    with pytest.raises(BudgetExhausted) as caught:
        account.hold({kind: {"usd": 0.2, "tokens": 600}.get(kind, 0)})
    said, (command,) = str(caught.value), re.findall("agenticrs (.*) goes on", str(caught.value))
    spent = {
        "usd": "$0.5000 of $0.6000 are spent and the next call may come to $0.2000;",
        "tokens": "1,000 of 1,500 tokens are spent and the next call may come to 600 tokens;",
        "minutes": "5.25 of 5.00 minutes are spent;",
        "sandbox_minutes": "2.50 of 2.00 sandbox minutes are spent;",
    }
    assert said.startswith(spent[kind]) and "\n" not in said
    name, *words = shlex.split(command)
    parsed = get_command(app).commands[name].make_context(name, words).params  # type: ignore[attr-defined]
    assert parsed["run"] == "r1"
    named = {k: parsed[f"budget_{k}"] for k in bounds}
    assert [k for k, value in named.items() if value is not None] == [kind]
    more = Account(RunFolder(tmp_path / "r1"), Budget.model_validate({kind: named[kind]}))
    if kind != "minutes":  # another command has its minutes before it
        more.hold({kind: {"usd": 0.2, "tokens": 600}.get(kind, 0)})


def test_what_others_paid_before_counts(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "r1")
    Account(folder, Budget()).calls.add(CALL)
    with pytest.raises(BudgetExhausted, match=r"^1,000 of 1,000 tokens"):
        Account(folder, Budget(tokens=1000)).afford(None, 1)


def engine_for(folder: RunFolder, **settings: float) -> Account:
    """The account of a run with a budget in dollars, when its model has been opened."""
    request = ReproductionRequest(paper="p", model="openai:nobody-knows-it", budget=Budget(usd=1))
    account = Account(folder, request.budget)
    make_engine(Settings(home=folder.root, **settings), request, account)  # type: ignore[arg-type]
    return account


def test_dollars_are_not_bounded_where_the_price_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with pytest.raises(ModelUnavailable, match=r"AGENTICRS_USD_PER_MILLION_INPUT.*or give --budget-tokens") as caught:
        engine_for(RunFolder(tmp_path / "r1"))
    assert "\n" not in str(caught.value)


def test_calls_paid_before_the_price_was_known_count_at_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    folder = RunFolder(tmp_path / "r1")
    Account(folder, Budget()).calls.add(CALL.model_copy(update={"cost_usd": None}))
    account = engine_for(folder, usd_per_million_input=1000, usd_per_million_output=1000)
    with pytest.raises(BudgetExhausted, match=r"^\$1.0000 of \$1.0000"):
        account.afford(0.001, 1)


@pytest.mark.parametrize(
    ("tokens", "cost", "said"), [(0, 0.0, ""), (0, None, ""), (9, None, "unknown"), (9, 0.0, "$0.0000"), (9, 1.5, "$1.5000")]
)
def test_a_cost_is_told_as_it_is_known(tokens: int, cost: float | None, said: str) -> None:
    assert Summary(run_id="r", created="", paper="", tokens=tokens, cost_usd=cost).cost_in_words == said


def test_a_run_out_of_budget_has_not_ended(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "r1")
    folder.save("summary", Summary(run_id="r1", created="", paper="", status="budget_exhausted"))
    assert ended_before(folder) is None
    assert folder.summary.status_in_words == "budget exhausted"
