"""Checks several equations of one model, each with a reference in a file of its own; what fails in one touches no other."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from sandboxes.kit.equation import Agreement, Probe, check
from sandboxes.kit.model_file import module_in_file
from sandboxes.kit.two_sides import said


def equation_rows(model: ModuleType, asked: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row {id, verdict, largest_difference, detail} for each {id, probe, reference}, in their order.

    `probe` is `Probe.as_data`, `reference` the name of a file here with a function `reference`, which takes the probe's symbols
    as keyword arguments and returns a tensor. The layers are looked up by name in the module `model`.
    """
    return [{"id": one["id"], **_as_data(_agreement(model, number, one))} for number, one in enumerate(asked)]


def _as_data(found: Agreement) -> dict[str, Any]:
    """An exception's text may hold what is no text in a file."""
    return asdict(found) | {"detail": found.detail.encode("utf-8", "replace").decode()}


def _agreement(model: ModuleType, number: int, asked: Mapping[str, Any]) -> Agreement:
    try:
        probe = Probe.from_data(asked["probe"])
        layers = {name: found for name, found in vars(model).items() if inspect.isclass(found) and issubclass(found, nn.Module)}
        if probe.layer not in layers:
            return Agreement("undecided", 0.0, f"the model's file has no layer {probe.layer}; it has {', '.join(layers)}"[:400])
        reference = module_in_file(Path(asked["reference"]), f"reference_{number}").reference
        return check(probe, layers[probe.layer], reference)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the boundary to generated code
        return Agreement("undecided", 0.0, said(error))
