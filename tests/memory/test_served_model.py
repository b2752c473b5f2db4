"""The winning model in MLflow: raw rows in, the sandbox's own predictions out."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_shop import prepared, run_job, test_rows

from memory.served_model import ServedModel
from memory.tracking import Tracker
from sandboxes.kit.data import DataError, Prepared


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Tracker:
    folder = tmp_path_factory.mktemp("mlflow")
    return Tracker(f"sqlite:///{folder / 'mlflow.sqlite'}", folder / "artifacts")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def trained(made: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a job that trained the small model."""
    place = tmp_path_factory.mktemp("job") / "1"
    with pytest.MonkeyPatch.context() as patch:
        assert run_job(patch, place, made.visible) == 0
    return place


@pytest.fixture(scope="module")
def served(made: Prepared, trained: Path) -> ServedModel:
    return ServedModel(
        "candidate", made.root, trained / "out" / "weights.safetensors", {"embedding_dim": 4}, trained / "model.py"
    )


def in_pandas(made: Prepared) -> pd.DataFrame:
    """The raw rows as a user has them: Pandas makes 5.0 of a whole number beside a missing one."""
    rows = test_rows(made).to_pandas()
    assert rows["shop id"].dtype == np.float64
    return rows


def load(uri: str, tracker: Tracker) -> object:
    import mlflow

    mlflow.set_tracking_uri(tracker.uri)
    return mlflow.pyfunc.load_model(uri)


def test_raw_rows_give_the_predictions_of_the_sandbox(
    tracker: Tracker, made: Prepared, served: ServedModel, trained: Path
) -> None:
    run = tracker.run("r1", "reproduction")
    model = load(f"models:/{tracker.log_model(run, served)}", tracker)
    got = model.predict(in_pandas(made))
    assert list(got.columns) == ["click", "buy"]
    assert np.abs(got.to_numpy() - np.load(trained / "out" / "test.npy")).max() < 1e-6
    assert got["click"].std() > 0.01


def test_a_reference_model_needs_no_code(
    tracker: Tracker, made: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_job(monkeypatch, tmp_path / "1", made.visible, reference="lr") == 0
    out = tmp_path / "1" / "out"
    model_id = tracker.log_model(tracker.run("r2", "lr"), ServedModel("lr", made.root, out / "weights.safetensors", {}))
    got = load(f"models:/{model_id}", tracker).predict(in_pandas(made))
    assert np.abs(got.to_numpy() - np.load(out / "test.npy")).max() < 1e-6
    assert tracker._client.get_logged_model(model_id).tags["trusted"] == "composed"


def test_logging_twice_leaves_one_model_and_says_what_it_is(tracker: Tracker, served: ServedModel) -> None:
    run = tracker.run("r3", "reproduction")
    first = tracker.log_model(run, served)
    assert tracker.log_model(run, served) == first
    logged = tracker._client.get_logged_model(first)
    assert logged.status == "READY" and logged.tags["trusted"] == "generated" and logged.params == {"embedding_dim": "4"}
    assert [o.model_id for o in tracker._client.get_run(run).outputs.model_outputs] == [first]
    assert replace(served, composed=True).tags["trusted"] == "composed"


def test_nothing_in_it_is_a_pickle_and_saving_runs_no_model_code(made: Prepared, served: ServedModel, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("raise SystemExit('run on the host')")
    replace(served, code=tmp_path / "model.py").save(tmp_path / "saved")
    files = [p.relative_to(tmp_path / "saved").as_posix() for p in (tmp_path / "saved").rglob("*") if p.is_file()]
    assert not [f for f in files if f.endswith((".pkl", ".pt", ".pickle"))]
    assert {"serving_script.py", "artifacts/served/weights.safetensors", "code/sandboxes/kit/serving.py"} <= set(files)
    assert not [f for f in files if f.endswith(".npy") or "packaged/" in f]  # no row of the data travels with it


def test_a_missing_column_is_said(tracker: Tracker, made: Prepared, served: ServedModel) -> None:
    model = load(f"models:/{tracker.log_model(tracker.run('r1', 'reproduction'), served)}", tracker)
    with pytest.raises(Exception, match="age"):
        model.predict(in_pandas(made).drop(columns="age"))
    without = model.predict(in_pandas(made).drop(columns=["clicked", "shops"]))  # a new user
    assert without.shape == (made.sizes["test"], 2)


def test_lost_vocabularies_are_said(made: Prepared, served: ServedModel, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(made.root, tmp_path / "copy")
    (tmp_path / "copy" / "vocabularies.parquet").unlink()
    with pytest.raises(DataError, match="has lost its vocabularies"):
        replace(served, prepared=tmp_path / "copy").save(tmp_path / "saved")


def without_this_repository() -> dict[str, str]:
    """An environment that finds the commands of this Python and no code of ours but what is installed."""
    own = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "AGENTICRS_DATA")}
    return own | {"PATH": f"{Path(sys.executable).parent}:{own['PATH']}"}


@pytest.mark.slow
def test_another_process_loads_the_kit_that_travels_with_it(served: ServedModel, tmp_path: Path) -> None:
    served.save(tmp_path / "saved")
    code = "import mlflow.pyfunc; mlflow.pyfunc.load_model('saved'); import sandboxes; print(sandboxes.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=without_this_repository()
    )
    assert done.stdout.strip().endswith("saved/code/sandboxes/__init__.py"), done.stderr


@pytest.mark.slow
def test_mlflow_serves_it_over_http(made: Prepared, served: ServedModel, trained: Path, tmp_path: Path) -> None:
    served.save(tmp_path / "saved")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["mlflow", "models", "serve", "--model-uri", str(tmp_path / "saved"), "--env-manager", "local"]
    words += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with (tmp_path / "log").open("w") as out:
        process = subprocess.Popen(
            words, cwd=tmp_path, env=without_this_repository(), stdout=out, stderr=out, start_new_session=True
        )
    try:
        rows = json.loads(in_pandas(made).head(40).to_json(orient="split", index=False))
        got = json.loads(ask(f"http://127.0.0.1:{port}", {"dataframe_split": rows}, process, tmp_path / "log"))["predictions"]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)
    seen = np.load(trained / "out" / "test.npy")[:40]
    assert np.abs(pd.DataFrame(got)[["click", "buy"]].to_numpy() - seen).max() < 1e-6


def ask(server: str, body: object, process: subprocess.Popen[bytes], log: Path) -> str:
    """The server's answer, once it is up."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{server}/ping", timeout=2).read()
            break
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    request = urllib.request.Request(
        f"{server}/invocations", json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    try:
        return str(urllib.request.urlopen(request, timeout=60).read().decode())
    except urllib.error.HTTPError as error:
        raise AssertionError(re.sub(r"\\n", "\n", error.read().decode())[-3000:] + log.read_text()[-2000:]) from None
