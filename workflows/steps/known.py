"""What memory knows of a candidate before it is trained: the same model on the same data by the same protocol is run once."""

from __future__ import annotations

from agents.autotrain.configuration import configuration
from agents.autotrain.plan import ExperimentPlan
from agents.strict import Strict
from memory.narrowing import Only
from memory.records import OutcomeRecord, RunRecord
from workflows.context import Context
from workflows.steps.candidate import ReviewResult, load_code

VERDICTS = ("better", "worse", "tie")


class KnownOutcome(Strict):
    """What the newest of the runs with this configuration came to."""

    configuration: str
    run: str
    verdict: str
    reason: str

    @property
    def in_words(self) -> str:
        name = self.run.removeprefix("run-")
        return (
            f"run {name} compared this very model on this data by this protocol: {self.reason} (agenticrs memory show {self.run} "
            "says more; --fresh-seeds compares it again on other seeds)"
        )


def look_up(ctx: Context, number: int) -> KnownOutcome | None:
    """The known outcome of candidate `number`, None where there is none or the user wants another."""
    if ctx.request.again or ctx.request.fresh_seeds or ctx.request.isolated:
        return None
    plan, code = ctx.folder.load("plan", ExperimentPlan), load_code(ctx, number)
    found = _newest(ctx, configuration(code.text, plan))
    if found:
        ctx.folder.write_text("model.py", code.text)
        ctx.folder.save("review", ctx.folder.load(f"code/{number}/review", ReviewResult))
        ctx.folder.save("known", found)
        ctx.folder.update_summary(verdict=found.verdict)
        ctx.say(found.in_words)
    return found


def first_fresh_seed(ctx: Context, dataset: str, data_hash: str) -> int:
    """After all seeds that were compared on this data before."""
    runs = [r for r in ctx.memory.all("run", Only(dataset=dataset)) if isinstance(r, RunRecord) and r.data_hash == data_hash]
    return max((r.first_seed + r.seeds for r in runs), default=1)


def _newest(ctx: Context, tried: str) -> KnownOutcome | None:
    for run in reversed(ctx.memory.all("run", Only(topic=tried))):
        for outcome in ctx.memory.children(run.id):
            if isinstance(outcome, OutcomeRecord) and outcome.status == "done" and outcome.verdict in VERDICTS:
                return KnownOutcome(configuration=tried, run=run.id, verdict=outcome.verdict, reason=outcome.reason)
    return None
