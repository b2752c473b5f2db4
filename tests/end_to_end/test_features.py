"""`agenticrs features` as a user meets it: from a table to a decision in a real sandbox, and what can be asked about it then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import agenticrs
from feature_worlds import SPEC, log

from sandboxes.kit.data.schema_text import schema_text
from workflows.exit_codes import ExitCode

HURRIED = ("--judge", "lr", "--sandbox", "process", "--most", "2", "--seeds", "2", "--epochs", "3")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a described table in it, of which one run was made."""
    home = tmp_path_factory.mktemp("home")
    log().write_csv(home / "log.csv")
    (home / "planted.toml").write_text(schema_text(SPEC, ["log.csv"]))
    return home


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_from_a_table_to_a_decision_and_back(home: Path) -> None:
    ran = agenticrs(home, "features", "run", home / "planted.toml", *HURRIED, timeout_s=800)
    assert ran.returncode == ExitCode.DONE, ran.stdout + ran.stderr
    assert "adopted" in ran.stdout and "colour_x_shape" in ran.stdout and "set aside paid" in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr
    again = agenticrs(home, "features", "list", "planted", "--json")
    states = {r["name"]: r["state"] for r in json.loads(again.stdout)}
    assert states["colour_x_shape"] == "active"
    (run,) = [json.loads(line) for line in agenticrs(home, "runs", "--json").stdout.splitlines()]
    assert (run["flow"], run["verdict"], run["dataset"]) == ("features", "adopted", "planted")
    shown = agenticrs(home, "show", run["run_id"][:-2])
    assert shown.returncode == 0 and "colour_x_shape" in shown.stdout and "report.html" in shown.stdout
    told = agenticrs(home, "features", "show", "colour_x_shape").stdout
    assert "cross of colour and shape" in told and "active" in told
    lessons = agenticrs(home, "memory", "lessons", "--dataset", "planted").stdout
    assert "cross of colour and shape for lr" in lessons
    out = home / "out"
    assert agenticrs(home, "features", "export", home / "planted.toml", out).returncode == 0
    prepared = agenticrs(home, "data", "prepare", out / "planted.toml")
    assert prepared.returncode == 0 and "colour_x_shape" in prepared.stdout
    retired = agenticrs(home, "features", "retire", "colour_x_shape", "--data", "planted", "--why", "no longer sold")
    assert retired.returncode == 0
    assert "no longer sold" in agenticrs(home, "features", "list", "--state", "retired").stdout.replace("\n", " ")


def test_a_profile_is_a_page_and_json(home: Path) -> None:
    made = agenticrs(home, "features", "profile", home / "planted.toml", "--out", home / "page")
    assert made.returncode == 0 and "LEAK paid" in made.stdout, made.stdout + made.stderr
    assert (
        "<html" in (home / "page/profile.html").read_text()
        and json.loads((home / "page/profile.json").read_text())["rows"] == 6000
    )
    said = json.loads(agenticrs(home, "features", "profile", home / "planted.toml", "--json").stdout)
    assert {s["column"] for s in said["suspects"]} == {"paid"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("run", "no-such-data"), ExitCode.UNREADABLE, "no data set is called"),
        (("run", "frappe.csv"), ExitCode.UNREADABLE, "does not exist"),
        (("run", "synthetic-clicks", "--judge", "deepest"), ExitCode.USAGE, "no model named 'deepest'"),
        (("run", "synthetic-decisions", "--judge", "lr"), ExitCode.UNREADABLE, "labels"),
        (("profile", "nowhere.csv"), ExitCode.UNREADABLE, "does not exist"),
        (("show", "nothing"), ExitCode.USAGE, "no feature is called"),
        (("retire", "nothing", "--data", "planted", "--why", "x"), ExitCode.USAGE, "no active feature"),
        (("export", "nowhere.csv", "out"), ExitCode.UNREADABLE, "does not exist"),
    ],
)
def test_what_goes_wrong_is_one_sentence(words: tuple[str, ...], code: ExitCode, said: str, tmp_path: Path) -> None:
    ended = agenticrs(tmp_path, "features", *words)
    told = ended.stdout + ended.stderr
    assert (ended.returncode, "Traceback" in told) == (code, False), told
    assert said in " ".join(told.split())


def test_an_empty_registry_says_what_fills_it(tmp_path: Path) -> None:
    assert "agenticrs features run DATA" in agenticrs(tmp_path, "features", "list").stdout
