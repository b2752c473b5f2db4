"""What the command line does with AutoFeature: begins its runs, and reads and changes the registry of features."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import agents.autofeature
from agents.autofeature.changes import Drop, changed
from agents.autofeature.registry import active, change_of, features, in_force
from memory.records import FeatureRecord
from sandboxes.jobs import kit_hash
from sandboxes.kit.data.schema_text import schema_text
from sandboxes.kit.data.source import Source
from sandboxes.kit.datasets import resolve_source
from workflows.driver import begin_as, plain_name
from workflows.feature_request import FeatureRequest
from workflows.memory import open_memory
from workflows.run_folder import RunFolder
from workflows.settings import Settings


def begin_features(settings: Settings, request: FeatureRequest) -> RunFolder:
    """The folder of the run for this request of AutoFeature."""
    return begin_as(
        settings, "features", feature_run_name(settings, request), request, f"features of {request.data}", again=request.again
    )


def feature_run_name(settings: Settings, request: FeatureRequest) -> str:
    """The same for requests that ask for the same of the same content, by the same code, with the same features active."""
    source = resolve_source(request.data, settings.home / "data", raw=settings.data_folder)
    with closing(open_memory(settings)) as memory:
        known = [r.id for r in features(memory, source.spec.name) if in_force(r)]
    parts = [request.key, source.content, repr(source.spec), kit_hash(), _own_hash(), *known]
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"features-{plain_name(source.spec.name)}-{digest[:8]}"


@cache
def _own_hash() -> str:
    """That of the agent's own code: another version does not go on with what this one has left."""
    own = Path(agents.autofeature.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(own.rglob("*.py")):
        digest.update(path.relative_to(own).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


ORDER = ("active", "trial", "retired", "proposed")


def registered(settings: Settings, data: str, state: str) -> list[FeatureRecord]:
    """Those of a data set, or of all, in that state or in any, active ones first. Raises `MemoryUnusable`."""
    with closing(open_memory(settings)) as memory:
        return sorted(features(memory, data, state), key=lambda record: ORDER.index(record.state))


def worth_of(record: FeatureRecord) -> str:
    """What the feature is worth in AUC, with the interval; "" where that was not measured."""
    if record.gain is None or record.low is None or record.high is None:
        return ""
    value, low, high = record.gain, record.low, record.high
    if isinstance(change_of(record), Drop):  # what was measured is the gain without it
        value, low, high = -value, -high, -low
    return f"{value:+.4f} [{low:+.4f}, {high:+.4f}]"


def history_of(settings: Settings, record: FeatureRecord) -> Iterator[tuple[str, str]]:
    """A feature in lines: what it is, every state with its reason, and the features it rests on."""
    yield "feature", f"{record.name} of {record.dataset} ({record.id})"
    yield "change", change_of(record).in_words
    with closing(open_memory(settings)) as memory:
        for revision in memory.log.revisions(record.id):
            past = revision.read()
            if isinstance(past, FeatureRecord):
                yield past.state, past.reason
        for parent in record.parents:
            if isinstance(other := memory.get(parent), FeatureRecord):
                yield "rests on", f"{other.name} ({other.state})"
    if record.mlflow_run:
        yield "MLflow run", record.mlflow_run


def retire_by_hand(settings: Settings, record: FeatureRecord, why: str) -> None:
    today = datetime.now(UTC).date().isoformat()
    with closing(open_memory(settings)) as memory:
        memory.add(record.model_copy(update={"state": "retired", "reason": f"by hand on {today}: {why}"}))


def exported(settings: Settings, source: Source, folder: Path) -> Path:
    """Writes the table as Parquet and its description, with what is active, as a schema file; returns the latter.

    Raises `DataError` and `OSError`.
    """
    with closing(open_memory(settings)) as memory:
        kept = active(memory, source.spec.name, source.spec)
    folder.mkdir(parents=True, exist_ok=True)
    table, schema = folder / f"{source.spec.name}.parquet", folder / f"{source.spec.name}.toml"
    source.read().lazy().sink_parquet(table)
    said = [f"{c.in_words}" for c in kept] or ["no feature is active"]
    schema.write_text(schema_text(changed(source.spec, kept), [table.name], said), encoding="utf-8")
    return schema
