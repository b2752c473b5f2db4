"""Results that the paper reports for its own model, read from tables and sentences.

Only what can be read with certainty: a value stands in the column of a metric and the row of the paper's own model, or in
a sentence of the paper's own that names metric, value and data set. Differences and percentages are no values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agents.autotrain.builtin.findings import known_data
from agents.autotrain.builtin.passages import Passage
from agents.autotrain.paper import Paper, Table
from agents.autotrain.spec import Claim, Evidence

MOST = 12
BEFORE = 300  # characters
_Metric = tuple[str, bool, float, float]  # name, whether more is better, range
_CUTOFF = r"\s?@\s?\$?(?P<k>\d{1,3})\b"
# Metrics by name: pattern, whether more is better, and the range of a possible value. A cutoff is part of the name.
_METRICS: tuple[tuple[str, re.Pattern[str], bool, float, float], ...] = (
    ("GAUC", re.compile(r"\bG-?AUC\b|\bgroup AUC\b", re.IGNORECASE), True, 0.3, 1.0),
    ("AUC", re.compile(r"\b(?:ROC-?)?AUC\b(?:-ROC)?|\barea under (?:the )?(?:ROC )?curve\b", re.IGNORECASE), True, 0.3, 1.0),
    ("log loss", re.compile(r"\blog-?\s?loss\b|\bcross[- ]entropy\b", re.IGNORECASE), False, 0.001, 1.5),
    ("RMSE", re.compile(r"\bRMSE\b"), False, 0.0001, 100.0),
    ("nDCG", re.compile(rf"\bn?DCG{_CUTOFF}", re.IGNORECASE), True, 0.0001, 1.0),
    ("recall", re.compile(rf"\brecall{_CUTOFF}", re.IGNORECASE), True, 0.0001, 1.0),
    ("hit rate", re.compile(rf"\b(?:HR|hits?(?:[- ]rate|[- ]ratio)?){_CUTOFF}", re.IGNORECASE), True, 0.0001, 1.0),
)
_CELL = re.compile(
    r"^[\s*†‡↑↓∗$\\a-z{}()]*(?P<value>\d?\.\d{2,6}|\d{2}\.\d{1,4}\s*%?)(?:\s*(?:±|\\pm)\s*[\d.]+)?[\s*†‡∗$\\{}%]*$"
)
_SAID = re.compile(
    r"(?P<metric>(?:G-?|ROC-?)?AUC|log-?\s?loss|(?:n?DCG|recall|HR|hit(?:[- ]rate|[- ]ratio)?)@\d{1,3})"
    r"\s+(?:score\s+)?(?:of|is|=|:|reaches|to be)?\s*(?P<value>0\.\d{3,6})\b"
    r"[^.;]{0,40}?\bon\s+(?:the\s+)?(?P<data>[^.,;]{3,60})",
    re.IGNORECASE,
)


def read_claims(paper: Paper, passages: Sequence[Passage], own: Sequence[str]) -> tuple[Claim, ...]:
    """At most `MOST` claims, those of tables first; one for each data set and metric."""
    found: dict[tuple[str, str], Claim] = {}
    for claim in [*_from_tables(paper, own), *_from_sentences(paper, passages)]:
        found.setdefault((claim.dataset, claim.metric), claim)
    return tuple(found.values())[:MOST]


def _from_tables(paper: Paper, own: Sequence[str]) -> Iterator[Claim]:
    for table in paper.tables:
        yield from _by_rows(paper, table, own)


def _by_rows(paper: Paper, table: Table, own: Sequence[str]) -> Iterator[Claim]:
    """Models in the first column, metrics in the header."""
    body = next((i for i, row in enumerate(table.rows) if sum(_value(c) is not None for c in row[1:]) >= 1), None)
    if not body:
        return
    header, rows = table.rows[:body], [r for r in table.rows[body:] if len(r) > 1]
    mine = [r for r in rows if _is_own(r[0], own)]
    if not mine:
        return
    width = len(mine[-1])
    for column in range(1, width):
        metric = _metric_of(header, column, width) or _only_metric(table.caption)
        if metric is None:
            continue
        name, more, low, high = metric
        data = _data_of(header, column, width) or known_data(table.caption) or known_data(_before(paper, table))
        value = _best([r for r in mine if len(r) == width], column, more, low, high)
        if value is None or not data:
            continue
        others = [r for r in rows if len(r) == width and r[0].strip() and not _may_be_own(r[0], own)]
        base = _best(others, column, more, low, high)
        row = value[1]
        start, quote = _place(paper, table, row)
        yield Claim(
            dataset=data,
            metric=name,
            value=value[0],
            baseline=_clean(base[1][0]) if base else "",
            baseline_value=base[0] if base else None,
            evidence=Evidence(quote=quote, section="", start=start, end=start + len(quote) if start >= 0 else -1),
        )


def _value(cell: str) -> float | None:
    """The number of a cell that holds one number and its marks; per cent becomes a share."""
    match = _CELL.match(cell.strip())
    if match is None:
        return None
    text = match.group("value").rstrip("% ")
    value = float(text)
    return round(value / 100, 8) if "%" in cell or value >= 10 else value


def _is_own(cell: str, own: Sequence[str]) -> bool:
    """Whether a row is the paper's own model: its name, with marks or "(ours)" around it."""
    name = _clean(cell)
    if re.search(r"\bours?\b|\bproposed\b", cell, re.IGNORECASE):
        return True
    return any(_plain(name) == _plain(o) for o in own if o)


