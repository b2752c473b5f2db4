"""AutoFeature's flow from a table to a decision, to MLflow and to memory, and on from there; trained in no time."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from feature_worlds import SPEC, log
from quick_sandbox import QuickSandbox

from agents.autofeature.agent import Shortlist
from agents.autofeature.changes import Add, Drop
from agents.autofeature.confirmation import Confirmation
from agents.autofeature.registry import active, features
from agents.autofeature.trials import Tried
from memory.narrowing import Only
from memory.records import DecisionRecord, LessonRecord, OutcomeRecord, RewardRecord
from memory.store import MemoryStore
from sandboxes.kit.data.schema_file import read_schema_file
from sandboxes.kit.data.schema_text import schema_text
from sandboxes.kit.datasets import resolve_data
from sandboxes.kit.features.cross import Cross
from workflows.driver import Ended, go
from workflows.exit_codes import ExitCode
from workflows.feature_request import FeatureRequest
from workflows.features import begin_features, exported, history_of, registered, retire_by_hand, worth_of
from workflows.memory import open_memory
from workflows.settings import Settings


class Shop:
    """A home, a described table in it, and a quick sandbox in the place of all others."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sandbox, self.settings = QuickSandbox(), Settings(home=home / "home", parallel=2)
        monkeypatch.setattr("workflows.context.choose", lambda name, **said: self.sandbox)
        log().write_csv(home / "log.csv")
        (home / "planted.toml").write_text(schema_text(SPEC, ["log.csv"]))
        self.data, self.events = str(home / "planted.toml"), list[dict[str, Any]]()

    def request(self, **asked: Any) -> FeatureRequest:
        return FeatureRequest(**{"data": self.data, "judge": "lr", "most": 3, **asked})

    def go(self, approved: bool | None = None, emit: Callable[[dict[str, Any]], None] | None = None, **asked: Any) -> Ended:
        folder = begin_features(self.settings, self.request(**asked))
        return go(self.settings, folder, emit or self.events.append, approved=approved)

    def memory(self) -> MemoryStore:
        return open_memory(self.settings)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, Ended]:
    with pytest.MonkeyPatch.context() as patch:
        shop = Shop(tmp_path_factory.mktemp("shop"), patch)
        return shop, shop.go()


def test_the_cross_is_found_and_the_leak_is_set_aside(done: tuple[Shop, Ended]) -> None:
    _, ended = done
    assert (ended.code, ended.summary.status, ended.summary.verdict) == (ExitCode.DONE, "done", "adopted"), ended.summary
    last = ended.folder.load("confirmation", Confirmation)
    (cross,) = [c for c in last.changes if isinstance(c, Add) and isinstance(c.derived[-1], Cross)]
    assert set(cross.derived[-1].of) == {"colour", "shape"}
    assert last.gain is not None and last.gain.low > 0.02
    aside = json.loads(ended.folder.read_text("observation.json"))["set_aside"]
    assert [a["column"] for a in aside] == ["paid"]
    assert "noise" in {c.name for c in last.changes if isinstance(c, Drop)}
    assert not {"size", "weight"} & {c.name for c in last.changes if isinstance(c, Drop)}


def test_everything_a_reader_needs_is_in_the_report(done: tuple[Shop, Ended]) -> None:
    _, ended = done
    page, text = ended.folder.read_text("report.html"), ended.folder.read_text("report.md")
    for said in ("colour_x_shape", "paid", "AUC on test", "Ranking of fields", "information gain", "How to use it"):
        assert said in page, said
    assert "nan" not in text.lower().replace("finance", "") and "<svg" in page


