"""Shared bottom: one network below, a small tower for each task above. Notation: B rows, K input width, T tasks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.dnn import DNN
from sandboxes.kit.layers.task_tower import task_tower

CARD = Card(
    name="shared_bottom",
    block="SharedBottom",
    slot="tower",
    needs=("several_tasks",),
    summary="Feeds all tasks from the same hidden layers and gives each of them a tower of its own.",
    equation="y_k = h_k(f(x)), f shared by all tasks (Caruana, Machine Learning 28, 1997, section 1.2; Ma et "
    "al., KDD 2018, eq. 1)",
    cues=(
        "shared bottom",
        "shared-bottom structure",
        "shared bottom network",
        "bottom layers shared by all tasks",
        "hard parameter sharing",
        "hidden layers shared across tasks",
        "shared hidden layers with task-specific output layers",
        "shared layers followed by task-specific towers",
        "shared representation for all tasks",
        "task-specific towers on top of the shared",
        "tasks share the bottom",
        "parameters of the bottom layers are shared among tasks",
        "multi-task network with a shared backbone",
        "one bottom network for all tasks",
    ),
    descriptions=(
        "All tasks share the bottom layers, and each task has its own tower network on top of the shared representation.",
        "Hard parameter sharing lets several objectives be trained on one common hidden representation.",
        "A common feed-forward network is followed by separate output layers for click and conversion.",
        "The lower part of the model is common to the tasks, while the upper part is specific to each.",
        "Sharing hidden layers between tasks acts as regularisation and lowers the risk of overfitting each of them.",
        (
            "The tasks share one embedding layer and the same lower hidden layers, on top of which each task has a tower "
            "network of its own. The losses of all towers are summed and back-propagated through the common layers."
        ),
        (
            "We adopt hard parameter sharing: a common trunk encodes the input into one representation that is fed identically "
            "to every task-specific head. There are no gates and no experts; the heads differ only in their own parameters."
        ),
        (
            "For jointly predicting click, like and share, the model uses a single multi-layer trunk for all objectives and "
            "separate small output networks per objective. Sharing the trunk acts as a regulariser and keeps the number of "
            "parameters low."
        ),
        (
            "All objectives read the same hidden representation produced by the same fully connected layers, and branch off "
            "only afterwards into individual towers. The design is economical, but loosely related objectives may disturb each "
            "other in the common layers."
        ),
        (
            "One body, several heads. The body digests the guest's record once, and every head, for booking, for cancelling, "
            "for reviewing, receives exactly the same digest and turns it into its own answer through layers that belong to it "
            "alone."
        ),
        (
            "Questions about a listener, whether she skips, saves or finishes a track, are answered by separate short networks "
            "standing on a foundation they hold in common. No mixing weights choose among pieces of the foundation; all "
            "questions get all of it equally."
        ),
        (
            "The lower part of the net is computed a single time for each transaction and serves fraud, churn and upsell goals "
            "alike. Above it the net forks, one fork for each goal, and errors from all forks jointly adjust the lower part."
        ),
        (
            "To avoid keeping a full model for each target we let the targets live on the same intermediate vector. It is made "
            "by layers everyone owns together and is consumed by private layers, one private stack for every target."
        ),
        (
            "The network resembles a tree: a thick stem made of layers used for every purpose, then a split into branches, "
            "where the branch for reading time and the branch for comments no longer exchange anything."
        ),
        (
            "Scarce purchases profit from abundant installs because both train the same early layers. Only the last layers are "
            "separate, one set for purchases and one for installs, and the early layers hand the identical output to both sets "
            "without any selection in between."
        ),
        (
            "Several outputs are learned at once. Whatever precedes the fork is common property, updated by the sum of all "
            "errors; whatever follows it is private to one output. The cost is little more than that of a network with a single "
            "output."
        ),
        (
            "The encoder does not know which goal it works for: it yields one code for every ad request, and this one code goes "
            "unchanged into all the goal-specific perceptrons, each ending in its own sigmoid."
        ),
        (
            "We combine watch, follow and gift forecasts by making them use a joint early stage of dense layers. Each forecast "
            "then gets its own late stage; there is neither a choice between alternative early stages nor an early stage "
            "reserved for any single forecast."
        ),
        (
            "Common layers first, individual layers second. The visitor's attributes pass through the former once, the result "
            "is copied to as many individual stacks as there are targets, and each stack issues the probability of its own "
            "target."
        ),
        (
            "All questions put to the model, such as will he watch, will he like, will he share, are answered from one common "
            "hidden vector. A single trunk of dense layers computes it from the input, and for each question a small private "
            "stack on top turns it into a probability."
        ),
        (
            "Picture a tree: one stem, several branches. The stem reads the attributes and is trained by the errors of all the "
            "branches added up; each branch belongs to a single target and holds its own weights. No branch chooses among "
            "alternatives, every one receives the identical sap."
        ),
        (
            "Recipe: concatenate the codes; pass them through two dense layers common to all targets; copy the result to T "
            "heads, each with its own layers and sigmoid. Sum the T losses with weights; propagate all of them back through the "
            "common layers."
        ),
        (
            "To save computation and let the rare purchase signal profit from the frequent click signal, we use the same lower "
            "layers for both and divide only near the output. The division is hard: below it everything is common, above it "
            "nothing is, and there are neither mixtures nor gates."
        ),
        (
            "Instead of separate networks for bookings, cancellations and ratings, we have one network up to a certain depth, "
            "at which it splits into separate final stages. The common portion acts as a regulariser, as it has to satisfy "
            "every goal at once, though goals in conflict must share it too."
        ),
        (
            "Tersely: h equals trunk(x); p_t equals sigmoid of head_t(h) for t from 1 to T; L equals the sum of w_t times "
            "logloss(p_t, y_t). The trunk is one and the same for all t, without any weighting that depends on t."
        ),
        (
            "Our news engine predicts opening, reading to the end and commenting at once. The costly part, encoding reader and "
            "article, is done once and its result is given unaltered to three light networks, one for each prediction, that are "
            "learned side by side."
        ),
        (
            "We treat each bank product as a separate target with a short output network of its own, while customer "
            "understanding, the lower body of the model, is learned only once for all products. Gradients of all output "
            "networks accumulate in this body, which is how knowledge passes between products."
        ),
        (
            "We want to know three things of a job posting: will it be opened, saved, applied for. The lower half of the "
            "network is common property and computed once. On top of it, each of the three questions has a small stack to "
            "itself, with its own error; the three errors are added, and all of them push on the common half."
        ),
        (
            "Play, skip and purchase of a track are guessed by one body with three heads. All records run through the same two "
            "broad layers, of which there exists only one copy; from there the way forks, and each of the three guesses is "
            "completed by a small private stack of layers. The body receives the corrections from all the heads at once."
        ),
    ),
    arguments=(
        Argument(
            "hidden_units",
            (256, 128),
            ("shared hidden layers", "shared layers", "bottom layers", "hidden units of the shared bottom", "bottom layer sizes"),
            low=1,
            high=8192,
        ),
        Argument(
            "tower_units",
            (64,),
            ("tower layers", "tower hidden units", "hidden units of the tower", "task-specific layers", "tower layer sizes"),
            low=1,
            high=4096,
        ),
    ),
    example="flat = fields.flatten(1)\nlayer = SharedBottom(flat.shape[1], n_tasks=2, hidden_units=(16,), tower_units=(8,))\n"
    "output = layer(flat)",
)


class SharedBottom(nn.Module):
    """(B, K) -> (B, T) logits."""

    def __init__(
        self,
        in_dim: int,
        n_tasks: int,
        hidden_units: Sequence[int] = (256, 128),
        tower_units: Sequence[int] = (64,),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.bottom = DNN(in_dim, hidden_units, dropout)
        self.towers = nn.ModuleList(task_tower(self.bottom.out_dim, tower_units, dropout) for _ in range(n_tasks))

    def forward(self, flat: Tensor) -> Tensor:
        shared = self.bottom(flat)  # (B, H)
        return torch.cat([tower(shared) for tower in self.towers], 1)  # (B, T)
