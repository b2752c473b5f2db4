"""Writes a blueprint down as `model.py`: the file as a whole, its constructor and the comments that name mechanisms.

What the methods compute stands in `render_forward`. Nothing of a paper but cleaned names and sections reaches the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agents.autotrain.builtin.blueprint import Blueprint, Part
from agents.autotrain.builtin.render_forward import STAGED_LOSS, has_own_loss, main_loss, methods
from agents.autotrain.builtin.source_text import LONGEST, call, indented, wrapped

# What the constructors' parameters without a default are given, in the constructor's own words.
GIVEN = {
    "schema": "schema",
    "embedding_dim": "embedding_dim",
    "n_fields": "n_fields",
    "n_tasks": "n_tasks",
    "n_numeric": "len(schema.numeric)",
    "n_scenarios": "n_scenarios",
    "n_outcomes": "len(log.outcomes)",
    "auxiliary_loss": f'"{STAGED_LOSS}"',
    "teacher": "self",  # as far as it is built
}
OF_ITEMS = ("ItemScores", "n_query_fields", "query_fields")  # what joins blocks where items are scored
GAP = "not from the paper: fills a gap that it leaves"


def render(blueprint: Blueprint) -> str:
    """The text of `model.py`."""
    body = list(_class(blueprint))
    imports = _imports(blueprint, "\n".join(body))
    lines = [*_docstring(blueprint), "", *imports, "", "", "class Model(nn.Module):", *indented(body)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _docstring(b: Blueprint) -> Iterator[str]:
    kind = "A policy" if b.of_actions else "A model of the next item," if b.of_items else "A click model"
    yield f'"""{kind} composed from blocks of the kit; comments such as "m1: ..." name the mechanisms of the paper.'
    yield ""
    if b.notes:
        yield "Otherwise than in the paper:"
        for note in b.notes:
            yield from wrapped(f"- {note}", hanging="  ")
        yield ""
    last = "I ids of the target item" if b.of_items else "T tasks"
    yield f"Notation: B rows, F fields, D embedding width, L history length, K width of a vector, {last}."
    yield '"""'


def _imports(b: Blueprint, body: str) -> Iterator[str]:
    used = {p.card.block for p in b.parts} | {name for name in OF_ITEMS if f"{name}(" in body}
    blocks = sorted(used, key=lambda name: (not name.isupper(), name))
    kit = ["Batch", *(["Collection"] if b.of_items else []), "Schema", *(["Stage"] if b.schemes else [])]
    if has_own_loss(b) and not b.loss:
        kit.append(main_loss(b))
    yield "from __future__ import annotations"
    yield ""
    if b.schemes:
        yield "from collections.abc import Sequence"
        yield ""
    if "torch." in body:
        yield "import torch"
    yield "from torch import Tensor, nn"
    yield ""
    yield f"from sandboxes.kit import {', '.join(kit)}"
    yield from call("from sandboxes.kit.layers import ", blocks, bare=True)


def _class(b: Blueprint) -> Iterator[str]:
    yield f'"""{_summary(b)}"""'
    yield ""
    keywords = [f"{s.name}: {s.annotation} = {s.default}" for s in b.settings]
    yield from call("def __init__", ["self", "schema: Schema", "*", *keywords], tail=" -> None:")
    yield from indented(_constructor(b))
    for method in methods(b):
        yield ""
        yield from method


def _summary(b: Blueprint) -> str:
    stated = [s.name for s in b.settings if s.from_paper]
    values = f"; {', '.join(stated)} as the paper states" if stated else ""
    what = f"Scores (B, I) of all {'actions' if b.of_actions else 'items'}" if b.of_items else "Logits (B, T) of the data's tasks"
    return f"{what}{values}."


def _constructor(b: Blueprint) -> Iterator[str]:
    yield "super().__init__()"
    yield from _sizes(b)
    yield from _embedding(b)
    for part in (*b.features, *b.histories, *b.inputs):
        yield from _assigned(part)
    if b.has_flat:
        yield from call("width = ", ["n_fields * embedding_dim", *_out_dims((*b.histories, *b.inputs))], joined=" + ")
    for part in (*b.scenarios, *b.parallels, *b.deeps):
        yield from _assigned(part)
    yield from _output(b)
    for part in (*b.terms, *b.heads, *b.outermost):
        yield from _assigned(part)


