"""A profile as a document: what to look at first, then each thing with its numbers."""

from __future__ import annotations

from agents.autofeature.profile import plots
from agents.autofeature.profile.column_tables import columns_section
from agents.autofeature.profile.model import ColumnDrift, Profile, Suspect
from agents.autofeature.profile.wording import chance, counted, named, percent
from agents.documents.document import (
    Block,
    Cell,
    Document,
    Figure,
    Figures,
    Fold,
    Items,
    Section,
    Table,
    Text,
    Tone,
    number,
    table,
)

SHOWN = 15  # columns in the table of those that drift


def document_of(profile: Profile) -> Document:
    badge, tone = _badge(profile)
    sections = (_suspects, _labels, columns_section, _drift, _duplicates, _notes)
    return Document(
        title=profile.name,
        badge=badge,
        tone=tone,
        headline=_headline(profile),
        facts=_facts(profile),
        sections=tuple(s for s in (make(profile) for make in sections) if s is not None),
        kicker="AgenticRS profile of a table",
    )


def _columns(profile: Profile, severity: str) -> list[str]:
    """Each suspected column once, those that are to be refused only there; the order of the rows has no name."""
    refused = {s.column for s in profile.suspects if s.severity == "refuse"}
    wanted = [s.column for s in profile.suspects if s.severity == severity and (severity == "refuse" or s.column not in refused)]
    return [_name(c) for c in dict.fromkeys(wanted)]


def _name(column: str) -> str:
    return column or "the order of rows"


def _badge(profile: Profile) -> tuple[str, Tone]:
    refused, looked = _columns(profile, "refuse"), _columns(profile, "look")
    if refused:
        return f"{_counted(refused)} to refuse", "bad"
    if looked:
        return f"{_counted(looked)} to look at", "warn"
    return ("nothing could be checked", "warn") if not _checked(profile) else ("no suspects", "good")


def _counted(columns: list[str]) -> str:
    return counted(len(columns), "suspect" if _name("") in columns else "column")


def _checked(profile: Profile) -> bool:
    return any(t.positives and t.observed > t.positives for t in profile.tasks)


def _headline(profile: Profile) -> str:
    parts = []
    if refused := _columns(profile, "refuse"):
        parts.append(f"do not use {named(refused)}")
    if looked := _columns(profile, "look"):
        parts.append(f"ask where {named(looked)} {'comes' if len(looked) == 1 else 'come'} from")
    if moving := [c.column for c in profile.drift.columns if c.level in ("moderate", "large")]:
        parts.append(f"mind that {named(moving)} {'drifts' if len(moving) == 1 else 'drift'}")
    if profile.duplicates.share >= 0.01:
        parts.append(f"mind that {percent(profile.duplicates.share)} of rows are copies")
    size = f"{counted(profile.rows, 'row')} and {counted(len(profile.columns), 'column')}"
    if not _checked(profile):
        parts.append("no label with both classes could be read, so that no column could be checked against it")
    return f"{size}: {'; '.join(parts) or 'nothing stands out; the columns are below'}."


def _facts(profile: Profile) -> tuple[tuple[str, str], ...]:
    facts = [("Rows", f"{profile.rows:,}"), ("Columns", f"{len(profile.columns):,}")]
    facts += [(f"Positive rate of {t.name}", percent(t.rate)) for t in profile.tasks[:3]]
    if profile.sample_rows < profile.rows:
        facts.append(("Compared on", f"an even sample of {profile.sample_rows:,} rows"))
    if profile.provenance:
        facts.append(("Source", ("synthetic: " if profile.synthetic else "") + profile.provenance))
    return tuple(facts)


def _suspects(profile: Profile) -> Section:
    asked = (
        "Each column was asked whether it tells a label alone, whether its being there does, whether it is later than its row, "
        "whether ids or the order of rows give the label away, and whether it is a copy of such a column; chance and the number "
        "of questions are allowed for. A leak that is spread over several columns is not found."
    )
    blocks: list[Block] = []
    if profile.suspects:
        headers = ("column", "verdict", "why", "label", "evidence")
        blocks.append(table("Columns that may know the label beforehand", headers, [_suspect(s) for s in profile.suspects]))
    elif _checked(profile):
        blocks.append(Text("No column seems to know a label beforehand.", "good"))
    else:
        blocks.append(Text("No label could be read that has both classes: nothing is known of leaks.", "warn"))
    return Section("suspects", "Suspects", (*blocks, Text(asked, "muted")))


