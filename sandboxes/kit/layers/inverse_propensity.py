"""Inverse propensity scoring: a policy learns from what another one did, by weighing every reward with how much likelier the
policy makes the action.

Notation: B rows, I ids of actions.
"""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.off_policy import MOST_WEIGHT
from sandboxes.kit.policy_losses import IMITATION, inverse_propensity_loss

# Arguments of every card whose block learns a policy from weighed rewards.
CLIP = Argument(
    "clip",
    100.0,
    ("importance weights are clipped at", "clipping constant of importance weights", "weight cap", "truncation constant"),
    low=1.0,
    high=1e6,
)
IMITATION_SHARE = Argument(
    "imitation",
    IMITATION,
    ("imitation weight", "weight of the imitation term", "coefficient of imitation regularization"),
    low=0.0,
    high=10.0,
)

CARD = Card(
    name="inverse_propensity",
    block="InversePropensity",
    slot="item_loss",
    needs=("items", "actions"),
    summary="Learns a policy from logged decisions: every reward counts by the policy's probability of the action over the "
    "probability with which it was taken.",
    equation="-1/n sum_i (r_i - lambda) min(pi(a_i | x_i) / p_i, M), with a softmax pi of the scores (Joachims, "
    "Swaminathan and de Rijke, ICLR 2018; clipping as in Bottou et al., JMLR 2013)",
    cues=(
        "inverse propensity scoring",
        "inverse propensity score estimator",
        "inverse propensity weighted policy",
        "off-policy learning",
        "counterfactual risk minimization",
        "learning from logged bandit feedback",
        "logged bandit feedback",
        "batch learning from bandit feedback",
        "off-policy policy gradient with importance weights",
        "importance sampling ratio of target and logging policy",
        "ratio between the target policy and the logging policy",
        "ips objective",
        "clipped importance weights",
        "self-normalized ips",
        "propensities of the logging policy",
    ),
    descriptions=(
        "The reward of each logged action is divided by the probability with which the logging policy had chosen it.",
        "A new policy is trained offline on what another policy did, by reweighing its rewards.",
        "Importance weights between the learned and the logging policy are capped before they multiply the reward.",
        "We maximise the estimated value of a softmax policy over actions, using recorded selection probabilities.",
        "Only the chosen action's outcome is known, and its recorded chance corrects for how it came to be chosen.",
        "A constant is subtracted from all rewards, which makes up for weights that do not sum to the number of rows.",
        (
            "Let x be the context, a the logged action, r its reward and p the propensity under the behaviour policy. We "
            "learn parameters that maximise the empirical mean of r times pi(a | x) over p, an unbiased estimate of the value "
            "that the policy pi would have had if it had been deployed."
        ),
        (
            "Since the data was collected by a production system, supervised learning on clicked items would reproduce its "
            "bias. We instead optimise a counterfactual objective in which each observation is weighted by the reciprocal of "
            "its exposure probability."
        ),
        (
            "The variance of the estimate grows with the mismatch of the two policies; we truncate the likelihood ratio at a "
            "constant M, trading a small bias for stability of stochastic gradient ascent."
        ),
        (
            "Rewards are shifted by a scalar before weighting. A grid over this scalar is equivalent to optimising the ratio "
            "of the weighted rewards and the weights, and it prevents the policy from merely avoiding the logged actions."
        ),
        (
            "Last month the radio app picked songs with dice whose odds were written down. Songs that the dice seldom "
            "favoured yet listeners loved count for more now, in proportion to how seldom; from such corrected applause the "
            "new picker learns."
        ),
        (
            "Think of a survey in which some districts were hardly visited. Each answer from there speaks for many, so it is "
            "multiplied up. Our headline chooser does the same with the clicks of stories that the old chooser rarely ran."
        ),
        (
            "For a banner shown with chance 0.05 and clicked, the gradient pushes its probability up with strength twenty; "
            "for one shown with chance 0.5, with strength two. Banners not clicked push down only as far as clicks are below "
            "average."
        ),
        (
            "The ledger has four columns: who came, which loan offer was made, with what chance, whether it was accepted. No "
            "model of acceptance is fitted. The offer rule is tuned directly so that its odds-corrected tally of acceptances "
            "is highest."
        ),
        (
            "Numerator: what the candidate rule would have done with this traveller, as a probability. Denominator: what the "
            "old rule did, as a probability. Their quotient times booked or not, averaged over the log, is the thing we "
            "climb."
        ),
        (
            "Implementation: gather the softmax output at the recorded index, divide by the stored float, clamp, multiply by "
            "payoff minus mean payoff, negate, average. Rows without a stored probability are useless and dropped upstream."
        ),
        (
            "A shop that wants to know how another shelf order would have sold need not try it: some customers saw such an "
            "order by chance. Counting these, each as often as the old planner made it unlikely, gives the answer and a "
            "direction to improve."
        ),
        (
            "We never ask how good the untried games would have been. We only ask, of games that were tried, how much more or "
            "less eagerly the new launcher would have offered them, and credit the play time accordingly."
        ),
        (
            "No simulator, no reward model. The stochastic recommender of the previous release left behind its randomisation "
            "probabilities, and these suffice to train the next one as if it had acted itself."
        ),
        (
            "A restaurant guide had to recommend one place to each guest and heard back on that one alone. The guide's new "
            "rule is fitted by giving every happy guest a weight: how likely the new rule names the place, relative to the "
            "old rule."
        ),
        (
            "When both rules agree the quotient is one and the row counts plainly; when the new one favours what the old one "
            "avoided the row is amplified, up to a ceiling of a hundred."
        ),
        (
            "Terse: value(pi) is about sum of w r over n, w = new probability by old probability; ascend in the scores; "
            "ceiling on w."
        ),
        (
            "Insurance tips were assigned partly at random. Treating the assignment odds as known, we train the assigner on a "
            "pseudo-outcome, reaction over odds, which on average equals what each tip would have caused."
        ),
        (
            "The feed's past choices are a lopsided sample of all choices. Undoing the lopsidedness row by row, rather than "
            "predicting clicks, lets a network of choice probabilities be trained straight on business outcome."
        ),
    ),
    arguments=(
        CLIP,
        IMITATION_SHARE,
    ),
    example="layer = InversePropensity(clip=10.0)\noutput = layer(scores, batch)",
)


class InversePropensity(nn.Module):
    """(scores (B, I), batch) -> scalar: see `inverse_propensity_loss`."""

    def __init__(self, clip: float = MOST_WEIGHT, imitation: float = IMITATION) -> None:
        super().__init__()
        self.clip, self.imitation = clip, imitation

    def forward(self, scores: Tensor, batch: Batch) -> Tensor:
        return inverse_propensity_loss(scores, batch, self.clip, imitation=self.imitation)
