"""Inverse propensity scoring: a policy learns from what another one did, by weighing every reward with how much likelier the
policy makes the action.

Notation: B rows, I ids of actions.
"""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.losses import inverse_propensity_loss
from sandboxes.kit.off_policy import MOST_WEIGHT


class InversePropensity(nn.Module):
    """(scores (B, I), batch) -> scalar: see `inverse_propensity_loss`."""

    def __init__(self, clip: float = MOST_WEIGHT, translated: bool = True) -> None:
        super().__init__()
        self.clip, self.translated = clip, translated

    def forward(self, scores: Tensor, batch: Batch) -> Tensor:
        return inverse_propensity_loss(scores, batch, self.clip, self.translated)
