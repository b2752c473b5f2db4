"""Doubly robust learning of a policy: estimated rewards of all actions, corrected by inverse propensities where one was taken.

Notation: B rows, I ids of actions, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.context_scores import RewardEstimates
from sandboxes.kit.layers.inverse_propensity import CLIP, IMITATION_SHARE
from sandboxes.kit.off_policy import MOST_WEIGHT
from sandboxes.kit.policy_losses import IMITATION, doubly_robust_loss, reward_regression
from sandboxes.kit.schema import Schema

CARD = Card(
    name="doubly_robust",
    block="DoublyRobust",
    slot="item_loss",
    needs=("items", "actions"),
    summary="Learns a policy from estimated rewards of all actions, corrected by the propensity-weighted error of the estimate "
    "for the action taken.",
    equation="-1/n sum_i [sum_a pi(a | x_i) q(x_i, a) + min(pi(a_i | x_i) / p_i, M) (r_i - q(x_i, a_i))] (Dudik, "
    "Langford and Li, ICML 2011), with the cross-entropy of r_i under q(x_i, a_i) beside it",
    cues=(
        "doubly robust",
        "doubly robust estimator",
        "doubly robust policy learning",
        "doubly robust off-policy learning",
        "doubly-robust objective",
        "combines the direct method and inverse propensity scoring",
        "direct method and ips are combined",
        "reward model as a control variate",
        "baseline of estimated rewards corrected by importance weighting",
        "importance-weighted residual of the reward model",
        "importance weighted residuals",
        "unbiased if either the reward model or the propensities are correct",
        "either the reward estimates or the propensities",
    ),
    descriptions=(
        "A reward model scores all actions, and the propensity-weighted residual of the logged one corrects it.",
        "The estimate is right when the reward model is right, and also when only the propensities are.",
        "The policy is trained on predicted rewards plus a reweighted error at the observed action.",
        "Fitted rewards lower the variance of weighting, and weighting takes the bias out of fitted rewards.",
        "For the action that was taken, observed minus predicted reward is multiplied by the importance weight and added.",
        "Two models are learned together: one of outcomes, one of choices, the second judged with the help of the first.",
        (
            "Model-based estimates of value are biased and importance weighting has high variance. We optimise an estimate "
            "that uses the model for all actions and adds the weighted difference of the observed reward and the model's for "
            "the logged action, so that consistency requires only one of the two to be well specified."
        ),
        (
            "Let q be the regression of rewards on contexts and actions. The value of a policy is estimated by the "
            "expectation of q under the policy plus the importance-weighted residual of q on the log; the policy ascends the "
            "gradient of it."
        ),
        (
            "The regression serves as a control variate: because the residuals are smaller than the rewards, the propensity "
            "term fluctuates less, while its expectation removes the regression's bias."
        ),
        (
            "We jointly minimise the prediction error of the reward network on chosen items and the negative corrected value "
            "of the selection network; gradients of the latter do not flow into the former."
        ),
        (
            "The song chooser leans on two crutches. One guesses how much every song would please; the other knows with what "
            "odds the past song was drawn. Should one of them break, the other still bears the weight."
        ),
        (
            "For each headline we first write down the guess of a click model. Where a headline really ran, the miss of the "
            "guess is scaled up by how rarely it ran and put on top. Headlines that never ran keep the bare guess."
        ),
        (
            "An accountant's view: book the forecast for all offers, weighed by how often the new rule would make them; then "
            "post a correction for the one offer made, actual less forecast, times new odds over old odds."
        ),
        (
            "Suppose the acceptance model of loan offers is off by a few points for young clients. Among the logged offers "
            "the misses show, and each is multiplied by one over its assignment chance, so that on average the error cancels."
        ),
        (
            "In words: predicted payoff under the new plan, plus new probability over old probability times the surprise. If "
            "there is no surprise the second term vanishes and nothing is gained or lost by the odds."
        ),
        (
            "Engineering: the payoff head gives a matrix rows by actions; dot it with the softmax; add ratio times (label "
            "minus gathered entry); stop gradients at the payoff head here and train it with its own cross-entropy."
        ),
        (
            "Destinations nobody was sent to still get a number, from a learned table of likings; destinations that were "
            "tried get theirs mended by experience. The travel planner is trained on the mended table."
        ),
        (
            "Pure guessing cheats when the guesser is wrong; pure counting of odds shakes when odds are small. Adding the "
            "odds-weighted mistakes of the guesser to its guesses keeps what is good in both."
        ),
        (
            "The ad server's new allocation is tuned against imputed revenue of all creatives. Imputation mistakes, seen on "
            "the creative that was served, enter with a factor inversely proportional to its serving probability."
        ),
        (
            "A game portal imputes how long each title would be played and repairs the imputation on the title launched. "
            "Either a good imputer or honest launch records are enough for the portal's chooser to be steered rightly."
        ),
        "Restaurants: guess for all, fix for one, fix scaled by rarity, choose by the sum.",
        (
            "Compared with weighting alone, the noise of training fell by half in our coupons, since only what the outcome "
            "network could not foresee is multiplied by large ratios."
        ),
        (
            "The estimator has a safety net. Let the logged chances be recorded wrongly: a good outcome model leaves "
            "residuals of mean zero, and wrong factors of zero stay zero. Let the model be poor: correct chances repair it."
        ),
        (
            "A news editor's apprentice predicts readership of all stories, is told the truth on the one that was printed, "
            "and multiplies his error by how unlikely that choice had been before he hands in his sheet, on which the policy "
            "is trained."
        ),
    ),
    arguments=(
        CLIP,
        IMITATION_SHARE,
        Argument(
            "reward_units",
            (64,),
            ("hidden layers of the reward model", "hidden units of the reward model"),
            low=1,
            high=4096,
        ),
    ),
    example="layer = DoublyRobust(schema, 8, clip=10.0)\nlayer.meet(collection)\noutput = layer(scores, batch)",
)


class DoublyRobust(nn.Module):
    """(scores (B, I), batch) -> scalar: see `doubly_robust_loss`. The estimates are those of a model of its own, which learns
    beside the policy by the cross-entropy of the rewards of actions taken; it must `meet` the collection before it knows more of
    an action than its id."""

    def __init__(
        self,
        schema: Schema,
        embedding_dim: int,
        clip: float = MOST_WEIGHT,
        imitation: float = IMITATION,
        reward_units: Sequence[int] = (64,),
    ) -> None:
        super().__init__()
        self.clip, self.imitation = clip, imitation
        self.rewards = RewardEstimates(schema, embedding_dim, reward_units)

    def meet(self, collection: Collection) -> None:
        self.rewards.meet(collection)

    def forward(self, scores: Tensor, batch: Batch) -> Tensor:
        log_odds = self.rewards(batch)  # (B, I)
        value = doubly_robust_loss(scores, torch.sigmoid(log_odds), batch, self.clip, self.imitation)
        return reward_regression(log_odds, batch) + value
