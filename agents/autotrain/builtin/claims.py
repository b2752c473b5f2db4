"""Results that the paper reports for its own model, read from tables and sentences.

Only what can be read with certainty: a value stands where the paper's own model and a metric cross in a table whose data
set is named, or in a sentence that names metric, value and data set. Differences and ranges are no values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.autotrain.builtin.findings import known_data
from agents.autotrain.builtin.passages import Passage
from agents.autotrain.builtin.stance import Stance
from agents.autotrain.paper import Paper, Table
from agents.autotrain.reading.sections import section_at
from agents.autotrain.spec import Claim, Evidence

MOST = 12


@dataclass(frozen=True)
class _Metric:
    name: str
    pattern: re.Pattern[str]
    more: bool  # more is better
    low: float
    high: float
    percent: bool = False  # may be written in percent


_METRICS = (
    _Metric("GAUC", re.compile(r"\bG-?AUC\b|\bgroup(?:ed)? AUC\b", re.IGNORECASE), True, 0.3, 1.0, True),
    _Metric("AUC", re.compile(r"\b(?:ROC-?)?AUC(?:-ROC)?\b", re.IGNORECASE), True, 0.3, 1.0, True),
    _Metric("log loss", re.compile(r"\blog-?\s?loss\b|\bcross[- ]entropy\b", re.IGNORECASE), False, 1e-4, 2.0),
    _Metric("RMSE", re.compile(r"\bRMSE\b"), False, 1e-4, 100.0),
)
_DIFFERENCE = re.compile(
    r"\bimp(?:r|rove)\w*|\bgain|\bdifferences?\b|\brel(?:a|ative)|\blift\b|Δ|∆|\\Delta|\bp-?values?\b|\bstd\b(?!\))",
    re.IGNORECASE,
)
_CELL = re.compile(r"^\W{0,3}(?P<value>\d{0,2}\.\d{2,6})\s*(?P<percent>\\?%)?\s*(?:(?:±|\\pm|\+/-)\s*[\d.e-]+\s*%?)?[\W\d]{0,3}$")
_DATA_IN_CAPTION = re.compile(r"\bon (?:the )?([A-Z][\w*∗-]*(?: [A-Z0-9][\w*∗-]*){0,2}?) (?:[Dd]ata\s?set|[Bb]enchmark|data)\b")
_SAID = re.compile(
    r"\b(?P<metric>(?:G-?|ROC-?)?AUC|log-?\s?loss)\b(?:\s+(?:score|value))?\s*(?:of|is|=|:|reaches|reaching|to be)?\s*(?P<value>0\.\d{3,6})\b"
    r"(?P<between>[^.;]{0,30}?)\b(?:on|for)\s+(?:the\s+)?(?P<data>[^.,;]{3,50})",
    re.IGNORECASE,
)
_THEIRS = re.compile(
    r"\bthan\b|\bcompared|\bbaselines?\b|\bversus\b|\bvs\b|\bwhile\b|\bwhereas\b|\bimprove\w*\b|\bgains?\b", re.IGNORECASE
)


def read_claims(paper: Paper, passages: Sequence[Passage], stances: Sequence[Stance], own: Sequence[str]) -> tuple[Claim, ...]:
    """At most `MOST` claims, one for each data set and metric; tables speak before sentences. `own` are the model's names."""
    found: dict[tuple[str, str], Claim] = {}
    for claim in [*_from_tables(paper, own), *_from_sentences(paper, passages, stances)]:
        found.setdefault((_plain(claim.dataset), claim.metric), claim)
    return tuple(found.values())[:MOST]


def _from_tables(paper: Paper, own: Sequence[str]) -> Iterator[Claim]:
    mine = {_plain(name) for name in own if _plain(name)}
    for table in paper.tables:
        if table.rows and not _DIFFERENCE.search(table.caption):
            for rows in (table.rows, _turned(table.rows)):
                claims = list(_by_rows(paper, table, rows, mine))
                yield from claims
                if claims:
                    break


def _by_rows(paper: Paper, table: Table, rows: Sequence[tuple[str, ...]], mine: set[str]) -> Iterator[Claim]:
    """Models down the first column, metrics in the rows above the first one with values."""
    first = next((i for i, row in enumerate(rows) if any(_CELL.match(c.strip()) for c in row[1:])), 0)
    if not first:
        return
    width = len(rows[first])
    body = [row for row in rows[first:] if len(row) == width]
    ours = [row for row in body if _is_own(row[0], mine)]
    if len(ours) != 1:
        return
    others = [row for row in body if row[0].strip() and not _is_own(row[0], mine) and not _variant(row[0], mine)]
    heads = [_spread(row, width) for row in rows[:first]]
    for column in range(1, width):
        labels = [row[column] for row in heads if row]
        metric = _metric(labels)
        data = _data(labels, table.caption)
        value = _value(ours[0][column], metric) if metric else None
        if metric is None or value is None or not data:
            continue
        scored = [(v, row[0]) for row in others if (v := _value(row[column], metric)) is not None]
        best = (max if metric.more else min)(scored, key=lambda s: s[0]) if scored else None
        yield Claim(
            dataset=data,
            metric=metric.name,
            value=value,
            baseline=_clean(best[1]) if best else "",
            baseline_value=best[0] if best else None,
            evidence=_cell_evidence(paper, table, ours[0][column]),
        )


