"""Tracking: what is logged is found in MLflow, and logging again changes nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import ROOT

from memory.tracking import MetricSeries, Tracker, note_cost


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    folder = tmp_path_factory.mktemp("mlflow")
    yield Tracker(f"sqlite:///{folder / 'mlflow.sqlite'}", folder / "artifacts")


def test_parent_child_parameters_metrics_artifacts(tracker: Tracker, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    parent = tracker.run("r1", "reproduction", tags={"verdict": "tie"})
    child = tracker.run("r1/lr/1", "lr seed 1", parent=parent)
    for _ in range(2):  # a repeated step
        assert tracker.run("r1/lr/1", "lr seed 1", parent=parent) == child
        tracker.log(child, {"learning_rate": 0.001}, {"test_auc": 0.75}, [MetricSeries("valid_auc", [1, 2], [0.7, 0.74])])
    (tmp_path / "model.py").write_text("x = 1\n")
    tracker.artifact(parent, tmp_path / "model.py", "code")
    tracker.finish(child)
    client = MlflowClient(tracking_uri=tracker.uri)
    seen = client.get_run(child)
    assert seen.data.params["learning_rate"] == "0.001"
    assert seen.data.metrics["test_auc"] == 0.75
    assert seen.data.tags["mlflow.parentRunId"] == parent
    assert {(m.step, m.value) for m in client.get_metric_history(child, "valid_auc")} == {(1, 0.7), (2, 0.74)}
    assert seen.info.status == "FINISHED"
    assert [a.path for a in client.list_artifacts(parent, "code")] == ["code/model.py"]
    assert len(client.search_runs([tracker.experiment_id])) == 2


def test_graph_calls_leave_a_trace(tracker: Tracker) -> None:
    import mlflow
    from langgraph.graph import END, START, StateGraph

    graph = StateGraph(dict)
    graph.add_node("only", lambda state: {"seen": True})
    graph.add_edge(START, "only")
    graph.add_edge("only", END)
    with tracker.traced():
        graph.compile().invoke({"seen": False})
    traces = mlflow.search_traces(locations=[tracker.experiment_id], return_type="list")
    assert len(traces) == 1
    assert any(span.name == "only" for span in traces[0].data.spans)


def test_what_steps_cost_is_in_the_trace(tracker: Tracker) -> None:
    import mlflow
    from langgraph.graph import END, START, StateGraph

    def asks(state: dict[str, bool]) -> dict[str, bool]:
        for usd in (0.25, 0.5):
            note_cost(usd)
        return {"seen": True}

    graph = StateGraph(dict)
    graph.add_node("asks", asks)
    graph.add_node("asks too", lambda state: (note_cost(1.0), {"seen": True})[1])
    graph.add_edge(START, "asks")
    graph.add_edge("asks", "asks too")
    graph.add_edge("asks too", END)
    with tracker.traced():
        graph.compile().invoke({"seen": False})
    trace, *_ = mlflow.search_traces(locations=[tracker.experiment_id], return_type="list")  # the newest first
    told = {s.name: s.get_attribute("mlflow.llm.cost") for s in trace.data.spans}
    costs = {name: cost["total_cost"] for name, cost in told.items() if cost}
    assert costs == {"asks": 0.75, "asks too": 1.0}
    assert trace.info.cost["total_cost"] == 1.75
    note_cost(1.0)  # where nothing is traced, nothing happens


def test_processes_that_begin_at_once_find_one_experiment(tmp_path: Path) -> None:
    said = "from pathlib import Path; from memory.tracking import Tracker; import sys; "
    said += "print(Tracker(f'sqlite:///{sys.argv[1]}/mlflow.sqlite', Path(sys.argv[1])).experiment_id)"
    line = [sys.executable, "-c", said, str(tmp_path / "new")]
    begun = [subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    ended = [process.communicate(timeout=200) for process in begun]
    assert [process.returncode for process in begun] == [0, 0, 0], [errors[-500:] for _, errors in ended]
    assert len({output for output, _ in ended}) == 1
