"""The profile's tables of columns: all at a glance, then numbers and frequent values."""

from __future__ import annotations

from agents.autofeature.profile.model import ColumnProfile, Profile
from agents.autofeature.profile.numbers import LEVELS
from agents.autofeature.profile.wording import amount, percent
from agents.documents.document import Block, Cell, Fold, Section, Table, Tone, number, table
from agents.documents.svg import clipped

MEDIAN, LOW, HIGH = LEVELS.index(0.5), LEVELS.index(0.05), LEVELS.index(0.95)
OWN = 0.5  # share of rows with a value of their own, from which that is what to say of a column
SHORT = 32  # characters of a value in a table


def columns_section(profile: Profile) -> Section:
    blocks: list[Block] = [_glance(profile)]
    numbers = [c for c in profile.columns if c.numbers is not None and c.numbers.quantiles and c.kind in ("number", "category")]
    if numbers:
        blocks.append(Fold("Numbers: moments and quantiles", (_numbers(numbers),)))
    frequent = [c for c in profile.columns if c.top and c.kind in ("category", "id", "text", "constant", "list")]
    if frequent:
        blocks.append(Fold("Frequent values and concentration", (_frequent(frequent),)))
    return Section("columns", "Columns", tuple(blocks))


def _glance(profile: Profile) -> Table:
    headers = ("column", "kind", "role", "type", "distinct", "missing", "holds", "AUC alone")
    bad: dict[str, Tone] = {s.column: "bad" if s.severity == "refuse" else "warn" for s in reversed(profile.suspects)}
    rows: list[tuple[Cell | str, ...]] = [
        (
            c.name,
            Cell(c.kind, "muted" if c.kind == "constant" else ""),
            Cell(", ".join(c.roles), bad.get(c.name, "muted" if c.roles == ("unused",) else "")),
            c.dtype.partition("(")[0],
            number(f"{'' if c.exact else '≈'}{c.distinct:,}"),
            Cell(percent(c.missing), "warn" if c.missing >= 0.5 else "", number=True),
            _holds(c, profile.rows),
            number(_tells(profile, c.name)),
        )
        for c in profile.columns
    ]
    caption = "All columns of the table, described or not, and how well each alone tells a label (in brackets: perhaps by chance)"
    return table(caption, headers, rows)


def _tells(profile: Profile, column: str) -> str:
    """How well the column alone tells the task that it tells best; in brackets where that may be chance."""
    best = max((t for t in profile.tells if t.column == column), key=lambda t: t.low, default=None)
    if best is None:
        return "–"
    return f"{best.auc:.3f}" if best.low > 0.5 else f"({best.auc:.3f})"


def _holds(c: ColumnProfile, rows: int) -> str:
    """What the column holds, in the words that its kind asks for."""
    if c.kind == "time" and c.earliest:
        return f"{c.earliest} to {c.latest}"
    if c.kind == "number" and c.numbers is not None and c.numbers.quantiles:
        q = c.numbers.quantiles
        return f"{amount(q[MEDIAN])} (90% within {amount(q[LOW])} to {amount(q[HIGH])})"
    if c.kind == "constant":
        return f"always {clipped(c.top[0].text, SHORT)!r}" if c.top else "nothing"
    if c.kind in ("id", "text") and c.once is not None:
        if c.once >= OWN or not c.distinct:
            return f"{percent(c.once)} of rows have a value of their own"
        return f"{amount(round((1 - c.missing) * rows / c.distinct, 1))} rows a value" + (
            f", {percent(c.top[0].share)} have {clipped(c.top[0].text, SHORT)}" if c.top else ""
        )
    if c.top:
        return ", ".join(f"{clipped(v.text, SHORT)} ({percent(v.share)})" for v in c.top[:2])
    return ""


def _numbers(columns: list[ColumnProfile]) -> Table:
    headers = ("column", "minimum", *(f"{level:.0%}" for level in LEVELS), "maximum", "mean", "std", "skewness")
    rows: list[tuple[Cell | str, ...]] = []
    for c in columns:
        n = c.numbers
        assert n is not None
        shown = [n.minimum, *n.quantiles, n.maximum, n.mean, n.std, n.skewness]
        rows.append((c.name, *(number(amount(v)) for v in shown)))
    return table("Of all rows; quantiles and skewness of the sample", headers, rows)


def _frequent(columns: list[ColumnProfile]) -> Table:
    headers = ("column", "most frequent", "share of the first", "entropy, bits", "rows with a value seen once")
    rows: list[tuple[Cell | str, ...]] = [
        (
            c.name,
            "; ".join(f"{clipped(v.text, SHORT)} ({percent(v.share)})" for v in c.top),
            number(percent(c.top[0].share)),
            number("–" if c.entropy is None else f"{c.entropy:.2f}"),
            number(percent(c.once)),
        )
        for c in columns
    ]
    return table("How rows are shared among values", headers, rows)
