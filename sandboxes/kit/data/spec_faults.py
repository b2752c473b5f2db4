"""What contradicts itself in the description of a table, one sentence each, with the remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sandboxes.kit.schema import MOST_BUCKETS

if TYPE_CHECKING:
    from sandboxes.kit.data.spec import TableSpec
    from sandboxes.kit.features import AnyTransform


def faults(spec: TableSpec) -> Iterator[str]:
    """What contradicts itself, one sentence each, with the remedy."""
    names = [f.name for f in spec.features] + [s.name for s in spec.sequences] + [v.name for v in spec.vectors]
    tasks, fields = [t.name for t in spec.tasks], {c.name for c in spec.categorical}
    if not tasks:
        yield "there is no task; name the label's column"
    if not spec.categorical and not spec.numeric:
        yield "there is no feature; name at least one categorical or numeric column"
    for name in sorted({n for n in names if names.count(n) > 1} | {t for t in tasks if tasks.count(t) > 1}):
        yield f"{name!r} is named twice; every field and task needs a name of its own"
    # That something is present says nothing of what it is, so that the column of an event may be a feature too.
    labels = {t.column or t.name for t in spec.tasks if not (t.present and spec.predicts == "items")}
    for f in spec.features:
        if (f.column or f.name) in labels:
            yield f"the label column {f.column or f.name!r} is also a feature; remove it from the features"
    for s in spec.sequences:
        if not re.fullmatch(r"[\w-]+", s.name):
            yield f"the sequence name {s.name!r} names a file too and may hold letters, digits, _ and - only"
        if s.of not in fields and s.of not in tasks:
            yield f"the sequence {s.name!r} is of {s.of!r}, which is no categorical field and no task"
        if s.length < 1:
            yield f"the sequence {s.name!r} needs a length of at least 1"
        if not s.column and not (spec.user and spec.time):
            yield f"the sequence {s.name!r} names no column, and building it from the table needs a user and a time column"
        if s.where and s.where not in tasks:
            yield f"the sequence {s.name!r} is of rows where {s.where!r}, which is no task"
    for what, named in (("scenario", spec.scenario), ("target_item", spec.target_item)):
        if named and named not in fields:
            yield f"{what} is {named!r}, which is no categorical field"
    for i, t in enumerate(spec.tasks):
        if t.given and t.given not in tasks[:i]:
            yield f"the task {t.name!r} is given {t.given!r}, which is no earlier task"
    for c in spec.categorical:
        if c.min_frequency < 1:
            yield f"min_frequency of {c.name!r} must be at least 1"
        if not 0 <= c.hash_buckets <= MOST_BUCKETS:
            yield f"hash_buckets of {c.name!r} must lie between 1 and {MOST_BUCKETS:,}, or be left out"
        if c.hash_buckets and c.min_frequency != 1:
            yield f"{c.name!r} has hash_buckets, which knows no frequencies; leave min_frequency out"
    yield from _sharing_faults(spec)
    yield from _vector_faults(spec)
    yield from _split_faults(spec)
    yield from _delay_faults(spec)
    if spec.predicts != "labels":
        yield from _item_faults(spec)
    yield from _decision_faults(spec)
    yield from _derived_faults(spec)


def _sharing_faults(spec: TableSpec) -> Iterator[str]:
    own = {c.name for c in spec.categorical if not c.shares}
    for c in spec.categorical:
        if c.shares and c.shares not in own:
            yield f"{c.name!r} shares the ids of {c.shares!r}, which is no categorical field with ids of its own"
        if c.shares and (c.hash_buckets or c.min_frequency != 1):
            yield f"{c.name!r} shares its ids; leave hash_buckets and min_frequency to {c.shares!r}"
        if c.shares and c.name in (spec.target_item, spec.scenario):
            yield f"{c.name!r} shares its ids, and the target item and the scenario need ids of their own"
        if c.shares and any(c.name in (s.of, *(v.of for v in spec.vectors)) for s in spec.sequences):
            yield f"{c.name!r} shares its ids; let the sequence be of {c.shares!r}"


def _vector_faults(spec: TableSpec) -> Iterator[str]:
    fields = {c.name: c for c in spec.categorical}
    for v in spec.vectors:
        if not re.fullmatch(r"[\w-]+", v.name):
            yield f"the name {v.name!r} of vectors names a file too and may hold letters, digits, _ and - only"
        if v.of not in fields:
            yield f"the vectors {v.name!r} are of {v.of!r}, which is no categorical field"
        elif fields[v.of].hash_buckets:
            yield f"{v.of!r} has hash_buckets, whose ids stand for no single value that has a vector; leave hash_buckets out"
        if v.column and v.columns:
            yield f"the vectors {v.name!r} name a column of lists and columns of numbers; leave one out"


def _split_faults(spec: TableSpec) -> Iterator[str]:
    split = spec.split
    if min(split.train, split.valid, split.test) <= 0 or abs(split.train + split.valid + split.test - 1) > 1e-6:
        yield f"the shares {split.train:g}, {split.valid:g} and {split.test:g} must be positive and add up to 1"
    if split.by == "time" and not spec.time:
        yield "a split by time needs a time column"
    if split.by == "last" and not (spec.user and spec.time):
        yield "a split by each user's last rows needs a user and a time column"
    if split.last < 1:
        yield f"last must be at least 1 row of each user, not {split.last}"


def _delay_faults(spec: TableSpec) -> Iterator[str]:
    late = {t.name for t in spec.delayed_tasks}
    if late and spec.split.by != "time":
        yield 'labels that arrive late need a split by time, which says when training happens; write by = "time" under [split]'
    for f in spec.features:
        if (f.column or f.name) in {t.arrives for t in spec.delayed_tasks}:
            yield f"{f.column or f.name!r} says when a label arrives and is also a feature; remove it from the features"
    for s in spec.sequences:
        if not s.column and (s.where in late or (s.of in late and spec.records(s) == "outcomes")):
            yield f"the sequence {s.name!r} would be built of labels that arrive after its rows; give it a column of the table"
    for t in spec.tasks:
        if t.given in late and not t.delayed:
            yield f"the task {t.name!r} is given {t.given!r}, whose positives arrive late; say when its own arrive"


def _item_faults(spec: TableSpec) -> Iterator[str]:
    if spec.delayed_tasks:
        yield "events from which items are predicted do not arrive late; leave arrives out"
    if len(spec.tasks) != 1:
        kind = "one kind of event" if spec.predicts == "items" else "one reward"
        yield f"{spec.predicts} are predicted from {kind}, and there are {len(spec.tasks)} tasks; name one"
    target = next((c for c in spec.categorical if c.name == spec.target_item), None)
    if target is None:
        yield f"to predict {spec.predicts}, name the categorical field that holds them as target_item"
    elif not spec.sequences and all(f.side == "item" or f is target for f in spec.features):
        yield "nothing says who asks or when; name a field of the user or the context, or a sequence"
    elif target.hash_buckets:
        yield f"{target.name!r} has hash_buckets, which cannot be told apart as {spec.predicts}; leave hash_buckets out"


def _decision_faults(spec: TableSpec) -> Iterator[str]:
    if spec.predicts != "actions":
        if spec.propensity:
            yield f'the propensity {spec.propensity!r} is of no use unless actions are predicted; write predicts = "actions"'
        return
    if not spec.propensity:
        yield "to learn from logged decisions, name the column with the probability of what was chosen as propensity"
    elif spec.propensity in {f.column or f.name for f in spec.features}:
        yield f"the propensity {spec.propensity!r} is also a feature; it is not known before something is chosen"
    target = next((c for c in spec.categorical if c.name == spec.target_item), None)
    if target is not None and target.min_frequency > 1:
        yield f"{target.name!r} has a min_frequency, which would make one action of the rare ones; leave min_frequency out"


def _derived_faults(spec: TableSpec) -> Iterator[str]:
    made: dict[str, AnyTransform] = {}
    hidden = {t.column or t.name for t in spec.tasks} | {t.arrives for t in spec.delayed_tasks}
    if spec.derived and spec.predicts != "labels":
        yield f"derived columns are made where labels are predicted, not {spec.predicts}; leave derived out"
    for d in spec.derived:
        if not re.fullmatch(r"[\w-]+", d.name):
            yield f"the derived column {d.name!r} names a file too and may hold letters, digits, _ and - only"
        if d.name in made or d.name in spec.columns:
            yield f"there are two columns {d.name!r}; give the derived one a name of its own"
        yield from (f"the derived column {d.name!r}: {fault}" for fault in d.faults())
        yield from _input_faults(d, hidden, made, {other.name for other in spec.derived})
        yield from _learning_faults(spec, d)
        made[d.name] = d
    yield from _use_faults(spec, made)


def _input_faults(d: AnyTransform, hidden: set[str], made: Mapping[str, AnyTransform], later: set[str]) -> Iterator[str]:
    for column, kind in d.inputs.items():
        if column in hidden:
            yield f"the derived column {d.name!r} is made of {column!r}, which says what came of the row"
        elif column in made:
            if made[column].how == "history":
                yield f"the derived column {d.name!r} is made of {column!r}, which is known only once rows are encoded"
            elif kind == "time" or (kind == "number" and made[column].gives == "text"):
                yield f"the derived column {d.name!r} needs a {kind}, and {column!r} gives a {made[column].gives}"
        elif column in later:
            yield f"the derived column {d.name!r} is made of {column!r}, which comes after it; put that first"


def _learning_faults(spec: TableSpec, d: AnyTransform) -> Iterator[str]:
    tasks = {t.name: t for t in spec.tasks}
    if d.task and d.task not in tasks:
        yield f"the derived column {d.name!r} learns from {d.task!r}, which is no task"
    elif d.task and tasks[d.task].delayed:
        yield f"the derived column {d.name!r} would learn from {d.task!r}, whose positives arrive late"
    if d.how == "history":
        of = next((s for s in spec.sequences if s.name == d.of), None)
        if of is None:
            yield f"the derived column {d.name!r} is of {d.of!r}, which is no sequence"
        elif of.of not in {c.name for c in spec.categorical}:
            yield f"the derived column {d.name!r} is of {d.of!r}, which holds outcomes and no values of a field"


def _use_faults(spec: TableSpec, made: Mapping[str, AnyTransform]) -> Iterator[str]:
    """Derived columns in places that cannot have them."""
    for what, column in (("user", spec.user), ("time", spec.time), ("column of the split", spec.split.column)):
        if column in made:
            yield f"the {what} {column!r} is derived; it must be a column of the table"
    for fields, gives in ((spec.categorical, "text"), (spec.numeric, "number")):
        for f in fields:
            d = made.get(f.column or f.name)
            if d is not None and d.gives != gives:
                yield f"the field {f.name!r} needs a column of {gives}, and {d.name!r} gives a {d.gives}"
