"""Prepares a data set: split, encode, check for leaks, and keep it under a key of everything that it depends on.

Vocabularies and transforms are fitted on train rows only. Test labels go to `hidden/`, never to `visible/`.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
import uuid
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.columns import CodedField, code_fields, key_hashes, whole_row_hashes
from sandboxes.kit.data.decisions import write_decisions
from sandboxes.kit.data.delays import known_when_training
from sandboxes.kit.data.derive import derive, measure_histories
from sandboxes.kit.data.derived_rows import FOLDER
from sandboxes.kit.data.encode import IdField, Rows, fit_ids, fit_numbers, join_vocabularies
from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.labels import label_array
from sandboxes.kit.data.leaks import Sample, check_alike, check_copies, check_features, check_time, looked_at
from sandboxes.kit.data.prepared import SPLITS, LeakCheck, Prepared
from sandboxes.kit.data.queries import Posed, pose_queries
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Sequence, TableSpec
from sandboxes.kit.data.splits import TRAIN, VALID, split_codes
from sandboxes.kit.data.table import Table
from sandboxes.kit.data.users_and_times import time_values, user_codes
from sandboxes.kit.data.vectors import WrittenVectors, write_vectors
from sandboxes.kit.data.write_rows import write_ids, write_numbers, write_sequences, write_vector_rows
from sandboxes.kit.schema import CategoricalField, NumericField, Schema, SequenceField, Task, VectorField

ABANDONED_S = 6 * 3600.0  # a working folder untouched for so long belongs to a process that died


def prepare(source: Source, folder: Path) -> Prepared:
    """The prepared data set under `folder`, made now or, when nothing it depends on has changed, earlier (`reused`).

    Its folder appears complete or not at all. Raises `DataError` for a table that does not fit its description, an empty
    split, a primary task with one class only, or a definite leak.
    """
    root = folder / f"{_plain(source.spec.name)}-{_key(source)[:12]}"
    if (root / "prepared.json").exists():
        return Prepared.open(root, reused=True)
    folder.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(folder, root.name)
    working = folder / f".{root.name}.{uuid.uuid4().hex[:8]}"
    working.mkdir()
    try:
        _write(source, working)
        working.rename(root)
    except OSError:
        if not (root / "prepared.json").exists():  # another process may have been faster: its result is the same
            raise
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return Prepared.open(root)


def _write(source: Source, root: Path) -> None:
    """Everything that a prepared folder holds, prepared.json last."""
    spec, visible, hidden, columns = source.spec, root / "visible", root / "hidden", root / "columns"
    visible.mkdir()
    hidden.mkdir(mode=0o700)
    columns.mkdir()
    table = _table(source, columns / "rows.parquet")
    dtypes = {name: str(dtype) for name, dtype in table.frame.collect_schema().items()}
    rows, fields, checks = _rows(spec, table, columns)
    if spec.derived:
        table = derive(spec, table, rows, columns, root / FOLDER)
        fields |= code_fields([c for c in spec.categorical if c.name not in fields], spec.sequences, table, columns)
    if spec.predicts != "items":
        _write_labels(rows, visible, hidden)
    ids = fit_ids(spec, rows, fields, columns)
    own = [rows.labels[rows.codes == code] for code in (TRAIN, VALID)]
    kept = [looked_at(labels) for labels in own]
    shown, unknown = write_ids(rows, ids, visible, kept)
    write_sequences(spec, table, rows, ids, visible)
    if spec.measures:
        table = measure_histories(spec, table, rows, visible, columns)
    numbers = fit_numbers(spec, table, rows, columns)
    measured = write_numbers(rows, numbers, visible, kept)
    vectors = {
        v.name: write_vectors(
            v.name, source.vectors[v.name](), dtypes[spec.column_of(v.of)], ids[v.of], visible, columns / f"{v.name}.vectors"
        )
        for v in spec.vectors
    }
    if vectors:
        write_vector_rows(rows, vectors, visible)
    described = _share_with_vectors(vectors, visible)
    schema = _schema(spec, ids, vectors)
    (visible / "schema.json").write_text(schema.to_json(), encoding="utf-8")
    posed = pose_queries(rows, schema, visible, hidden) if spec.predicts == "items" else None
    if spec.predicts == "actions":
        checks.append(write_decisions(spec, table, rows, schema, visible, hidden))
    _write_order(rows, posed, visible)
    samples = [Sample(i, x, labels[k]) for i, x, labels, k in zip(shown, measured, own, kept, strict=True)]
    if not posed:  # an event has no label that a feature could give away
        checks.append(check_features(spec, schema, samples[0], samples[1]))
    join_vocabularies(spec, columns, root / "vocabularies.parquet")
    shutil.rmtree(columns)
    Prepared(
        name=spec.name,
        root=root,
        schema=schema,
        data_hash=_data_hash(visible, hidden),
        sizes=posed.sizes if posed else dict(zip(SPLITS, rows.sizes(), strict=True)),
        synthetic=source.synthetic,
        provenance=source.provenance,
        licence=source.licence,
        leak_checks=tuple(checks),
        settings=asdict(spec) | {"scalers": {name: asdict(f.scaler) for name, f in numbers.items()}, "dtypes": dtypes},
        facts={"unknown": _unknown_shares(spec, rows, unknown)}
        | ({"vectors": described} if vectors else {})
        | ({"not asked for": posed.dropped} if posed else {"positives": _positives(spec, rows)})
        | ({"delays": rows.waits.facts} if rows.waits else {}),
    ).save()


def _table(source: Source, spool: Path) -> Table:
    """The table's needed columns; a lazy one is written down once, so that single columns can be read from it cheaply.

    Where items are predicted, only rows that are events."""
    try:
        return _spooled(source, spool)
    except pl.exceptions.PolarsError as error:
        said = str(error).strip().partition("\n")[0]
        raise DataError(f"{source.spec.name}: the table cannot be read ({said}); check the files") from None


def _spooled(source: Source, spool: Path) -> Table:
    raw = source.read()
    held = raw.collect_schema().names()
    missing = [c for c in source.spec.columns if c not in held]
    if missing:
        raise DataError(f"{source.spec.name}: the table has no column {missing[0]!r}; it has {', '.join(map(repr, held))}")
    table = _held(raw.select(source.spec.columns), spool)
    if source.spec.predicts == "items":
        positive = pl.Series(label_array(source.spec.tasks, table)[:, 0] == 1)
        table = _held(table.frame.filter(positive), spool.with_name(f"events-{spool.name}"))
    return table


def _held(frame: pl.LazyFrame | pl.DataFrame, spool: Path) -> Table:
    if isinstance(frame, pl.DataFrame):
        return Table(frame)
    frame.sink_parquet(spool, compression="lz4", statistics=False)
    return Table(pl.scan_parquet(spool))


def _rows(spec: TableSpec, table: Table, folder: Path) -> tuple[Rows, dict[str, CodedField], list[LeakCheck]]:
    """Split, labels, users and times of all rows; the categorical fields that the table holds, in codes; and the checks that need
    whole rows."""
    labels = label_array(spec.tasks, table)
    n = len(labels)
    if not n:
        raise DataError(f"{spec.name}: the table has no rows; check the files")
    times = time_values(table, spec.time) if spec.time else None
    held = [c for c in spec.categorical if (c.column or c.name) not in {d.name for d in spec.derived}]
    fields = code_fields(held, spec.sequences, table, folder)
    whole = whole_row_hashes(spec, table, fields, n)
    alike = [check_alike(whole, spec.split)] if spec.predicts == "actions" else []
    key = key_hashes(table, spec.split.key, n) if spec.split.key else None
    users = user_codes(table.blocks(spec.user)) if spec.user else None
    codes = split_codes(spec.split, table, n, whole=whole, key=key, times=times, users=users)
    del key
    waits = known_when_training(spec, table, labels, times, codes) if spec.delayed_tasks and times is not None else None
    for code, split in enumerate(SPLITS):
        seen = labels[codes == code, 0]
        if spec.predicts != "items" and not ((seen == 1).any() and (seen == 0).any()):
            raise DataError(
                f"{spec.name}: the {split} split has not both positive and negative rows of {spec.tasks[0].name!r}; "
                f"check the label's rule, or give more rows"
            )
    checks = alike or [check_copies(whole, codes)]
    del whole
    checks += [check_time(times, codes, spec.split.by, users)] if times is not None else []
    return Rows(codes, labels, users, times, waits), fields, checks


def _write_labels(rows: Rows, visible: Path, hidden: Path) -> None:
    if rows.waits is not None:
        np.save(visible / "train.elapsed.npy", rows.waits.elapsed)
        np.save(visible / "train.delay.npy", rows.waits.delay)
    for code, split in enumerate(SPLITS):
        own = rows.codes == code
        if split != "test":
            np.save(visible / f"{split}.labels.npy", rows.labels[own])
        if split != "train":
            np.save(hidden / f"{split}.labels.npy", rows.labels[own])
            if rows.users is not None:
                np.save(hidden / f"{split}.groups.npy", rows.users[own])


def _write_order(rows: Rows, posed: Posed | None, visible: Path) -> None:
    """How train rows follow one another in time; of one instant in the order of the table."""
    if rows.times is not None:
        times = rows.times[rows.codes == TRAIN]
        np.save(visible / "train.order.npy", np.argsort(times[posed.train_rows] if posed else times, kind="stable"))


def _schema(spec: TableSpec, ids: dict[str, IdField], vectors: dict[str, WrittenVectors]) -> Schema:
    return Schema(
        categorical=tuple(CategoricalField(c.name, ids[c.name].cardinality, c.side, c.shares) for c in spec.categorical),
        numeric=tuple(NumericField(n.name, n.side) for n in spec.numeric),
        sequences=tuple(SequenceField(s.name, s.of, s.length, spec.records(s), _events(s)) for s in spec.sequences),
        tasks=tuple(Task(t.name, t.given, t.delayed) for t in spec.tasks),
        scenario=spec.scenario,
        target_item=spec.target_item,
        user=next((c.name for c in spec.categorical if (c.column or c.name) == spec.user), None),
        predicts=spec.predicts,
        timed=spec.timed,
        vectors=tuple(VectorField(v.name, v.of, vectors[v.name].width) for v in spec.vectors),
    )


def _share_with_vectors(vectors: dict[str, WrittenVectors], visible: Path) -> dict[str, dict[str, float]]:
    """Per split, the share of its rows that have a vector of each name."""
    found: dict[str, dict[str, float]] = {}
    for split in SPLITS if vectors else ():
        held = np.load(visible / f"{split}.vector_rows.npy", mmap_mode="r")
        found[split] = {name: round(float(v.known[held[:, i]].mean()), 5) for i, (name, v) in enumerate(vectors.items())}
    return found


def _events(sequence: Sequence) -> str:
    """The rows that a history is built from, in words; "" for one that the table holds, whose rows nobody knows."""
    if sequence.column:
        return ""
    return f"rows with {sequence.where}" if sequence.where else "all rows"


def _unknown_shares(spec: TableSpec, rows: Rows, unknown: NDArray[np.int64]) -> dict[str, dict[str, float]]:
    """Per split, the categorical fields with unknown ids and their share of rows: what train did not teach."""
    found: dict[str, dict[str, float]] = {}
    for split, size, counts in zip(SPLITS, rows.sizes(), unknown, strict=True):
        shares = {c.name: round(int(n) / size, 5) for c, n in zip(spec.categorical, counts, strict=True)}
        found[split] = {field: share for field, share in shares.items() if share > 0}
    return found


def _positives(spec: TableSpec, rows: Rows) -> dict[str, dict[str, float]]:
    """Per split and task, the share of positives among observed labels."""
    shares: dict[str, dict[str, float]] = {}
    for code, split in enumerate(SPLITS):
        own = rows.labels[rows.codes == code]
        means = {t.name: own[:, i][~np.isnan(own[:, i])] for i, t in enumerate(spec.tasks)}
        shares[split] = {name: round(float(seen.mean()), 5) for name, seen in means.items() if len(seen)}
    return shares


def _data_hash(visible: Path, hidden: Path) -> str:
    total = hashlib.sha256()
    for file in sorted([*visible.iterdir(), *hidden.iterdir()], key=lambda f: (f.parent.name, f.name)):
        total.update(f"{file.parent.name}/{file.name}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                total.update(block)
    return total.hexdigest()[:24]


def _key(source: Source) -> str:
    """A hash of the description, the content and the code that prepares."""
    parts = [json.dumps(asdict(source.spec), sort_keys=True), source.content, source.provenance, pl.__version__, _code_hash()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@cache
def _code_hash() -> str:
    kit = Path(__file__).parent.parent
    total = hashlib.sha256((kit / "schema.py").read_bytes())
    for file in sorted(file for part in ("data", "datasets", "features") for file in (kit / part).glob("*.py")):
        total.update(file.name.encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "data"


def _remove_abandoned(folder: Path, name: str) -> None:
    """Removes working folders that processes left behind when they died."""
    for old in folder.glob(f".{name}.*"):
        if time.time() - old.stat().st_mtime > ABANDONED_S:
            shutil.rmtree(old, ignore_errors=True)
