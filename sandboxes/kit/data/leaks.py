"""Looks for information in prepared data that a model could not have in use.

A definite leak raises `DataError`; a suspicious one is recorded and shown with every result. It cannot find a leak that
is spread over several features. Notation: n rows, C categorical fields, N numeric fields, T tasks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.prepared import LeakCheck
from sandboxes.kit.data.spec import Split, TableSpec
from sandboxes.kit.data.splits import TEST, TRAIN, VALID
from sandboxes.kit.data.table import BLOCK
from sandboxes.kit.metrics import auc
from sandboxes.kit.schema import Schema

DEFINITE_AUC = 0.9999  # one feature that orders valid rows this well is the label by another name
SUSPICIOUS_AUC = 0.98
DEFINITE_COPIES = 0.5  # of the test rows: the file of one split holds the other
SUSPICIOUS_COPIES = 0.01
FEWEST_OF_A_CLASS = 30  # below, a perfect order may be luck
MOST_ROWS = 200_000  # looked at per split
SIGMAS, PROPENSITY_GAP = 4, 0.02  # standard errors, and the share of the actions, by which propensities may be off
DENSE = 8  # ids per row up to which counting by id is cheaper than sorting

Codes = NDArray[np.int8]


def check_copies(hashes: NDArray[np.uint64], codes: Codes) -> LeakCheck:
    """Whether rows of valid or test (by `hashes` (n,) of whole rows) stand in train too. Raises `DataError` when most do."""
    train = hashes[codes == TRAIN]
    train.sort()  # in place: there may be more rows than a second copy has room for
    shares = {name: _share_in(train, hashes, codes == code) for name, code in (("valid", VALID), ("test", TEST))}
    worst = max(shares, key=lambda name: shares[name])
    if shares[worst] > DEFINITE_COPIES:
        raise DataError(f"{shares[worst]:.0%} of the {worst} rows stand in train too; split the table again, by hash or by time")
    detail = ", ".join(f"{share:.2%} of {name} rows are copies of train rows" for name, share in shares.items())
    return LeakCheck("no row in two splits", shares[worst] <= SUSPICIOUS_COPIES, detail)


def check_alike(hashes: NDArray[np.uint64], split: Split) -> LeakCheck:
    """Whether logged decisions (by `hashes` (n,) of whole rows) can be told apart by what a split at random draws on. Raises
    `DataError` when many cannot: equal ones would fall together, and the test would hold no fair sample of rewards.

    Decisions that are alike are no copies of one another: few contexts and few actions make many.
    """
    alike = 1 - len(np.unique(hashes)) / len(hashes)
    if split.by == "random" and not split.key and alike > SUSPICIOUS_COPIES:
        raise DataError(
            f"{alike:.0%} of the decisions are like another one in all columns, and a split at random keeps these together; "
            "name a time column, or the columns that tell decisions apart as key of the split"
        )
    return LeakCheck("decisions can be told apart", True, f"{alike:.2%} of the decisions are like another one")


def check_propensities(propensity: NDArray[np.float32], n_actions: int) -> LeakCheck:
    """Whether the propensities (n,) may be those of the actions taken: the mean of 1 / propensity is then the number of actions
    that the logging policy takes at all, wherever it can take each."""
    inverse = 1 / propensity.astype(np.float64)
    mean, error = float(inverse.mean()), float(inverse.std() / np.sqrt(len(inverse)))
    apart = mean - n_actions
    said = f"the mean of 1 / propensity is {mean:.4g} for {n_actions} actions"
    if abs(apart) <= max(SIGMAS * error, PROPENSITY_GAP * n_actions):
        return LeakCheck("propensities add up", True, said)
    why = "they cannot be those of the actions taken" if apart > 0 else "some actions are never taken in some contexts"
    return LeakCheck("propensities add up", False, f"{said}: {why}, and values of policies will be wrong there")


def _share_in(ordered: NDArray[np.uint64], hashes: NDArray[np.uint64], own: NDArray[np.bool_]) -> float:
    """The share of the rows `own` whose hashes stand in `ordered`."""
    found = 0
    for at in range(0, len(hashes), BLOCK):
        asked = hashes[at : at + BLOCK][own[at : at + BLOCK]]
        place = np.minimum(np.searchsorted(ordered, asked), len(ordered) - 1)
        found += int((ordered[place] == asked).sum())
    return found / int(own.sum())


def check_time(times: NDArray[np.float64], codes: Codes, by: str, users: NDArray[np.int64] | None) -> LeakCheck:
    """Whether the splits follow one another in time, at least for each user; other splits do not claim more."""
    name = "splits in order of time"
    if by == "random":
        return LeakCheck(name, True, "the split is random: train holds rows that are later than test rows")
    if by == "last":
        return LeakCheck(name, True, "the last rows of each user are tested; train holds rows of others that are later")
    if _in_order(times, codes, np.zeros(len(times), dtype=np.int64)):
        return LeakCheck(name, True, "every split is later than the one before")
    if users is not None and _in_order(times, codes, users):
        return LeakCheck(name, True, "for each user every split is later than the one before; across users it is not")
    early = (times[codes == TEST] <= times[codes == TRAIN].max()).mean()
    return LeakCheck(name, False, f"{early:.1%} of test rows are not later than all of train")


def _in_order(times: NDArray[np.float64], codes: Codes, groups: NDArray[np.int64]) -> bool:
    """Whether in each group no row of a later split is as early as one of an earlier split."""
    order = np.lexsort((-codes, times, groups))  # of one instant, later splits first: they would be out of order
    g, c = groups[order], codes[order]
    return not bool(((c[1:] < c[:-1]) & (g[1:] == g[:-1])).any())


@dataclass(frozen=True)
class Sample:
    """Rows of one split that are looked at: `ids` (n, C), `numeric` (n, N), `labels` (n, T)."""

    ids: NDArray[np.int32]
    numeric: NDArray[np.float32]
    labels: NDArray[np.float32]


def looked_at(labels: NDArray[np.float32]) -> NDArray[np.intp]:
    """The rows to look at for labels (n, T), ascending: of every task, evenly, up to `MOST_ROWS` that have its label."""
    rows = [_thinned(np.flatnonzero(~np.isnan(labels[:, t]))) for t in range(labels.shape[1])]
    return rows[0] if len(rows) == 1 else np.unique(np.concatenate(rows))


def check_features(spec: TableSpec, schema: Schema, train: Sample, valid: Sample) -> LeakCheck:
    """Whether one feature alone orders the valid rows by a label. Raises `DataError` when one does so almost perfectly."""
    suspicious: list[str] = []
    for t, task in enumerate(schema.tasks):
        fit, seen = (_thinned(np.flatnonzero(~np.isnan(part.labels[:, t]))) for part in (train, valid))
        labels = valid.labels[seen, t]
        if min((labels == 1).sum(), (labels == 0).sum(), len(fit)) < FEWEST_OF_A_CLASS:
            continue
        for name, scores in _single_scores(schema, train, valid, fit, seen, t):
            area = auc(labels, scores)
            area = max(area, 1 - area)
            if area > DEFINITE_AUC and name not in spec.allow:
                raise DataError(
                    f"the feature {name!r} alone tells {task.name!r} (AUC {area:.4f}), so that it is known after the fact; "
                    f"remove it, or list it under allow if it is really known before"
                )
            if area > SUSPICIOUS_AUC:
                suspicious.append(f"{name} alone predicts {task.name} with AUC {area:.4f}")
    return LeakCheck("no feature that is a label", not suspicious, "; ".join(suspicious))


def _thinned(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Every so manieth of the rows, at most `MOST_ROWS`."""
    return rows[:: max(1, -(-len(rows) // MOST_ROWS))]


def _single_scores(
    schema: Schema, train: Sample, valid: Sample, fit: NDArray[np.intp], seen: NDArray[np.intp], task: int
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Per feature, scores of the valid rows `seen`: the category's smoothed rate in train, or the number itself."""
    labels = train.labels[fit, task].astype(np.float64)
    for c, field in enumerate(schema.categorical):
        yield field.name, _rates(train.ids[fit, c], labels, valid.ids[seen, c])
    for c, number in enumerate(schema.numeric):
        yield number.name, valid.numeric[seen, c].astype(np.float64)


def _rates(ids: NDArray[np.int32], labels: NDArray[np.float64], asked: NDArray[np.int32]) -> NDArray[np.float64]:
    """The smoothed rate of positives among `labels` of each id asked for. No array is much longer than the rows, whatever the
    cardinality."""
    if max(ids.max(), asked.max(initial=0)) > DENSE * len(ids):
        known = np.unique(np.concatenate([ids, asked]))
        ids, asked = (np.searchsorted(known, which).astype(np.int32) for which in (ids, asked))
    n = int(max(ids.max(), asked.max(initial=0))) + 1
    positives = np.bincount(ids, weights=labels, minlength=n)
    rates: NDArray[np.float64] = ((positives + labels.mean()) / (np.bincount(ids, minlength=n) + 1))[asked]
    return rates
