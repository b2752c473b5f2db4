"""Losses on logits of labels, and on scores of items or actions. Notation: B rows, T tasks, I items or actions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.off_policy import MOST_WEIGHT
from sandboxes.kit.schema import FIRST_ID


def observed_bce(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy averaged over observed labels of each task, then summed over tasks.

    `logits` (B, T) or (B,) when T = 1; `labels` (B, T), NaN where a label was not observed (such entries add nothing,
    to the gradient either). A task without an observed label in the batch contributes 0.
    """
    logits = logits.reshape(labels.shape)  # (B, T)
    observed = ~torch.isnan(labels)
    target = torch.where(observed, labels, torch.zeros_like(labels))
    per_row = functional.binary_cross_entropy_with_logits(logits, target, reduction="none") * observed  # (B, T)
    return (per_row.sum(0) / observed.sum(0).clamp(min=1)).sum()


def softmax_over_items(scores: Tensor, answer: Tensor) -> Tensor:
    """Cross-entropy of the answers (B,) under a softmax over all items' scores (B, I), averaged over rows.

    The ids of padding and of the unknown, which are no items, take no part.
    """
    return functional.cross_entropy(scores[:, FIRST_ID:].float(), answer - FIRST_ID)


def softmax_policy(scores: Tensor, temperature: float = 1.0) -> Tensor:
    """Probabilities (B, I) of actions from scores (B, I): a softmax over known ones, 0 for padding and the unknown one."""
    known = torch.softmax(scores[:, FIRST_ID:].float() / temperature, 1)
    return functional.pad(known, (FIRST_ID, 0))


def inverse_propensity_loss(scores: Tensor, batch: Batch, clip: float = MOST_WEIGHT, translated: bool = True) -> Tensor:
    """Minus what a softmax policy of the scores (B, I) is estimated to gain over the logged rewards, a scalar.

    -mean of (r - m) pi(a | x) / p(a | x), m being the batch's mean reward, or 0 unless `translated`. Without m, all that can be
    done with rewards of 0 and 1 is to repeat what was rewarded, and a policy that merely avoids or seeks logged actions seems to
    change its value; translating rewards is equivalent to normalising by the sum of weights for some m (Joachims, Swaminathan and
    de Rijke, ICLR 2018). They choose m by a search; the logging policy's own value is the m by which to leave that
    policy as it is gains nothing, and it is the one used here.

    A weight that has grown beyond `clip` grows no further, but one whose reward is below m may always fall.
    """
    assert batch.labels is not None
    rewards = batch.labels[:, 0]
    gains = rewards - rewards.mean() if translated else rewards  # (B,)
    return -_clipped(gains, weights_of_taken(softmax_policy(scores), batch), clip).mean()


def weights_of_taken(policy: Tensor, batch: Batch) -> Tensor:
    """The probability (B,) under `policy` (B, I) of each action taken, over its propensity."""
    assert batch.answer is not None and batch.propensity is not None
    return policy.gather(1, batch.answer[:, None]).squeeze(1) / batch.propensity


def _clipped(gains: Tensor, weights: Tensor, clip: float) -> Tensor:
    """Gains times weights (B,), of which those that would gain have weights of at most `clip`."""
    return torch.minimum(gains * weights, gains * weights.clamp(max=clip))


def reward_regression(scores: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy of the reward under the score (B, I), as its log-odds, of the action taken; averaged over rows."""
    assert batch.answer is not None and batch.labels is not None
    taken = scores.gather(1, batch.answer[:, None]).squeeze(1).float()
    return functional.binary_cross_entropy_with_logits(taken, batch.labels[:, 0])


def doubly_robust_loss(scores: Tensor, estimates: Tensor, batch: Batch, clip: float = MOST_WEIGHT) -> Tensor:
    """Minus the doubly robust estimate of what a softmax policy of the scores (B, I) is worth, a scalar.

    -mean of sum_a pi(a | x) q(x, a) + (r - q(x, a_taken)) pi(a_taken | x) / p(a_taken | x): right where either the `estimates`
    (B, I) of rewards q or the propensities p are (Dudík, Langford and Li, ICML 2011). Weights are clipped as above, of what
    surpassed its estimate alone. Estimates are taken as they are: no gradient reaches them.
    """
    assert batch.answer is not None and batch.labels is not None
    policy, estimates = softmax_policy(scores), estimates.detach()  # (B, I)
    surplus = batch.labels[:, 0] - estimates.gather(1, batch.answer[:, None]).squeeze(1)  # (B,)
    corrected = _clipped(surplus, weights_of_taken(policy, batch), clip)
    return -((policy * estimates).sum(1) + corrected).mean()
