"""What a model is trained for, as far as trainer and job depend on it: predictions of a whole split, and how good they are.

Notation: n rows, T tasks, Q queries, I ids of the target item, K places of a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.metrics import auc, log_loss
from sandboxes.kit.off_policy import inverse_propensity_value, self_normalised_value, weights_of
from sandboxes.kit.ranking import LONGEST, NOTHING, ItemLists, ndcg_at, recall_at
from sandboxes.kit.schema import FIRST_ID, Schema
from sandboxes.kit.team import ALONE, Team
from sandboxes.kit.training.model import item_scores, policy, predict
from sandboxes.kit.training.rows import Decisions, Queries, Rows

EVALUATION_BATCH = 8192
SCORES_AT_ONCE = 1 << 25  # of items for queries, 128 MiB


class Goal(Protocol):
    def predict(self, model: nn.Module, rows: Rows, device: str, team: Team) -> NDArray[Any]:
        """Predictions for all rows, in file order. Members of a `team` share the work, and all get the whole."""
        ...

    def fault(self, valid: Rows) -> str:
        """Why no epoch could be told from another by `valid`, "" when it can."""
        ...

    def measure(self, valid: Rows, predicted: NDArray[Any]) -> dict[str, float]:
        """Metrics by name; the first is the one that stops training, and more of it is better."""
        ...


@dataclass(frozen=True)
class Labels:
    """What comes of each row: probabilities (n, T) float32."""

    n_tasks: int

    def predict(self, model: nn.Module, rows: Rows, device: str, team: Team) -> NDArray[np.float32]:
        return predictions(model, rows, self.n_tasks, device, team)

    def fault(self, valid: Rows) -> str:
        labels = valid.labels
        if labels is None or not np.isfinite(auc(labels[:, 0], np.zeros(len(labels)))):
            return "early stopping needs positive and negative labels of the primary task in valid; use another split"
        return ""

    def measure(self, valid: Rows, predicted: NDArray[Any]) -> dict[str, float]:
        assert valid.labels is not None
        primary = valid.labels[:, 0], predicted[:, 0]
        return {"auc": auc(*primary), "log_loss": log_loss(*primary)}


@dataclass(frozen=True)
class Items:
    """Which of all items belong to each query: lists (Q, K) int32, best first."""

    n_items: int

    def predict(self, model: nn.Module, rows: Rows, device: str, team: Team) -> NDArray[np.int32]:
        return ranked_lists(model, rows, self.n_items, device, team)

    def fault(self, valid: Rows) -> str:
        known = isinstance(valid, Queries) and valid.answers is not None and len(valid.answers)
        return "" if known else "early stopping needs queries with answers in valid; use another split"

    def measure(self, valid: Rows, predicted: NDArray[Any]) -> dict[str, float]:
        assert isinstance(valid, Queries) and valid.answers is not None
        return {
            "ndcg": float(ndcg_at(predicted, valid.answers).mean()),
            "recall": float(recall_at(predicted, valid.answers).mean()),
        }


@dataclass(frozen=True)
class Actions:
    """Which action to take in each context: probabilities (n, I) float32."""

    n_items: int

    def predict(self, model: nn.Module, rows: Rows, device: str, team: Team) -> NDArray[np.float32]:
        return policies(model, rows, self.n_items, device, team)

    def fault(self, valid: Rows) -> str:
        if not isinstance(valid, Decisions) or valid.answers is None or valid.propensity is None or valid.labels is None:
            return "early stopping needs actions, propensities and rewards in valid; use another split"
        return "" if (valid.labels == 1).any() else "no decision in valid was rewarded; use another split"

    def measure(self, valid: Rows, predicted: NDArray[Any]) -> dict[str, float]:
        assert isinstance(valid, Decisions)
        assert valid.answers is not None and valid.propensity is not None and valid.labels is not None
        weights = weights_of(predicted, valid.answers.items, valid.propensity)
        return {
            "value": self_normalised_value(weights, valid.labels[:, 0]),
            "ips": inverse_propensity_value(weights, valid.labels[:, 0]),
        }


def goal_of(schema: Schema) -> Goal:
    if schema.predicts == "labels":
        return Labels(len(schema.tasks))
    return Items(schema.n_items) if schema.predicts == "items" else Actions(schema.n_items)


def predictions(model: nn.Module, rows: Rows, n_tasks: int, device: str = "cpu", team: Team = ALONE) -> NDArray[np.float32]:
    """Probabilities (n, T) float32 for all rows, in file order. Members of a `team` share the work, and all get the whole."""
    found = torch.zeros(len(rows), n_tasks, device=device)
    for own, asked in _shares(len(rows), EVALUATION_BATCH, team):
        found[own] = predict(model, rows.batch(asked).to(device), n_tasks)[: own.stop - own.start]
    return team.sum(found).cpu().numpy()


def ranked_lists(model: nn.Module, rows: Rows, n_items: int, device: str = "cpu", team: Team = ALONE) -> NDArray[np.int32]:
    """The best 100 items (Q, K) int32 for each query, best first, without what its user had taken; `NOTHING` where items run out.

    `n_items` is the schema's `I`. Raises `ValueError` for scores that are NaN.
    """
    assert isinstance(rows, Queries)
    found = torch.zeros(len(rows), LONGEST, dtype=torch.int64, device=device)
    for own, asked in _shares(len(rows), max(1, SCORES_AT_ONCE // n_items), team):
        scores = item_scores(model, rows.batch(asked).to(device))[: own.stop - own.start]  # (B, I)
        if torch.isnan(scores).any():
            raise ValueError("scores of items are NaN")
        if rows.taken is not None:
            scores = _ruled_out(scores, rows.taken.within(own))
        found[own] = best_items(scores, LONGEST)
    return team.sum(found).cpu().numpy().astype(np.int32)


def policies(model: nn.Module, rows: Rows, n_items: int, device: str = "cpu", team: Team = ALONE) -> NDArray[np.float32]:
    """Probabilities (n, I) float32 of all actions for all rows, in file order. `n_items` is the schema's `I`."""
    found = torch.zeros(len(rows), n_items, device=device)
    for own, asked in _shares(len(rows), max(1, SCORES_AT_ONCE // n_items), team):
        found[own] = policy(model, rows.batch(asked).to(device))[: own.stop - own.start]
    return team.sum(found).cpu().numpy()


def best_items(scores: Tensor, length: int) -> Tensor:
    """The ids (B, length) int64 of the best items by `scores` (B, I), best first; `NOTHING` where no more may be recommended."""
    known = scores[:, FIRST_ID:]
    best = known.topk(min(length, known.shape[1]))
    ids = torch.where(torch.isneginf(best.values), NOTHING, best.indices + FIRST_ID)
    return functional.pad(ids, (0, length - ids.shape[1]), value=NOTHING)


def _ruled_out(scores: Tensor, taken: ItemLists) -> Tensor:
    queries = torch.from_numpy(np.repeat(np.arange(len(taken)), taken.counts)).to(scores.device)
    items = torch.from_numpy(taken.items.astype(np.int64)).to(scores.device)
    return scores.index_put((queries, items), scores.new_tensor(-torch.inf))


def _shares(n: int, size: int, team: Team) -> Iterator[tuple[slice, slice]]:
    """A member's part of each of the slices of n rows, and what it asks its model: something, even where it has no part, since
    lookups need every member."""
    for start in range(0, n, size):
        own = team.part(slice(start, min(start + size, n)))
        yield own, own if own.start < own.stop else slice(start, start + 1)
