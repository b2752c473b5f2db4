"""Runs functions in a team of processes on this machine, and brings back what each member returns."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from sandboxes.kit.team import Team

Cases = Mapping[str, tuple[Callable[..., Any], tuple[Any, ...]]]  # of functions that an import finds


def in_team(size: int, folder: Path, cases: Cases) -> list[dict[str, Any]]:
    """For each member, what `function(team, *arguments)` of every case gave: tensors and plain data. `folder` is to be empty."""
    mp.spawn(_member, (size, str(folder), dict(cases)), nprocs=size)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(size)]


def _member(rank: int, size: int, folder: str, cases: Cases) -> None:
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=size)
    team = Team(rank, size)
    given = {name: function(team, *arguments) for name, (function, arguments) in cases.items()}
    torch.save(given, Path(folder, f"{rank}.pt"))
    dist.destroy_process_group()
