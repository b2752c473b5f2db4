"""The part of a report that lets others check and repeat: plan, tuning, checks, data, memory, cost, environment."""

from __future__ import annotations

from collections.abc import Mapping

from agents.autotrain.report import formats
from agents.autotrain.report.view import AttemptView, CostView, DataView, ModelView, Paid, ReportView
from agents.compare.question import Question
from agents.documents.document import Block, Cell, Fold, Items, Listing, Section, Table, Text, number, table

SYNTHETIC = (
    "This data set is synthetic: made by a generator, not seen in the world. "
    "Nothing measured on it says how the method does on real users."
)


def plan(view: ReportView) -> Section | None:
    """One protocol for all models, and what tuning chose for each."""
    if view.plan is None:
        return None
    p = view.plan
    rows: list[tuple[Cell | str, ...]] = [
        ("Data", formats.dataset(p.dataset, p.synthetic)),
        ("Tasks", f"{', '.join(p.tasks)}; the verdict is about {p.primary_task}"),
        ("Baselines", ", ".join(p.baselines)),
        ("Seeds, the same for every model", ", ".join(map(str, p.seeds))),
        ("Settings tried for every model", str(p.trials)),
        ("Embedding width", str(p.embedding_dim)),
        ("Batch size", formats.count(p.batch_size)),
        ("Epochs", f"at most {p.max_epochs}, stopped after {p.patience} without a better {p.question.measure.words} on valid"),
        ("Processes a run, and threads of each", f"{p.processes}, {p.threads}"),
        ("Way of training", p.way.said),
        ("Estimate beforehand", f"{p.estimated_minutes:g} minutes: {p.estimate_basis}"),
    ]
    blocks: list[Block] = [
        table("Protocol", ("What", "Value"), rows),
        Text(
            "Models are tuned and chosen on valid; test was opened once, afterwards. "
            f"Its {p.question.answers} never entered a sandbox.",
            "muted",
        ),
    ]
    if view.models:
        blocks.append(_chosen(view.models))
        if any(m.result.trials for m in view.models):
            blocks.append(Fold("Every tuning trial", (_trials(view.models, p.question),)))
    return Section("protocol", "Protocol", tuple(blocks))


def checks(view: ReportView) -> Section | None:
    """What the code policy and the smoke tests said of each attempt."""
    if not view.attempts:
        return None
    blocks: list[Block] = []
    for attempt in view.attempts:
        blocks += _attempt(attempt, len(view.attempts))
    if view.paper_parameters:
        blocks.append(Text(f"Parameters by the paper's own account: {view.paper_parameters}."))
    return Section("checks", "Checks before training", tuple(blocks))


def data(view: ReportView) -> Section | None:
    """Which data, where from, how split, and whether the split leaks."""
    if view.data is None:
        return None
    d = view.data
    blocks: list[Block] = []
    if d.synthetic:
        blocks.append(
            Text(
                SYNTHETIC,
                "warn",
            )
        )
    blocks.append(_data_table(d, view.question))
    if d.leak_checks:
        rows: list[tuple[Cell | str, ...]] = [(c.name, _passed(c.passed), c.detail or formats.NONE) for c in d.leak_checks]
        blocks.append(table("Leak checks", ("Check", "Result", "Detail"), rows))
    return Section("data", "Data", tuple(blocks))


def memory(view: ReportView) -> Section | None:
    """What was known before anything was proposed."""
    if view.recall is None:
        return None
    if view.recall.empty:
        return Section("memory", "What memory knew", (Text("Nothing near enough to this paper was on record."),))
    papers = tuple(
        f"{p.title} (similarity {p.similarity:.2f}): {'; '.join(p.outcomes) or 'no outcome on record'}"
        for p in view.recall.papers
    )
    lessons = tuple(f"{known.in_words}{f'. Last: {known.reason}' if known.reason else ''}" for known in view.recall.lessons)
    blocks: list[Block] = [Text("Similar papers read before:"), Items(papers)] if papers else []
    blocks += [Text("Lessons:"), Items(lessons)] if lessons else []
    return Section("memory", "What memory knew", tuple(blocks))


def cost(view: ReportView) -> Section | None:
    """What it took, where it ran, and how to run it again."""
    rows: list[tuple[Cell | str, ...]] = [("Run", view.run_id), ("Begun", view.created), ("Engine", formats.engine(view.engine))]
    if view.sandbox:
        rows.append(("Sandbox", f"{view.sandbox}: {view.sandbox_note}" if view.sandbox_note else view.sandbox))
    if view.cost:
        rows += _cost_rows(view.cost)
    blocks: list[Block] = [table("Cost", ("What", "Value"), rows)]
    if view.cost and view.cost.llm_steps:
        blocks.append(_steps(view.cost.llm_steps))
    if view.environment:
        facts: list[tuple[Cell | str, ...]] = [(name, text) for name, text in view.environment.items()]
        blocks.append(table("Environment", ("What", "Value"), facts))
    if view.command:
        blocks += [Text("To run it again:"), Listing(view.command, "The command that runs it again", "sh")]
    return Section("cost", "Cost and environment", tuple(blocks))


def failures(view: ReportView) -> Section | None:
    """Everything that went wrong on the way."""
    if not view.failures:
        return None
    blocks = tuple(
        block for f in view.failures for block in (Text(f"At {f.stage}:"), Listing(f.message, f"What was said at {f.stage}"))
    )
    return Section("failures", "What went wrong on the way", blocks)


