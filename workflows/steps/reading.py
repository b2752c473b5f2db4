"""From a source to a `Paper`, and from a `Paper` to a `MethodSpec`."""

from __future__ import annotations

from agents.autotrain.paper import Paper
from agents.autotrain.reading import read_paper
from agents.autotrain.spec import MethodSpec
from workflows.context import Context


def read(ctx: Context) -> Paper:
    """The paper, read once a run: what a link shows later changes nothing."""
    if ctx.folder.has("paper.json"):
        return ctx.folder.load("paper", Paper)
    paper = read_paper(ctx.request.paper, ctx.settings.home / "papers")
    ctx.folder.save("paper", paper)
    ctx.folder.update_summary(title=paper.title)
    ctx.say(
        f"{paper.title!r}: {len(paper.text.split()):,} words, {len(paper.sections)} sections, {len(paper.equations)} equations, "
        f"{len(paper.tables)} tables from {paper.format}"
    )
    return paper


def parse(ctx: Context) -> MethodSpec:
    """What the paper proposes, as the engine understands it."""
    spec = ctx.engine.parse(ctx.folder.load("paper", Paper))
    ctx.folder.save("spec", spec)
    if spec.scope.inside:
        for m in spec.mechanisms:
            ctx.say(f"{m.id} {m.name}: {m.block or 'no block implements it'} ({m.basis}, confidence {m.confidence:.2f})")
    return spec
