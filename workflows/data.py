"""What the command line says of data sets: which there are, and what preparing one came to."""

from __future__ import annotations

from collections.abc import Iterator

from sandboxes.kit.data import Prepared
from sandboxes.kit.datasets import known_data_sets, resolve_data
from sandboxes.kit.schema import CategoricalField, Schema
from workflows.settings import Settings

SHOWN = 12  # fields of a kind, the rest are counted


def listing(settings: Settings) -> list[dict[str, str]]:
    """Data sets known by name: name, description, licence, and state: whether it can be prepared now, and if not, what to do."""
    known = known_data_sets(settings.home / "data", settings.data_folder)
    return [{"name": k.name, "description": k.description, "licence": k.licence, "state": k.state} for k in known]


def prepare(settings: Settings, data: str) -> str:
    """Prepares `data` (a name or a path) or finds it prepared, and says what it is. Raises `DataError`."""
    return "\n".join(_lines(resolve_data(data, settings.home / "data", raw=settings.data_folder)))


def _lines(made: Prepared) -> Iterator[str]:
    yield f"{made.name}{' (synthetic: says nothing about real users)' if made.synthetic else ''}: " + (
        "prepared before, reused" if made.reused else "prepared"
    )
    yield f"from:   {made.provenance}" + (f"; licence {made.licence}" if made.licence else "")
    yield "rows:   " + ", ".join(f"{split} {rows:,}" for split, rows in made.sizes.items())
    yield from _schema(made.schema)
    yield from _positives(made)
    yield from _unknown(made)
    for split, shares in made.facts.get("vectors", {}).items():
        yield f"        with vectors in {split}: " + ", ".join(f"{name} {share:.2%} of rows" for name, share in shares.items())
    for check in made.leak_checks:
        yield f"{'check:  ' if check.passed else 'LOOK:   '}{check.name}{': ' + check.detail if check.detail else ''}"
    yield f"hash:   {made.data_hash}"
    yield f"lies in {made.root}"


def _schema(schema: Schema) -> Iterator[str]:
    """The fields in words, one line a kind."""
    if schema.categorical:
        yield f"fields: {len(schema.categorical)} categorical: {_some([_categorical(schema, f) for f in schema.categorical])}"
    if schema.numeric:
        yield f"        {len(schema.numeric)} numeric: {_some([f.name for f in schema.numeric])}"
    for v in schema.vectors:
        yield f"        vectors {v.name}: {v.width - 1} numbers for each {v.of}"
    for s in schema.sequences:
        what = f"outcomes of {s.of}" if s.records == "outcomes" else f"of {s.of}"
        yield f"        history {s.name}: the user's last {s.length} {what}"
    tasks = [f"{t.name}{f' (given {t.given})' if t.given else ''}" for t in schema.tasks]
    yield f"tasks:  {', '.join(tasks)}" + (f"; a verdict is about {tasks[0]}" if len(tasks) > 1 else "")


def _categorical(schema: Schema, field: CategoricalField) -> str:
    roles = [r for r, name in (("scenario", schema.scenario), ("the item", schema.target_item)) if name == field.name]
    return f"{field.name} ({', '.join([f'{field.cardinality - 2:,} values', *roles])})"


def _positives(made: Prepared) -> Iterator[str]:
    for split, shares in made.facts.get("positives", {}).items():
        yield f"        positive in {split}: " + ", ".join(f"{task} {share:.2%}" for task, share in shares.items())


def _unknown(made: Prepared) -> Iterator[str]:
    """Categories of test rows that train did not teach, the most frequent first."""
    shares = sorted(made.facts.get("unknown", {}).get("test", {}).items(), key=lambda item: -item[1])
    if shares:
        yield "        new or rare in test: " + _some([f"{name} {share:.2%} of rows" for name, share in shares])


def _some(words: list[str]) -> str:
    rest = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return ", ".join(words[:SHOWN]) + rest
