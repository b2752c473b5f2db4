"""From a view to a document: the headline first, then what it rests on, then what it takes to check it."""

from __future__ import annotations

from agents.autotrain.report import formats, method, protocol, results
from agents.autotrain.report.view import Outcome, ReportView
from agents.documents.document import Document, Tone

SECTIONS = (
    method.scope,
    results.results,
    results.claims,
    method.fidelity,
    results.ablation,
    method.method,
    method.code,
    protocol.failures,
    protocol.plan,
    protocol.checks,
    protocol.data,
    method.paper,
    protocol.memory,
    protocol.cost,
)

ENDED: dict[Outcome, str] = {
    "done": "done",
    "known": "known",
    "out_of_scope": "out of scope",
    "declined": "declined",
    "no_candidate": "no candidate",
    "stopped": "stopped",
    "failed": "failed",
}


def document_of(view: ReportView) -> Document:
    """The report of a run, however far it came: a section is left out when there is nothing to say in it."""
    badge, tone = _badge(view)
    return Document(
        title=(view.paper.title if view.paper else "") or view.run_id,
        badge=badge,
        tone=tone,
        headline=_headline(view),
        facts=_facts(view),
        sections=tuple(s for s in (make(view) for make in SECTIONS) if s is not None),
    )


def _badge(view: ReportView) -> tuple[str, Tone]:
    if view.outcome == "done" and view.comparison:
        return view.comparison.verdict, formats.VERDICT_TONE[view.comparison.verdict]
    return ENDED[view.outcome], "bad" if view.outcome == "failed" else "warn"


def _headline(view: ReportView) -> str:
    """One sentence; on synthetic data it says so."""
    if view.outcome != "done" or view.comparison is None:
        return _capital(view.reason or "the run ended without a verdict")
    where = formats.dataset(view.plan.dataset, view.plan.synthetic) if view.plan else ""
    return _capital(f"{view.comparison.sentence}{f', on {where}' if where else ''}.")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _facts(view: ReportView) -> tuple[tuple[str, str], ...]:
    facts = [("Paper", view.paper.source)] if view.paper else []
    if view.plan:
        facts.append(("Data", formats.dataset(view.plan.dataset, view.plan.synthetic)))
        facts.append(("Models", f"candidate and {len(view.plan.baselines)} baselines, {len(view.plan.seeds)} seeds each"))
    facts.append(("Engine", formats.engine(view.engine)))
    if view.sandbox:
        facts.append(("Sandbox", view.sandbox))
    if view.cost:
        facts.append(("Time", formats.duration(view.cost.seconds)))
    return (*facts, ("Run", view.run_id))
