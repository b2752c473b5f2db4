"""Reads a schema file: a small TOML text that describes a user's table.

    name = "my-shop"                        # optional; the file's name without it
    files = "log.csv"                       # or ["a.parquet", "b.parquet"], or { train = "...", valid = "...", test = "..." };
    separator = ","                         # of CSV files                     valid may be left out of the latter
    user = "user_id"                        # optional columns: group AUC is per user; histories need user and time
    time = "timestamp"                      # numbers or ISO dates
    scenario = "tab"                        # optional categorical fields
    target_item = "item_id"
    predicts = "labels"                     # what comes of a row (default); items: which of all target items comes next;
                                            # actions: which target item to choose, learned from logged decisions
    # propensity = "probability"            # actions: the column with the probability that what was chosen had then
    provenance = "web shop, May 2026"       # optional, shown in reports
    licence = "internal"

    [[categorical]]
    name = "item_id"                        # the field
    column = "item"                         # the column, if its name differs
    min_frequency = 2                       # rarer values share one id (default 1)
    side = "item"                           # user, item or context (default)

    [[categorical]]
    name = "query"
    hash_buckets = 100_000_000              # instead of a vocabulary, ids by a hash: for more values than fit in memory

    [[categorical]]
    name = "last_item"
    shares = "item_id"                      # its ids, and with them its embedding vectors, are those of that field

    [[categorical]]
    name = "tab"

    [[numeric]]
    name = "price"
    transform = "log1p"                     # standardize (default), log1p or none

    [[sequence]]                            # a history of the field `of`, oldest first; of a task, its past outcomes
    name = "clicked_items"
    of = "item_id"
    length = 50
    column = "history"                      # given in the table, values separated by `separator`;
    separator = "|"                         # without a column: the user's earlier rows, built from user and time
    where = "click"                         # then only rows where this task is positive

    [[vectors]]                             # made elsewhere, such as of images or texts: one for each value of a field
    name = "image"
    of = "item_id"
    file = "image_vectors.parquet"          # also .csv, .tsv, or .npz with arrays keys and vectors
    key = "item"                            # its column of the field's raw values (default: named as the table's column)
    column = "vector"                       # its column of lists of equal lengths, or columns = ["v0", "v1"] of numbers;
                                            # default: the only column of lists, else all numbers beside the key
    [[derived]]                             # a column made of others, fitted on train; a field with its name makes it a feature
    name = "price_bin"
    how = "bins"                            # bins (by = equal_frequency, log, tree or auto), cross, share, rate, time_part,
    of = "price"                            # elapsed, history: see sandboxes.kit.features
    bins = 32

    [[task]]                                # the first is the primary one
    name = "click"
    column = "clicked"
    at_least = 1                            # positive from here on (default 1); or: equals = "yes"
    unobserved = "-1"                       # this text means not observed; an empty value always does
    present = false                         # true: positive wherever the column holds anything

    [[task]]
    name = "purchase"
    given = "click"                         # can be positive only where click is: 0, not unobserved, elsewhere
    # arrives = "bought_at"                 # with a split by time: when a positive became known, in time's unit; empty: never

    [split]
    by = "random"                           # random (default), time, last, or given with column = "..." of train, valid, test
    key = ["user_id", "item_id"]            # random: rows equal in these stay together (default: all columns)
    train = 0.8
    valid = 0.1
    test = 0.1
    seed = 0
    last = 1                                # last: so many of each user's latest rows test, as many before them validate

    [leaks]
    allow = ["price"]                       # features that may predict a label almost alone

Paths are relative to the schema file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.prepared import SPLITS
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Sequence, Split, TableSpec, Vectors
from sandboxes.kit.features import TRANSFORMS, AnyTransform
from sandboxes.kit.schema import Predicts

TOP = (
    *("name", "files", "separator", "user", "time", "scenario", "target_item", "predicts", "propensity"),
    *("provenance", "licence"),
)
BLOCKS = ("categorical", "numeric", "sequence", "vectors", "derived", "task", "split", "leaks")
Block = TypeVar("Block")


@dataclass(frozen=True)
class SchemaFile:
    """A schema file's content. `files` maps a split, or "" where the table is to be split, to its files; `vector_files` the name
    of vectors to theirs."""

    spec: TableSpec
    files: Mapping[str, tuple[Path, ...]]
    separator: str = ","
    provenance: str = ""
    licence: str = ""
    vector_files: Mapping[str, Path] = field(default_factory=dict)


def read_schema_file(path: Path) -> SchemaFile:
    """The schema file at `path`. Raises `DataError`, naming the place, for anything that is not as described above."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"the schema file {path} is no TOML: {error}") from None
    _only(raw, (*TOP, *BLOCKS), "the top level", path)
    texts = {name: _text(raw, name, path) for name in TOP if name != "files"}
    files = _files(raw.get("files"), path)
    split = _block(Split, _table(raw, "split", path), "[split]", path)
    if "" not in files and split.by != "random":
        raise DataError(f"{path}: files are given per split, so that [split] may only name shares, not by = {split.by!r}")
    leaks = _table(raw, "leaks", path)
    _only(leaks, ("allow",), "[leaks]", path)
    vectors, vector_files = _vectors(raw, path)
    spec = TableSpec(
        name=texts["name"] or path.stem,
        tasks=_blocks(Label, raw, "task", path),
        categorical=_blocks(Categorical, raw, "categorical", path),
        numeric=_blocks(Numeric, raw, "numeric", path),
        sequences=_blocks(Sequence, raw, "sequence", path),
        user=texts["user"],
        time=texts["time"],
        scenario=texts["scenario"],
        target_item=texts["target_item"],
        split=split if "" in files else Split("given", (), "split", split.train, split.valid, split.test, split.seed),
        allow=tuple(leaks.get("allow", ())),
        predicts=_typed(raw.get("predicts", "labels"), Predicts, f"{path}: predicts"),
        propensity=texts["propensity"],
        vectors=vectors,
        derived=tuple(_derived(block, path) for block in _listed(raw, "derived", path)),
    )
    said = {name: texts[name] or "" for name in ("provenance", "licence")}
    return SchemaFile(spec, files, texts["separator"] or ",", said["provenance"], said["licence"], vector_files)