def _suspect(s: Suspect) -> tuple[Cell | str, ...]:
    return _name(s.column), Cell(s.severity, "bad" if s.severity == "refuse" else "warn"), s.reason, s.task or "any", s.evidence


def _labels(profile: Profile) -> Section:
    rows: list[tuple[Cell | str, ...]] = [
        (t.name, t.column, number(f"{t.observed:,}"), number(f"{t.positives:,}"), number(percent(t.rate))) for t in profile.tasks
    ]
    blocks: list[Block] = [table("Tasks", ("task", "column", "observed", "positives", "positive rate"), rows)]
    problems = {t.problem for t in profile.tasks if t.problem}
    blocks += [Text(p, "bad") for p in sorted(problems)]
    figures = plots.positive_rates(profile.drift, profile.tasks)
    if figures:
        blocks.append(Figures(figures))
        moved = [f"{r.task} moves between windows (p {chance(r.p_value)})" for r in profile.drift.rates if r.drifting]
        blocks.append(Text(f"The positive rate of {'; of '.join(moved)}." if moved else "No positive rate moves beyond noise."))
    return Section("labels", "Labels", tuple(blocks))


def _drift(profile: Profile) -> Section:
    drift = profile.drift
    if drift.unavailable:
        return Section("drift", "Drift", (Text(f"Not available: {drift.unavailable}.", "muted"),))
    said = (
        f"{len(drift.windows)} windows along {drift.order}, each compared with the first by the population stability index "
        "(below 0.1 small, above 0.25 large); whether a column drifts at all is a chi-square test over all windows, at a level "
        "of 1 % for all columns together."
    )
    moving = [c for c in drift.columns if c.drifting]
    still = [c for c in drift.columns if not c.drifting]
    blocks: list[Block] = [Text(said)]
    figures: tuple[Figure, ...] = tuple(f for f in (plots.indices(drift), plots.news(drift)) if f)
    blocks += [Figures(figures)] if figures else []
    blocks += [_drift_table("Columns that drift most", moving[:SHOWN])] if moving else [Text("No column drifts.", "good")]
    rest = moving[SHOWN:] + still
    blocks += [Fold(f"{counted(len(rest), 'other column')}", (_drift_table("Other columns", rest),))] if rest else []
    windows: list[tuple[Cell | str, ...]] = [
        (str(i), w.said, number(f"{w.rows:,}"), *(number(percent(r)) for r in w.rates)) for i, w in enumerate(drift.windows, 1)
    ]
    headers = ("window", "span", "rows", *(f"positive rate of {t.name}" for t in profile.tasks))
    return Section("drift", "Drift", (*blocks, Fold("The windows", (table("Windows", headers, windows),))))


def _drift_table(caption: str, columns: list[ColumnDrift]) -> Table:
    tones: dict[str, Tone] = {"large": "bad", "moderate": "warn"}
    rows: list[tuple[Cell | str, ...]] = [
        (
            c.column,
            Cell(c.level if c.drifting else "within noise", tones.get(c.level, "")),
            number(f"{c.psi[-1]:.4f}"),
            number(f"{c.expected:.4f}"),
            number(f"{max(c.steps, default=0.0):.4f}"),
            number(chance(c.p_value)),
            number("–" if c.new is None else percent(c.new[-1])),
        )
        for c in columns
    ]
    headers = ("column", "drift", "last against first", "noise alone", "largest step", "p", "new values in the last")
    return table(caption, headers, rows)


def _duplicates(profile: Profile) -> Section:
    found = profile.duplicates
    rows: list[tuple[Cell | str, ...]] = [
        ("copies of an earlier row, in all columns", number(f"{found.rows:,}"), number(percent(found.share))),
        ("copies of an earlier row, in the described features", number(f"{found.alike:,}"), number(percent(found.alike_share))),
    ]
    for c in found.contradictions:
        what = f"alike in the features with both labels of {c.task}"
        rows.append((what, number(f"{c.rows:,}"), number(percent(c.share))))
    blocks: list[Block] = [table("Rows that stand more than once", ("rows", "count", "share"), rows)]
    if profile.redundant:
        items = tuple(f"{', '.join(g.columns)} ({'equal' if g.equal else 'one to one'})" for g in profile.redundant)
        blocks += [Text("Columns that say the same; one of each group is enough:"), Items(items)]
    return Section("duplicates", "Duplicates", tuple(blocks))


def _notes(profile: Profile) -> Section | None:
    if not profile.notes:
        return None
    return Section("notes", "Notes", (Items(tuple(f"{n[:1].upper()}{n[1:]}." for n in profile.notes)),))
