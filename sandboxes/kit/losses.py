"""Losses on logits. Notation: B rows, T tasks, I items."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from sandboxes.kit.schema import FIRST_ID


def observed_bce(logits: Tensor, labels: Tensor, task_weights: Sequence[float] = ()) -> Tensor:
    """Binary cross-entropy averaged over observed labels of each task, then summed over tasks, weighed where there are weights:
    a scalar."""
    by_task = observed_bce_by_task(logits, labels)  # (T,)
    return (by_task * by_task.new_tensor(task_weights)).sum() if task_weights else by_task.sum()


def observed_bce_by_task(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy averaged over observed labels, for each task: (T,).

    `logits` (B, T) or (B,) when T = 1; `labels` (B, T), NaN where a label was not observed (such entries add nothing,
    to the gradient either). A task without an observed label in the batch has 0.
    """
    logits = logits.reshape(labels.shape)  # (B, T)
    observed = ~torch.isnan(labels)
    target = torch.where(observed, labels, torch.zeros_like(labels))
    return mean_over_observed(functional.binary_cross_entropy_with_logits(logits, target, reduction="none"), observed)


def mean_over_observed(losses: Tensor, observed: Tensor) -> Tensor:
    """Finite `losses` (B, T) averaged over the `observed` (B, T) rows of each task: (T,), 0 for a task without any."""
    losses = losses * observed  # (B, T)
    return losses.sum(0) / observed.sum(0).clamp(min=1)


def softmax_over_items(scores: Tensor, answer: Tensor) -> Tensor:
    """Cross-entropy of the answers (B,) under a softmax over all items' scores (B, I), averaged over rows.

    The ids of padding and of the unknown, which are no items, take no part.
    """
    return functional.cross_entropy(scores[:, FIRST_ID:].float(), answer - FIRST_ID)