def _may_be_own(cell: str, own: Sequence[str]) -> bool:
    """Its own model, a variant of it, or another model that has its name within its own: no certain baseline."""
    return _is_own(cell, own) or any(_plain(o) in _plain(cell) for o in own if len(_plain(o)) > 2)


def _before(paper: Paper, table: Table) -> str:
    """The lines right before a table, where texts without captions say what it shows."""
    return paper.text[max(0, table.start - BEFORE) : table.start] if table.start >= 0 else ""


def _clean(cell: str) -> str:
    return " ".join(re.sub(r"\\[a-z]+|[*†‡∗{}$]", "", cell).split())


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9+]", "", name.lower())


def _metric_of(header: Sequence[tuple[str, ...]], column: int, width: int) -> _Metric | None:
    """The metric that a header cell of the column names."""
    return next((m for row in reversed(header) if (m := _only_metric(_over(row, column, width)))), None)


def _over(row: tuple[str, ...], column: int, width: int) -> str:
    """The cell of a header row above a column. A row that leaves out the first column, or spans several columns evenly with
    each cell, is spread over the others; any other cannot be assigned."""
    if len(row) == width:
        return row[column]
    return row[(column - 1) * len(row) // (width - 1)] if row and (width - 1) % len(row) == 0 else ""


def _only_metric(text: str) -> _Metric | None:
    """The metric that a text names, None when it names none or several; the same with two cutoffs is several."""
    named = [m for m in _METRICS if m[1].search(text)]
    if len(named) > 1 and named[0][0] == "GAUC" and not re.search(r"(?<!G)(?<!G-)(?<!group )\bAUC\b", text, re.IGNORECASE):
        named = [m for m in named if m[0] != "AUC"]
    if len(named) != 1:
        return None
    name, pattern, more, low, high = named[0]
    cutoffs = {match.group("k") for match in pattern.finditer(text)} if "k" in pattern.groupindex else set()
    return ("@".join((name, *cutoffs)), more, low, high) if len(cutoffs) < 2 else None


def _data_of(header: Sequence[tuple[str, ...]], column: int, width: int) -> str:
    """The data set that stands above the column: in its own cell, or in the last filled one to the left of it."""
    for row in header:
        cells = [_over(row, c, width) for c in range(1, column + 1)]
        above = next((cell for cell in reversed(cells) if cell.strip()), "")
        if known_data(above):
            return known_data(above)
    return ""


def _best(
    rows: Sequence[tuple[str, ...]], column: int, more: bool, low: float, high: float
) -> tuple[float, tuple[str, ...]] | None:
    """The best value of the column among the rows, with its row."""
    values = [(value, row) for row in rows if (value := _value(row[column])) is not None and low <= value <= high]
    if not values:
        return None
    return max(values, key=lambda v: v[0]) if more else min(values, key=lambda v: v[0])


def _place(paper: Paper, table: Table, row: tuple[str, ...]) -> tuple[int, str]:
    """Where the row stands in the paper's text; -1 when the text does not hold it as one line."""
    quote = " | ".join(row)
    return paper.text.find(quote, max(0, table.start)), quote


def _from_sentences(paper: Paper, passages: Sequence[Passage]) -> Iterator[Claim]:
    """ "an AUC of 0.8007 on Criteo", where the paper speaks of itself."""
    for passage in passages:
        if passage.role not in ("abstract", "experiments", "conclusion") or not any(w.kind == "name" for w in passage.words):
            continue
        for match in _SAID.finditer(paper.text, passage.start, passage.end):
            metric, data = _only_metric(match.group("metric")), known_data(match.group("data"))
            value = float(match.group("value"))
            if metric and data and metric[2] <= value <= metric[3]:
                start, end = match.span()
                evidence = Evidence(quote=paper.text[start:end], section=passage.section, start=start, end=end)
                yield Claim(dataset=data, metric=metric[0], value=value, evidence=evidence)
