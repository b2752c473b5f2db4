"""What the command line says of the modelling kit: its blocks by slot, its reference models, the data sets known by name."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.datasets import DATASETS, DataSet
from sandboxes.kit.example import whole_example
from sandboxes.kit.layers import CARDS
from sandboxes.kit.models import ALL_MODELS
from sandboxes.kit.needs import in_words
from sandboxes.kit.ports import JOINTS, SLOTS

if TYPE_CHECKING:
    from rich.console import Console
    from torch import nn

Kind = Literal["blocks", "models", "data"]
Entry = dict[str, Any]  # what is said of one thing, ready to be written as JSON
CALLED: Mapping[Kind, str] = MappingProxyType({"blocks": "block", "models": "model", "data": "data set"})


class NotInTheKit(LookupError):
    """The user's mistake: nothing has that name. The text says what was perhaps meant."""


def listing(kind: Kind | None = None) -> list[Entry]:
    """Everything of `kind`, or everything there is: kind, name, slot ("" but for blocks) and summary."""
    order = list(SLOTS)
    rows = [_row("blocks", c.name, c.summary, c.slot) for c in sorted(CARDS, key=lambda c: order.index(c.slot))]
    rows += [_row("models", name, _first_line(inspect.getmodule(model))) for name, model in ALL_MODELS.items()]
    rows += [_row("data", d.name, d.description) for d in DATASETS]
    return [row for row in rows if kind in (None, row["kind"])]


def find(name: str, kind: Kind | None = None) -> list[Entry]:
    """All that the kit says of what is called `name`, a block's class included; a block and a model may share a name.

    Raises `NotInTheKit`.
    """
    asked = name.lower().replace("-", "_")
    blocks = [_block(c) for c in CARDS if asked in (c.name, c.block.lower())]
    models = [_model(n, model) for n, model in ALL_MODELS.items() if asked == n]
    data = [_data(d) for d in DATASETS if name.lower() == d.name]
    found = [entry for entry in (*blocks, *models, *data) if kind in (None, entry["kind"])]
    if not found:
        known = [row["name"] for row in listing(kind)]
        spoken_of = [n for n in known if asked in n or n in _speaking_of(name)]
        near = list(dict.fromkeys([*get_close_matches(asked, known, n=3, cutoff=0.5), *spoken_of[:2]]))
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise NotInTheKit(
            f"the kit has no {CALLED[kind] if kind else 'block, model or data set'} named {name}; {hint}"
            "agenticrs kit list shows all"
        )
    return found


def print_listing(console: Console, rows: Sequence[Entry]) -> None:
    from rich.markup import escape
    from rich.table import Table

    for title in dict.fromkeys(map(_title, rows)):
        table = Table("name", "summary", box=None, pad_edge=False, show_header=False)
        for row in rows:
            if _title(row) == title:
                table.add_row(f"[bold]{row['name']}[/]", escape(row["summary"]))
        console.print(f"[dim]{title}[/]", highlight=False)
        console.print(table)
        console.print()


def print_entry(console: Console, entry: Entry) -> None:
    """Line by line, and the arguments as a table; code stands as it is, so that it can be pasted."""
    from rich.markup import escape
    from rich.table import Table

    console.print(f"[bold]{entry['name']}[/], a {CALLED[entry['kind']]}", highlight=False)
    for name, value in entry.items():
        if name in ("kind", "name", "arguments", "example") or not value:
            continue
        said = "; ".join(value) if isinstance(value, list) else value
        console.print(f"  [dim]{name}:[/] {escape(said)}", highlight=False, soft_wrap=True)
    if arguments := entry.get("arguments"):
        table = Table(*arguments[0], box=None, pad_edge=False)
        table.columns[0].min_width = max(len(next(iter(a.values()))) for a in arguments)  # names stay whole, however narrow
        for argument in arguments:
            table.add_row(*(escape("; ".join(v) if isinstance(v, list) else v) for v in argument.values()))
        console.print(table)
    if example := entry.get("example"):
        console.print(f"\n{example}", markup=False, highlight=False, soft_wrap=True)


def _speaking_of(phrase: str) -> list[str]:
    """Blocks that the field calls so."""
    return [c.name for c in CARDS if any(phrase.lower() in cue for cue in c.cues)]


def _title(row: Entry) -> str:
    if row["kind"] != "blocks":
        return {"models": "reference models", "data": "data sets"}[row["kind"]]
    place = SLOTS[row["slot"]]
    return f"blocks, {row['slot']}: {place.purpose}"


def _row(kind: Kind, name: str, summary: str, slot: str = "") -> Entry:
    return {"kind": kind, "name": name, "slot": slot, "summary": summary}


def _block(card: Card) -> Entry:
    return {
        "kind": "blocks",
        "name": card.name,
        "summary": card.summary,
        "equation": card.equation,
        "class": f"sandboxes.kit.layers.{card.block}",
        "slot": f"{card.slot}, {SLOTS[card.slot].purpose}",
        "takes and gives": str(card.ports),
        "joins": JOINTS[card.placement].said if card.placement else "",
        "needs": list(in_words(card.needs)),
        "cues": list(card.cues),
        "arguments": [_argument(a) for a in card.arguments],
        "example": whole_example(card),
    }


def _argument(a: Argument) -> Entry:
    span = "" if a.low is None or a.high is None else f"{a.low:g} to {a.high:g}"
    return {"argument": a.name, "default": repr(a.default), "range": span, "in papers": list(a.phrases)}


def _model(name: str, model: type[nn.Module]) -> Entry:
    return {
        "kind": "models",
        "name": name,
        "summary": _first_line(inspect.getmodule(model)),
        "class": f"sandboxes.kit.models.{model.__name__}",
        "says": " ".join((inspect.getdoc(model) or "").split("\n\n")[0].split()),
        "arguments": list(_keywords(model)),
    }


def _keywords(model: type[nn.Module]) -> Iterator[Entry]:
    for p in inspect.signature(model).parameters.values():
        default = "" if p.default is inspect.Parameter.empty else repr(p.default)
        yield {"argument": p.name, "type": str(p.annotation), "default": default}


def _data(data: DataSet) -> Entry:
    known = {"kind": "data", "name": data.name, "summary": data.description, "licence": data.licence, "files": data.files}
    return {
        **known,
        "comes as": {"files": "official files", "packaged": "part of the package", "synthetic": "generated"}[data.kind],
    }


def _first_line(documented: object) -> str:
    return (inspect.getdoc(documented) or "").split("\n")[0]
