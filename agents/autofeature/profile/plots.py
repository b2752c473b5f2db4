"""The profile's plots: something by window, a line for each column or task. Notation: W windows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from agents.autofeature.profile.model import Drift, TaskProfile, Window
from agents.documents.document import Figure
from agents.documents.svg import SERIES, WIDTH, Canvas, legend, legend_rows, padded, series

HIGHEST = 1.0  # of an index that is shown: far above what is large, and the other lines stay apart
ALL_NEW = 0.99
SURE = 1.96  # standard errors of a share, for its interval at 95 %
Line = tuple[str, Sequence[float | None]]


def positive_rates(drift: Drift, tasks: Sequence[TaskProfile]) -> tuple[Figure, ...]:
    """The share of positives by window, a figure for each of the first tasks: rates of clicks and purchases differ much."""
    figures = []
    for t, task in enumerate(tasks[:SERIES]):
        moved = "moves" if any(r.drifting and r.task == task.name for r in drift.rates) else "stays within sampling noise"
        lines = [(task.name, [w.rates[t] for w in drift.windows])]
        title, what = f"Positive rate of {task.name} by window", f"The share of positives with its 95 % interval {moved}"
        figures.append(_by_window(f"rates-{t}", title, "positives", lines, 1, what, [_half(w, t) for w in drift.windows]))
    return tuple(f for f in figures if f)


def _half(window: Window, task: int) -> float:
    """Half the interval of a window's positive rate."""
    rate, rows = window.rates[task], window.observed[task]
    return SURE * math.sqrt(rate * (1 - rate) / rows) if rate is not None and rows else 0.0


def indices(drift: Drift) -> Figure | None:
    """The stability index against the first window, of the columns that drift most."""
    lines = [(c.column, [min(v, HIGHEST) for v in c.psi[1:]]) for c in drift.columns if c.drifting][:SERIES]
    return _by_window("psi", "Stability index by window", "index, 1 at most", lines, 2, "Distance from the first window")


def news(drift: Drift) -> Figure | None:
    """The share of rows with a value that no earlier window shows, of the columns with most of them at the end."""
    known = [(c.column, c.new[1:]) for c in drift.columns if c.new is not None and _some_new(c.new[1:])]
    lines: list[Line] = [*sorted(known, key=lambda line: -line[1][-1])[:SERIES]]
    return _by_window(
        "news", "Rows with values never seen before", "share of rows", lines, 2, "The share of rows with a new value"
    )


def _some_new(shares: Sequence[float]) -> bool:
    """Whether there is anything to see: ids of rows are new in every window."""
    return max(shares, default=0.0) > 0 and min(shares) < ALL_NEW


def _by_window(
    id: str, title: str, label: str, lines: Sequence[Line], first: int, what: str, halves: Sequence[float] = ()
) -> Figure | None:
    """`first` is the number of the lines' first window, `halves` half the interval of a single line's values. None without two
    values to draw a line between."""
    points = [[(float(first + w), y) for w, y in enumerate(ys) if y is not None] for _, ys in lines]
    every = [p for line in points for p in line]
    if not any(len(line) > 1 for line in points):
        return None
    names = [name for name, _ in lines]
    rows = legend_rows(names)
    around = dict(enumerate(halves, first))
    low, high = padded([y + s * around.get(int(x), 0.0) for x, y in every for s in (-1, 1)])
    span = (min(x for x, _ in every), max(x for x, _ in every))
    canvas = Canvas(236 + 16 * rows, span, (max(low, 0.0), high), bottom=50 + 16 * rows)
    canvas.y_axis(label)
    canvas.x_axis("", digits=0, whole=True, most=8)
    canvas.text((canvas.left + WIDTH - canvas.right) / 2, canvas.height - 15 - 16 * rows, "window", "label", "middle")
    for i, line in reversed(list(enumerate(points))):
        canvas.path(line, f"curve {series(i)}")
        for x, y in line:
            if around.get(int(x)):
                half = around[int(x)]
                canvas.line((canvas.x(x), canvas.y(y - half)), (canvas.x(x), canvas.y(y + half)), f"whisker {series(i)}")
            canvas.dot(canvas.x(x), canvas.y(y), f"{series(i)} fill", 2.6, f"{names[i]}, window {x:.0f}: {y:.4f}")
    legend(canvas, names, canvas.height - 16 * rows + 8)
    said = "; ".join(f"{n} from {line[0][1]:.4f} to {line[-1][1]:.4f}" for n, line in zip(names, points, strict=True) if line)
    description = f"{what}: {said}."
    return Figure(title, description, canvas.drawn(f"plot-{id}", title, description))
