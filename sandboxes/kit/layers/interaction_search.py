"""Interaction search: for every pair of fields training chooses whether to leave it out, to factorise it or to memorise it.

Notation: B rows, F fields, D embedding width, P pairs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.cross_rows import CrossRows
from sandboxes.kit.layers.pairs import field_pairs
from sandboxes.kit.layers.table import Table
from sandboxes.kit.schema import Schema

CARD = Card(
    name="interaction_search",
    block="InteractionSearch",
    slot="interaction",
    placement="input",
    needs=(
        "several_fields",
        "category_pairs",
    ),
    takes=("fields", "batch"),
    summary="Chooses for each pair of fields among no interaction, the product of both embeddings and an embedding of the very "
    "combination, by a relaxed choice that is learned with the weights and becomes hard on the way.",
    equation="b_ij = s_1 (e_i * e_j) + s_2 m_ij[h(x_i, x_j)], s = softmax((a_ij + g) / tau) over none, factorised and "
    "memorised, g Gumbel noise or 0, tau falling over the search; then, and in prediction, s = onehot(argmax a_ij) (Lyu et al., "
    "ICDE 2022, in one run, where they train the weights anew after the search; with two of the choices Liu et al., KDD 2020)",
    cues=(
        "interaction search",
        "search for the optimal interaction method",
        "optimal modelling method for each feature interaction",
        "modelling method for each feature interaction",
        "memorized, factorized",
        "memorize, factorize",
        "automatic selection of feature interactions",
        "automatic feature interaction selection",
        "search for effective feature interactions",
        "neural architecture search for feature interactions",
        "gumbel-softmax",
        "gumbel softmax",
        "architecture parameters",
        "continuous relaxation of the choice",
        "differentiable search",
        "which feature interactions to keep",
    ),
    descriptions=(
        "For every feature interaction the best of several modelling methods is found by a differentiable search.",
        "Architecture parameters decide per pair whether an interaction is memorised, factorised or dropped.",
        "A Gumbel-softmax over candidate operations makes the choice of each pair's interaction trainable by gradients.",
        "Useless interactions are removed during training, and useful ones get the kind of model that suits them.",
        "After the search stage, each pair keeps the candidate with the largest architecture parameter.",
        "Memorised cross embeddings are given only to the pairs that need them.",
        (
            "No single way to model feature interactions is best for all pairs. We build a supernet in which each pair has three "
            "candidates, a naive one without interaction, the element-wise product of the two embeddings and a trainable "
            "embedding of the cross feature, and learn a relaxed categorical choice among them."
        ),
        (
            "The discrete selection problem has three to the power of the number of pairs solutions. We relax it: the "
            "interaction vector is the mixture of the candidates under a softmax with temperature, architecture parameters and "
            "network weights are optimised jointly, and the temperature is annealed."
        ),
        (
            "Gates on feature interactions are learned in a search stage, in which irrelevant interactions die out. In the "
            "second stage the selected interactions are fixed and the remaining parameters are trained further."
        ),
        (
            "Embedding every crossed feature costs a huge number of parameters, factorising all of them loses what is peculiar "
            "to frequent combinations. Which pairs deserve which treatment is decided automatically from data by gradient "
            "descent on the logits of a sampled choice."
        ),
        (
            "For song and hour it may be best to look up a line of their own, for artist and country to multiply two vectors, "
            "and for device and age to do nothing. We start with a blend of the three for each couple; the blend grows purer as "
            "training proceeds, until a single ingredient remains."
        ),
        (
            "Every two columns sit before a dial with three positions: silent, computed, remembered. At first the dial trembles "
            "and points to all positions a little; noise on it calms down, and half-way through training it is locked where it "
            "points most, whereupon the rest of the network settles around it."
        ),
        (
            "Not all duos of attributes in a loan file are worth a table, and some are worth nothing. Instead of an analyst who "
            "tries them out we have three scores for each duo, learned like any weight, that compete for the right to represent "
            "it. Losers are shut off for good."
        ),
        (
            "Let z be the outcome of a soft draw among {0, u*v, T[u,v]} with trainable log-odds. Temperature goes down over "
            "steps; at step S the draw is replaced by its mode. What is learned by then is a wiring plan, found without a second "
            "dataset or an outer loop."
        ),
        (
            "The wiring between hotel, date and guest is not drawn by hand. We let candidates of each connection run side by "
            "side with shares that sum to one; the shares receive gradients too. In the served model all connections have "
            "exactly one candidate, and many have the empty one."
        ),
        (
            "Think of a job market. Each pair of facts is a vacancy, and three applicants seek it: one who remembers every "
            "combination by heart, one who reasons from both facts, and one who stays away. Probation is shared at first, and by "
            "their record one is hired."
        ),
        (
            "Our trainer prunes and assigns at once. The contribution of a column pair is multiplied by near-binary switches "
            "which come from perturbed logits divided by a shrinking constant; a switch either lets a product through, or a "
            "dedicated vector found by hashing both ids, or nothing."
        ),
        (
            "Whether app and time of day are better represented by a learned vector for this exact coupling or by the "
            "coordinatewise product of their own vectors is an empirical question. The network asks it for all couplings during "
            "the first half of the epochs and acts on the answers during the second."
        ),
        (
            "There is a price in memory for learning combinations by rote and a price in accuracy for composing them. The "
            "balance is struck couple by couple, with selection variables that are real numbers while undecided and become "
            "one-hot when decided."
        ),
        (
            "To save engineers the trial and error with crosses, the ads model begins with all options for all crosses and finds "
            "out by itself. What makes this possible is that picking is softened to weighting, with random perturbation to "
            "explore, and hardened afterwards."
        ),
        (
            "Neither an importance weight per product, which keeps all of them alive, nor a table for all combinations: our "
            "layer decides on the kind of link between any two inputs. Decisions are exclusive in the end. On a news log two "
            "thirds of the links turned out to be unnecessary."
        ),
        (
            "Three clerks stand ready for any two entries of a booking, and a lottery with tickets that depend on past success "
            "determines whose result counts, mostly and later wholly. The number of tickets is a parameter trained by "
            "backpropagation through the lottery."
        ),
        (
            "We cast the treatment of each couple of input columns as a three-way decision: ignore the couple, multiply the "
            "two column vectors elementwise, or look up a dedicated vector for the joint value. The decision variables are "
            "logits, trained by gradient descent along with everything else and hardened to the winning option."
        ),
        (
            "Our method starts from an over-complete network containing every option for every couple of attributes. A "
            "stochastic relaxation of the categorical choice, with noise on the logits and a cooling schedule, makes the "
            "selection differentiable; when it has cooled, only one branch for each couple survives."
        ),
        (
            "The proposed approach determines automatically which second-order terms deserve parameters of their own. "
            "Cross-product identifiers receive a table if this lowers the loss, otherwise the term is built out of its "
            "constituents, and terms that merely add noise vanish."
        ),
        (
            "In contrast to models that apply the same operator, be it an inner product or a cross table, to all column "
            "couples, we allow heterogeneous operators. The operator for couple (i, j) is drawn from a small menu by a "
            "learned distribution, whose entropy decreases with training until the menu item is fixed."
        ),
        (
            "We relax a combinatorial problem over q(q-1)/2 discrete variables into a continuous one. Each variable becomes a "
            "point on the two-simplex that weighs the outputs of the candidate operators; towards the end of the schedule the "
            "point is rounded to its nearest corner and retraining or continued training follows."
        ),
        (
            "Selection is performed by our model within a single training run. During the first portion of the steps the "
            "mixture coefficients of the candidate blocks are updated simultaneously with the weights; afterwards the arg max "
            "of the coefficients defines the architecture that is trained on and deployed."
        ),
        (
            "We consider memorisation and generalisation as alternatives at the granularity of individual feature couples. "
            "Hashing the joint value into a table memorises; composing factor vectors generalises; a null branch declines. An "
            "end-to-end learned categorical gate settles which of these a couple needs."
        ),
        (
            "AutoML for crosses, as an engineer sees it: no more spreadsheets with hand-picked combinations. Every "
            "combination carries three trainable scalars; check them after half the epochs and you can read off drop, product "
            "or table. The served graph contains just the winners."
        ),
        (
            "Previously: all 300 column couples went through the same product, and 40 hand-chosen ones had their own hashed "
            "id as well. Now: the network found by itself that 70 couples want their own id, 90 a product, and 140 nothing at "
            "all, by descending on soft selectors."
        ),
        (
            "Casting for a play: every scene between two characters may be spoken, mimed or cut. In rehearsal all versions "
            "are performed at partial volume, with a little randomness in the volumes; applause adjusts them; on opening "
            "night only the loudest version of every scene remains."
        ),
        (
            "Reviewer's summary: a one-shot architecture search restricted to pairwise terms in a banking conversion "
            "predictor. The search space is {absent, elementwise product, joint-value vector} per pair; the optimiser is "
            "plain SGD through a tempered softmax with random perturbations; output is a sparse, mixed wiring."
        ),
        (
            "Sum over options o of weight(o) times output(o), where weight is softmax of (score plus random perturbation) "
            "over a temperature that decays geometrically; at the threshold step replace weight by an indicator of the "
            "largest score. Do so independently for device-by-hour, user-by-shop and every other twosome."
        ),
        (
            "Some twosomes in a ticketing log, such as seat block with venue, only make sense as a joint category; others, "
            "such as price with age, vary smoothly; others still are independent. We do not tell the model which is which. It "
            "keeps hypotheses alive in parallel and abandons the losing ones."
        ),
        (
            "A budget-minded designer would not pay for a cross table of millions of rows unless it helped. Here each "
            "candidate cross must win against a cheap composition and against silence before it is retained; the competition "
            "takes place by gradients on relaxed one-hot vectors, not by training hundreds of networks."
        ),
    ),
    arguments=(
        Argument("buckets", 1 << 12, ("hash buckets", "number of hash buckets", "cross table size"), low=2, high=1 << 24),
        Argument(
            "start_temperature",
            1.0,
            ("temperature of the gumbel-softmax", "initial temperature", "softmax temperature"),
            low=0.1,
            high=100.0,
        ),
        Argument("end_temperature", 0.1, ("final temperature", "minimum temperature"), low=0.01, high=100.0),
        Argument("search_share", 0.5, ("share of the search stage", "fraction of steps for the search"), low=0.05, high=1.0),
        Argument("noise", True, ("gumbel noise", "with gumbel noise")),
    ),
    example="layer = InteractionSearch(schema, fields.shape[1], fields.shape[2], buckets=50)\noutput = layer(fields, batch)",
)
NONE, FACTORISED, MEMORISED = range(3)


class InteractionSearch(nn.Module):
    """(fields (B, F, D), batch) -> (B, P * D). Raises `ValueError` for fewer than two fields.

    `fields` start with the schema's, or with those of a query where items are to be scored. A combination is memorised for two
    categorical fields; other pairs have the other choices. The choice is soft in training alone, up to the progress
    `search_share`; from there on, and in prediction, it is hard, and until it has learned anything none.
    """

    first: Tensor
    second: Tensor
    places: Tensor
    closed: Tensor
    progress: Tensor

    def __init__(
        self,
        schema: Schema,
        n_fields: int,
        embedding_dim: int,
        buckets: int = 1 << 12,
        start_temperature: float = 1.0,
        end_temperature: float = 0.1,
        search_share: float = 0.5,
        noise: bool = True,
    ) -> None:
        super().__init__()
        self.temperatures, self.search_share, self.noise = (start_temperature, end_temperature), search_share, noise
        first, second = field_pairs(n_fields)
        column = _columns(schema, n_fields)
        memorable = (column[first] >= 0) & (column[second] >= 0)  # (P,)
        closed = torch.stack([torch.zeros_like(memorable), torch.zeros_like(memorable), ~memorable], 1)  # (P, 3)
        buffers = {"first": first, "second": second, "places": memorable.nonzero()[:, 0], "closed": closed}
        for name, buffer in buffers.items():
            self.register_buffer(name, buffer, persistent=False)
        self.register_buffer("progress", torch.zeros(()), persistent=False)  # a tensor, so that compiled code sees it change
        self.rows = CrossRows(schema, column[first[memorable]], column[second[memorable]], buckets)
        self.table = Table(self.rows.n_rows, embedding_dim) if self.rows.n_rows else None
        self.preference = nn.Parameter(torch.zeros(len(first), 3))  # a: of none, factorised and memorised
        self.out_dim = len(first) * embedding_dim

    def set_progress(self, progress: float) -> None:
        self.progress.fill_(progress)

    def forward(self, fields: Tensor, batch: Batch) -> Tensor:
        shares = self.shares()  # (P, 3)
        factorised = fields[:, self.first] * fields[:, self.second]  # (B, P, D)
        met = shares[:, FACTORISED, None] * factorised
        if self.table is not None:
            remembered = self.table(self.rows(batch.ids))  # (B, those of P that can be memorised, D)
            met = met.index_add(1, self.places, shares[self.places, MEMORISED, None] * remembered)
        return met.flatten(1)

    def shares(self) -> Tensor:
        """What of each pair's vector is nothing, a product and a combination's own: (P, 3), each row with sum 1."""
        preference = self.preference.masked_fill(self.closed, -torch.inf)
        chosen = functional.one_hot(preference.argmax(1), 3).to(preference.dtype)
        if not self.training:
            return chosen
        start, end = self.temperatures
        temperature = start * (end / start) ** (self.progress / self.search_share).clamp(max=1.0)
        drawn = preference - torch.empty_like(preference).exponential_().log() if self.noise else preference
        return torch.where(self.progress < self.search_share, torch.softmax(drawn / temperature, 1), chosen)


def _columns(schema: Schema, n_fields: int) -> Tensor:
    """For each of the fields (F,) its column in `Batch.ids`, or -1 where it has none."""
    known = schema.query_fields if schema.scores_items else range(schema.n_fields)
    columns = [i if i < len(schema.categorical) else -1 for i in known]
    return torch.tensor(columns + [-1] * (n_fields - len(columns)))
