"""One number an action, whatever the context: the baseline below which no policy that looks at contexts should fall."""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers.table import Table
from sandboxes.kit.policy_losses import reward_regression, softmax_policy
from sandboxes.kit.schema import Schema


class BestFixedAction(nn.Module):
    """(batch) -> (B, I): the log-odds of each action's reward. The policy is a softmax of them at a `temperature`, so that it
    takes all of those whose rewards are about the same."""

    def __init__(self, schema: Schema, *, temperature: float = 0.2) -> None:
        super().__init__()
        self.temperature = temperature
        self.table = Table(schema.n_items, 1)

    def forward(self, batch: Batch) -> Tensor:
        return self.table.weight.T.expand(len(batch), -1)  # (B, I)

    def loss(self, batch: Batch) -> Tensor:
        return reward_regression(self(batch), batch)

    def predict(self, batch: Batch) -> Tensor:
        return softmax_policy(self(batch), self.temperature)
