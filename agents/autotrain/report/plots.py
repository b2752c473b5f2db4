"""The report's plots: learning curves, test scores by seed, differences with intervals, calibration, cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, stdev

from scipy.special import stdtrit

from agents.autotrain.report.view import ModelView
from agents.compare.comparison import Comparison
from agents.compare.question import Question
from agents.compare.scores import TaskScore
from agents.documents.document import Figure
from agents.documents.svg import WIDTH, Canvas, clipped, legend, legend_rows, padded, series

ROW = 30  # height of a model's row in dot plots and bars
LABEL = 104  # room for names on the left of these


def learning_curves(models: Sequence[ModelView], question: Question) -> Figure | None:
    """The primary metric on valid by epoch, one thin line a seed. None without at least one finite value."""
    metric, words = question.primary, question.measure.words
    lines = [
        (i, [(float(e.epoch), e.valid[metric]) for e in seed.epochs if math.isfinite(e.valid.get(metric, math.nan))])
        for i, model in enumerate(models)
        for seed in model.result.seeds
    ]
    points = [p for _, line in lines for p in line]
    if not points:
        return None
    rows = legend_rows([m.name for m in models])
    epochs = (min(x for x, _ in points), max(x for x, _ in points))
    canvas = Canvas(246 + 16 * rows, epochs, padded([y for _, y in points]), bottom=50 + 16 * rows)
    canvas.y_axis(f"{words} on valid")
    canvas.x_axis("", digits=0, whole=True)
    canvas.text((canvas.left + WIDTH - canvas.right) / 2, canvas.height - 15 - 16 * rows, "epoch", "label", "middle")
    for i, line in reversed(lines):
        canvas.path(line, f"curve {series(i)}")
        for x, y in line:
            canvas.dot(canvas.x(x), canvas.y(y), f"{series(i)} fill", 2.2, f"{models[i].name}: epoch {x:.0f}, {words} {y:.4f}")
    legend(canvas, [m.name for m in models], canvas.height - 16 * rows + 8)
    best = {m.name: max((y for i, line in lines if models[i] is m for _, y in line), default=None) for m in models}
    said = "; ".join(f"{name} reached {value:.4f}" for name, value in best.items() if value is not None)
    return _figure(
        "curves", "Learning curves", f"{words} on valid by epoch, one line a seed, as the runs reported it: {said}.", canvas
    )


def scores_by_seed(models: Sequence[ModelView], question: Question, task: str) -> Figure | None:
    """The primary metric of every seed on test, with the mean and its 95 % interval over seeds."""
    metric, words = question.primary, question.measure.words
    values = {m.name: [v for s in m.test.values() if (v := s.primary.values.get(metric)) is not None] for m in models}
    rows = [(i, m.name, values[m.name]) for i, m in enumerate(models) if values[m.name]]
    if not rows:
        return None
    spans = {name: _mean_interval(v) for _, name, v in rows}
    ends = [x for low, _, high in spans.values() for x in (low, high)] + [x for *_, v in rows for x in v]
    canvas = Canvas(20 + ROW * len(rows) + 40, padded(ends), (0, 1), left=LABEL)
    canvas.x_axis(f"test {words} of {clipped(task, 30)}", most=4)
    for place, (i, name, seeds) in enumerate(rows):
        y = canvas.top + ROW * place + ROW / 2
        _named_row(canvas, name, y)
        low, middle, high = spans[name]
        _whiskers(canvas, canvas.x(low), canvas.x(middle), canvas.x(high), y, series(i))
        for value in seeds:
            canvas.dot(canvas.x(value), y - 7, f"{series(i)} faint", 2.6, f"{name}: {value:.5f}")
    said = "; ".join(f"{name} {mid:.4f} [{low:.4f}, {high:.4f}]" for name, (low, mid, high) in spans.items())
    description = f"Mean test {words} and its 95 % interval over seeds, with a point for each seed: {said}."
    return _figure(metric, f"Test {words} by model", description, canvas)


def differences(comparison: Comparison) -> Figure | None:
    """The candidate's primary metric minus each baseline's, with the verdict's own interval and the minimum effect as a band."""
    rows = [(r.baseline, r.primary, r.verdict) for r in comparison.rows if r.primary is not None]
    if not rows:
        return None
    least = comparison.min_effect
    ends = [x for _, e, _ in rows for x in (e.low, e.high, *e.per_seed)] + [-least, least, 0.0]
    canvas = Canvas(20 + ROW * len(rows) + 40, padded(ends), (0, 1), left=LABEL)
    base = canvas.height - canvas.bottom
    canvas.bar(canvas.x(-least), canvas.top, canvas.x(least) - canvas.x(-least), base - canvas.top, "band")
    canvas.x_axis(f"candidate minus baseline, test {comparison.question.measure.words}", most=4)
    canvas.line((canvas.x(0), canvas.top), (canvas.x(0), base), "zero")
    for place, (name, effect, verdict) in enumerate(rows):
        y = canvas.top + ROW * place + ROW / 2
        _named_row(canvas, name, y)
        tone = {"better": "good", "worse": "bad"}.get(verdict, "even")
        _whiskers(canvas, canvas.x(effect.low), canvas.x(effect.estimate), canvas.x(effect.high), y, tone)
        for value in effect.per_seed:
            canvas.dot(canvas.x(value), y - 7, f"{tone} faint", 2.6, f"{name}: {value:+.5f}")
    said = "; ".join(f"{name}: {effect.in_words()}" for name, effect, _ in rows)
    description = f"Differences with intervals, a point for each seed; the band is the minimum effect of {least:g}. {said}."
    return _figure("differences", "Candidate minus baseline", description, canvas)


