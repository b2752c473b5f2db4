"""Multi-gate mixture of experts: each task mixes the same experts by a gate of its own.

Notation: B rows, K input width, E experts, H width of an expert's output, T tasks.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.dnn import DNN
from sandboxes.kit.layers.task_tower import EXPERT_UNITS, TOWER_UNITS, gate, mixture, task_tower

CARD = Card(
    name="mmoe",
    block="MMoE",
    slot="tower",
    needs=("several_tasks",),
    summary="Shares several expert networks between the tasks; each task has a gate that mixes them for the row, "
    "and its own tower.",
    equation="y_k = h_k(sum_i g^k_i(x) f_i(x)), g^k(x) = softmax(W_gk x) (Ma et al., KDD 2018, eq. 6 and 7)",
    cues=(
        "multi-gate mixture of experts",
        "mixture of experts",
        "gating network for each task",
        "task-specific gates",
        "task-specific gating network",
        "separate gating network for each task",
        "experts shared across all tasks",
        "expert networks are shared",
        "softmax gate over the experts",
        "gates assemble the experts",
        "weighted sum of experts",
        "ensemble of experts for each task",
        "moe layer",
        "experts as bottom networks",
        "gating networks optimized for each task",
    ),
    descriptions=(
        "Several expert networks are shared by all tasks, and a gating network for each task decides how to mix them.",
        "Each task has its own softmax gate over the experts, so that tasks can use the shared knowledge differently.",
        "The gates are linear transformations of the input followed by a softmax, and give the weights of the experts.",
        "Task differences are modelled explicitly by gates on top of a group of bottom networks called experts.",
        "The gated combination of the experts is fed to a tower network that is specific to the task.",
        "When tasks are less related, the gates learn to use different experts, which lessens conflicts between the objectives.",
        (
            "A set of parallel sub-networks shared by all tasks processes the input, and for every task a separate softmax gate "
            "computes mixing weights from the input. The weighted sum of the sub-networks' outputs is passed to that task's "
            "tower."
        ),
        (
            "Replacing the single shared trunk, we use several shared feed-forward modules and let every task combine them "
            "through a gating network of its own, so that weakly related tasks may rely on different modules. No module is "
            "exclusive to a task."
        ),
        (
            "Task relations are modelled by per-task gates over a common pool of subnetworks. Given the sample, the gate of "
            "task k outputs a distribution over the pool, and the tower of task k receives the corresponding convex "
            "combination."
        ),
        (
            "For conflicting objectives such as clicks and watch time, each objective softly selects among the same group of "
            "shared bottom networks with input-dependent softmax weights before its own tower predicts."
        ),
        (
            "There is a panel of small networks, all of which look at every guest. For the booking question one set of "
            "proportions blends their opinions; for the review question another set does. The proportions depend on the guest "
            "and are learned, and every panel member is open to all questions."
        ),
        (
            "Several alternative hidden layers stand side by side. Each goal owns a little selector that, on seeing the record, "
            "decides how much of each alternative it wants; the amounts sum to one, and the blend goes to the goal's private "
            "output layers."
        ),
        (
            "When skips and saves of a song pull one common body in opposite directions, both suffer. We keep a handful of "
            "common bodies instead, and each of the two targets mixes the handful with its own input-driven weights."
        ),
        (
            "None of the specialists is reserved for anybody. All targets draw on all specialists, but in shares of their own, "
            "computed by a linear map and a softmax from the transaction at hand, once per target and in a single level."
        ),
        (
            "The forward pass evaluates n parallel perceptrons, then for each of the m questions forms a weighted average of "
            "the n results. The weights come from the question's own selector applied to the same input, giving m different "
            "averages for m output heads."
        ),
        (
            "How much two goals should have in common need not be fixed in advance. With a pool of communal subnets and a "
            "blending unit per goal, related goals can learn similar blends while unrelated goals learn to lean on separate "
            "members of the pool."
        ),
        (
            "Readers' opening and commenting behaviours are predicted from the same collection of hidden modules. What differs "
            "is the recipe: opening has its own recipe and commenting has its own, each listing how strongly every module of "
            "the collection counts for the present row."
        ),
        (
            "A mixing vector is produced for each target by a shallow layer over the player's attributes. It tells in what "
            "ratio to add up the codes of the communal modules, so payments and retention obtain different summaries from the "
            "same set of modules."
        ),
        (
            "The cost compared with one common bottom is small: the bottom is cut into a few narrower ones, and per objective "
            "one adds a tiny softmax layer that distributes attention among them, differently for every advert request and "
            "every objective."
        ),
        (
            "Every head hears all the same advisers but trusts them differently. Trust is recomputed for each visit out of the "
            "visit's features, by a unit belonging to that head, and the trust-weighted sum of the advice is all that the head "
            "gets to see."
        ),
        (
            "There is a pool of several small networks that all read the same input. For every target a separate softmax, also "
            "reading the input, states in which proportions the pool's outputs are to be blended, and the blend goes to that "
            "target's own final layers; every target may use every pool member."
        ),
        (
            "Imagine a panel of consultants open to all departments. Each department has its own secretary who, on seeing the "
            "case, decides how much of the advice from each consultant to take; the department then decides on the mixture. The "
            "consultants are common property, only the secretaries and the final decisions are private."
        ),
        (
            "Recipe: run n parallel subnetworks on x; for target t compute n shares from a linear map of x and normalise; "
            "average the n outputs with those shares; send the average into head t. Repeat for all targets with the same "
            "subnetworks but different share maps."
        ),
        (
            "Forcing watching time and liking through one common trunk hurts when they disagree. We replace the trunk by a set "
            "of alternatives, and give each target its own input-dependent selector over the set, so related targets choose "
            "alike and conflicting ones choose differently, without any alternative being reserved to anyone."
        ),
        (
            "The number of parameters hardly rises compared with a common trunk, since the trunk is merely split in several "
            "parallel ones. What is new is a soft switchboard per goal: looking at the example, it weighs the parallel trunks "
            "to sum to one and forms that goal's private mixture."
        ),
        (
            "Tersely: f_t(x) equals the sum over i of g_t(x)_i times E_i(x); y_t equals head_t(f_t). E_i carry no target index, "
            "g_t does; all of this in one level. g_t(x) is the softmax of a linear image of x."
        ),
        (
            "For a hotel site predicting clicks, bookings and stays, we train eight feed-forward modules jointly. Clicks have "
            "their mixing weights, bookings have others, stays others again, each produced from the request at hand; modules "
            "are owned by nobody and are updated through whichever mixtures employ them."
        ),
        (
            "How alike two targets are is learned rather than assumed. Where the mixing proportions of two targets coincide, "
            "they share computation; where they differ, they draw on different members of the common set of subnetworks. One "
            "round of mixing, one mixer for each target, one private output stage each."
        ),
        (
            'Six subnetworks of equal shape read the same row, and all belong to everybody. For "finishes the clip" and '
            '"shares the clip" alike, we compute from the row six non-negative shares adding to one, by different trained '
            "maps for the two questions, and blend the six outputs accordingly. Either blend goes to a head of its own. So "
            "questions which agree may lean on the same subnetworks, and those in conflict drift apart."
        ),
        (
            "Five small networks, belonging to nobody in particular, look at every shop record. The guess of a click and the "
            "guess of a basket are each equipped with a mixer, which reads the record and distributes hundred percent among the "
            "five. Each guess goes on with its own percentage blend through its own final layers, so that two quarrelling aims "
            "can draw from different networks."
        ),
    ),
    arguments=(
        Argument(
            "n_experts", 8, ("experts", "number of experts", "expert networks", "number of expert networks"), low=1, high=256
        ),
        EXPERT_UNITS,
        TOWER_UNITS,
    ),
    example="flat = fields.flatten(1)\nlayer = MMoE(flat.shape[1], n_tasks=2, n_experts=3, hidden_units=(16,), "
    "tower_units=(8,))\n"
    "output = layer(flat)",
)


class MMoE(nn.Module):
    """(B, K) -> (B, T) logits. `hidden_units` are the layers of one expert, `tower_units` those of one task."""

    def __init__(
        self,
        in_dim: int,
        n_tasks: int,
        n_experts: int = 8,
        hidden_units: Sequence[int] = (256, 128),
        tower_units: Sequence[int] = (64,),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        width = hidden_units[-1] if hidden_units else in_dim  # H
        self.experts = nn.ModuleList(DNN(in_dim, hidden_units, dropout) for _ in range(n_experts))
        self.gates = nn.ModuleList(gate(in_dim, n_experts) for _ in range(n_tasks))
        self.towers = nn.ModuleList(task_tower(width, tower_units, dropout) for _ in range(n_tasks))

    def forward(self, flat: Tensor) -> Tensor:
        outputs = [expert(flat) for expert in self.experts]  # each (B, H)
        mixed = [mixture(of_task(flat), outputs) for of_task in self.gates]  # each (B, H)
        return torch.cat([tower(x) for tower, x in zip(self.towers, mixed, strict=True)], 1)  # (B, T)
