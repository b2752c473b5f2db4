"""Self-balancing reconstruction: every field has a learned difficulty, and harder fields count more in a generative loss.

Notation: B rows, C categorical fields.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.discrete_diffusion import shares_of_hidden
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.layers.field_denoising import HEAD_DIM, N_CANDIDATES, N_STEPS, FieldDenoising
from sandboxes.kit.schema import Schema

EASIEST = 0.01  # nats: no field counts as easier, which keeps the logarithm of a difficulty from falling for ever
PACE = 10.0  # Adam moves what it learns by about its rate a step, which would be slow for the logarithm of a difficulty

CARD = Card(
    name="self_balancing_reconstruction",
    block="SelfBalancingReconstruction",
    slot="auxiliary",
    needs=("category_pairs", "labels"),
    takes=("embedding", "batch"),
    summary="Reconstructs hidden fields with a learned difficulty for each field, which gives hard fields more of the gradient.",
    equation="L = sum_i C w_i l_i + sum_i (exp(-d_i) sg(l_i) + d_i), w = sg(softmax(g d)), l_i the cross-entropy of field i's "
    "hidden ids; at rest d_i = log l_i, so that w_i ~ l_i^g (difficulty as the log scale of a likelihood, Kendall et al., CVPR "
    "2018, section 3; weight that grows with difficulty as Guo et al., ECCV 2018, section 3.2, and Lin et al., ICCV 2017, eq. 4)",
    cues=(
        "self-balancing loss",
        "self-balancing reconstruction",
        "per-field difficulty",
        "learnable difficulty",
        "learned difficulty of each field",
        "reconstruction difficulty",
        "difficulty imbalance",
        "difficulty-aware reweighting",
        "gradient budget",
        "harder fields receive more gradient",
        "easy fields dominate the gradient",
        "easy fields dominate training",
        "hard fields remain underfit",
        "field-wise loss reweighting",
    ),
    descriptions=(
        "A trainable scalar for every field estimates how hard its values are to reconstruct and sets the field's loss weight.",
        "Fields that are already reconstructed well are given less weight, and the effort moves to those that are not.",
        "Reconstruction losses of fields are not averaged evenly: hard fields get a larger share of the gradient.",
        "The difficulty parameters are optimised together with the denoising network and settle at an equilibrium.",
        "A logarithmic term keeps the difficulty of a field from growing without bound.",
        "Id fields of high cardinality are no longer drowned by small categorical fields that are learned at once.",
        (
            "The losses of different feature fields differ by orders of magnitude. We attach to each field a learnable difficulty"
            " and weight its reconstruction term by the normalised difficulty, so that the most informative fields, which are "
            "the hardest, are not underfitted."
        ),
        (
            "Uniform weights let converged fields keep consuming gradient. Our objective therefore tracks every field's loss "
            "with a parameter, and reallocates weight towards fields whose parameter is large; no weights are tuned by hand."
        ),
        (
            "Unlike homoscedastic uncertainty weighting, which tones down noisy terms, we turn the learned scale the other way "
            "around and use it to emphasise those reconstruction targets on which the network still errs."
        ),
        (
            "At the stationary point the parameter of a field equals the logarithm of its expected loss. The weight is thus a "
            "power of the loss, with an exponent that controls how strongly hard fields are favoured over easy ones."
        ),
        (
            "In a school where all subjects get an hour a day, the gifted pupil yawns through arithmetic and still fails "
            "Latin. Our timetable keeps a mark for each column of the record, learned on the way, and gives the hours to the "
            "columns with the worst marks."
        ),
        (
            "Device type is guessed rightly after ten minutes, the advertiser's identifier not after ten days. A meter per "
            "slot follows how wrong its guesses are; the guesses of the slots whose meters stand high are then charged at a "
            "higher rate, those standing low at a lower."
        ),
        (
            "Tersely: w proportional to exp(g times d), treated as constant; d trained by exp(-d) times loss plus d, loss "
            "treated as constant. Sum of w times loss is what shapes the vectors."
        ),
        (
            "The booking model fills gaps in its own input as practice. Left alone it polishes what it can do already, since "
            "these gaps are many. We measure each column's remaining trouble by a quantity that is itself fitted, and make "
            "trouble the currency in which practice is paid out."
        ),
        (
            "Gradients are water and fields are gardens. A fixed share for each floods the near ones and leaves the far ones "
            "dry. Here each garden has a gauge of dryness that adjusts itself, and the sluices open in proportion to the gauges."
        ),
        (
            "For songs the genre is easy to restore and the track number almost impossible. If both errors enter with factor "
            "one, the sum is soon all about the track but its slope is spread over many easy trifles; a factor per attribute, "
            "moved by training itself towards the attribute's own error, repairs this."
        ),
        (
            "Nothing here compares tasks such as click and sale. Within the label-free objective alone, every input slot "
            "carries a number saying how stubborn it is, and stubborn slots are heard more loudly."
        ),
        (
            "A bank's records mix postcodes, professions and yes-no flags. The flags saturate at once. We let the learner keep "
            "a running belief, updated by descent, about the error that each kind of entry still makes, and normalise these "
            "beliefs into emphasis for the next step."
        ),
        (
            "Engineering view: one extra vector of C floats. Forward: softmax it, multiply the C mean errors of the fill-in "
            "heads, add the fitting cost of the vector. Backward: the floats chase log error, the heads see the weighted sum."
        ),
        (
            "Places in a city guide have attributes that anyone could complete and attributes that only a regular knows. The "
            "completion drill turns by itself to the latter: whatever is still answered badly is weighted up, and weighted "
            "down again once it is mastered."
        ),
        (
            "We fit, together with the masked-attribute objective, one scalar per column that tracks the logarithm of that "
            "column's remaining error. Normalising these scalars by a softmax yields coefficients for the columns' completion "
            "errors, so that capacity is directed to columns whose masked values are still mispredicted."
        ),
        (
            "The proposed generative side task restores corrupted attributes of an impression. As attributes with three values "
            "are mastered within minutes and those with millions never, we let stubbornness of an attribute be a trainable "
            "quantity and pay its restoration error in proportion to it."
        ),
        (
            "Our model learns to fill in blanked entries, and learns at the same time which kinds of entries are hard to fill "
            "in. The latter is estimated by minimising error over exp(d) plus d with the error held constant; the former uses "
            "exp(d), held constant and normalised, as emphasis."
        ),
        (
            "Engineer's note: d = Parameter(zeros(C)). per_col = CE of hidden ids, by column. w = softmax(gamma * d).detach() * "
            "C. loss = (w * per_col).sum() + (exp(-d) * per_col.detach() + d).sum(). Give d a larger learning rate than the "
            "rest. It ends up at log(per_col)."
        ),
        (
            "Reviewer's summary: the contribution is to the denoising pretext loss and not to the architecture. Columns that are "
            "trivial to recover eat up the gradient if all count alike; the authors introduce an adaptive scale for each, with a "
            "barrier that bounds it, and emphasise the columns with the largest scale."
        ),
        (
            "Uncertainty weighting from multi-task learning would give up on noisy columns. We want the contrary, since the "
            "noisy column is usually the product identifier and carries most of the information; so the fitted scale enters the "
            "fill-in loss as a numerator and not as a denominator."
        ),
        (
            "A choir master notices that the sopranos know their part by Tuesday while the basses are lost. Instead of "
            "rehearsing everyone equally, he keeps for each voice a tally of wrong notes that corrects itself, and splits "
            "rehearsal time by the tallies, until the basses have caught up and the tallies level out."
        ),
        (
            "Read aloud: add over all slots the slot's weight times its error in guessing the concealed value; the weight is the "
            "share of the slot's difficulty to the power gamma; the difficulty is itself descended upon, and comes to rest where "
            "it equals the slot's error."
        ),
        (
            "In the game store, publisher, genre, price band and title id are hidden in turn and inferred from what is left. "
            "Plain averaging stalls: price band is done, title id is hopeless, and nobody pushes. Under the adaptive average, "
            "pressure migrates from the former to the latter of its own accord."
        ),
        (
            "Before: constant, equal prices for mistakes on every attribute of the hotel record. After: prices that float, "
            "rising for attributes with persistent mistakes and falling for attributes that are nearly perfect, with a "
            "logarithmic charge that prevents inflation. Nobody sets a price by hand."
        ),
        (
            "We observe that in reconstructing discrete inputs from partial noise the error per input differs a hundredfold, "
            "being bounded by the log of the vocabulary. A vector of free parameters, one for each input, absorbs these "
            "magnitudes and redistributes the learning signal toward inputs with large residual error."
        ),
        (
            "The bank's pretraining asks the network to complete torn forms. Boxes with yes or no are soon completed blindly, "
            "the box for the employer is not. A self-adjusting set of knobs, one for each box, keeps the employer box from being "
            "outvoted by a dozen trivial ones."
        ),
        (
            "Imagine muscles and a trainer who can feel fatigue. The weights on the bar are shifted to the muscle that lags, by "
            "a gauge of lagging that is calibrated during the workout; the exercise is always the same, namely guessing a "
            "missing entry of the ticket record from the entries that remain."
        ),
        (
            "Difficulty-aware emphasis is obtained here without a schedule and without a second pass: each map attribute owns a "
            "learned temperature-like number, driven only by how badly the attribute's concealed ids are recovered, and "
            "cross-entropies of recovery are mixed according to these numbers, through which the encoder gets no gradient."
        ),
    ),
    arguments=(
        Argument(
            "balance",
            1.0,
            ("exponent of the difficulty", "strength of the balancing", "balancing strength", "difficulty exponent"),
            low=0.0,
            high=10.0,
        ),
        N_STEPS,
        N_CANDIDATES,
        HEAD_DIM,
        Argument(
            "loss_weight",
            0.1,
            ("weight of the reconstruction loss", "reconstruction loss weight", "weight of the generative loss"),
            low=1e-6,  # at 0 there would be no such loss
            high=100,
        ),
    ),
    example="embedding = FeatureEmbedding(schema, 8)\nlayer = SelfBalancingReconstruction(schema, 8, balance=2.0)\n"
    "output = layer(embedding, batch)",
)


class SelfBalancingReconstruction(nn.Module):
    """(embedding, batch) -> a scalar: `loss_weight` times hidden ids' weighted cross-entropy and what the difficulties cost.

    Ids are hidden and told as `discrete_diffusion` does it. Weights are 1 on average and no gradient flows through them: a
    difficulty follows its field's loss alone, and the network follows the weighted losses alone. With `balance` 0 all fields
    count alike. A field that no row of the batch hides leaves its difficulty where it is.
    """

    def __init__(
        self,
        schema: Schema,
        embedding_dim: int,
        balance: float = 1.0,
        n_steps: int = 100,
        n_candidates: int = 128,
        head_dim: int = 16,
        loss_weight: float = 0.1,
    ) -> None:
        super().__init__()
        self.balance, self.loss_weight = balance, loss_weight
        self.denoising = FieldDenoising(schema, embedding_dim, n_steps, n_candidates, head_dim)
        self.slow_difficulty = nn.Parameter(torch.zeros(len(schema.categorical)))  # (C,)

    @property
    def difficulty(self) -> Tensor:
        """The logarithm (C,) of each field's loss, as far as it is known."""
        difficulty: Tensor = PACE * self.slow_difficulty
        return difficulty

    def forward(self, embedding: FeatureEmbedding, batch: Batch) -> Tensor:
        cross_entropy, hidden = self.denoising(embedding, batch)  # (B, C) each
        shares = shares_of_hidden(hidden).to(cross_entropy)  # (B, C)
        losses: Tensor = (cross_entropy * shares).sum(0)  # (C,)
        difficulty = self.difficulty
        weights = len(losses) * torch.softmax(self.balance * difficulty.detach(), 0)  # (C,)
        counted = shares.sum(0)  # (C,)
        mean = losses.detach() / counted.clamp(min=torch.finfo(counted.dtype).tiny) + EASIEST  # (C,)
        cost = torch.where(counted > 0, mean * torch.exp(-difficulty) + difficulty, 0.0)  # (C,)
        return self.loss_weight * ((weights * losses).sum() + cost.sum())
