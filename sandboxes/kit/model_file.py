"""Finds the class of a model: one of the kit's own by name, or `Model` of a model.py, whose code runs when it is loaded; and
what else stands beside it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from torch import nn

from sandboxes.kit.models import ALL_MODELS


def reference_class(name: str) -> type[nn.Module]:
    """The reference model of that name. Raises `KeyError` when there is none."""
    return ALL_MODELS[name]


def class_in_file(path: Path, module_name: str = "model") -> type[nn.Module]:
    """The class `Model` defined in the file, which is imported under `module_name`: its code runs in this process."""
    found: type[nn.Module] = module_in_file(path, module_name).Model
    return found


def module_in_file(path: Path, module_name: str) -> ModuleType:
    """The file imported under `module_name`: its code runs in this process."""
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    return module


def layers_beside(reference: str) -> ModuleType:
    """The module of the reference model of that name. Raises `KeyError` when there is none."""
    return sys.modules[reference_class(reference).__module__]
