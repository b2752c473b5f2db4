"""Progressive layered extraction: shared and task-specific experts, apart from the start and mixed level by level.

Notation: B rows, K input width, H width of an expert's output, T tasks.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.dnn import DNN
from sandboxes.kit.layers.task_tower import gate, mixture, task_tower

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
        Argument(
            "n_task_experts",
            2,
            ("task-specific experts", "number of task-specific experts", "experts of each task", "specific experts per task"),
            low=1,
            high=64,
        ),
        Argument("n_shared_experts", 2, ("shared experts", "number of shared experts", "task-shared experts"), low=1, high=64),
        Argument(
            "hidden_units",
            (256,),
            (
                "hidden units of each expert",
                "hidden units of the experts",
                "expert layers",
                "expert hidden units",
                "expert layer sizes",
            ),
            low=1,
            high=8192,
        ),
        Argument(
            "tower_units",
            (64,),
            ("tower layers", "tower hidden units", "hidden units of the tower", "tower layer sizes", "task-specific layers"),
            low=1,
            high=4096,
        ),
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
