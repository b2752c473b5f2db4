"""Imports go one way: kit <- sandboxes <- memory <- agents <- workflows; and the kit knows only what a sandbox holds."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RANK = {"sandboxes.kit": 0, "sandboxes": 1, "memory": 2, "agents": 3, "workflows": 4}
KIT_MAY_IMPORT = {"torch", "numpy", "polars", "safetensors", "sandboxes"} | set(sys.stdlib_module_names)

FILES = sorted(p for top in ("agents", "memory", "workflows", "sandboxes") for p in (ROOT / top).rglob("*.py"))


def package_of(module: str) -> str | None:
    if module == "sandboxes.kit" or module.startswith("sandboxes.kit."):
        return "sandboxes.kit"
    top = module.partition(".")[0]
    return top if top in RANK else None


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the direction"
            assert node.module
            yield from ([f"sandboxes.{a.name}" for a in node.names] if node.module == "sandboxes" else [node.module])


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    own = package_of(path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"))
    assert own is not None
    for module in imports(path):
        other = package_of(module)
        assert other is None or RANK[other] <= RANK[own], f"{own} may not import {module}"


@pytest.mark.parametrize("path", sorted((ROOT / "sandboxes/kit").rglob("*.py")), ids=lambda p: p.stem)
def test_the_kit_imports_only_what_a_sandbox_holds(path: Path) -> None:
    tops = {module.partition(".")[0] for module in imports(path)}
    assert tops <= KIT_MAY_IMPORT, tops - KIT_MAY_IMPORT


def test_no_module_has_a_name_that_other_libraries_probe_for() -> None:
    taken = [ROOT / "agents/run.py", ROOT / "workflows/handler.py", *(ROOT / "agents").glob("tracing*")]
    assert not [p for p in taken if p.exists()]
    assert not list((ROOT / "tests").rglob("__init__.py"))


@pytest.mark.parametrize("path", [p for p in FILES if p.is_relative_to(ROOT / "agents")], ids=lambda p: str(p.relative_to(ROOT)))
def test_no_agent_imports_another(path: Path) -> None:
    """What two agents share stands beside them, so that each can be used, and evaluated, alone."""
    agents = {f"agents.{name}" for name in ("autotrain", "autofeature", "autoperf")}
    own = ".".join(path.relative_to(ROOT).parts[:2])
    other = agents - {own}
    taken = [module for module in imports(path) if any(module == o or module.startswith(f"{o}.") for o in other)]
    assert own not in agents or not taken, taken
