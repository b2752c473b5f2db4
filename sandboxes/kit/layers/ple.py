"""Progressive layered extraction: shared and task-specific experts, apart from the start and mixed level by level.

Notation: B rows, K input width, H width of an expert's output, T tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.dnn import DNN
from sandboxes.kit.layers.task_tower import EXPERT_UNITS, N_SHARED_EXPERTS, N_TASK_EXPERTS, TOWER_UNITS, gate, mixture, task_tower

CARD = Card(
    name="ple",
    block="ProgressiveLayeredExtraction",
    slot="tower",
    needs=("several_tasks",),
    summary="Gives each task experts of its own beside shared ones, and mixes them by gates in several levels, so that "
    "tasks separate gradually.",
    equation="g^{k,j} = softmax(W^{k,j} g^{k,j-1}) [E^{k,j}(g^{k,j-1}), E^{s,j}(g^{s,j-1})], the shared g^{s,j} over the experts"
    " of all tasks and the shared ones; g^{k,0} = g^{s,0} = x; y_k = t_k(g^{k,N}) (Tang et al., RecSys 2020, eq. 5 to 8)",
    cues=(
        "progressive layered extraction",
        "customized gate control",
        "task-specific experts and shared experts",
        "shared experts and task-specific experts",
        "task-shared experts",
        "task-specific experts",
        "separates shared components and task-specific components",
        "separate shared and task-specific parameters explicitly",
        "shared and task-specific expert modules",
        "extraction network",
        "multi-level extraction",
        "progressive separation routing",
        "progressive routing mechanism",
        "seesaw phenomenon",
        "harmful parameter interference between tasks",
        "negative transfer between tasks",
    ),
    descriptions=(
        "Shared experts and experts that belong to one task are kept apart explicitly, and gates combine them for each task.",
        "Several levels of extraction networks separate the parameters of the tasks progressively, from lower to higher layers.",
        "The gate of a task selects only among its own experts and the shared ones, so other tasks cannot interfere.",
        "At the lower levels a shared gate collects from the experts of all tasks and passes deeper shared knowledge up.",
        "Improving one task often hurts another, and separating common from task-specific components relieves this.",
        "Each task's tower takes the output of its gating network in the last extraction level.",
        (
            "We separate shared expert networks from task-specific ones: each task's gate fuses its own experts with the shared "
            "experts only, and several such extraction layers are stacked so that task information is separated gradually "
            "before the towers."
        ),
        (
            "To avoid the seesaw effect between tasks, each task owns exclusive experts in addition to the common ones. Gates "
            "at every level combine private and common experts, and a further gate updates the common branch from all experts "
            "for the next level."
        ),
        (
            "Our multi-task architecture explicitly splits expert modules into common and private ones, and progressively "
            "routes information through multiple levels of gated extraction. Experts belonging to one task are never accessed "
            "by the tower of another."
        ),
        (
            "In each extraction layer, the representation for task k is a softmax-gated combination of the layer's task-k "
            "experts and shared experts; the outputs become the inputs of the next extraction layer, and the final ones are fed "
            "to the towers."
        ),
        (
            "Some subnetworks belong to booking alone, some to cancelling alone, and some to both. A selector for booking "
            "blends the booking-only ones with the joint ones, another does so for cancelling, and this blending is repeated "
            "over two or more storeys."
        ),
        (
            "When every module serves all goals, a gain for one is often a loss for another. We give each goal private modules "
            "that no other goal may touch, beside a communal group, and let the streams pass through several gated stages, "
            "separating step by step."
        ),
        (
            "The music model carries one lane for skips, one for saves, and one communal lane. At every level a lane for a goal "
            "mixes its own modules with the communal ones, while the communal lane mixes everything, and then all lanes climb "
            "to the next level."
        ),
        (
            "Ownership of modules is made explicit: fraud has its own, churn has its own, and a third set is common. Mixing "
            "proportions computed from the record are limited to one's own set plus the common set, and mixing occurs in "
            "layers."
        ),
        (
            "Early on, the information for all targets is entangled; in our design it is disentangled gradually. Each layer "
            "hands on a private code for every target and one public code, all obtained by weighted sums over private and "
            "public subnets."
        ),
        (
            "The public pool may be read by all outputs, but each output additionally keeps a closed pool of subnets, updated "
            "only by its own errors. A softmax decides how much comes from public and closed pools, and the arrangement is "
            "stacked."
        ),
        (
            "For opening and commenting on news we compute, level after level, three vectors: one purely for opening, one "
            "purely for commenting, one in common. The next level's reserved and common modules read these vectors, and the "
            "heads read the last reserved vectors."
        ),
        (
            "A goal such as payment should not be harmed by another such as retention. Therefore reserved modules protect what "
            "is peculiar to a goal, general modules hold what is useful to both, and the proportion between reserved and "
            "general is set by a gate at each of the stacked stages."
        ),
        (
            "Compared with letting each ad objective weigh one communal pool, we forbid certain connections: the install gate "
            "cannot see the modules set aside for purchases, nor the other way round. Both see the communal modules, and "
            "several such blocks follow one another."
        ),
        (
            "Hierarchical exchange among goals is controlled by who owns what. At the lowest storey exclusive and joint modules "
            "read the visit; at higher storeys they read the gated mixtures from beneath, until an exclusive mixture per goal "
            "arrives at its own output stack."
        ),
        (
            "Subnetworks come in two kinds: those that belong to one target only and those open to all. A target's mixer blends "
            "its own and the open ones but never another target's, a further mixer updates the open stream, and the whole "
            "arrangement is repeated level upon level before the private output stages."
        ),
        (
            "Think of several workshops each with its own craftsmen, and a common hall with craftsmen for everyone. Workshop "
            "pieces are combined from own and hall craftsmen's work by input-dependent weights, the hall combines work from "
            "everybody, and the combined pieces go to the next floor, where the same occurs again."
        ),
        (
            "Recipe for a level: for each target t run its private modules on stream t; run the common modules on the common "
            "stream; new stream t equals softmax-weighted sum of private-t and common outputs; new common stream equals "
            "weighted sum of all outputs. Stack two or three levels, then heads."
        ),
        (
            "When improving one goal makes another worse, full sharing is to blame. We reserve part of the capacity to each "
            "goal, leave part common, and separate the two gradually over successive stages, with gating at every stage "
            "controlling how much common knowledge flows into a goal's private path."
        ),
        (
            "Parameters that carry knowledge of finishing a video are kept apart from those for sharing it, with a third set "
            "holding what both need. At each layer, a selector per goal merges its reserved set with the third set according to "
            "the example; deeper layers refine the separation."
        ),
        (
            "Tersely: at level k, s_t^k equals gate_t^k over [private_t^k outputs, common^k outputs]; s_0^k equals gate_0^k "
            "over all outputs; next level reads s^k; finally y_t equals head_t(s_t^K). Private modules of t never feed goal u "
            "directly."
        ),
        (
            "Unlike a pool in which every member is anybody's, ours has ownership. Each bank product possesses modules that "
            "only its gradient trains, next to collective modules, and mixing between own and collective is learned from the "
            "input and applied in several consecutive rounds, so that conflict between products is contained."
        ),
        (
            "A two-storey routing network predicts play, skip and purchase in a game shop. On both storeys there are dedicated "
            "blocks per prediction and general blocks; weighted selection at the exit of a storey admits dedicated and general "
            "signals to each prediction's lane and all signals to the general lane."
        ),
        (
            "Each of our two questions owns two private subnetworks, and two more are common property. The blend for a "
            "question, with shares depending on the row, draws upon its private subnetworks and the common ones, but never upon "
            "those of the other question. A third blend over all six supplies the common subnetworks of the next storey. We "
            "build two storeys in this fashion before the heads."
        ),
        (
            "Every aim has two helper networks that no other aim may consult, and there are three further helpers in common "
            "possession. An aim blends its private helpers and the common ones by shares computed from the record, and the "
            "common side too makes its blend out of all. On the blends a second storey with the same arrangement is raised, and "
            "only after this the final guess for reading time and for sharing is taken."
        ),
    ),
    arguments=(
        Argument(
            "n_levels",
            2,
            (
                "extraction levels",
                "extraction networks",
                "number of extraction networks",
                "number of levels",
                "extraction layers",
            ),
            low=1,
            high=6,
        ),
        N_TASK_EXPERTS,
        N_SHARED_EXPERTS,
        replace(EXPERT_UNITS, default=(256,)),
        TOWER_UNITS,
    ),
    example="flat = fields.flatten(1)\n"
    "layer = ProgressiveLayeredExtraction(flat.shape[1], n_tasks=2, n_levels=2, hidden_units=(16,), tower_units=(8,))\n"
    "output = layer(flat)",
)


class ProgressiveLayeredExtraction(nn.Module):
    """(B, K) -> (B, T) logits. `hidden_units` are the layers of one expert in each of the levels."""

    def __init__(
        self,
        in_dim: int,
        n_tasks: int,
        n_levels: int = 2,
        n_task_experts: int = 2,
        n_shared_experts: int = 2,
        hidden_units: Sequence[int] = (256,),
        tower_units: Sequence[int] = (64,),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        width = hidden_units[-1] if hidden_units else in_dim  # H
        self.levels = nn.ModuleList(
            ExtractionLevel(
                in_dim if level == 0 else width,
                n_tasks,
                n_task_experts,
                n_shared_experts,
                hidden_units,
                dropout,
                last=level == n_levels - 1,
            )
            for level in range(n_levels)
        )
        self.towers = nn.ModuleList(task_tower(width, tower_units, dropout) for _ in range(n_tasks))

    def forward(self, flat: Tensor) -> Tensor:
        states = [flat] * (len(self.towers) + 1)  # one for each task, and the shared one
        for level in self.levels:
            states = level(states)  # each (B, H)
        return torch.cat([tower(state) for tower, state in zip(self.towers, states, strict=False)], 1)  # (B, T)


class ExtractionLevel(nn.Module):
    """[a (B, K) for each task, the shared (B, K)] -> [a (B, H) for each task, the shared (B, H) unless `last`]."""

    def __init__(
        self,
        in_dim: int,
        n_tasks: int,
        n_task_experts: int,
        n_shared_experts: int,
        hidden_units: Sequence[int],
        dropout: float,
        last: bool,
    ) -> None:
        super().__init__()
        counts = [n_task_experts] * n_tasks + [n_shared_experts]
        self.experts = nn.ModuleList(nn.ModuleList(DNN(in_dim, hidden_units, dropout) for _ in range(count)) for count in counts)
        self.gates = nn.ModuleList(gate(in_dim, n_task_experts + n_shared_experts) for _ in range(n_tasks))
        self.shared_gate = None if last else gate(in_dim, sum(counts))

    def forward(self, states: Sequence[Tensor]) -> list[Tensor]:
        *own, shared = [[expert(x) for expert in group] for group, x in zip(self.experts, states, strict=True)]  # type: ignore[attr-defined]
        mixed = [mixture(g(x), [*mine, *shared]) for g, x, mine in zip(self.gates, states, own, strict=False)]
        if self.shared_gate is not None:
            everyone = [output for group in own for output in group] + shared
            mixed.append(mixture(self.shared_gate(states[-1]), everyone))
        return mixed
