"""Uncertainty weighting: each task's loss is divided by a variance that is learned, so that noisy tasks count less.

Notation: B rows, T tasks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Card
from sandboxes.kit.losses import observed_bce_by_task

CARD = Card(
    name="uncertainty_weighting",
    block="UncertaintyWeighting",
    slot="loss",
    needs=("several_tasks",),
    summary="Weighs the losses of several tasks by learned variances of the tasks, with the logarithms of the variances as a "
    "penalty.",
    equation="L = sum_t exp(-s_t) L_t + s_t / 2 with s_t = log sigma_t^2, learned from 0; L_t the cross-entropy of task t "
    "(Kendall et al., CVPR 2018, eq. 10, the form for classification)",
    cues=(
        "uncertainty weighting",
        "uncertainty to weigh losses",
        "uncertainty-based loss weighting",
        "homoscedastic uncertainty",
        "task-dependent uncertainty",
        "task uncertainty",
        "learned task variances",
        "learnable loss weights",
        "loss weights are learned",
        "adaptive weights of the task losses",
        "automatically balance the losses",
        "balance the losses of different tasks",
        "log variance of each task",
        "observation noise of each task",
        "noise parameter of each task",
        "multi-task loss weighting",
    ),
    descriptions=(
        "The losses of the tasks are weighed by learned variances instead of hand-tuned weights.",
        "Each task has a trainable noise parameter; its loss is divided by the variance, and the log of the variance is added.",
        "Homoscedastic uncertainty of the tasks decides how much each contributes to the joint loss.",
        "Loss weights are parameters that are learned by gradient descent together with the network.",
        "A regulariser on the log variances keeps the model from ignoring a task by declaring it infinitely noisy.",
        "Tasks that are hard to fit get a large variance and therefore a small weight.",
        (
            "A sum of task losses with manual coefficients needs an expensive grid search. We treat each task's output as a "
            "likelihood with an unknown observation noise and maximise the joint likelihood, which yields a weighted sum whose "
            "weights, the inverse variances, are optimised along with all other parameters."
        ),
        (
            "Click, like and share losses differ in scale and in noise. We introduce one scalar s per task, minimise exp(-s) "
            "times the loss plus s over two, and let the optimiser find the balance during training."
        ),
        (
            "The total objective is the sum over tasks of the loss divided by sigma squared, plus log sigma. The sigmas are "
            "learned and express the task-dependent uncertainty, which does not vary with the input."
        ),
        (
            "To balance conversion and click prediction automatically, the weights of the two cross-entropies are made "
            "adaptive: they are functions of trainable log variances, penalised so that they neither vanish nor explode."
        ),
        (
            "Every goal of the shop's ranker comes with a dial that the ranker turns by itself. Turning it down makes the "
            "goal's errors cheaper, but costs a fee; so only goals whose errors stay large whatever one does are turned down."
        ),
        (
            "How much should a purchase count beside a click? Nobody on the team wished to decide. The network now estimates "
            "how unpredictable either is, and pays less attention to the more unpredictable, with a logarithmic price on "
            "calling something unpredictable."
        ),
        (
            "In code: loss = sum(exp(-s[t]) * bce[t] + 0.5 * s[t] for t in tasks), s being a vector of zeros at first which "
            "Adam updates like any other weight."
        ),
        (
            "Imagine several teachers grading at once, some consistent, some moody. The pupil learns how moody each is and "
            "discounts the grades accordingly. To claim that a teacher is moody is not free."
        ),
        (
            "The joint training of watch-through, follow and comment used fixed factors, found by trial. We replace them by "
            "the reciprocals of variances with which a probabilistic model would explain the labels of each, fitted at the "
            "same time as the towers."
        ),
        (
            "Each head's error is scaled by a positive number that belongs to the head, is constant over rows, and is itself "
            "adjusted by back-propagation. The scaling number's negative logarithm enters the objective, so shrinking all of "
            "them to nothing does not pay."
        ),
        (
            "At the optimum a head's factor is inversely proportional to its remaining error, for setting the derivative by s "
            "to zero gives exp(-s) times twice the error equal to one. Factors thus follow training progress without a "
            "schedule."
        ),
        (
            "Bank products have responses of unlike reliability: a card is applied for at once, a mortgage after months. "
            "Learned precisions, one for each product's loss, keep the unreliable ones from dominating the shared layers."
        ),
        (
            "A listener's skip is noisy, a purchase is not. Precision-weighted summation of the two losses, with precisions "
            "learned from data and held in check by a log term, lets the shared bottom serve the cleaner signal more."
        ),
        (
            "Nothing about the architecture changes. Only the way the objectives are added does: multipliers are no constants, "
            "they are trained, and the derivation from maximum likelihood says which penalty belongs to them."
        ),
        (
            "We tried equal factors, then factors from a search over forty runs. A third way, factors derived from a noise "
            "level per response that training finds itself, matched the search in a single run on our travel data."
        ),
        (
            "The sum of objectives is self-balancing: an objective that is large everywhere inflates its own temperature, "
            "which cools its gradient. The temperatures cost their logarithm."
        ),
        (
            "Game retention and game spending are predicted at once. Their cross-entropies are put on a common footing by two "
            "extra parameters, interpretable as how much unexplained scatter each has, and the footing moves as the scatter is "
            "reduced."
        ),
        (
            "With T goals there are T additional scalars in the whole model, nothing else. They appear once in the exponent "
            "that discounts a goal's loss and once, linearly, as a charge."
        ),
    ),
    example="layer = UncertaintyWeighting(logits.shape[1])\noutput = layer(logits, batch)",
)


class UncertaintyWeighting(nn.Module):
    """(logits (B, T), batch) -> a scalar; at the start the sum of the tasks' losses. A task of which the batch shows no label
    counts nothing, its variance neither."""

    def __init__(self, n_tasks: int) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.zeros(n_tasks))  # (T,)

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        assert batch.labels is not None
        losses = observed_bce_by_task(logits, batch.labels.to(logits.dtype))  # (T,)
        observed = ~torch.isnan(batch.labels).all(0)  # (T,)
        return ((torch.exp(-self.log_variance) * losses + self.log_variance / 2) * observed).sum()
