"""Tracking: what is logged is found in MLflow, and logging again changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memory.tracking import MetricSeries, Tracker


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
