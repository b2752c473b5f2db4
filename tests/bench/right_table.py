"""Results of the comparison with FuxiCTR as tables: means over seeds, their difference, and whether it is more than noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from scipy.stats import t as student

CONFIDENCE = 0.95
# Means of five runs on the official files, tuned model by model: github.com/reczoo/BARS, ranking/ctr (the board of
# openbenchmark.github.io/BARS). Deviations over the runs are 2e-4 to 1e-3.
PUBLISHED_AUC: Mapping[str, Mapping[str, float]] = {
    "Frappe_x1": {"dnn": 0.9840, "deepfm": 0.9839, "dcn": 0.9834, "dcnv2": 0.9838, "xdeepfm": 0.9841},
    "MovielensLatest_x1": {"deepfm": 0.9682, "dcnv2": 0.9687},
}


@dataclass(frozen=True)
class Compared:
    """Kit against FuxiCTR in one metric. `difference` is how much better the kit is: positive is good for either metric."""

    kit: tuple[float, float]  # mean and deviation over seeds
    fuxictr: tuple[float, float]
    difference: float
    standard_error: float  # of the difference; NaN with a single seed
    below: bool


def compared(kit: Sequence[float], fuxictr: Sequence[float], higher_is_better: bool) -> Compared:
    """Welch's comparison of two samples of seeds: below when the difference's interval at 95 % lies under zero.

    With one seed a side there is no interval and nothing is called below. Raises `ValueError` without results.
    """
    if not kit or not fuxictr:
        raise ValueError("nothing to compare: one side has no results")
    difference = (mean(kit) - mean(fuxictr)) * (1 if higher_is_better else -1)
    if min(len(kit), len(fuxictr)) < 2:
        return Compared((mean(kit), float("nan")), (mean(fuxictr), float("nan")), difference, float("nan"), False)
    parts = [stdev(sample) ** 2 / len(sample) for sample in (kit, fuxictr)]
    error = sum(parts) ** 0.5
    if error == 0:
        return Compared((mean(kit), 0.0), (mean(fuxictr), 0.0), difference, 0.0, difference < 0)
    freedom = sum(parts) ** 2 / sum(p**2 / (len(s) - 1) for p, s in zip(parts, (kit, fuxictr), strict=True))
    half = float(student.ppf((1 + CONFIDENCE) / 2, freedom)) * error
    return Compared((mean(kit), stdev(kit)), (mean(fuxictr), stdev(fuxictr)), difference, error, difference + half < 0)


def lines(results: Mapping[tuple[str, str, str], Sequence[Mapping[str, float]]]) -> list[str]:
    """Markdown. `results` maps data set, model and side ("kit" or "fuxictr") to one mapping a seed with "auc" and "log_loss"."""
    out = [
        "| data | model | seeds | AUC kit | AUC FuxiCTR | difference | log loss kit | log loss FuxiCTR | difference | verdict |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for data, model in dict.fromkeys((data, model) for data, model, _ in results):
        kit, fuxictr = (results.get((data, model, side), ()) for side in ("kit", "fuxictr"))
        if not kit or not fuxictr:
            continue
        cells = []
        both = []
        for metric, higher in (("auc", True), ("log_loss", False)):
            c = compared([r[metric] for r in kit], [r[metric] for r in fuxictr], higher)
            both.append(c)
            cells += [_spread(c.kit), _spread(c.fuxictr), f"{c.difference:+.5f} ± {c.standard_error:.5f}"]
        verdict = "below" if any(c.below for c in both) else "equal or better"
        if min(len(kit), len(fuxictr)) < 2:
            verdict = "one seed: none"
        seeds = str(len(kit)) if len(kit) == len(fuxictr) else f"{len(kit)} and {len(fuxictr)}"
        out.append(f"| {data} | {model} | {seeds} | {' | '.join(cells)} | {verdict} |")
    return out


def board(results: Mapping[tuple[str, str, str], Sequence[Mapping[str, float]]]) -> list[str]:
    """Markdown: AUC of either side beside the published means, for those of `results` that the board has; [] for none."""
    rows = []
    for data, published in PUBLISHED_AUC.items():
        for model, auc in published.items():
            runs = [[r["auc"] for r in results.get((data, model, side), ())] for side in ("kit", "fuxictr")]
            if all(runs):
                means = [f"{mean(side):.4f} | {mean(side) - auc:+.4f}" for side in runs]
                rows.append(f"| {data} | {model} | {auc:.4f} | {' | '.join(means)} |")
    head = ["| data | model | published AUC | kit | difference | FuxiCTR here | difference |", f"|{' --- |' * 7}"]
    return [*head, *rows] if rows else []


def _spread(of: tuple[float, float]) -> str:
    return f"{of[0]:.5f} ± {of[1]:.5f}"
