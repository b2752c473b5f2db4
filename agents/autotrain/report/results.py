"""The part of a report that answers: comparison, scores, plots, the paper's claims, ablation."""

from __future__ import annotations

from agents.autotrain.report import formats
from agents.autotrain.report.plots import calibration_plot, cost_bars, differences, learning_curves, scores_by_seed
from agents.autotrain.report.view import AblationView, ModelView, ReportView
from agents.compare.comparison import Comparison, Effect
from agents.compare.metric import MEASURES
from agents.compare.question import Question
from agents.compare.scores import TaskScore
from agents.documents.document import Block, Cell, Figure, Figures, Fold, Items, Section, Table, Text, number, table

SAME_SIZE = 0.02  # more parameters than this may explain a difference


def results(view: ReportView) -> Section | None:
    """Verdict table, scores and plots; None when nothing was trained."""
    if view.comparison is None and not view.models:
        return None
    blocks: list[Block] = []
    if view.comparison is not None:
        blocks += _comparison(view.comparison)
    if view.models:
        tasks = _tasks(view.models)
        blocks += [_scores(view.models, view.question, task, tasks.index(task)) for task in tasks]
        blocks.append(_plots(view))
        blocks.append(Fold("Every seed", (_seeds(view.models, view.question),)))
    return Section("results", "Results", tuple(blocks))


def claims(view: ReportView) -> Section | None:
    """The paper's own numbers: those that claim an improvement with what was measured, the others as they are."""
    stated = view.spec.claims if view.spec else ()
    if not stated and not view.claims:
        return None
    blocks: list[Block] = [Items(tuple(row.sentence for row in view.claims))] if view.claims else []
    if stated:
        rows: list[tuple[Cell | str, ...]] = [
            (c.dataset, c.metric, number(f"{c.value:g}"), c.baseline or formats.NONE, number(_plain(c.baseline_value)))
            for c in stated
        ]
        blocks.append(table("Results the paper reports", ("Data set", "Metric", "Method", "Baseline", "Its value"), rows))
    blocks.append(Text("Numbers from other data, splits or preprocessing cannot be set against those measured here.", "muted"))
    return Section("claims", "The paper's claim", tuple(blocks))


def ablation(view: ReportView) -> Section | None:
    """What becomes of the candidate without one mechanism."""
    if view.ablation is None:
        return None
    a = view.ablation
    if a.comparison is None:
        return Section("ablation", "Ablation", (Text(f"Without {a.mechanism} {a.name}: {a.note or 'not run'}."),))
    head = Text(f"The candidate without {a.mechanism} ({a.name}), set against the whole candidate: {a.comparison.sentence}.")
    return Section(
        "ablation",
        "Ablation",
        (
            head,
            *([Text(_idea_or_size(a, a.comparison.verdict))] if all(a.parameters) else []),
            *([_verdicts(a.comparison, "Without it minus with it, on test")] if a.comparison.rows else []),
        ),
    )


def _idea_or_size(a: AblationView, verdict: str) -> str:
    """Whether the mechanism itself is shown to help, or the parameters that it brings may do."""
    without, whole = a.parameters
    sizes = f"{formats.count(without)} parameters without it, {formats.count(whole)} with it."
    if verdict == "tie":
        return f"{sizes} That the mechanism helps on this data is not shown."
    if verdict == "better":
        return f"{sizes} The model is better without it."
    if verdict != "worse":
        return sizes
    if whole > (1 + SAME_SIZE) * without:
        return f"{sizes} It helps; whether the idea does or the additional parameters do, this comparison cannot tell."
    return f"{sizes} It helps, and not by the number of parameters."


def _plain(value: float | None) -> str:
    return formats.NONE if value is None else f"{value:g}"


def _comparison(c: Comparison) -> list[Block]:
    blocks: list[Block] = [_verdicts(c)] if c.rows else []
    if len(c.seeds) > 1 and any(r.effects for r in c.rows):
        rows, metric = c.question.rows, c.question.measure.words
        clusters = f"{formats.count(c.clusters)} users" if c.clusters else f"{rows} taken as independent"
        blocks.append(
            Text(
                f"An interval is about new seeds and new {rows} like the {formats.count(c.test_rows)} test {rows} ({clusters}); "
                f"it is the test's own, at the level in the table, so that all baselines together give a false call at most "
                f"{c.alpha:.0%} of the time. A difference counts from {c.min_effect:g} in {metric}. The verdict is that against "
                f"{c.strongest}, the strongest baseline by {metric} on valid.",
                "muted",
            )
        )
        others = [(r.baseline, e) for r in c.rows for e in r.effects if e.task != r.effects[0].task]
        if others:
            blocks.append(_other_tasks(others))
    if c.notes:
        blocks.append(Items(c.notes))
    return blocks


