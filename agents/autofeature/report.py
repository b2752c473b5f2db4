"""The report of a run of AutoFeature as a document: the decision first, then what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.autofeature.agent import Proposals, Shortlist
from agents.autofeature.changes import Add, counted_in_words, derivation, together_in_words
from agents.autofeature.confirmation import Confirmation
from agents.autofeature.observation import Observation
from agents.autofeature.plots import gains
from agents.autofeature.profile import Profile
from agents.autofeature.select import Selection
from agents.autofeature.settings import Settings
from agents.autofeature.trials import Trial, Tried
from agents.autofeature.verdicts import Judged
from agents.documents.document import Block, Cell, Document, Figures, Fold, Items, Section, Table, Text, Tone, number, table

TONES: dict[str, Tone] = {"adopted": "good", "not adopted": "", "nothing to adopt": "muted"}
NONE = "–"


@dataclass(frozen=True)
class FeatureView:
    """A run as far as it came: what each step left. `tried` and `last` are None where it ended before."""

    run_id: str
    status: str
    reason: str
    request: Settings
    sandbox: str
    profile: Profile
    seen: Observation
    offered: Proposals
    listed: Shortlist
    tried: Tried | None = None
    verdicts: Sequence[Judged] = ()
    last: Confirmation | None = None


def report_of(view: FeatureView) -> Document:
    badge = view.last.verdict if view.last else view.status.replace("_", " ")
    return Document(
        title=f"Features of {view.seen.dataset}",
        kicker="AgenticRS report on features",
        badge=badge,
        tone=TONES.get(badge, "warn"),
        headline=_headline(view),
        facts=tuple(_facts(view)),
        sections=tuple(
            s for s in (_decision(view), _trials(view), _aside(view), _proposals(view), _selection(view), _use(view)) if s
        ),
    )


def _headline(view: FeatureView) -> str:
    if view.last is None:
        return f"The run ended before a decision: {view.reason or view.status}."
    synthetic = " On generated data, which says nothing about real users." if view.profile.synthetic else ""
    return f"{_capital(counted_in_words(view.last.changes))}: {view.last.reason}.{synthetic}"


def _facts(view: FeatureView) -> Iterator[tuple[str, str]]:
    incumbent, settings = view.offered.incumbent, view.request
    yield "Data", f"{view.seen.dataset}, {view.profile.rows:,} rows{' (synthetic)' if view.profile.synthetic else ''}"
    yield "Judged by", f"{incumbent.model}, learning rate {incumbent.learning_rate:g} (tuned), batches of {incumbent.batch_size}"
    yield "Seeds", f"{len(settings.trial_seeds)} for each trial, {len(settings.fresh_seeds)} others for the last word on test"
    yield "Kept", f"at a false discovery rate of {settings.economy.rate:g}, from {settings.economy.least:g} AUC on, paid for"
    yield "Sandbox", view.sandbox
    if view.last and view.last.auc_before is not None and view.last.auc_after is not None:
        yield "AUC on test", f"{view.last.auc_before:.4f} before, {view.last.auc_after:.4f} after"
    yield "Run", view.run_id


def _decision(view: FeatureView) -> Section | None:
    last = view.last
    if last is None or not last.changes:
        return None
    blocks: list[Block] = [Items(tuple(together_in_words(last.changes).split("; "))), Text(_capital(last.reason) + ".")]
    if last.cost:
        blocks.append(Text(f"Together they cost {last.cost.in_words} of the served model."))
    return Section("decision", "Decision", tuple(blocks))


def _trials(view: FeatureView) -> Section | None:
    if view.tried is None:
        return None
    verdicts = {v.name: v for v in view.verdicts}
    rows = [_trial(t, verdicts[t.name]) for t in view.tried.trials]
    if not rows:
        return Section(
            "trials", "Trials", (Text("Nothing was worth a trial: no proposal explains what the model does not know."),)
        )
    caption = "Each change by itself, against the model as it is, on valid; intervals hold at 95 %"
    heads = ("Trial", "What", "AUC gained", "Interval", "p", "Megabytes", "ms per 1,000 rows", "Verdict")
    why = Items(tuple(f"{t.name}: {verdicts[t.name].reason}" for t in view.tried.trials))
    plot = gains(view.tried.trials, {v.name: v.kept for v in view.verdicts})
    plots = (Figures((plot,)),) if plot else ()
    return Section("trials", "Trials", (*plots, table(caption, heads, rows), Fold("Why", (why,))))


def _trial(t: Trial, verdict: Judged) -> tuple[Cell | str, ...]:
    gain, cost = t.gain, t.cost
    what = derivation(t.changes[0]) if len(t.changes) == 1 and isinstance(t.changes[0], Add) else together_in_words(t.changes)
    return (
        t.name,
        what,
        number(f"{gain.value:+.4f}" if gain else NONE),
        number(f"{gain.low:+.4f} to {gain.high:+.4f}" if gain else NONE),
        number(NONE if not gain else "< 0.0001" if t.p < 0.0001 else f"{t.p:.4f}"),
        number(f"{cost.bytes / 1e6:+.2f}" if cost else NONE),
        number(f"{cost.ms:+.2f}" if cost else NONE),
        Cell("kept", "good") if verdict.kept else Cell("failed" if t.failure else "not kept", "bad" if t.failure else "muted"),
    )


def _aside(view: FeatureView) -> Section | None:
    if not view.seen.set_aside:
        return None
    said = Text("Nothing is made of these columns. Who knows that one is known before the label may allow it with --allow.")
    rows: list[tuple[Cell | str, ...]] = [(s.column, s.reason) for s in view.seen.set_aside]
    return Section(
        "aside", "Set aside: they may know the label", (said, table("Columns set aside", ("Column", "Evidence"), rows))
    )


def _proposals(view: FeatureView) -> Section | None:
    if not view.offered.rows:
        return None
    screened = {s.name: s for s in view.listed.screened}
    said = Text(
        "Each proposal is asked whether it explains residuals of the model on train rows that the model has not seen: z is about"
        " standard normal where it explains nothing. Those chosen one after the other are judged by what is left."
    )
    ordered = sorted(view.offered.rows, key=lambda r: -screened[r.change.name].alone if r.change.name in screened else 0.0)
    rows: list[tuple[Cell | str, ...]] = []
    for row in ordered:
        s = screened.get(row.change.name)
        rows.append(
            (
                row.change.name,
                row.why,
                row.by,
                number(f"{s.alone:.1f}" if s else NONE),
                number(f"{s.z:.1f}" if s else NONE),
                Cell("tried", "good") if s and s.chosen else Cell("", "muted"),
            )
        )
    heads = ("Proposal", "Why", "By", "z alone", "z beside the others", "")
    blocks: list[Block] = [said, Fold(f"{len(rows)} proposals", (table("Proposals", heads, rows),))]
    if view.offered.skipped:
        blocks.append(Text(f"Tried on this data before and not kept: {', '.join(view.offered.skipped)}."))
    return Section("proposals", "Proposals", tuple(blocks))


def _selection(view: FeatureView) -> Section | None:
    selection = view.listed.selection
    if selection is None:
        return Section("selection", "Ranking of fields", (Text(f"Fields could not be ranked: {view.listed.unranked}"),))
    blocks: list[Block] = [Text(_agreement(selection)), _ranks(selection), _stability(selection)]
    blocks += [Items(tuple(f"{name}: {why}" for name, why in selection.unusable.items()))] if selection.unusable else []
    return Section("selection", "Ranking of fields", tuple(blocks))


def _agreement(selection: Selection) -> str:
    tau = selection.agreement.mean_kendall
    agree = f"Methods agree with a mean Kendall tau of {tau:.2f}. " if tau is not None else ""
    idle = ", ".join(selection.idle) or "none"
    return f"{agree}Fields in which no method that knows its error finds more than chance: {idle}."


def _ranks(selection: Selection) -> Table:
    """Each field's place by every method, on the first seed, in the order of the consensus."""
    methods = list(dict.fromkeys(s.method for s in selection.scores))
    first = {m: next(s for s in selection.scores if s.method == m) for m in methods}
    places = {m: {name: place for place, name in enumerate(s.ranking, 1)} for m, s in first.items()}
    rows: list[tuple[Cell | str, ...]] = [
        (row.field, number(f"{row.rank:.2f}"), *(number(str(places[m].get(row.field, NONE))) for m in methods))
        for row in selection.consensus.rows
    ]
    heads = ("Field", "Consensus", *(m.replace("_", " ") for m in methods))
    return table("Places of fields by each method; the consensus is the mean normalised rank, 1 being the best", heads, rows)


def _stability(selection: Selection) -> Table:
    rows: list[tuple[Cell | str, ...]] = [
        (
            s.method.replace("_", " "),
            number(NONE if s.kendall is None else f"{s.kendall:.2f}"),
            number(NONE if s.stability is None else f"{s.stability:.2f}"),
        )
        for s in selection.stability
    ]
    caption = f"Agreement of each method with itself over {len(selection.stability[0].seeds)} seeds"
    return table(caption, ("Method", "Kendall tau", f"Stability of the first {selection.stability[0].top}"), rows)


def _use(view: FeatureView) -> Section | None:
    if view.last is None or view.last.verdict != "adopted":
        return None
    lines = (
        "The model with these features is logged in MLflow and takes raw rows: what the transforms learned travels with it.",
        f"agenticrs features list {view.seen.dataset} shows what is active, features show NAME how it came there.",
        f"agenticrs features export {view.seen.dataset} FOLDER writes the table and its description, features included.",
    )
    return Section("use", "How to use it", (Items(lines),))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