def _turned(rows: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """Rows and columns exchanged; nothing for ragged tables."""
    return tuple(zip(*rows, strict=True)) if len({len(r) for r in rows}) == 1 else ()


def _spread(row: tuple[str, ...], width: int) -> tuple[str, ...]:
    """A header row over `width` columns, the first being the models'; () when it cannot be told what stands above what."""
    cells = row[1:] if len(row) == width else row
    if len(row) == width and any(c.strip() for c in cells):
        filled, last = [row[0]], ""
        for cell in cells:
            last = cell if cell.strip() else last
            filled.append(last)
        return tuple(filled)
    n = len(cells)
    if n and (width - 1) % n == 0 and len(row) < width:
        return ("", *(c for c in cells for _ in range((width - 1) // n)))
    return ()


def _metric(labels: Sequence[str]) -> _Metric | None:
    text = " ".join(labels)
    if _DIFFERENCE.search(text):
        return None
    found = [m for m in _METRICS if m.pattern.search(text)]
    return found[0] if len(found) == 1 else None


def _data(labels: Sequence[str], caption: str) -> str:
    """The data set named above the column, else the only one that the caption names; "" when neither is sure."""
    for label in labels:
        plain = _clean(label)
        if plain and not any(m.pattern.search(plain) for m in _METRICS) and re.search(r"[A-Za-z]{3}", plain) and len(labels) > 1:
            return plain
    known = known_data(" ".join(labels)) or known_data(caption)
    if len(known) == 1:
        return known[0]
    said = _DATA_IN_CAPTION.findall(caption)
    return _clean(said[0]) if len(said) == 1 and not known else ""


def _value(cell: str, metric: _Metric) -> float | None:
    match = _CELL.match(cell.strip())
    if match is None:
        return None
    value = float(match.group("value"))
    if metric.percent and (match.group("percent") or value > 1.0):
        value = round(value / 100, 8)
    return value if metric.low <= value <= metric.high else None


def _is_own(label: str, mine: set[str]) -> bool:
    plain = _plain(re.sub(r"\(ours\)|\bours?\b|\[\s*\d+\s*\]|\\cite\w*\{[^}]*\}", "", label, flags=re.IGNORECASE))
    return plain in mine or (not plain and "our" in label.lower())


def _variant(label: str, mine: set[str]) -> bool:
    """A row about a part or a variant of the paper's own model ("w/o gate", "ABC-small")."""
    plain = _plain(label)
    return any(plain.startswith(m) or m in plain for m in mine if len(m) > 2) or bool(
        re.search(r"\bw/o\b|\bwithout\b", label.lower())
    )


def _cell_evidence(paper: Paper, table: Table, cell: str) -> Evidence | None:
    """The cell itself as it stands in the text after the table's start; None when the text does not show it."""
    if table.start < 0:
        return None
    at = paper.text.find(cell, table.start)
    reach = sum(len(c) + 3 for row in table.rows for c in row) + len(table.caption) + 20
    if at < 0 or at > table.start + reach:
        return None
    section = section_at(paper, at)
    return Evidence(quote=cell, section=section.title if section else "", start=at, end=at + len(cell))


def _from_sentences(paper: Paper, passages: Sequence[Passage], stances: Sequence[Stance]) -> Iterator[Claim]:
    """Sentences that give one value of one metric on one known data set, and compare with nothing."""
    for passage, stance in zip(passages, stances, strict=True):
        text = paper.text[passage.start : passage.end]
        if passage.table or passage.formula or passage.role == "related" or not _speaks_of_itself(passage, stance):
            continue
        said = list(_SAID.finditer(text))
        if len(said) != 1 or _THEIRS.search(text):
            continue
        data = known_data(said[0].group("data"))
        metric = _metric([said[0].group("metric")])
        value = _value(said[0].group("value"), metric) if metric else None
        if metric is not None and value is not None and len(data) == 1:
            yield Claim(dataset=data[0], metric=metric.name, value=value, evidence=passage.evidence(paper))


def _speaks_of_itself(passage: Passage, stance: Stance) -> bool:
    return stance.voice == "own" or any(w.kind == "name" for w in passage.words)


def _clean(label: str) -> str:
    return " ".join(re.sub(r"\[\s*\d+\s*\]|\\cite\w*\{[^}]*\}|[*∗†‡]", "", label).split())


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
