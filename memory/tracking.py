"""MLflow tracking: one parent run a reproduction, one child a model and seed, all found again by a key of our own.

Writing the same thing twice changes nothing: runs are looked up by the tag `agenticrs.key` before one is made.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from memory.alone import alone
from memory.served_model import ServedModel

KEY_TAG = "agenticrs.key"
EXPERIMENT = "reproductions"


def quiet_mlflow() -> None:
    """Keeps MLflow from calling out at run time and from talking over the terminal. Call before importing mlflow."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("MLFLOW_MODEL_CATALOG_URI", "")  # else the price catalog is fetched for each trace with tokens
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")


def note_cost(usd: float) -> None:
    """Adds to what the step in progress has cost, in the trace that `Tracker.traced` records; nothing where none is recorded.

    MLflow sums such costs up for the trace. It would ask a price list of its own, over the network, if we let it.
    """
    import mlflow
    from mlflow.tracing.constant import CostKey, SpanAttributeKey

    if span := mlflow.get_current_active_span():
        before = (span.get_attribute(SpanAttributeKey.LLM_COST) or {}).get(CostKey.TOTAL_COST, 0.0)
        span.set_attribute(SpanAttributeKey.LLM_COST, {CostKey.TOTAL_COST: before + usd})


@dataclass(frozen=True)
class MetricSeries:
    """A metric over epochs: `values[i]` at `steps[i]`."""

    name: str
    steps: Sequence[int]
    values: Sequence[float]


def _alone(uri: str) -> AbstractContextManager[None]:
    """While a SQLite store is opened, which makes its tables where there are none: two at once would make them twice."""
    return alone(Path(f"{uri.removeprefix('sqlite:///')}.lock")) if uri.startswith("sqlite:///") else nullcontext()


class Tracker:
    """Writes runs to an MLflow store. `uri` is a server's address or `sqlite:///<file>`; artifacts go under `artifacts`."""

    def __init__(self, uri: str, artifacts: Path, experiment: str = EXPERIMENT) -> None:
        quiet_mlflow()
        from mlflow import MlflowClient

        self.uri = uri
        where = None if uri.startswith("http") else artifacts.resolve().as_uri()
        with _alone(uri):
            self._client: Any = MlflowClient(tracking_uri=uri)
            found = self._client.get_experiment_by_name(experiment)
            self.experiment_id: str = found.experiment_id if found else self._client.create_experiment(experiment, where)

    @contextmanager
    def traced(self) -> Iterator[None]:
        """Has MLflow record traces of LangChain and LangGraph calls in this store while the block runs."""
        import mlflow

        mlflow.set_tracking_uri(self.uri)
        mlflow.set_experiment(experiment_id=self.experiment_id)
        mlflow.langchain.autolog(silent=True)
        try:
            yield
        finally:
            mlflow.langchain.autolog(disable=True, silent=True)
            mlflow.flush_trace_async_logging(terminate=True)

    def run(self, key: str, name: str, parent: str | None = None, tags: Mapping[str, str] | None = None) -> str:
        """The id of the MLflow run with this key; made when there is none."""
        found = self._client.search_runs([self.experiment_id], f"tags.`{KEY_TAG}` = '{key}'", max_results=1)
        if found:
            run_id = str(found[0].info.run_id)
            for tag, value in (tags or {}).items():
                self._client.set_tag(run_id, tag, value)
            return run_id
        own = {KEY_TAG: key, "mlflow.runName": name, **({"mlflow.parentRunId": parent} if parent else {}), **(tags or {})}
        return str(self._client.create_run(self.experiment_id, tags=own, run_name=name).info.run_id)

    def log(
        self,
        run_id: str,
        parameters: Mapping[str, object] | None = None,
        metrics: Mapping[str, float] | None = None,
        series: Sequence[MetricSeries] = (),
    ) -> None:
        """Parameters, final metrics and metrics by step, in one batch. Logging the same values again is harmless."""
        from mlflow.entities import Metric, Param

        points = [Metric(name, value, 0, 0) for name, value in (metrics or {}).items()]
        points += [Metric(s.name, v, 0, i) for s in series for i, v in zip(s.steps, s.values, strict=True)]
        params = [Param(name, str(value)[:500]) for name, value in (parameters or {}).items()]
        self._client.log_batch(run_id, metrics=points, params=params)

    def tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        for name, value in tags.items():
            self._client.set_tag(run_id, name, value)

    def artifact(self, run_id: str, path: Path, folder: str = "") -> None:
        self._client.log_artifact(run_id, str(path), folder or None)

    def log_model(self, run_id: str, served: ServedModel) -> str:
        """Logs the model as an output of the run; returns its id, for `models:/<id>`. A run has one: a second call finds it."""
        from mlflow.entities import LoggedModelOutput
        from mlflow.models import Model

        for output in self._client.get_run(run_id).outputs.model_outputs:
            if str(self._client.get_logged_model(output.model_id).status) == "READY":
                return str(output.model_id)
        made = self._client.create_logged_model(
            self.experiment_id, served.plain_name, run_id, dict(served.tags), served.parameters, "recommender"
        )
        with TemporaryDirectory() as folder:
            saved = Path(folder) / "model"
            served.save(saved, Model(artifact_path=made.artifact_location, run_id=run_id, model_id=made.model_id))
            self._client.log_model_artifacts(made.model_id, str(saved))
        self._client.log_outputs(run_id, [LoggedModelOutput(made.model_id, step=0)])
        self._client.finalize_logged_model(made.model_id, "READY")
        return str(made.model_id)

    def finish(self, run_id: str, ok: bool = True) -> None:
        self._client.set_terminated(run_id, "FINISHED" if ok else "FAILED")