def _derived(block: Mapping[str, Any], path: Path) -> AnyTransform:
    how = str(block.get("how"))
    if how not in TRANSFORMS:
        raise DataError(f"{path}: how in [[derived]] is {how!r}; it may be {', '.join(TRANSFORMS)}")
    return _block(TRANSFORMS[how], block, f"[[derived]] by {how}", path)


def _vectors(raw: Mapping[str, Any], path: Path) -> tuple[tuple[Vectors, ...], dict[str, Path]]:
    """What is said of vectors, and the files that hold them."""
    given, files = _listed(raw, "vectors", path), dict[str, Path]()
    for block in given:
        file = block.get("file")
        if not isinstance(file, str):
            raise DataError(f'{path}: [[vectors]] needs file, as in file = "image_vectors.parquet"')
        files[str(block.get("name"))] = _present(path, file)
    without = [{name: value for name, value in block.items() if name != "file"} for block in given]
    return tuple(_block(Vectors, block, "[[vectors]]", path) for block in without), files


def _files(raw: object, path: Path) -> dict[str, tuple[Path, ...]]:
    by_split = raw if isinstance(raw, dict) else {"": raw}
    if isinstance(raw, dict):
        _only(raw, SPLITS, "files", path)
        if not {"train", "test"} <= set(raw):
            raise DataError(f"{path}: files needs at least train and test, or one file that is split here")
    files: dict[str, tuple[Path, ...]] = {}
    for split, named in by_split.items():
        names = [named] if isinstance(named, str) else named
        if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
            raise DataError(f'{path}: files must name the table, as in files = "log.csv"')
        files[split] = tuple(_present(path, n) for n in names)
    return files


def _present(path: Path, name: str) -> Path:
    """The file `name` beside the schema file."""
    file = path.parent / name
    if not file.is_file():
        raise DataError(f"{path}: the file {file} does not exist; paths are relative to the schema file")
    return file


def _blocks(kind: type[Block], raw: Mapping[str, Any], name: str, path: Path) -> tuple[Block, ...]:
    return tuple(_block(kind, block, f"[[{name}]]", path) for block in _listed(raw, name, path))


def _listed(raw: Mapping[str, Any], name: str, path: Path) -> list[dict[str, Any]]:
    given = raw.get(name, [])
    if not isinstance(given, list) or not all(isinstance(b, dict) for b in given):
        raise DataError(f"{path}: write [[{name}]], with two brackets, before each {name}")
    return given


def _block(kind: type[Block], raw: Mapping[str, Any], place: str, path: Path) -> Block:
    """One dataclass from one table, every value of the declared type."""
    hints, values = {n: h for n, h in get_type_hints(kind).items() if get_origin(h) is not ClassVar}, {}
    _only(raw, tuple(hints), place, path)
    for name, value in raw.items():
        values[name] = _typed(value, hints[name], f"{path}: {name} in {place}")
    asked = fields(cast(Any, kind))
    missing = [f.name for f in asked if f.default is MISSING and f.default_factory is MISSING and f.name not in raw]
    if missing:
        raise DataError(f"{path}: {place} needs {missing[0]}")
    return kind(**values)


def _typed(value: Any, kind: Any, place: str) -> Any:
    """The value as the declared type, or `DataError` saying what it must be."""
    if get_origin(kind) is Literal:
        if value in get_args(kind):
            return value
        raise DataError(f"{place} is {value!r}; it may be {', '.join(get_args(kind))}")
    if get_origin(kind) is tuple:
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            return tuple(value)
        raise DataError(f"{place} must be a list of texts")
    wanted = next(k for k in get_args(kind) if k is not type(None)) if isinstance(kind, UnionType) else kind
    if wanted is float and type(value) in (int, float):
        return float(value)
    if wanted is str and type(value) in (int, float):
        return str(value)
    if type(value) is not wanted:
        said = {str: "a text", bool: "true or false"}.get(wanted, "a number")
        raise DataError(f"{place} is {value!r}; it must be {said}")
    return value


def _table(raw: Mapping[str, Any], name: str, path: Path) -> Mapping[str, Any]:
    table = raw.get(name, {})
    if not isinstance(table, dict):
        raise DataError(f"{path}: write [{name}], with one bracket, before its settings")
    return table


def _text(raw: Mapping[str, Any], name: str, path: Path) -> Any:
    value = raw.get(name)
    if value is not None and not isinstance(value, str):
        raise DataError(f"{path}: {name} is {value!r}; it must be a text")
    return value


def _only(raw: Mapping[str, Any], known: tuple[str, ...], place: str, path: Path) -> None:
    """Raises `DataError` for a name that is none of `known`: a misspelt setting must not be passed over."""
    for name in raw:
        if name not in known:
            raise DataError(f"{path}: {name!r} is unknown in {place}; known are {', '.join(known)}")