def _verdicts(c: Comparison, caption: str = "Candidate minus baseline on test") -> Table:
    metrics = c.question.metrics
    changes = [f"{MEASURES[metric].heading} difference" for metric in metrics]
    headers = ("Against", "Verdict", *changes, "p", "Interval", f"{c.question.measure.words} on valid")
    rows: list[tuple[Cell | str, ...]] = []
    for row in c.rows:
        first = f"{row.baseline} (strongest)" if row.baseline == c.strongest and len(c.rows) > 1 else row.baseline
        verdict = Cell(row.verdict + (f": {row.tie}" if row.tie else ""), formats.VERDICT_TONE[row.verdict])
        if row.primary is None:
            nothing = [number(formats.NONE)] * (len(metrics) + 1)
            rows.append((first, verdict, Cell(row.reason), *nothing, number(formats.decimal(row.valid))))
            continue
        rows.append(
            (
                first,
                verdict,
                *(number(_effect(row.effect(metric))) for metric in metrics),
                number(formats.p_value(row.primary.p_value)),
                number(f"{row.primary.confidence:.1%}"),
                number(formats.decimal(row.valid)),
            )
        )
    return table(caption, headers, rows)


def _effect(effect: Effect | None) -> str:
    """The estimate and its interval without the metric's name, which the column says."""
    return formats.NONE if effect is None else effect.numbers


def _other_tasks(effects: list[tuple[str, Effect]]) -> Table:
    rows: list[tuple[Cell | str, ...]] = [
        (name, e.task, MEASURES[e.metric].words, number(_effect(e)), number(formats.p_value(e.p_value))) for name, e in effects
    ]
    return table("Other tasks, each interval by itself at 95 %", ("Against", "Task", "Metric", "Difference", "p"), rows)


def _tasks(models: tuple[ModelView, ...]) -> list[str]:
    return next(([t.task for t in s.tasks] for m in models for s in m.test.values()), [])


def _scores(models: tuple[ModelView, ...], question: Question, task: str, index: int) -> Table:
    """The scores of one task; with what the models cost beside the primary one."""
    found = [[s.tasks[index] for s in m.test.values()] for m in models]
    headers = ["Model", *(MEASURES[name].heading for name in question.columns)]
    rows: list[list[Cell | str]] = [[m.name, *_task_cells(question, scores)] for m, scores in zip(models, found, strict=True)]
    if any(s.calibration for scores in found for s in scores):
        headers.append("Predicted / observed")
        ratios = [number(formats.over_seeds([s.calibration_ratio for s in scores], 3)) for scores in found]
        rows = [[*row, ratio] for row, ratio in zip(rows, ratios, strict=True)]
    if index == 0:
        headers += [f"{question.measure.words} on valid", "Parameters", "Samples/s", "Training"]
        rows = [[*row, *_cost_cells(m)] for row, m in zip(rows, models, strict=True)]
    caption = f"Test scores of {task}, mean ± standard deviation over seeds"
    return table(caption, tuple(headers), [tuple(row) for row in rows])


def _task_cells(question: Question, scores: list[TaskScore]) -> list[Cell | str]:
    return [number(formats.over_seeds([s.values.get(name) for s in scores])) for name in question.columns]


def _cost_cells(m: ModelView) -> list[Cell | str]:
    return [
        number(formats.over_seeds(list(m.valid.values()))),
        number(formats.count(m.result.parameters or None)),
        number(formats.count(m.samples_per_s)),
        number(formats.duration(m.result.seconds)),
    ]


def _plots(view: ReportView) -> Figures:
    task = next(iter(_tasks(view.models)), "")
    seed = next((s for m in view.models for s in m.test), None)
    drawn: list[Figure | None] = [
        differences(view.comparison) if view.comparison else None,
        scores_by_seed(view.models, view.question, task),
        learning_curves(view.models, view.question),
        calibration_plot(view.models, seed),
        cost_bars(view.models),
    ]
    return Figures(tuple(f for f in drawn if f is not None))


def _seeds(models: tuple[ModelView, ...], question: Question) -> Table:
    tested = [f"Test {MEASURES[metric].words}" for metric in question.metrics]
    headers = ("Model", "Seed", "Status", *tested, f"Valid {question.measure.words}", "Epochs", "Best", "Seconds", "Job")
    rows: list[tuple[Cell | str, ...]] = []
    for m in models:
        for run in m.result.seeds:
            primary: TaskScore | None = m.test[run.seed].primary if run.seed in m.test else None
            values = primary.values if primary else {}
            fault = run.reason if run.status != "ok" else (primary.collapse if primary else "")
            rows.append(
                (
                    m.name,
                    number(str(run.seed)),
                    Cell(run.status + (f": {formats.one_line(fault)}" if fault else ""), "bad" if fault else ""),
                    *(number(formats.decimal(values.get(metric), 5)) for metric in question.metrics),
                    number(formats.decimal(m.valid.get(run.seed), 5)),
                    number(str(len(run.epochs))),
                    number(str(run.best_epoch) if run.epochs else formats.NONE),
                    number(f"{run.seconds:.1f}" + (" (reused)" if run.reused else "")),
                    Cell(run.job[:8], "muted"),
                )
            )
    return table("Runs by seed", headers, rows)
