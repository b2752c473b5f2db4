"""The code policy: what the kit documents as legal passes; each forbidden construct is named with its line and a remedy."""

from __future__ import annotations

import ast
import importlib
import textwrap
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxes.policy import violations
from sandboxes.policy_rules import ALLOWED_MODULES, FORBIDDEN_NAMES, FORBIDDEN_TORCH, TORCH_MODULES

LEGAL = '''
"""A model as the kit documents it."""

from __future__ import annotations

import math
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sandboxes.kit import Batch, Schema, Stage
from sandboxes.kit.layers import DNN, FeatureEmbedding

_MOST = 10.0


@dataclass(frozen=True)
class Sizes:
    hidden: tuple[int, ...] = (64, 32)
    named: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.hidden:
            raise ValueError("hidden may not be empty")


class Gate(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))
        self.register_buffer("seen", torch.zeros(1))
        nn.init.normal_(self.weight, std=1 / math.sqrt(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.weight)  # (B, D)


class Model(nn.Module):
    def __init__(self, schema: Schema, *, embedding_dim: int = 16, dropout: float = 0.0) -> None:
        super().__init__()
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.gates = nn.ModuleList([Gate(embedding_dim) for _ in range(2)])
        self.scale = torch.linspace(0, 1, 3).tolist()

    def forward(self, batch: Batch) -> Tensor:
        values = [gate(torch.ones(len(batch), 16)).sum(dim=-1) for gate in self.gates]
        with torch.no_grad():
            noise = torch.randn_like(values[0]) * 0
        total = torch.stack(values).sum(0) + noise
        return F.dropout(total.clamp(-_MOST, _MOST), 0.0, self.training).unsqueeze(-1)

    def loss(self, batch: Batch) -> Tensor:
        return F.binary_cross_entropy_with_logits(self(batch), batch.labels)

    def predict(self, batch: Batch) -> Tensor:
        return torch.special.expit(self(batch))

    def stages(self) -> Sequence[Stage]:
        return (Stage("pretrain", loss="loss", epochs=0.5), Stage("final"))
'''
FRAME = "import math\nimport torch\nfrom torch import nn\n\n\nclass Model(nn.Module):\n    def forward(self, batch):\n"


def inside(statement: str) -> tuple[int, tuple[str, ...]]:
    """The first line after the frame, and what the policy says of a model whose forward holds `statement`."""
    frame = FRAME
    code = frame + textwrap.indent(statement, "        ")
    return frame.count("\n") + 1, tuple(f"{v.line}: {v.message}" for v in violations(code))


def test_documented_code_is_legal() -> None:
    assert violations(LEGAL) == ()


@pytest.mark.parametrize("path", sorted(Path(__file__).parents[2].glob("sandboxes/kit/models/[a-z]*.py")), ids=lambda p: p.stem)
def test_the_reference_models_would_pass_but_for_their_name(path: Path) -> None:
    found = [v for v in violations(path.read_text(encoding="utf-8")) if "class Model" not in v.message]
    assert not [v for v in found if "sandboxes.kit" not in v.message], found


OUTSIDE = """os sys subprocess socket pickle ctypes numpy builtins importlib sandboxes sandboxes.jobs sandboxes.kit.job
    sandboxes.kit.training torch.utils.cpp_extension torch.multiprocessing torch.hub torch._C collections os.path inspect gc io
    pathlib""".split()


@pytest.mark.parametrize("module", OUTSIDE)
@pytest.mark.parametrize("form", ["import {}", "import {} as harmless", "from {} import anything"])
def test_imports_outside_the_list(module: str, form: str) -> None:
    line, said = inside(form.format(module))
    assert said, form.format(module)
    assert said[0].startswith(f"{line}: ")


@pytest.mark.parametrize("name", sorted(FORBIDDEN_NAMES))
def test_forbidden_names(name: str) -> None:
    for statement in (f"{name}('x')", f"harmless = {name}", f"print({name})", f"[{name}][0]('x')", f"def f(x={name}): pass"):
        assert inside(statement)[1], statement


@pytest.mark.parametrize("path", sorted(FORBIDDEN_TORCH))
def test_forbidden_parts_of_torch(path: str) -> None:
    parent, _, name = f"torch.{path}".rpartition(".")
    for statement in (f"x = torch.{path}", f"torch.{path}.anything('x')", f"t = torch\nt.{path}", f"from {parent} import {name}",
                      f"(lambda t=torch: t.{path})()", f"for t in (torch,): t.{path}", f"(t := torch).{path}"):  # fmt: skip
        assert inside(statement)[1], statement


