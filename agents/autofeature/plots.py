"""The report's plot: what each trial gains, with its interval, beside the gain that pays for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agents.autofeature.trials import Trial
from agents.documents.document import Figure
from agents.documents.svg import Canvas, clipped, padded

ROW = 26  # height of a trial's row
LABEL = 150  # room for names on the left


def gains(trials: Sequence[Trial], kept: Mapping[str, bool]) -> Figure | None:
    """None without a trial that was measured."""
    known = [(t, t.gain) for t in trials if t.gain is not None]
    if not known:
        return None
    ends = [x for _, g in known for x in (g.low, g.high)] + [0.0]
    canvas = Canvas(20 + ROW * len(known) + 40, padded(ends), (0, 1), left=LABEL)
    canvas.x_axis("AUC gained on valid", most=4)
    canvas.line((canvas.x(0), canvas.top), (canvas.x(0), canvas.height - canvas.bottom), "zero")
    for place, (t, g) in enumerate(known):
        y, css = canvas.top + ROW * place + ROW / 2, "good" if kept.get(t.name) else "even"
        canvas.text(LABEL - 8, y + 4, clipped(t.name, 22), "tick", "end")
        canvas.line((canvas.x(g.low), y), (canvas.x(g.high), y), f"whisker {css}")
        canvas.dot(canvas.x(g.value), y, f"{css} fill", 4, f"{t.name}: {g.in_words}")
    said = "; ".join(f"{t.name} {g.in_words}{' (kept)' if kept.get(t.name) else ''}" for t, g in known)
    title, description = "Gains", f"AUC that each trial gains on valid with its 95 % interval, green where it was kept: {said}."
    return Figure(title, description, canvas.drawn("gains", title, description))