def calibration_plot(models: Sequence[ModelView], seed: int | None) -> Figure | None:
    """Observed share of positives by predicted probability for one seed, in bins of equally many test rows."""
    scores: list[tuple[int, str, TaskScore]] = [
        (i, m.name, m.test[seed].primary) for i, m in enumerate(models) if seed is not None and seed in m.test
    ]
    points = [x for *_, s in scores for b in s.calibration for x in (b.predicted, b.observed)]
    if not points:
        return None
    rows = legend_rows([m.name for m in models])
    top = max(points) * 1.05 or 1.0
    canvas = Canvas(296 + 16 * rows, (0, top), (0, top), bottom=50 + 16 * rows)
    canvas.y_axis("observed")
    canvas.x_axis("")
    canvas.text((canvas.left + WIDTH - canvas.right) / 2, canvas.height - 15 - 16 * rows, "predicted", "label", "middle")
    canvas.path([(0, 0), (top, top)], "zero")
    for i, name, score in reversed(scores):
        canvas.path([(b.predicted, b.observed) for b in score.calibration], f"curve {series(i)}")
        for b in score.calibration:
            label = f"{name}: predicted {b.predicted:.4f}, observed {b.observed:.4f}, {b.rows} rows"
            canvas.dot(canvas.x(b.predicted), canvas.y(b.observed), f"{series(i)} fill", 2.2, label)
    legend(canvas, [m.name for m in models], canvas.height - 16 * rows + 8)
    said = "; ".join(
        f"{name} predicts {s.calibration_ratio:.3f} times the observed rate" for _, name, s in scores if s.calibration_ratio
    )
    return _figure("calibration", f"Calibration on test, seed {seed}", f"On the diagonal a model is calibrated. {said}.", canvas)


def cost_bars(models: Sequence[ModelView]) -> Figure | None:
    """Seconds of training of each model, tuning trials and seeds together."""
    spent = [(i, m.name, m.result.seconds) for i, m in enumerate(models)]
    most = max((s for *_, s in spent), default=0.0)
    if most <= 0:
        return None
    canvas = Canvas(20 + ROW * len(spent) + 40, (0, most * 1.15), (0, 1), left=LABEL)
    canvas.x_axis("seconds, tuning and seeds", most=4)
    for place, (i, name, seconds) in enumerate(spent):
        y = canvas.top + ROW * place + ROW / 2
        _named_row(canvas, name, y)
        canvas.bar(canvas.x(0), y - 8, canvas.x(seconds) - canvas.x(0), 16, f"{series(i)} fill")
        canvas.text(canvas.x(seconds) + 4, y + 4, f"{seconds:,.0f} s", "tick")
    said = "; ".join(f"{name} {seconds:,.0f} s" for _, name, seconds in spent)
    return _figure("cost", "Training time", f"Seconds of all training runs of each model: {said}.", canvas)


def _mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """(low, mean, high): the t interval over seeds at 95 %; of no width for a single seed."""
    middle = mean(values)
    if len(values) < 2:
        return middle, middle, middle
    half = -float(stdtrit(len(values) - 1, 0.025)) * stdev(values) / math.sqrt(len(values))
    return middle - half, middle, middle + half


def _named_row(canvas: Canvas, name: str, y: float) -> None:
    canvas.text(LABEL - 8, y + 4, clipped(name, 14), "name", "end")


def _whiskers(canvas: Canvas, low: float, middle: float, high: float, y: float, css: str) -> None:
    canvas.line((low, y), (high, y), f"whisker {css}")
    for end in (low, high):
        canvas.line((end, y - 4), (end, y + 4), f"whisker {css}")
    canvas.dot(middle, y, f"{css} fill", 4.2)


def _figure(id: str, title: str, description: str, canvas: Canvas) -> Figure:
    return Figure(title, description, canvas.drawn(f"plot-{id}", title, description))
