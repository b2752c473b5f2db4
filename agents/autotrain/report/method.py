"""The part of a report on the paper's method: what was understood, on which words, and how the code stands to it."""

from __future__ import annotations

from agents.autotrain.fidelity import LeafRow
from agents.autotrain.report import formats
from agents.autotrain.report.view import CodeView, FidelityView, ReportView
from agents.autotrain.spec import Evidence, MethodSpec
from agents.documents.document import Block, Cell, Fold, Items, Listing, Quote, Section, Table, Text, Tone, number, table

STATUS_TONE: dict[str, Tone] = {"implemented": "good", "simplified": "warn", "missing": "bad"}
JUDGEMENT_TONE: dict[str, Tone] = {"met": "good", "partly": "warn", "missing": "bad"}
QUOTES_A_MECHANISM = 3


def scope(view: ReportView) -> Section | None:
    """The words that put a paper out of scope."""
    if view.spec is None or view.spec.scope.inside:
        return None
    found = view.spec.scope
    said: tuple[Block, ...] = tuple(_quote(e, found.kind.replace("_", " ")) for e in found.evidence)
    kind = f"Judged as: {found.kind.replace('_', ' ')}. {found.reason}"
    return Section("scope", "Why it is out of scope", (Text(kind), *(said or (Text("No passage is quoted for it.", "muted"),))))


def fidelity(view: ReportView) -> Section | None:
    """For each mechanism, how the code has it, with links to the lines."""
    if not view.fidelity:
        return None
    length = len(_listing(view.code).lines) if view.code else 0
    rows: list[tuple[Cell | str, ...]] = [
        (row.mechanism, row.name, Cell(row.status, STATUS_TONE[row.status]), _lines(row, length), row.note or formats.NONE)
        for row in view.fidelity
    ]
    made = sum(row.status == "implemented" for row in view.fidelity)
    blocks: list[Block] = [
        Text(f"{made} of {len(rows)} mechanisms stand in the code as in the paper, says {formats.engine(view.engine)}."),
        table("Fidelity to the paper", ("Id", "Mechanism", "In the code", "Lines", "Note"), rows),
    ]
    if view.rubric:
        blocks.append(Fold("The rubric, leaf by leaf", (_rubric(view.rubric, length),)))
    if view.code and view.code.notes:
        blocks += [Text("Simplified or left out on writing:"), Items(view.code.notes)]
    return Section("fidelity", "Fidelity", tuple(blocks))


def method(view: ReportView) -> Section | None:
    """The spec: mechanisms with basis, confidence and quotes; hyper-parameters; what stayed unclear."""
    spec = view.spec
    if spec is None or not (spec.mechanisms or spec.unclear or spec.hyper_parameters):
        return None
    blocks: list[Block] = []
    if spec.mechanisms:
        blocks.append(_mechanisms(spec))
        quotes = [_quote(e, f"{m.id} {m.name}") for m in spec.mechanisms for e in m.evidence[:QUOTES_A_MECHANISM]]
        blocks += [Text("The words these rest on:"), *quotes] if quotes else []
    if spec.unclear:
        blocks.append(Text("Passages that propose something no mechanism above covers:", "warn"))
        blocks += [_quote(e, "unclear") for e in spec.unclear]
    if spec.hyper_parameters:
        blocks.append(_hyper_parameters(spec))
    named = [
        f"{label}: {', '.join(f'{n.name} ({n.basis})' for n in names)}"
        for label, names in (
            ("Losses", spec.losses),
            ("Training scheme", spec.scheme),
            ("Data sets the paper names", spec.datasets),
            ("Baselines the paper names", spec.baselines),
        )
        if names
    ]
    blocks += [Items(tuple(named))] if named else []
    return Section("method", "The method as understood", tuple(blocks))


def code(view: ReportView) -> Section | None:
    """The candidate's code with line numbers."""
    if view.code is None:
        return None
    origin = (
        "Composed by the built-in engine from the kit's own blocks."
        if view.code.composed
        else f"Written by {view.engine}: untrusted code."
    )
    return Section(
        "code",
        "The code",
        (
            Text(f"{origin} SHA-256 {view.code.code_hash}"),
            _listing(view.code),
        ),
    )


def paper(view: ReportView) -> Section | None:
    """What was read, and what reading could not do."""
    if view.paper is None:
        return None
    p = view.paper
    sizes = [
        f"{formats.count(n)} {what}"
        for n, what in (
            (p.pages, "pages"),
            (p.words, "words"),
            (p.sections, "sections"),
            (p.equations, "equations"),
            (p.tables, "tables"),
        )
        if n
    ]
    rows: list[tuple[Cell | str, ...]] = [
        ("Title", p.title),
        ("Source", p.source),
        ("Format", p.format),
        ("Read", ", ".join(sizes)),
    ]
    if view.spec and view.spec.scope.inside:
        rows += [("Model", view.spec.model_name or "no name given"), ("Task", view.spec.task.replace("_", " "))]
    if view.spec:
        rows.append(("Understood by", formats.engine(view.spec.read_by)))
    blocks: list[Block] = [table("The paper as read", ("What", "Value"), rows)]
    if p.notes:
        blocks.append(Fold("Notes from reading", (Items(p.notes),)))
    return Section("paper", "The paper", tuple(blocks))


def _mechanisms(spec: MethodSpec) -> Table:
    rows: list[tuple[Cell | str, ...]] = [
        (
            m.id,
            m.name,
            Cell(m.block) if m.block else Cell("no block implements it", "warn"),
            m.basis,
            number(f"{m.confidence:.2f}"),
            ", ".join(f"{k} = {formats.value(v)}" for k, v in m.arguments.items()) or formats.NONE,
        )
        for m in spec.mechanisms
    ]
    return table("Mechanisms", ("Id", "Mechanism", "Block", "Basis", "Confidence", "Arguments"), rows)


def _hyper_parameters(spec: MethodSpec) -> Table:
    rows: list[tuple[Cell | str, ...]] = [
        (h.name, number(formats.value(h.value)), h.basis, formats.one_line(h.evidence.quote, 160) if h.evidence else formats.NONE)
        for h in spec.hyper_parameters
    ]
    return table("Hyper-parameters", ("Name", "Value", "Basis", "Words"), rows)


def _rubric(rows: tuple[LeafRow, ...], length: int) -> Table:
    shown: list[tuple[Cell | str, ...]] = [
        (
            row.leaf,
            row.kind,
            row.asks,
            Cell(row.judgement, JUDGEMENT_TONE[row.judgement]) if row.judgement else "not judged",
            row.decided_by,
            _lines(row, length),
            row.note or formats.NONE,
        )
        for row in rows
    ]
    return table("The rubric", ("Leaf", "Kind", "Asked for", "Judged", "Decided by", "Lines", "Note"), shown)


def _lines(row: FidelityView | LeafRow, length: int) -> Cell:
    """The lines, linked when the listing has them."""
    if row.lines is None:
        return Cell(formats.NONE)
    first, last = row.lines
    return Cell(f"{first}–{last}" if last != first else str(first), link=f"L{first}" if 1 <= first <= length else "")


def _listing(code: CodeView) -> Listing:
    return Listing(code.text, "model.py as it was trained", "python", numbered=True)


def _quote(evidence: Evidence, about: str) -> Quote:
    place = evidence.section + (
        "" if evidence.start >= 0 else f"{' · ' if evidence.section else ''}not found word for word in the paper"
    )
    return Quote(evidence.quote, about, place)
