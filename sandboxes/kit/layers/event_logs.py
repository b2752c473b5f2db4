"""Past events as vectors: what they were about, with what came of them where that was recorded.

Notation: B rows, L history length, D embedding width, O outcomes of an event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from sandboxes.kit.batch import Batch
from sandboxes.kit.schema import NEGATIVE_ID, POSITIVE_ID, EventLog, Schema, SequenceField


class EmbedsHistories(Protocol):
    """An embedding of histories one by one."""

    schema: Schema

    def entries(self, batch: Batch, name: str) -> tuple[Tensor, Tensor]:
        """The vectors (B, L, D) of the history's own entries, zeros where padded, and its mask (B, L), True where real."""
        ...

    def target(self, batch: Batch, name: str) -> Tensor:
        """The vector (B, D) of what the history is asked about."""
        ...


def history(embedding: EmbedsHistories, batch: Batch, name: str) -> tuple[Tensor, Tensor]:
    """The vectors (B, L, D) of the history `name`, each the sum of its own and of the outcomes' that are aligned with it, and the
    mask (B, L)."""
    vectors, mask = embedding.entries(batch, name)
    for outcomes in embedding.schema.outcomes_along(name):
        vectors = vectors + embedding.entries(batch, outcomes.name)[0]
    return vectors, mask


def events(embedding: EmbedsHistories, batch: Batch, log: EventLog) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The target (B, D) and the values (B, L, D) of `log`, each the sum over its sequences of values, the mask (B, L), and the
    outcomes (B, L, O)."""
    targets = [embedding.target(batch, s.name) for s in log.values]
    found = [embedding.entries(batch, s.name) for s in log.values]
    vectors = torch.stack([v for v, _ in found]).sum(0)  # (B, L, D)
    return torch.stack(targets).sum(0), vectors, found[0][1], outcome_signs(batch, log.outcomes, vectors)


def outcome_signs(batch: Batch, outcomes: Sequence[SequenceField], like: Tensor) -> Tensor:
    """What came of past events (B, L, O): 1 positive, -1 negative, 0 not observed or padded; numbers such as those of `like`
    (B, L, D)."""
    if not outcomes:
        return like[:, :, :0]
    ids = torch.stack([batch.history[s.name] for s in outcomes], 2)  # (B, L, O)
    return (ids == POSITIVE_ID).to(like.dtype) - (ids == NEGATIVE_ID).to(like.dtype)