def test_the_evidence_is_in_mlflow_and_the_model_takes_raw_rows(done: tuple[Shop, Ended]) -> None:
    shop, ended = done
    mlflow.set_tracking_uri(shop.settings.mlflow_uri)
    runs = mlflow.search_runs(experiment_names=["features"], output_format="list")
    (parent,) = [r for r in runs if r.data.tags.get("role") == "features"]
    trials = [r for r in runs if r.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    tried = ended.folder.load("tried", Tried).trials
    assert {r.info.run_name for r in trials} == {t.name for t in tried}
    assert parent.data.tags["verdict"] == "adopted" and parent.data.metrics["test_auc_gain_low"] > 0
    assert all(r.data.tags["kept"] in ("True", "False") and "valid_auc_gain" in r.data.metrics for r in trials)
    (model,) = mlflow.search_logged_models(output_format="list")
    predicted = mlflow.pyfunc.load_model(f"models:/{model.model_id}").predict(log(50, seed=9).drop("click", "paid").to_pandas())
    assert predicted.shape == (50, 1) and np.isfinite(predicted["click"]).all()


def test_memory_knows_states_reasons_rewards_and_lessons(done: tuple[Shop, Ended]) -> None:
    shop, ended = done
    run = ended.summary.run_id
    with closing(shop.memory()) as memory:
        decision, reward = memory.get(f"decision-{run}"), memory.get(f"reward-{run}")
        outcome, lessons = memory.get(f"outcome-{run}"), memory.all("lesson", Only(agent="AutoFeature"))
        states = {r.name: r.state for r in features(memory, "planted")}
        past = [r.read() for r in memory.log.revisions(next(r.id for r in features(memory) if r.name == "colour_x_shape"))]
    assert isinstance(decision, DecisionRecord) and "colour_x_shape" in decision.choice
    assert isinstance(reward, RewardRecord) and reward.accepted and reward.low is not None and reward.low > 0
    assert isinstance(outcome, OutcomeRecord) and outcome.mlflow_run and outcome.verdict == "adopted"
    assert (states["colour_x_shape"], states["noise"]) == ("active", "retired")
    assert [p.state for p in past] == ["proposed", "trial", "active"]
    assert {lesson.polarity for lesson in lessons if isinstance(lesson, LessonRecord)} >= {"positive"}
    worth = {r.name: worth_of(r) for r in registered(shop.settings, "planted", "")}
    assert worth["colour_x_shape"].startswith("+0.") and worth["spare"] == "" and "[" in worth["noise"]
    said = dict(history_of(shop.settings, registered(shop.settings, "planted", "active")[0]))
    assert {"trial", "active", "MLflow run"} <= set(said)


def test_the_next_run_begins_where_this_one_ended(done: tuple[Shop, Ended], monkeypatch: pytest.MonkeyPatch) -> None:
    shop, first = done
    monkeypatch.setattr("workflows.context.choose", lambda name, **said: shop.sandbox)
    ended = shop.go()
    assert ended.summary.run_id != first.summary.run_id  # other features are active, so that it is another question
    seen = json.loads(ended.folder.read_text("observation.json"))
    assert "colour_x_shape" in {c["name"] for c in seen["active"]}
    listed = ended.folder.load("shortlist", Shortlist)
    again = {c.name for b in listed.bundles for c in b.changes if c.kind == "add"}
    before = {c.name for t in first.folder.load("tried", Tried).trials for c in t.changes}
    assert not again & before
    assert "noise" in {c["name"] for c in seen["active"] if c["kind"] == "drop"}
    assert shop.go().reused is False and shop.go().summary.run_id == ended.summary.run_id


def test_what_is_active_can_be_exported_and_used(done: tuple[Shop, Ended], tmp_path: Path) -> None:
    shop, _ = done
    schema = exported(shop.settings, resolve_source_of(shop), tmp_path / "out")
    with closing(shop.memory()) as memory:
        kept = active(memory, "planted", SPEC)
    spec = read_schema_file(schema).spec
    assert {"colour_x_shape"} <= {c.name for c in spec.categorical} and len(kept) >= 2
    made = resolve_data(str(schema), tmp_path / "data")
    assert "colour_x_shape" in [f.name for f in made.schema.categorical]


def resolve_source_of(shop: Shop) -> Any:
    from sandboxes.kit.datasets import resolve_source

    return resolve_source(shop.data, shop.settings.home / "data")


def test_a_feature_is_retired_by_hand(done: tuple[Shop, Ended]) -> None:
    shop, _ = done
    (record,) = [r for r in registered(shop.settings, "planted", "active") if r.name == "colour_x_shape"]
    retire_by_hand(shop.settings, record, "the column colour goes away")
    with closing(shop.memory()) as memory:
        assert "colour_x_shape" not in {c.name for c in active(memory, "planted", SPEC)}
    assert any("goes away" in text for _, text in history_of(shop.settings, record))


def test_a_run_that_is_stopped_goes_on_and_trains_nothing_twice(shop: Shop) -> None:
    def stop_at_the_third_trial(event: dict[str, Any]) -> None:
        shop.events.append(event)
        begun = [e for e in shop.events if e["event"] == "run_started" and "seed" in str(e["what"])]
        if event["event"] == "run_started" and len(begun) == 4:
            raise KeyboardInterrupt

    stopped = shop.go(emit=stop_at_the_third_trial)
    assert (stopped.code, stopped.summary.status, stopped.summary.stage) == (ExitCode.INTERRUPTED, "stopped", "try_out")
    ended = shop.go()
    assert (ended.summary.run_id, ended.summary.status) == (stopped.summary.run_id, "done")
    asked = [json.dumps(job, sort_keys=True) for job in shop.sandbox.jobs]
    trials = ended.folder.load("tried", Tried)
    assert len({*trials.base_jobs, *(j for t in trials.trials for j in t.jobs)}) == 3 * (len(trials.trials) + 1)
    assert len(asked) < 60


def test_trials_wait_for_approval(shop: Shop) -> None:
    waiting = shop.go(approve=True)
    assert (waiting.code, waiting.summary.status) == (ExitCode.WAITING, "waiting") and "trainings of lr" in waiting.summary.reason
    trained = len(shop.sandbox.jobs)
    declined = shop.go(approved=False, approve=True)
    assert (declined.summary.status, len(shop.sandbox.jobs)) == ("declined", trained)
    assert "ended before a decision" in declined.folder.read_text("report.md")


def test_a_change_that_does_not_train_is_a_failed_trial_and_no_more(shop: Shop) -> None:
    seen: list[str] = []

    def fails(job: dict[str, Any]) -> bool:
        started = [str(e["what"]) for e in shop.events if e["event"] == "run_started"]
        seen[:] = started
        return job["action"] == "train" and any("colour_x_shape seed" in w for w in started[-2:]) and job["config"]["seed"] == 2

    shop.sandbox.fails = fails
    ended = shop.go()
    assert ended.summary.status == "done"
    tried = {t.name: t for t in ended.folder.load("tried", Tried).trials}
    assert any(t.failure for t in tried.values()) and any(t.gain for t in tried.values())


def test_a_base_that_does_not_train_leaves_nothing_to_adopt(shop: Shop) -> None:
    shop.sandbox.fails = lambda job: job["action"] == "train" and job["config"]["seed"] >= 1
    ended = shop.go()
    assert (ended.summary.status, ended.summary.verdict) == ("done", "nothing to adopt")


def test_a_model_that_does_not_train_at_all_is_said(shop: Shop) -> None:
    shop.sandbox.fails = lambda job: True
    ended = shop.go()
    assert (ended.code, ended.summary.status) == (ExitCode.NO_CANDIDATE, "failed") and "lr does not train" in ended.summary.reason


def test_a_table_without_labels_to_predict_is_refused(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text((tmp_path / "planted.toml").read_text().replace('"click"', '"colour_of_click"'))
    ended = shop.go(data=str(tmp_path / "broken.toml"))
    assert (ended.code, ended.summary.status) == (ExitCode.UNREADABLE, "failed") and "colour_of_click" in ended.summary.reason
