"""The steps of a run of AutoFeature: each asks the agent for one thing and leaves what came of it in the run's folder."""

from __future__ import annotations

from collections import Counter

from agents.autofeature.agent import AutoFeature, Done, Proposals, Shortlist, outcome_of
from agents.autofeature.confirmation import Confirmation
from agents.autofeature.observation import Observation
from agents.autofeature.profile import Profile, document_of
from agents.autofeature.propose import Proposer
from agents.autofeature.report import FeatureView, report_of
from agents.autofeature.shortlist import ProposedRow
from agents.autofeature.trainer import Trainer
from agents.autofeature.trials import Tried
from agents.autofeature.verdicts import Judged
from agents.documents.html import to_html
from agents.documents.markdown import to_markdown
from agents.errors import Stopped
from agents.strict import Strict
from sandboxes.kit.datasets import resolve_source
from workflows.context import RunContext
from workflows.feature_request import FeatureRequest
from workflows.feature_track import track

FeatureContext = RunContext[FeatureRequest, Proposer | None]


class Verdicts(Strict):
    verdicts: tuple[Judged, ...]


def agent_of(ctx: FeatureContext) -> AutoFeature:
    """The agent for this run. Raises `DataError` and `SandboxUnavailable`."""
    source = resolve_source(ctx.request.data, ctx.settings.home / "data", raw=ctx.settings.data_folder)
    trainer = Trainer(
        source,
        ctx.settings.home / "data",
        ctx.runner(composed=True),
        parallel=ctx.settings.parallel,
        stop=ctx.stop,
        emit=ctx.emit,
    )
    known = ctx.folder.load("profile", Profile) if ctx.folder.has("profile.json") else None
    tracked = ctx.folder.read_text("mlflow_run.txt") if ctx.folder.has("mlflow_run.txt") else ""
    return AutoFeature(
        trainer,
        ctx.memory,
        ctx.request.how,
        run=ctx.folder.run_id,
        mlflow_run=tracked,
        created=ctx.folder.summary.created,
        known_profile=known,
        proposer=ctx.engine,
    )


def observe(ctx: FeatureContext) -> None:
    """The profile of the table, and what is known of it."""
    agent = agent_of(ctx)
    ctx.folder.save("profile", agent.profile)
    page = document_of(agent.profile)
    ctx.folder.write_text("profile.html", to_html(page))
    seen = agent.observe()
    ctx.folder.save("observation", seen)
    ctx.folder.update_summary(dataset=seen.dataset)
    ctx.say(f"{agent.profile.rows:,} rows, {len(agent.profile.columns)} columns, {len(seen.active)} changes active from before")
    for s in seen.set_aside:
        ctx.say(f"set aside {s.column}: {s.reason} (--allow {s.column} uses it all the same)")


def propose(ctx: FeatureContext) -> None:
    try:
        offered = agent_of(ctx).proposals(ctx.folder.load("observation", Observation))
    except Stopped:
        ctx.end()
    ctx.folder.save("proposals", offered)
    counts = Counter(row.change.kind for row in offered.rows)
    ctx.say(f"{', '.join(f'{n} proposals to {kind}' for kind, n in sorted(counts.items())) or 'nothing'} to look at")
    if offered.skipped:
        ctx.say(f"{len(offered.skipped)} were tried on this data before and not kept (--again tries them again)")


def shortlist(ctx: FeatureContext) -> None:
    seen, offered = ctx.folder.load("observation", Observation), ctx.folder.load("proposals", Proposals)
    agent = agent_of(ctx)
    try:
        listed = agent.shortlist(seen, offered)
    except Stopped:
        ctx.end()
    ctx.folder.save("shortlist", listed)
    agent.diary(seen, ctx.folder.run_id).note(offered.rows, "proposed")
    ctx.say(plan_in_words(ctx))


def plan_in_words(ctx: FeatureContext) -> str:
    """What a person approves."""
    listed, offered = ctx.folder.load("shortlist", Shortlist), ctx.folder.load("proposals", Proposals)
    runs = (len(listed.bundles) + 1) * ctx.request.seeds
    tries = ", ".join(b.name for b in listed.bundles) or "nothing"
    return f"try {tries}: {runs} trainings of {offered.incumbent.model} at a learning rate of {offered.incumbent.learning_rate:g}"


def try_out(ctx: FeatureContext) -> None:
    seen, offered = ctx.folder.load("observation", Observation), ctx.folder.load("proposals", Proposals)
    listed, agent = ctx.folder.load("shortlist", Shortlist), agent_of(ctx)
    on_trial = [ProposedRow(change=c, why=b.why, by="rules") for b in listed.bundles for c in b.changes]
    agent.diary(seen, ctx.folder.run_id).note(on_trial, "trial")
    try:
        tried = agent.try_out(seen, listed.bundles, offered.incumbent)
    except Stopped:
        ctx.end()
    verdicts = agent.verdicts(tried)
    ctx.folder.save("tried", tried)
    ctx.folder.save("verdicts", Verdicts(verdicts=verdicts))
    for v in verdicts:
        ctx.say(f"{v.name}: {'kept' if v.kept else 'not kept'}, {v.reason}")


def confirm(ctx: FeatureContext) -> Confirmation:
    seen, offered = ctx.folder.load("observation", Observation), ctx.folder.load("proposals", Proposals)
    tried, verdicts = ctx.folder.load("tried", Tried), ctx.folder.load("verdicts", Verdicts).verdicts
    try:
        last = agent_of(ctx).last_word(seen, tried, verdicts, offered.incumbent)
    except Stopped:
        ctx.end()
    ctx.folder.save("confirmation", last)
    ctx.folder.update_summary(verdict=last.verdict)
    ctx.say(f"{last.verdict}: {last.reason}")
    return last


def report(ctx: FeatureContext, status: str, reason: str) -> None:
    """report.html and report.md in the run's folder, and everything in MLflow."""
    agent = agent_of(ctx)
    view = view_of(ctx, agent, status, reason)
    page = report_of(view)
    ctx.folder.write_text("report.html", to_html(page))
    ctx.folder.write_text("report.md", to_markdown(page))
    ctx.folder.write_text("mlflow_run.txt", track(ctx, agent, view))


def view_of(ctx: FeatureContext, agent: AutoFeature, status: str, reason: str) -> FeatureView:
    """What a report shows, as far as the run came."""
    folder = ctx.folder
    return FeatureView(
        run_id=folder.run_id,
        status=status,
        reason=reason,
        request=ctx.request.how,
        sandbox=agent.trainer.sandbox,
        profile=folder.load("profile", Profile),
        seen=folder.load("observation", Observation),
        offered=folder.load("proposals", Proposals),
        listed=folder.load("shortlist", Shortlist),
        tried=folder.load("tried", Tried) if folder.has("tried.json") else None,
        verdicts=folder.load("verdicts", Verdicts).verdicts if folder.has("verdicts.json") else (),
        last=folder.load("confirmation", Confirmation) if folder.has("confirmation.json") else None,
    )


def remember(ctx: FeatureContext) -> None:
    """Features with their states, the decision, its reward and lessons; a repeated step leaves the same ones."""
    agent = agent_of(ctx)
    view = view_of(ctx, agent, "done", "")
    assert view.tried is not None and view.last is not None
    done = Done(tried=view.tried, verdicts=view.verdicts, last=view.last)
    agent.keep(view.seen, done, agent.judge(view.seen, outcome_of(done)))
