"""How fast late labels arrive: the rate of an exponential delay, which depends on the row.

Notation: B rows, T' tasks that are delayed.
"""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers.linear import LinearTerm
from sandboxes.kit.schema import Schema


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
