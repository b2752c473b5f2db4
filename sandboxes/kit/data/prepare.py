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

from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.encode import Rows, time_values, user_codes, write_categorical, write_numeric, write_sequences
from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.labels import label_array
from sandboxes.kit.data.leaks import check_copies, check_features, check_time, unknown_shares
from sandboxes.kit.data.prepared import SPLITS, LeakCheck, Prepared
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import TableSpec
from sandboxes.kit.data.splits import split_codes
from sandboxes.kit.data.stable_hash import row_hashes
from sandboxes.kit.data.vocabulary import Vocabulary
from sandboxes.kit.schema import CategoricalField, NumericField, Schema, SequenceField, Task

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
    spec, visible, hidden = source.spec, root / "visible", root / "hidden"
    visible.mkdir()
    hidden.mkdir(mode=0o700)
    table = _table(source, root)
    dtypes = {name: str(dtype) for name, dtype in table.collect_schema().items()}
    rows, checks = _rows(spec, table)
    _write_labels(rows, visible, hidden)
    vocabularies = write_categorical(spec, rows, visible)
    scalers = write_numeric(spec, rows, visible)
    write_sequences(spec, rows, visible, vocabularies)
    schema = _schema(spec, vocabularies)
    (visible / "schema.json").write_text(schema.to_json(), encoding="utf-8")
    splits = {split: load_split(visible, split) for split in SPLITS}
    checks.append(check_features(spec, schema, splits["train"], splits["valid"]))
    _write_encoders(vocabularies, root)
    (root / "rows.parquet").unlink(missing_ok=True)
    Prepared(
        name=spec.name,
        root=root,
        schema=schema,
        data_hash=_data_hash(visible, hidden),
        sizes={split: len(part) for split, part in splits.items()},
        synthetic=source.synthetic,
        provenance=source.provenance,
        licence=source.licence,
        leak_checks=tuple(checks),
        settings=asdict(spec) | {"scalers": {name: asdict(s) for name, s in scalers.items()}, "dtypes": dtypes},
        facts={"positives": _positives(spec, rows), "unknown": unknown_shares(schema, splits)},
    ).save()


def _table(source: Source, root: Path) -> pl.LazyFrame:
    """The table's needed columns; a lazy one is written down once, so that single columns can be read from it cheaply."""
    try:
        return _spooled(source, root / "rows.parquet")
    except pl.exceptions.PolarsError as error:
        said = str(error).strip().partition("\n")[0]
        raise DataError(f"{source.spec.name}: the table cannot be read ({said}); check the files") from None


def _spooled(source: Source, spool: Path) -> pl.LazyFrame:
    raw = source.read()
    held = raw.collect_schema().names()
    missing = [c for c in source.spec.columns if c not in held]
    if missing:
        raise DataError(f"{source.spec.name}: the table has no column {missing[0]!r}; it has {', '.join(map(repr, held))}")
    if isinstance(raw, pl.DataFrame):
        return raw.select(source.spec.columns).lazy()
    raw.select(source.spec.columns).sink_parquet(spool, compression="lz4")
    return pl.scan_parquet(spool)


def _rows(spec: TableSpec, table: pl.LazyFrame) -> tuple[Rows, list[LeakCheck]]:
    """Split, labels, users and times of all rows, and the checks that need whole rows."""
    labels = label_array(spec.tasks, table)
    if not len(labels):
        raise DataError(f"{spec.name}: the table has no rows; check the files")

    def column(name: str) -> pl.Series:
        return table.select(name).collect().to_series()

    times = time_values(column(spec.time)) if spec.time else None
    codes = split_codes(spec.split, table, spec.columns, times)
    users = user_codes(column(spec.user)) if spec.user else None
    rows = Rows(table, codes, labels, users, times)
    for code, split in enumerate(SPLITS):
        seen = labels[codes == code, 0]
        if not ((seen == 1).any() and (seen == 0).any()):
            raise DataError(
                f"{spec.name}: the {split} split has not both positive and negative rows of {spec.tasks[0].name!r}; "
                f"check the label's rule, or give more rows"
            )
    whole = [c for c in spec.columns if not (spec.split.by == "given" and c == spec.split.column)]
    checks = [check_copies(row_hashes(map(column, whole)), codes)]
    return rows, checks + ([check_time(times, codes, spec.split.by, users)] if times is not None else [])


def _write_labels(rows: Rows, visible: Path, hidden: Path) -> None:
    for code, split in enumerate(SPLITS):
        own = rows.codes == code
        if split != "test":
            np.save(visible / f"{split}.labels.npy", rows.labels[own])
        if split != "train":
            np.save(hidden / f"{split}.labels.npy", rows.labels[own])
            if rows.users is not None:
                np.save(hidden / f"{split}.groups.npy", rows.users[own])


def _schema(spec: TableSpec, vocabularies: dict[str, Vocabulary]) -> Schema:
    return Schema(
        categorical=tuple(CategoricalField(c.name, vocabularies[c.name].cardinality, c.side) for c in spec.categorical),
        numeric=tuple(NumericField(n.name, n.side) for n in spec.numeric),
        sequences=tuple(SequenceField(s.name, s.of, s.length) for s in spec.sequences),
        tasks=tuple(Task(t.name, t.given) for t in spec.tasks),
        scenario=spec.scenario,
        target_item=spec.target_item,
    )


def _write_encoders(vocabularies: dict[str, Vocabulary], root: Path) -> None:
    """The vocabularies as one table (field, id, value), so that new rows can be encoded in the same way."""
    tables = [
        pl.DataFrame({"value": v.values, "id": np.arange(2, v.cardinality, dtype=np.int32)}).select(
            pl.lit(name).alias("field"), "id", pl.col("value").cast(pl.String)
        )
        for name, v in vocabularies.items()
    ]
    if tables:
        pl.concat(tables).write_parquet(root / "vocabularies.parquet")


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
    for file in sorted([*(kit / "data").glob("*.py"), *(kit / "datasets").glob("*.py")]):
        total.update(file.name.encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "data"


def _remove_abandoned(folder: Path, name: str) -> None:
    """Removes working folders that processes left behind when they died."""
    for old in folder.glob(f".{name}.*"):
        if time.time() - old.stat().st_mtime > ABANDONED_S:
            shutil.rmtree(old, ignore_errors=True)
