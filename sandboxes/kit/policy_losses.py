"""Policies as models give them, and losses by which they learn from logged decisions.

In each batch, rewards are measured by their mean m, the value of the logging policy there. Beside an estimate of value, losses
have an imitation term: a small share of m times the cross-entropy of the actions taken. A softmax that has settled on one action
has no gradient of value left; that of imitation remains, and keeps the policy near where the log can judge it (Ma, Wang and
Narayanaswamy, AISTATS 2019). Notation: B rows, I ids of actions.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.off_policy import MOST_WEIGHT
from sandboxes.kit.schema import FIRST_ID

IMITATION = 0.03


def softmax_policy(scores: Tensor, temperature: float = 1.0) -> Tensor:
    """Probabilities (B, I) of actions from scores (B, I): a softmax over known ones, 0 for padding and the unknown one."""
    return functional.pad(torch.softmax(_known(scores) / temperature, 1), (FIRST_ID, 0))


def inverse_propensity_loss(
    scores: Tensor, batch: Batch, clip: float = MOST_WEIGHT, translation: float = 1.0, imitation: float = IMITATION
) -> Tensor:
    """Minus what a softmax policy of the scores (B, I) is estimated to gain over the logged rewards, a scalar.

    -mean of (r - translation m) pi(a | x) / p(a | x), and the imitation. Without a translation, all that can be done with rewards
    of 0 and 1 is to repeat what was rewarded, and a policy that merely seeks or avoids logged actions seems to change its value.
    For some translation it is the same as normalising by the sum of the weights (Joachims, Swaminathan and de Rijke, ICLR 2018,
    who search for it): m, by which the logging policy itself gains nothing, is the default here.

    A weight that has grown beyond `clip` grows no further, but one that would rather fall may always do so.
    """
    assert batch.labels is not None
    rewards = batch.labels[:, 0]
    gains = rewards - translation * rewards.mean()  # (B,)
    value = _clipped(gains, _weights(softmax_policy(scores), batch), clip).mean()
    return _imitating(scores, batch, imitation) - value


def reward_regression(scores: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy of the reward under the score (B, I), as its log-odds, of the action taken; averaged over rows."""
    assert batch.answer is not None and batch.labels is not None
    taken = scores.gather(1, batch.answer[:, None]).squeeze(1)
    return functional.binary_cross_entropy_with_logits(taken, batch.labels[:, 0].to(taken.dtype))


def doubly_robust_loss(
    scores: Tensor, estimates: Tensor, batch: Batch, clip: float = MOST_WEIGHT, imitation: float = IMITATION
) -> Tensor:
    """Minus the doubly robust estimate of what a softmax policy of the scores (B, I) is worth, a scalar.

    -mean of sum_a pi(a | x) q(x, a) + (r - q(x, taken)) pi(taken | x) / p(taken | x), which is right where either the `estimates`
    (B, I) of rewards q or the propensities p are (Dudík, Langford and Li, ICML 2011). Weights are clipped as above where a reward
    was above its estimate, and imitation is added. Estimates are taken as they are: no gradient reaches them.
    """
    assert batch.answer is not None and batch.labels is not None
    policy, estimates = softmax_policy(scores), estimates.detach()  # (B, I)
    surplus = batch.labels[:, 0] - estimates.gather(1, batch.answer[:, None]).squeeze(1)  # (B,)
    corrected = _clipped(surplus, _weights(policy, batch), clip)
    return _imitating(scores, batch, imitation) - ((policy * estimates).sum(1) + corrected).mean()


def _imitating(scores: Tensor, batch: Batch, share: float) -> Tensor:
    assert batch.labels is not None and batch.answer is not None
    return share * batch.labels[:, 0].mean() * functional.cross_entropy(_known(scores), batch.answer - FIRST_ID)


def _weights(policy: Tensor, batch: Batch) -> Tensor:
    """The probability (B,) under `policy` (B, I) of each action taken, over its propensity."""
    assert batch.answer is not None and batch.propensity is not None
    return policy.gather(1, batch.answer[:, None]).squeeze(1) / batch.propensity


def _clipped(gains: Tensor, weights: Tensor, clip: float) -> Tensor:
    """Gains times weights (B,), of which those that would gain have weights of at most `clip`."""
    return torch.minimum(gains * weights, gains * weights.clamp(max=clip))


def _known(scores: Tensor) -> Tensor:
    """The scores (B, A) of known actions, in no less than single precision."""
    return scores[:, FIRST_ID:].to(torch.promote_types(scores.dtype, torch.float32))
