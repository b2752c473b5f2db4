"""Multi-expert with separate inputs: every task has embeddings and experts of its own, and gates mix what all experts say.

Notation: B rows, F fields with histories, D embedding width, K width of the shared input, T tasks, H width of an expert's output.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.dnn import DNN
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.layers.task_tower import EXPERT_UNITS, N_SHARED_EXPERTS, N_TASK_EXPERTS, TOWER_UNITS, gate, mixture, task_tower
from sandboxes.kit.schema import Schema

CARD = Card(
    name="separate_inputs",
    block="SeparateInputs",
    slot="tower",
    takes=("representation", "batch"),
    needs=("several_tasks",),
    summary="Gives every task an embedding table of its own that feeds its own experts, beside experts on the shared "
    "input; each task's gate mixes all experts, and its gradient stops at those of other tasks.",
    equation="y_k = t_k(sum_j g^k_j(x^k) e_j), e_j the outputs of the experts of all tasks, on their own x^1 to x^T, and "
    "of shared ones, on x; sg(e_j) without gradient where j is another task's (Su et al., AAAI 2024, eq. 3 to 7, "
    "shared and task-specific embeddings, all forward task-specific backward; Guo et al., SIGIR 2023, "
    "multi-expert with separate input)",
    cues=(
        "separate input",
        "separate inputs",
        "multi-expert with separate input",
        "experts with separate inputs",
        "task-specific embeddings",
        "task-specific embedding tables",
        "shared and task-specific embeddings",
        "embedding table for each task",
        "separate embeddings for each task",
        "separate embedding for each behavior",
        "behavior-specific embeddings as input of the experts",
        "each expert has its own input",
        "all forward task-specific backward",
        "gradient conflict in the shared input",
        "gradient conflicts on the shared embeddings",
        "stop gradient between tasks",
    ),
    descriptions=(
        "Each task has an embedding table of its own, so that gradients of different tasks do not meet in one vector.",
        "The experts do not share one input; every expert is fed with the representation of its own behaviour.",
        "Gates of each task mix the outputs of all experts, though each expert reads a separate input.",
        "Shared and task-specific embeddings are learned side by side, and the gates choose between them.",
        "A task's loss passes forward through all experts but backward through its own and the shared ones only.",
        "Tasks conflict already in the embedding, which is why sharing it, as mixtures of experts do, hurts.",
        (
            "In multi-task learning with a shared input, gradients of different behaviours conflict and the seesaw effect "
            "appears. Our network assigns to each behaviour an expert with a separate input, the behaviour-specific "
            "representation, and aggregates the experts by a task-aware gate."
        ),
        (
            "We find that users' preferences may be contradictory across tasks, which a single embedding cannot express. "
            "Hence each task keeps its own table, together with one shared by all tasks; forward, a task's gate reads experts "
            "on all tables, while backward a stop-gradient prevents it from updating those of other tasks."
        ),
        (
            "Unlike models in which the tasks split above a common embedding layer, splitting starts at the very bottom: "
            "lookup tables, expert layers and towers exist once for each task. Knowledge is exchanged by forward connections "
            "alone."
        ),
        (
            "The experts' inputs are decoupled: while gating networks in prior work weigh experts that look at one and the "
            "same vector, ours weighs experts each of which looks at the vector learned for one type of feedback."
        ),
        (
            "Every official has an archive of her own and may read the reports that her colleagues wrote from theirs, yet she "
            "may write into no archive but hers and the common one. So nobody's notes get spoiled by another's interests, and "
            "still everybody is informed."
        ),
        (
            "A listener's vector for skips and the same listener's vector for likes are different rows of different tables. A "
            "perceptron on the first and one on the second report to both outputs, which weigh the reports; corrections of "
            "the like output leave the skip table alone."
        ),
        (
            "Recipe: T tables; look the row up in each; T stacks, stack t reads lookup t; one more stack reads the common "
            "lookup; softmax weights for each target over all stacks; detach what comes from foreign stacks; small tower; "
            "sigmoid."
        ),
        (
            "The purchase label is rare, and its faint corrections drown among those of the click label if both act on one "
            "vector of the shoe. We hold two vectors of the shoe. Purchase can still profit from the click vector, as it sees "
            "what is computed from it."
        ),
        (
            "Where two goals want a feature's vector to move in opposite directions, it moves nowhere. Our remedy acts where "
            "the fight takes place, at the entrance: each goal brings its own vector of the feature along, and merely the "
            "processed forms of these vectors are blended."
        ),
        (
            "Bookings, cancellations and reviews of a hotel model do not start from a joint code. They start from three "
            "codes, continue in three pieces of network and are allowed to look over each other's shoulders through softmax "
            "weights, with the return path cut."
        ),
        (
            "The number of parameters grows with the number of targets, most of it in the lookups. In return the value of an "
            "advertiser for installs is not compromised by its value for clicks, as neither is stored in the same place."
        ),
        (
            "What separates our bank's model from a plain gated mixture is not the gates, which are the usual ones, but what "
            "the mixed parts have read: part one has read the description made for the first product, part two that for the "
            "second, part three the description common to all."
        ),
        (
            "For short videos, finishing and following disagree about who resembles whom. We let each have its geography: in "
            "the one two authors may be neighbours, in the other strangers. The prediction of either consults both maps and "
            "redraws just its own."
        ),
        (
            "Backward ways are pruned, forward ways are not. Predictor k reads from units k and from units of every other "
            "predictor, but only units k, the lookup below them and the units for all are changed by its errors."
        ),
        (
            "We decouple the goals at the lowest layer. For each type of feedback the model keeps an individual lookup and an "
            "individual bank of experts reading it, in addition to a common lookup with a common bank; a goal's softmax combines "
            "all banks, but errors are propagated only into its own and the common one."
        ),
        (
            "The proposed network answers negative transfer inside the representation. If finishing a video and sharing it pull "
            "one user vector in opposed directions, the vector ends up useless to both; with one vector for each objective no "
            "such tug-of-war arises, and mixing is postponed until after the experts."
        ),
        (
            "Our model has several entrances. The click entrance, the cart entrance and the payment entrance each encode the "
            "same raw record with codes of their own, feed a dedicated subnetwork, and a weighting unit per label then draws on "
            "what all the subnetworks have concluded."
        ),
        (
            "Engineer's note: table of width T * D, reshape to T slices. slice t -> expert t. shared flat input -> shared "
            "expert. For label t: softmax gate on slice t over [expert_1 .. expert_T, shared], with .detach() on every expert "
            "except t and shared, then tower t. Memory grows by T, which is the price."
        ),
        (
            "Reviewer's summary: gated expert mixtures usually route one common input. The authors show that the conflict sits "
            "in this common input and equip every objective with an embedding set of its own; information still flows between "
            "objectives in the forward direction, while a gradient barrier keeps each set pure."
        ),
        (
            "Before: a joint vector for the hotel, on which bookings and complaints both write, then experts, then gates. After: "
            "a bookings vector and a complaints vector on which only one writes each, experts on either, then the same gates. "
            "Reading is communal, writing is private."
        ),
        (
            "Three cooks prepare the same guest's dinner, each shopping for ingredients by herself and cooking from her own "
            "larder. At the table each may take spoonfuls from the others' pots, but how the dish tastes there is no reason for "
            "restocking anyone's larder except her own and the common cellar."
        ),
        (
            "Read aloud: the prediction for label k is tower k of a convex combination of all experts' outputs, with "
            "coefficients computed from label k's own input; expert j has for its input the j-th set of embeddings; and the "
            "derivative of loss k by expert j's parameters is set to nought whenever j belongs to another label."
        ),
        (
            "In app promotion, installing and paying call for unlike notions of which apps are alike. We therefore learn two "
            "similarity spaces over the same ids, together with a third one for what both have in common, and let either outcome "
            "be judged from features distilled from all three spaces."
        ),
        (
            "We give each behaviour of the grocery user, namely view, favourite and buy, a representation learned under its own "
            "supervision, and hand this representation to the matching expert alone. The aggregation weights are target-aware, "
            "so buy may lean on what the view expert extracts without ever touching the view representation."
        ),
        (
            "The remedy differs from gradient surgery, which repairs contradictory updates after the fact. Here contradictory "
            "updates cannot meet, since the parameters nearest to the ids exist in as many copies as there are objectives, and "
            "the links that cross between objectives conduct in one direction."
        ),
        (
            "The bank forecasts opening an account, defaulting and leaving. Each forecast owns a dictionary that translates "
            "customer attributes to numbers, and readers of this dictionary. Forecasters consult one another's readers through "
            "learned proportions, whereas the dictionaries are edited by their owners and a communal one by all."
        ),
        (
            "Like orchestra sections that tune to their own reference pitch before anything is played together: strings, brass "
            "and woodwind do not have to agree on one fork. Only the sounds they make are blended, by a mixer for each "
            "recording, and a mixer's complaint goes to the section that the recording is about."
        ),
        (
            "For players of a mobile game, returning tomorrow and spending today are both predicted. A single code per player "
            "would let the abundant return signal swamp the rare spending signal at the input. We duplicate the input pathway "
            "per signal, keep the gated exchange above it, and block the backward half of that exchange."
        ),
    ),
    arguments=(
        replace(N_TASK_EXPERTS, default=1),
        replace(N_SHARED_EXPERTS, default=1),
        replace(EXPERT_UNITS, default=(256,)),
        TOWER_UNITS,
        Argument("stop_gradient", True, ("stop gradient between tasks", "task-specific backward")),
    ),
    example="flat = fields.flatten(1)\n"
    "layer = SeparateInputs(schema, flat.shape[1], 8, n_tasks=2, hidden_units=(16,), tower_units=(8,))\n"
    "output = layer(flat, batch)",
)


class SeparateInputs(nn.Module):
    """(shared input (B, K), batch) -> (B, T) logits. The tasks' own inputs are the block's: one table holds all tasks' vectors.

    `hidden_units` are the layers of one expert, `tower_units` those of one task. Without `stop_gradient` a task teaches the
    experts and embeddings of other tasks too, as far as its gate lets them in.
    """

    def __init__(
        self,
        schema: Schema,
        in_dim: int,
        embedding_dim: int,
        n_tasks: int,
        n_task_experts: int = 1,
        n_shared_experts: int = 1,
        hidden_units: Sequence[int] = (256,),
        tower_units: Sequence[int] = (64,),
        stop_gradient: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.shape, self.stop_gradient = (n_tasks, embedding_dim), stop_gradient
        self.embedding = FeatureEmbedding(schema, n_tasks * embedding_dim)
        own_dim = (schema.n_fields + len(schema.sequences)) * embedding_dim
        self.experts = nn.ModuleList(
            nn.ModuleList(DNN(own_dim, hidden_units, dropout) for _ in range(n_task_experts)) for _ in range(n_tasks)
        )
        self.shared = nn.ModuleList(DNN(in_dim, hidden_units, dropout) for _ in range(n_shared_experts))
        self.gates = nn.ModuleList(gate(own_dim, n_tasks * n_task_experts + n_shared_experts) for _ in range(n_tasks))
        width = hidden_units[-1]  # H
        self.towers = nn.ModuleList(task_tower(width, tower_units, dropout) for _ in range(n_tasks))

    def forward(self, represented: Tensor, batch: Batch) -> Tensor:
        inputs = self._inputs(batch)
        of_tasks = [[expert(x) for expert in group] for group, x in zip(self.experts, inputs, strict=True)]  # type: ignore[attr-defined]
        of_all = [expert(represented) for expert in self.shared]
        logits = []
        for task, (x, of_task, tower) in enumerate(zip(inputs, self.gates, self.towers, strict=True)):
            outputs = [self._seen(z, own=other == task) for other, group in enumerate(of_tasks) for z in group]  # each (B, H)
            logits.append(tower(mixture(of_task(x), [*outputs, *of_all])))
        return torch.cat(logits, 1)  # (B, T)

    def _inputs(self, batch: Batch) -> list[Tensor]:
        """Each task's own vectors of all fields and histories, flat: (B, F * D) for each."""
        vectors = self.embedding.with_histories(batch)  # (B, F, T * D)
        return [own.flatten(1) for own in vectors.view(*vectors.shape[:2], *self.shape).unbind(2)]

    def _seen(self, output: Tensor, own: bool) -> Tensor:
        return output if own or not self.stop_gradient else output.detach()