def _cost_rows(c: CostView) -> list[tuple[Cell | str, ...]]:
    rows: list[tuple[Cell | str, ...]] = [("Wall-clock time", formats.duration(c.seconds))]
    if c.runs:
        reused = f", {c.reused_runs} of them found finished from before" if c.reused_runs else ""
        rows.append(("Training", f"{c.runs} runs{reused}, {formats.duration(c.training_seconds)} in all"))
    if c.sandbox_seconds:
        rows.append(("In sandboxes", f"{formats.duration(c.sandbox_seconds)}, the jobs of this run added up"))
    if not c.llm:
        return [*rows, ("Language model", "none; the built-in engine costs nothing")]
    money = formats.usd(c.llm_usd, "price not known")
    tokens = f"{formats.count(c.llm_input_tokens)} tokens in, {formats.count(c.llm_output_tokens)} out"
    return [*rows, ("Language model", f"{c.llm}: {tokens}, {money}")]


def _steps(steps: Mapping[str, Paid]) -> Table:
    rows: list[tuple[Cell | str, ...]] = [
        (
            step,
            number(str(s.calls)),
            number(formats.count(s.input_tokens)),
            number(formats.count(s.output_tokens)),
            number(formats.usd(s.usd, "unknown")),
            number(f"{s.seconds:.1f}"),
        )
        for step, s in steps.items()
    ]
    return table("What was asked of the language model", ("Step", "Calls", "Tokens in", "Tokens out", "Cost", "Seconds"), rows)


def _chosen(models: tuple[ModelView, ...]) -> Table:
    rows: list[tuple[Cell | str, ...]] = [
        (m.name, formats.setting(m.result.setting), number(str(max(len(m.result.trials), 1))), m.result.device or formats.NONE)
        for m in models
    ]
    return table("Settings chosen on valid", ("Model", "Setting", "Tried", "Device"), rows)


def _trials(models: tuple[ModelView, ...], question: Question) -> Table:
    rows: list[tuple[Cell | str, ...]] = [
        (
            m.name,
            number(str(i)),
            formats.setting(t.setting),
            number(formats.decimal(t.valid)),
            Cell(t.status, "" if t.status == "ok" else "bad"),
            number(f"{t.seconds:.1f}"),
        )
        for m in models
        for i, t in enumerate(m.result.trials, 1)
    ]
    return table("Tuning trials", ("Model", "Trial", "Setting", f"Valid {question.measure.words}", "Status", "Seconds"), rows)


def _attempt(attempt: AttemptView, of: int) -> list[Block]:
    head = f"Attempt {attempt.number}: " if of > 1 else ""
    came = "" if attempt.parent is None else f"{_ORIGIN[attempt.origin]} of attempt {attempt.parent}; "
    blocks: list[Block] = []
    if attempt.policy:
        blocks += [Text(f"{head}{came}refused by the code policy:", "bad"), Items(attempt.policy)]
    else:
        blocks.append(Text(f"{head}{came}the code policy found nothing against it."))
    if attempt.checks:
        rows: list[tuple[Cell | str, ...]] = [(c.name, _passed(c.passed), c.detail or formats.NONE) for c in attempt.checks]
        smoke = table(f"{head}smoke tests", ("Test", "Result", "Seen"), rows)
        passed = all(c.passed for c in attempt.checks)
        blocks.append(Fold(f"{head}all {len(rows)} smoke tests passed", (smoke,)) if passed and of > 1 else smoke)
    if attempt.sample:
        blocks.append(Text(f"{head}{attempt.sample}."))
    if attempt.fidelity is not None and of > 1:
        blocks.append(Text(f"{head}{attempt.fidelity:.0%} of the rubric is met."))
    if attempt.fault and not attempt.policy:
        where = f" at {attempt.failed_at}" if attempt.failed_at else ""
        blocks.append(Text(f"{head}rejected{where}: {formats.one_line(attempt.fault)}", "bad"))
    if attempt.cost and attempt.cost.calls:
        blocks.append(Text(f"{head}{_paid(attempt.cost)} for it.", "muted"))
    if attempt.patch:
        changed = f"What attempt {attempt.number} changes of attempt {attempt.parent}"
        blocks.append(Fold(changed, (Listing(attempt.patch, changed, "diff"),)))
    return blocks


def _paid(c: Paid) -> str:
    tokens = f"{formats.count(c.input_tokens)} tokens in, {formats.count(c.output_tokens)} out"
    return f"{c.calls} call{'s' if c.calls != 1 else ''}, {tokens}, {formats.usd(c.usd, 'cost unknown')}, {c.seconds:.1f} s"


_ORIGIN = {"draft": "a draft", "repair": "a repair", "improvement": "an improvement"}


def _data_table(d: DataView, question: Question) -> Table:
    rows: list[tuple[Cell | str, ...]] = [("Name", formats.dataset(d.name, d.synthetic))]
    rows += [(f"{question.rows.capitalize()} of {split}", formats.count(n)) for split, n in d.sizes.items()]
    rows += [(f"Positive share of {task}", f"{rate:.4f}") for task, rate in d.positive_rates.items()]
    rows += [*d.facts.items(), ("Hash of the prepared data", d.data_hash)]
    return table("The data set", ("What", "Value"), rows)


def _passed(passed: bool) -> Cell:
    return Cell("passed", "good") if passed else Cell("failed", "bad")
