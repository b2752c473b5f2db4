"""A team of processes that train one model together: who they are, what each of them does, and how they add up.

They are started by `torchrun`, on one machine or several. Whoever is not, is a team of one, which needs no process group and
whose every call costs nothing.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class Team:
    """This process is number `rank` of `size`. All members make the same calls on a team, in the same order, or wait for ever."""

    rank: int = 0
    size: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.size:
            raise ValueError(f"no member {self.rank} in a team of {self.size}")

    @property
    def leads(self) -> bool:
        """Whether this is the one member that speaks for all."""
        return self.rank == 0

    def part(self, rows: slice) -> slice:
        """This member's rows of a run of rows (start and stop given): neighbours, and as many as any other's, or one less."""
        n = rows.stop - rows.start
        return slice(rows.start + n * self.rank // self.size, rows.start + n * (self.rank + 1) // self.size)

    def sum(self, values: Tensor) -> Tensor:
        """`values` added up over the team, in place; of one shape everywhere."""
        if self.size > 1:
            dist.all_reduce(values)
        return values


ALONE = Team()
_building_for: ContextVar[Team] = ContextVar("building_for", default=ALONE)


def builders_team() -> Team:
    """The team for which a model is just being built."""
    return _building_for.get()


@contextmanager
def building_for(team: Team) -> Iterator[None]:
    """While it is entered, tables are made to be shared out over `team`."""
    before = _building_for.set(team)
    try:
        yield
    finally:
        _building_for.reset(before)


@contextmanager
def joined() -> Iterator[tuple[Team, str]]:
    """The team that torchrun's environment variables speak of, and this process's device. Leaves the team at the end.

    Processes with a graphics card each talk by NCCL, others by Gloo.
    """
    size, on_this_machine = (int(os.environ.get(name, "1")) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    if size == 1:
        yield ALONE, "cuda" if torch.cuda.is_available() else "cpu"
        return
    device = "cpu"
    if torch.cuda.is_available() and on_this_machine <= torch.cuda.device_count():
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    elif size == on_this_machine and "lo" in (name for _, name in socket.if_nameindex()):
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # else Gloo asks for the host's name, which a sandbox cannot resolve
    dist.init_process_group("gloo" if device == "cpu" else "nccl")
    try:
        yield Team(int(os.environ["RANK"]), size), device
    finally:
        dist.destroy_process_group()