def _sizes(b: Blueprint) -> Iterator[str]:
    if b.scenarios or any(p.ports.per_sequence for p in b.parts):
        yield "self.schema = schema"
    if _mentions(b, "n_fields") or b.has_flat:
        counted = "schema.n_fields + len(schema.sequences)" if b.pools_histories else "schema.n_fields"
        yield f"n_fields = {'n_query_fields(schema)' if b.of_items else counted}"
    if _mentions(b, "n_tasks") or (b.has_representation and b.tower is None and not b.of_items):
        yield "n_tasks = len(schema.tasks)"
    if any("scenario" in p.ports.takes for p in b.parts):
        yield "assert schema.scenario is not None"
        yield "self.scenario_column = schema.index_of(schema.scenario)"
    if _mentions(b, "n_scenarios"):
        yield "n_scenarios = schema.categorical[self.scenario_column].cardinality"


def _embedding(b: Blueprint) -> Iterator[str]:
    if b.embedding is None:
        return
    arguments = _arguments(b.embedding)
    if b.numeric is not None:
        yield from _comment(b.numeric)
        yield from call(f"{b.numeric.attribute} = {b.numeric.card.block}", _arguments(b.numeric))
        arguments = [*arguments, f"numeric={b.numeric.attribute}"]
    yield from _comment(b.embedding)
    yield from call(f"self.embedding = {b.embedding.card.block}", arguments)


def _output(b: Blueprint) -> Iterator[str]:
    """What turns the representation into logits or scores."""
    if b.tower is not None:
        if b.parallels:
            yield from call("represented = ", ["width", *_out_dims(b.parallels)], joined=" + ")
        yield from _assigned(b.tower, in_dim="represented" if b.parallels else "width")
    elif b.has_representation:
        sizes = " + ".join(_out_dims((*b.deeps, *b.parallels)))
        if b.scores_by_product:
            yield from call("self.output = ItemScores", ["schema", "embedding_dim", sizes])
        elif not b.of_items:
            yield from call("self.output = nn.Linear", [sizes, "n_tasks"])
        for part in b.scorers:
            yield from _assigned(part, sizes)
    else:
        for part in b.scorers:
            yield from _assigned(part)


def _assigned(part: Part, in_dim: str = "width") -> Iterator[str]:
    """The block is built, for each history anew where it works on histories. `in_dim` is the width of the vector it takes."""
    yield from _comment(part)
    if not part.ports.per_sequence:
        yield from call(f"self.{part.attribute} = {part.card.block}", _arguments(part, in_dim))
        return
    yield f"self.{part.attribute} = nn.ModuleList("
    yield from indented(call(part.card.block, _arguments(part, in_dim), longest=LONGEST - 4))
    yield "    for log in schema.event_logs" if part.ports.per_log else "    for _ in schema.sequences"
    yield ")"


def _arguments(part: Part, in_dim: str = "") -> list[str]:
    given = {**GIVEN, "in_dim": in_dim}
    return [*(given[name] for name in part.required), *(f"{parameter}={keyword}" for parameter, keyword in part.keywords)]


def _comment(part: Part) -> Iterator[str]:
    if not part.sources:
        if part.card.name != "embedding":
            yield f"# {GAP}"
        return
    for source in part.sources:
        where = f" ({source.section})" if source.section else ""
        yield from wrapped(f"# {source.id}: {source.name}{where}", hanging="#   ")


def _out_dims(parts: Sequence[Part]) -> list[str]:
    return [
        f"sum(block.out_dim for block in self.{p.attribute})" if p.ports.per_sequence else f"self.{p.attribute}.out_dim"
        for p in parts
    ]


def _mentions(b: Blueprint, parameter: str) -> bool:
    return any(parameter in p.required for p in b.parts)
