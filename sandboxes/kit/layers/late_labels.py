"""Labels that arrive late, as losses see them: with the rate of an exponential delay, which depends on the row.

Notation: B rows, T tasks, T' of them delayed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers.linear import LinearTerm
from sandboxes.kit.losses import mean_over_observed, observed_bce
from sandboxes.kit.schema import Schema


@dataclass(frozen=True)
class Late:
    """Of delayed tasks, each (B, T'): what is known of the label, the logit of its being positive at any time, the logarithm of
    the delay's rate, how long a row had been watched, and how long its positive took, NaN where none was known."""

    label: Tensor
    logit: Tensor
    log_rate: Tensor
    elapsed: Tensor
    delay: Tensor


class LateLabels(nn.Module):
    """(logits (B, T), batch, losses) -> a scalar: the mean over observed rows of `losses` of delayed tasks (B, T'), and the
    cross-entropy of the others, summed over tasks."""

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self.delayed = schema.delayed_tasks
        self.others = [t for t in range(len(schema.tasks)) if t not in self.delayed]
        self.rate = DelayRate(schema)

    def forward(self, logits: Tensor, batch: Batch, losses: Callable[[Late], Tensor]) -> Tensor:
        assert batch.labels is not None
        logits = logits.reshape(batch.labels.shape)  # (B, T)
        labels = batch.labels.to(logits.dtype)
        loss = observed_bce(logits[:, self.others], labels[:, self.others])
        if not self.delayed:
            return loss
        assert batch.elapsed is not None and batch.delay is not None  # the schema says that there are
        label = labels[:, self.delayed]
        logit = logits[:, self.delayed].to(torch.promote_types(logits.dtype, batch.elapsed.dtype))
        late = Late(label, logit, self.rate(batch), batch.elapsed, batch.delay)
        return loss + mean_over_observed(losses(late), ~torch.isnan(label)).sum()


class DelayRate(nn.Module):
    """(batch) -> logarithms (B, T') of the rates, per mean delay, by first-order weights (Chapelle, KDD 2014, section 4).

    Predictions need no delay, so that a served model has no weights here; nor has one of data without delayed tasks.
    """

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        n_delayed = len(schema.delayed_tasks)
        self.weights = LinearTerm(schema, n_delayed) if n_delayed else None

    def forward(self, batch: Batch) -> Tensor:
        assert self.weights is not None  # asked in training alone, where tasks are delayed
        log_rate: Tensor = self.weights(batch)  # (B, T')
        return log_rate

    def take_served_form(self) -> None:
        self.weights = None

    def served_state(self, state: dict[str, Tensor], prefix: str) -> None:
        for name in [n for n in state if n.startswith(f"{prefix}weights.")]:
            del state[name]
