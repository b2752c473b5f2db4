"""Histories with one more event at their end: that an item was taken.

Notation: B rows, L history length, I ids of the target item.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.schema import POSITIVE_ID, UNKNOWN_ID, Schema, SequenceField


class LongerHistories(nn.Module):
    """(batch, items (B,)) -> the batch with these items at the end of its histories of items; the oldest entries make room.

    What else an event log records is told of the item too: its own value of a field of the item, which it must `meet` the
    collection to know, a positive outcome, and the unknown value of all else. Histories that do not go along with one of items
    stay as they are.
    """

    ids: Tensor  # (I, C) of every item's own fields

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self.schema = schema
        logs = [log for log in schema.event_logs if any(s.of == schema.target_item for s in log.values)]
        self.longer = [s for log in logs for s in (*log.values, *log.outcomes)]
        self.names = [s.name for s in self.longer if s.records == "values" and s.of == schema.target_item]
        self.register_buffer("ids", torch.full((schema.n_items, len(schema.categorical)), UNKNOWN_ID))

    def meet(self, collection: Collection) -> None:
        columns = self.schema.item_columns[0]
        self.ids[:, columns] = collection.items.ids[:, columns]

    def forward(self, batch: Batch, items: Tensor) -> Batch:
        added = {s.name: torch.cat([batch.history[s.name][:, 1:], self._last(s, items)[:, None]], 1) for s in self.longer}
        return replace(batch, history={**batch.history, **added})

    def _last(self, sequence: SequenceField, items: Tensor) -> Tensor:
        if sequence.records == "outcomes":
            return torch.full_like(items, POSITIVE_ID)
        return items if sequence.of == self.schema.target_item else self.ids[items, self.schema.index_of(sequence.of)]
