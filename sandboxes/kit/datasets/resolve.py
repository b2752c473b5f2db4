"""From what a user typed to prepared data: a known name, `name=/folder`, a table or a schema file.

Official files of a known set are looked for in the folder given after `=`, then in `<raw>/<name>`, then in
`<folder>/raw/<name>`; where the licence allows, they are fetched into the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from sandboxes.kit.data import DataError, Prepared
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.tables import TABLES, source_of_file
from sandboxes.kit.datasets.dataset import DataSet, Kind


@dataclass(frozen=True)
class KnownData:
    """A line for people: a data set known by name. `state` says whether it can be prepared right now, and if not, what to do."""

    name: str
    description: str
    licence: str
    kind: Kind
    files: str
    state: str


def prepare_named(known: Sequence[DataSet], name_or_path: str, folder: Path, raw: Path | None) -> Prepared:
    """Finds and prepares; see `sandboxes.kit.datasets.resolve_data`."""
    return prepare(source_named(known, name_or_path, folder, raw), folder)


def source_named(known: Sequence[DataSet], name_or_path: str, folder: Path, raw: Path | None) -> Source:
    """Finds what is to be prepared; see `sandboxes.kit.datasets.resolve_source`."""
    name, equals, where = name_or_path.partition("=")
    data_set = next((d for d in known if d.name == name), None)
    if data_set is not None:
        return _source(data_set, Path(where).expanduser() if equals else None, folder, raw)
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return source_of_file(path)
    if path.is_dir():
        raise DataError(
            f"{path} is a folder; say which data set's files it holds, as in movielens-1m={path}, or name a file in it"
        )
    if name_or_path.lower().endswith((*TABLES, ".toml")) or "/" in name_or_path.partition("=")[0]:
        raise DataError(f"the file {path} does not exist")
    names = [d.name for d in known]
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise DataError(
        f"no data set is called {name!r}; {hint}known are {', '.join(names)}, or give a path to CSV, Parquet or .toml"
    )


def describe(known: Sequence[DataSet], folder: Path, raw: Path | None) -> tuple[KnownData, ...]:
    """One line per known data set; see `sandboxes.kit.datasets.known_data_sets`."""
    return tuple(KnownData(d.name, d.description, d.licence, d.kind, d.files, _state(d, folder, raw)) for d in known)


def places(data_set: DataSet, folder: Path, raw: Path | None) -> tuple[Path, ...]:
    """Where the official files may lie when the user names no folder, the place for a download last."""
    name = data_set.folder or data_set.name
    return (*((raw / name,) if raw is not None else ()), folder / "raw" / name)


def _source(data_set: DataSet, given: Path | None, folder: Path, raw: Path | None) -> Source:
    if data_set.kind != "files":
        if given is not None:
            raise DataError(f"{data_set.name} needs no files; leave out ={given}")
        return data_set.source(None)
    if given is not None:
        if not given.is_dir():
            raise DataError(f"{given} is not a folder; {data_set.name} needs {data_set.files} in one")
        return data_set.source(given)
    present = [p for p in places(data_set, folder, raw) if p.is_dir() and any(p.iterdir())]
    if present:
        return data_set.source(present[0])
    target = places(data_set, folder, raw)[-1]
    if data_set.download is None:
        raise DataError(
            f"the files of {data_set.name} are not here; put {data_set.files} into {target}, or name their folder: "
            f"{data_set.name}=/folder"
        )
    data_set.download(target)
    return data_set.source(target)


def _state(data_set: DataSet, folder: Path, raw: Path | None) -> str:
    if data_set.kind != "files":
        return "ready"
    for place in places(data_set, folder, raw):
        if place.is_dir() and any(place.iterdir()):
            try:
                data_set.source(place)
            except DataError as error:
                return str(error)
            return f"files in {place}"
    target = places(data_set, folder, raw)[-1]
    fetched = ", or let prepare download them" if data_set.download else ""
    return f"needs {data_set.files} in {target}{fetched}"
