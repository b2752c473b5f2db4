"""Training by a team: each member works on its part of every batch, and gradients add up to those of the whole batch.

Two members come to the losses of one, up to rounding and to what a model draws while it trains (each member draws its own
dropout). This holds for losses that are means over rows: the cross-entropy of observed labels exactly, a model's own loss where
labels are observed. Not for what looks from row to row, such as negatives within a batch or statistics of a batch: these see a
member's part alone. What a forward pass looks up must not depend on the rows at hand, or members wait for one another for ever.
Notation: P parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain

import torch
import torch.distributed as dist
from torch import Tensor, nn

from sandboxes.kit.contract import Stage
from sandboxes.kit.layers.table import Table
from sandboxes.kit.losses import observed_bce
from sandboxes.kit.team import Team
from sandboxes.kit.training.config import TrainConfig
from sandboxes.kit.training.model import has_plain_loss, loss_of
from sandboxes.kit.training.optimiser import Optimiser
from sandboxes.kit.training.order import Part
from sandboxes.kit.training.step import stepping

State = dict[str, Tensor]


def shared_step_function(
    model: nn.Module, stage: Stage, optimiser: Optimiser, config: TrainConfig, team: Team
) -> Callable[[Part], Tensor]:
    """(part) -> what it adds to the loss of its whole batch before the step, a detached scalar."""
    usual = team.part(slice(0, config.batch_size))
    gather = partial(sum_gradients, model, team)
    loss = partial(_weighted_loss, model, stage, config.task_weights)
    return stepping(loss, gather, stage, optimiser, config, usual.stop - usual.start, team)


def _weighted_loss(model: nn.Module, stage: Stage, task_weights: Sequence[float], part: Part) -> Tensor:
    labels = part.batch.labels
    if labels is None or part.batch.answer is not None or not has_plain_loss(model, stage):
        return part.weight * loss_of(model, stage, part.batch)
    logits = model(part.batch).reshape(labels.shape)  # (B, T)
    by_task = [observed_bce(logits[:, t : t + 1], labels[:, t : t + 1]) for t in range(labels.shape[1])]
    losses = torch.stack(by_task)  # (T,)
    if task_weights:
        losses = losses * losses.new_tensor(task_weights)
    return (part.task_weights * losses).sum()  # not as a product of matrices, which bf16 would round


def sum_gradients(model: nn.Module, team: Team) -> None:
    """Adds up the gradients of what all members hold alike; those of tables have come to the holder of the row by themselves.

    A parameter without a gradient on any member keeps none. Raises `ValueError` for a table whose weights were used other than
    by a lookup: such a use would see a member's rows alone.
    """
    shared = tables(model)
    for name, table in shared:
        gradient = table.weight.grad
        if gradient is not None and gradient.layout != torch.sparse_coo:
            raise ValueError(f"{name}.weight is shared out over {team.size} processes; a model may only look its rows up")
        if gradient is not None and table.watcher is None:
            table.weight.grad = gradient.to_dense()
    own = {id(table.weight) for _, table in shared}
    alike = [p for p in model.parameters() if p.requires_grad and id(p) not in own]
    if not alike:
        return
    there = torch.tensor([p.grad is not None for p in alike], dtype=alike[0].dtype, device=alike[0].device)  # (P,)
    flat = torch.cat([there, *((torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in alike)])
    found, *gradients = torch.split(team.sum(flat), [len(alike), *(p.numel() for p in alike)])
    for parameter, count, gradient in zip(alike, found.tolist(), gradients, strict=True):
        parameter.grad = gradient.view_as(parameter) if count else None


def average_statistics(model: nn.Module, team: Team) -> None:
    """Makes what members have gathered of their own rows, such as running means, the same everywhere."""
    if team.size == 1:
        return
    parameters = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    for name, value in model.state_dict().items():
        if name not in parameters and value.is_floating_point():
            team.sum(value).div_(team.size)


def whole_state(model: nn.Module, state: State, team: Team) -> State:
    """`state` with whole tables, as a team of one would hold it, for the member that leads; {} for others."""
    whole = dict(state) if team.leads else {}
    if team.size == 1:
        return whole
    for name, table in tables(model, every_name=True):
        own = state[f"{name}.weight"].contiguous()
        if not team.leads:
            dist.send(own, 0)
            continue
        full = whole[f"{name}.weight"] = own.new_empty(table.n_rows, own.shape[1])
        full[0 :: team.size] = own
        for member in range(1, team.size):
            theirs = full[member :: team.size].contiguous()
            dist.recv(theirs, member)
            full[member :: team.size] = theirs
    return whole


def parameter_count(model: nn.Module) -> int:
    """Of the whole model, all rows of tables that are shared out included."""
    elsewhere = (table.n_rows * table.embedding_dim - table.weight.numel() for _, table in tables(model))
    return sum(chain(elsewhere, (p.numel() for p in model.parameters())))


def tables(model: nn.Module, every_name: bool = False) -> list[tuple[str, Table]]:
    """The tables with their names, each once, or as often as it has names."""
    return [(name, m) for name, m in model.named_modules(remove_duplicate=not every_name) if isinstance(m, Table)]
