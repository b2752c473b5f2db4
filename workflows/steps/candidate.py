"""The candidates' code: written and changed, kept with what came of it. Candidate n lies under code/n/ in the run's folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from agents.autotrain.engine import Code, Failure, Rung, Tried
from agents.autotrain.fidelity import LeafRow, MechanismRow, lacking
from agents.autotrain.recall import Recall
from agents.autotrain.search import Bounds, Candidate, Move, Origin, first_line, next_move
from agents.autotrain.spec import MethodSpec
from agents.strict import Strict
from sandboxes.jobs import ModelSource
from workflows.context import Context
from workflows.request import ReproductionRequest
from workflows.run_folder import RunFolder

CANDIDATE = "candidate"


class Written(Strict):
    """A candidate beside its text: whether it holds only the kit's own blocks, what was left out, and where it came from."""

    composed: bool
    notes: tuple[str, ...] = ()
    parent: int | None = None
    origin: Origin = "draft"
    calls: tuple[int, int] = (0, 0)  # which of the run's paid calls asked for it: from, to (not included)


class Outcome(Strict):
    """How far a candidate came: where it failed and why, and how faithful it is."""

    failed_at: Rung | None = None
    fault: str = ""
    fidelity: float = 0.0


class Chosen(Strict):
    """Which candidate was trained on all the data."""

    candidate: int


class ReviewResult(Strict):
    """The rubric as judged, and from it a row a mechanism."""

    leaves: tuple[LeafRow, ...] = ()
    rows: tuple[MechanismRow, ...] = ()
    main_mechanism: str | None = None


def lessons_are_told(request: ReproductionRequest) -> bool:
    """Whether the writer is told of the past; the built-in engine has no use for it."""
    return bool(request.model) and not request.isolated


def choose(ctx: Context, done_with: list[int], drafts_over: bool) -> Move:
    """What to write, change or train next. Chance depends on the paper alone, so that a replay decides as what was recorded."""
    bounds = Bounds(ctx.settings.drafts, ctx.settings.repairs, ctx.settings.improvements)
    return next_move(tried(ctx), done_with, drafts_over, bounds, ctx.folder.load("spec", MethodSpec).paper_id)


def write(ctx: Context, number: int) -> bool:
    """A draft, kept as candidate `number`; False when the engine has no other than it wrote before. Raises `NothingToBuild`."""
    spec = ctx.folder.load("spec", MethodSpec)
    _begin(ctx, number)
    lessons = ctx.folder.load("recall", Recall).lessons if lessons_are_told(ctx.request) else ()
    told = [f"{known.in_words}. {known.reason}" for known in lessons]
    code = ctx.engine.write(spec, ctx.prepared.schema, [*_remembered(ctx), *_written(ctx, number)], told)
    return _keep(ctx, number, code, None, "draft")


def change(ctx: Context, number: int, of: int, origin: Literal["repair", "improvement"]) -> bool:
    """A changed candidate `of`, kept as candidate `number`; False when the engine has nothing more to offer."""
    spec = ctx.folder.load("spec", MethodSpec)
    _begin(ctx, number)
    changed = ctx.engine.repair(spec, ctx.prepared.schema, load_code(ctx, of), _failure(ctx, of, origin))
    return changed is not None and _keep(ctx, number, changed, of, origin)


def tried(ctx: Context) -> list[Candidate]:
    """Every candidate of the run, in the order in which they were written."""
    found, number = [], 1
    while ctx.folder.has(f"code/{number}/written.json"):
        written = written_of(ctx, number)
        outcome = outcome_of(ctx, number)
        found.append(Candidate(number=number, parent=written.parent, origin=written.origin, **outcome.model_dump()))
        number += 1
    return found


def written_of(ctx: Context, number: int) -> Written:
    return ctx.folder.load(f"code/{number}/written", Written)


def outcome_of(ctx: Context, number: int) -> Outcome:
    name = f"code/{number}/outcome"
    return ctx.folder.load(name, Outcome) if ctx.folder.has(f"{name}.json") else Outcome()


def keep_outcome(ctx: Context, number: int, **changes: object) -> None:
    """Notes where a candidate failed, or how faithful it is."""
    changed = Outcome.model_validate(outcome_of(ctx, number).model_dump() | changes)
    ctx.folder.save(f"code/{number}/outcome", changed)


def chosen(ctx: Context) -> int:
    """The candidate that was trained, else the last one written; 0 when there is none."""
    return ctx.folder.load("trained", Chosen).candidate if ctx.folder.has("trained.json") else len(tried(ctx))


def load_code(ctx: Context, number: int) -> Code:
    about = written_of(ctx, number)
    return Code(ctx.folder.read_text(f"code/{number}/model.py"), about.composed, about.notes)


def source_of(code: Code, name: str = CANDIDATE) -> ModelSource:
    return ModelSource(name, code=code.text, composed=code.composed)


def _begin(ctx: Context, number: int) -> None:
    """Notes how many calls were paid before; once, so that what was paid before a crash is the candidate's too."""
    if not ctx.folder.has(f"code/{number}/calls_before.txt"):
        ctx.folder.write_text(f"code/{number}/calls_before.txt", str(len(ctx.account.calls.calls)))


def _keep(ctx: Context, number: int, code: Code, parent: int | None, origin: Origin) -> bool:
    if any(ctx.folder.read_text(f"code/{c.number}/model.py") == code.text for c in tried(ctx) if c.number < number):
        return False
    ctx.folder.write_text(f"code/{number}/model.py", code.text)
    calls = int(ctx.folder.read_text(f"code/{number}/calls_before.txt")), len(ctx.account.calls.calls)
    written = Written(composed=code.composed, notes=code.notes, parent=parent, origin=origin, calls=calls)
    ctx.folder.save(f"code/{number}/written", written)
    ctx.say(f"candidate {number}: {'a draft' if parent is None else f'{origin} of candidate {parent}'}")
    for note in code.notes if parent is None else ():
        ctx.say(note)
    return True


def _failure(ctx: Context, number: int, origin: Literal["repair", "improvement"]) -> Failure:
    if origin == "improvement":
        return Failure("fidelity", _lacks(ctx, number))
    outcome = outcome_of(ctx, number)
    assert outcome.failed_at
    return Failure(outcome.failed_at, outcome.fault)


def _lacks(ctx: Context, number: int) -> str:
    return lacking(ctx.folder.load(f"code/{number}/review", ReviewResult).leaves)


def _written(ctx: Context, number: int) -> Iterator[Tried]:
    """Earlier drafts of this run, each with what became of it."""
    for c in tried(ctx):
        if c.number < number and c.origin == "draft":
            said = (
                f"failed at {c.failed_at}: {first_line(c.fault)}"
                if c.failed_at
                else f"runs, and lacks this: {_lacks(ctx, c.number)}"
            )
            yield Tried(ctx.folder.read_text(f"code/{c.number}/model.py"), f"an earlier draft for this specification; it {said}")


def _remembered(ctx: Context) -> Iterator[Tried]:
    """Models of methods like this one that were trained here."""
    if not lessons_are_told(ctx.request):
        return
    for past in ctx.folder.load("recall", Recall).models:
        folder = RunFolder(ctx.settings.home / "runs" / past.run_id)
        if folder.has("model.py"):
            yield Tried(folder.read_text("model.py"), f"a model for {past.name or 'a similar paper'}; {past.outcome}")