TRICKS = {
    "class walk": "().__class__.__bases__[0].__subclasses__()",
    "globals of a function": "self.forward.__globals__['os']",
    "function of a method": "self.forward.__func__",
    "builtins": "__builtins__['eval']('1')",
    "loader": "__loader__.load_module('os')",
    "spec": "__spec__.loader",
    "dict": "self.__dict__['x'] = 1",
    "class of self": "self.__class__ = int",
    "init of another": "nn.Module.__init__(self)",
    "format string": "'{0.__class__.__init__.__globals__}'.format(self)",
    "format of parts": "'{0.' + '__class__' + '}'.format(self)",
    "format_map": "'{x}'.format_map({})",
    "frame of a generator": "(x for x in ()).gi_frame.f_back.f_globals",
    "frame of an error": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    e.__traceback__.tb_frame",
    "pattern": "match self:\n    case Model(__class__=x):\n        pass",
    "private torch": "torch._C._jit_set_profiling_mode(False)",
    "torch's os": "torch.os.system('id')",
    "torch's sys": "torch.sys.modules",
    "nn's torch": "nn.modules.module.torch.os",
    "functional's torch": "nn.functional.torch.load('x')",
    "functional's builtins": "nn.functional.importlib",
    "math's nothing": "math.__loader__",
    "load": "torch.load('weights.pt')",
    "load of a name": "from torch import load",
    "load by alias": "t = u = torch\nu.load('x')",
    "module in a list": "[torch][0].load('x')",
    "module from a function": "(lambda: torch)().load('x')",
    "module by choice": "(nn if self else torch).load('x')",
    "module as argument": "print(torch)",
    "kit's torch": "from sandboxes.kit import batch as b\n[b][0].torch.load('x')",
    "hints as code": "import typing\ntyping.get_type_hints(self)",
    "reference as code": "from typing import ForwardRef",
    "replacing a function": "torch.sigmoid = max",
    "replacing a method": "nn.Linear.forward = max",
    "removing a function": "del torch.sigmoid",
    "load by tuple": "t, u = torch, nn\nt.load('x')",
    "hub": "torch.hub.load('a/b', 'c')",
    "compiled operator": "torch.ops.load_library('x.so')",
    "c++ extension": "torch.utils.cpp_extension.load('x', [])",
    "memory": "torch.ones(1).data_ptr()",
    "storage": "torch.ones(1).untyped_storage()",
    "numpy": "batch.ids.numpy().tofile('x')",
    "from file": "torch.from_file('/etc/passwd', size=1)",
    "seed": "torch.manual_seed(0)",
    "seed elsewhere": "torch.random.manual_seed(0)",
    "threads": "torch.set_num_threads(1)",
    "hooks for all modules": "nn.modules.module.register_module_forward_hook(print)",
    "global of a dunder": "global __name__\n__name__ = 'x'",
    "star": "from torch import *",
    "relative": "from . import jobs",
    "async frames": "async def f(): pass\nf().cr_frame",
    "decorated class": "@property\ndef __class__(self): return int",
    "metaclass slot": "class X:\n    def __init_subclass__(cls): pass",
    "operator slot": "class X:\n    def __getattr__(self, name): return 1",
    "del slot": "class X:\n    def __del__(self): pass",
}


@pytest.mark.parametrize("statement", TRICKS.values(), ids=TRICKS.keys())
def test_tricks(statement: str) -> None:
    line, said = inside(statement)
    assert said, statement
    assert all(int(text.partition(":")[0]) >= line for text in said)


def test_every_message_names_a_remedy() -> None:
    for statement in TRICKS.values():
        assert all(";" in text or "may only" in text for text in inside(statement)[1]), inside(statement)[1]


def test_comments_and_texts_about_such_things_are_no_violation() -> None:
    assert inside("# eval, exec, open('x'), __class__\nx = 'open the gate, then evaluate'")[1] == ()


def test_a_file_without_a_model_is_said() -> None:
    assert "class Model" in violations("import torch\n")[0].message


@pytest.mark.parametrize(
    "source",
    [
        "class Model(",
        "x = 1\n  y",
        "\0",
        "(" * 5000,
        "-" * 200_000 + "1",
        "x" + ".a" * 5000,
        "\ud800",
        "[" * 90 + "]" * 90 + "\n",
        "'" + "x" * 300_000 + "'",
    ],
)
def test_what_cannot_be_parsed_is_one_violation_not_a_crash(source: str) -> None:
    assert violations(source)


def test_the_line_is_the_line() -> None:
    code = LEGAL + "\n\ndef late() -> None:\n    eval('1')\n"
    assert [v.line for v in violations(code)] == [code.splitlines().index("    eval('1')") + 1]


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_text_is_judged(text: str) -> None:
    for violation in violations(text):
        assert violation.line >= 1 and violation.message


WRAPS = (
    "{}",
    "({})",
    "[{}][0]",
    "(lambda: {})()",
    "({} if True else None)",
    "{{'k': {}}}['k']",
    "(x := {})",
    "max({}, key=len)",
    "f'{{{}}}'",
)


@given(
    st.lists(st.sampled_from(WRAPS), max_size=4),
    st.sampled_from(["eval('1')", "open('x')", "().__class__", "torch.load('x')", "getattr(self, 'x')", "torch.hub"]),
)
@settings(max_examples=150, deadline=None)
def test_no_wrapping_hides_a_construct(wraps: list[str], core: str) -> None:
    expression = core
    for wrap in wraps:
        expression = wrap.format(expression)
    try:
        ast.parse(expression)
    except SyntaxError:
        return
    assert inside(f"y = {expression}")[1], expression


@pytest.mark.parametrize("name", sorted(ALLOWED_MODULES | TORCH_MODULES))
def test_no_module_is_reached_through_another(name: str) -> None:
    """Whatever modules the installed version of an allowed module happens to hold."""
    held = {k for k, v in vars(importlib.import_module(name)).items() if isinstance(v, ModuleType) and not k.startswith("_")}
    outside = {k for k in held if not (getattr(importlib.import_module(name), k).__name__).startswith(("torch", "sandboxes.kit"))}
    for module in outside | (held & {"torch"}):
        for statement in (f"import {name}\nx = {name}.{module}.anything", f"from {name} import {module}"):
            assert inside(statement)[1], statement


UNICODE = ["ｅval('1')", "ｏpen('x')", "self.__ｃlass__", "torch.ｌoad('x')", "𝑒𝑥𝑒𝑐('1')", "_＿builtins＿_"]


@pytest.mark.parametrize("statement", UNICODE)
def test_other_letters_that_python_reads_as_the_same_name_do_not_help(statement: str) -> None:
    assert inside(statement)[1]
