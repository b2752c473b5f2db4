"""Inverse propensity scoring: a policy learns from what another one did, by weighing every reward with how much likelier the
policy makes the action.

Notation: B rows, I ids of actions.
"""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.off_policy import MOST_WEIGHT
from sandboxes.kit.policy_losses import IMITATION, inverse_propensity_loss


class InversePropensity(nn.Module):
    """(scores (B, I), batch) -> scalar: see `inverse_propensity_loss`."""

    def __init__(self, clip: float = MOST_WEIGHT, translation: float = 1.0, imitation: float = IMITATION) -> None:
        super().__init__()
        self.clip, self.translation, self.imitation = clip, translation, imitation

    def forward(self, scores: Tensor, batch: Batch) -> Tensor:
        return inverse_propensity_loss(scores, batch, self.clip, self.translation, self.imitation)
