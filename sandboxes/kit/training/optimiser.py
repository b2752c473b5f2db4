"""Adam over what a stage leaves free: dense parameters whole, embedding tables whole or by the rows that a batch looked up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor, nn

from sandboxes.kit.contract import Stage
from sandboxes.kit.kernels.touched_rows import AdamSettings, TableRows
from sandboxes.kit.layers.table import Table
from sandboxes.kit.training.config import TrainConfig
from sandboxes.kit.training.model import free, is_table


class Optimiser:
    """Steps one stage of a model. Between `settle` and the next step the weights are those that dense Adam would have.

    It is a context: in it the model's tables are watched, after it they are settled and left alone. Under a stage's own rule of
    update all tables are watched, and `lookups` holds the rows that were looked up since gradients were last forgotten.
    """

    def __init__(self, model: nn.Module, stage: Stage, config: TrainConfig) -> None:
        self._steps, self._by_rule = 0, stage.update is not None
        free(model, stage)
        tables = _tables(model) if config.updates == "touched" and config.embedding_l2 == 0 else []
        adam = AdamSettings(config.learning_rate)
        self._rows = {table: TableRows(table.weight, adam, threads=config.threads) for table in tables}
        for table, rows in self._rows.items():
            table.watcher = partial(self._looked_up, rows)
        self.lookups: dict[Tensor, list[Tensor]] = {}
        self._watched = _tables(model) if self._by_rule else tables
        if self._by_rule:
            self.note_lookups()
        self._dense = _dense_adam(model, tables, config)
        self.free = [p for p in model.parameters() if p.requires_grad]

    def step(self) -> None:
        """Applies the gradients of the last backward pass, and forgets them."""
        self._steps += 1
        for table, rows in list(self._rows.items()):
            gradient = table.weight.grad
            if gradient is None:
                continue
            if gradient.layout == torch.sparse_coo:
                rows.update(gradient._indices()[0], gradient._values(), self._steps)
                table.weight.grad = None
            else:
                self._update_whole_from_now_on(table)
        if len(self._watched) > len(self._rows):
            _make_dense(table.weight for table in self._watched)
        self._dense.step()
        self._dense.zero_grad(set_to_none=True)

    def forget(self) -> None:
        """Forgets the gradients of the last backward pass without applying them."""
        for parameter in self.free:
            parameter.grad = None
        self.lookups.clear()

    def note_lookups(self) -> None:
        """From now on the tables' lookups are noted here; whoever watches them already hears of them still."""
        for table in self._watched:
            table.watcher = partial(self._noted, table, table.watcher if table in self._rows else None)

    def settle(self) -> None:
        """Makes up for steps that rows have not seen yet."""
        for rows in self._rows.values():
            rows.bring_all_up(self._steps)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.settle()
        self.look_away()

    def look_away(self) -> None:
        """Lets go of the tables, which others may watch then."""
        for table in self._watched:
            table.watcher = None

    def _looked_up(self, rows: TableRows, looked_up: Tensor) -> None:
        rows.bring_up(looked_up, self._steps)

    def _noted(self, table: Table, watcher: Callable[[Tensor], None] | None, looked_up: Tensor) -> None:
        self.lookups.setdefault(table.weight, []).append(looked_up.flatten())
        if watcher is not None:
            watcher(looked_up)

    def _update_whole_from_now_on(self, table: Table) -> None:
        """For a table that a model uses otherwise than by lookups: its gradient has no rows to go by."""
        rows = self._rows.pop(table)
        table.watcher = partial(self._noted, table, None) if self._by_rule else None
        rows.bring_all_up(self._steps - 1)
        mean, square = (part.contiguous() for part in rows.moments.unbind(1))
        self._dense.add_param_group({"params": [table.weight]})
        step = torch.tensor(float(self._steps - 1), device=mean.device)
        self._dense.state[table.weight] = {"step": step, "exp_avg": mean, "exp_avg_sq": square}


def _make_dense(weights: Iterable[Tensor]) -> None:
    for weight in weights:
        if weight.grad is not None and weight.grad.layout == torch.sparse_coo:
            weight.grad = weight.grad.to_dense()


def _tables(model: nn.Module) -> list[Table]:
    return [m for m in model.modules() if isinstance(m, Table) and m.weight.requires_grad]


def _dense_adam(model: nn.Module, by_rows: list[Table], config: TrainConfig) -> torch.optim.Adam:
    """Adam over the free parameters but those tables that are updated by rows; the others carry the L2 penalty."""
    done = {id(table.weight) for table in by_rows}
    free = {name: p for name, p in model.named_parameters() if p.requires_grad and id(p) not in done}
    groups: list[dict[str, Any]] = [
        {"params": [p for name, p in free.items() if is_table(name)], "weight_decay": config.embedding_l2},
        {"params": [p for name, p in free.items() if not is_table(name)]},
    ]
    return torch.optim.Adam(groups, lr=config.learning_rate, fused=True)
