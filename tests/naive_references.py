"""Equations of some of the kit's blocks written out in loops, as a reviewer does, with slips that a check has to notice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from sandboxes.kit.equation import Input, Probe, Reference
from sandboxes.kit.layers import (
    AttentionPooling,
    CrossNetworkV1,
    CrossNetworkV2,
    FactorizationMachine,
    InnerProduct,
    SqueezeExcitation,
    TargetAttention,
)


@dataclass(frozen=True)
class Case:
    """A block, the probe for given sizes (each of 2 to 4: B rows, F fields or history length, D width), the reference's text, and
    slips: what is put for what."""

    block: type[nn.Module]
    probe: Callable[[int, int, int], Probe]
    text: str
    slips: Mapping[str, tuple[str, str]]

    def slipped(self, name: str) -> str:
        old, new = self.slips[name]
        assert self.text.count(old) == 1, old
        return self.text.replace(old, new)


def reference_of(text: str) -> Reference:
    space: dict[str, Any] = {}
    exec(compile(text, "reference.py", "exec"), space)
    found: Reference = space["reference"]
    return found


def fields(b: int, f: int, d: int) -> tuple[Input, ...]:
    return (Input("fields", (b, f, d)),)


def history(b: int, f: int, d: int) -> tuple[Input, ...]:
    return Input("target", (b, d)), Input("history", (b, f, d)), Input("mask", (b, f), "mask")


FM = Case(
    FactorizationMachine,
    lambda b, f, d: Probe("FactorizationMachine", {"n_fields": f, "embedding_dim": d}, fields(b, f, d)),
    """
import torch

def reference(fields):
    rows, n, width = fields.shape
    out = torch.zeros(rows, 1)
    for b in range(rows):
        for i in range(n):
            for j in range(i + 1, n):
                for d in range(width):
                    out[b, 0] += fields[b, i, d] * fields[b, j, d]
    return out
""",
    {
        "pairs in both orders": ("range(i + 1, n)", "[k for k in range(n) if k != i]"),
        "squares too": ("range(i + 1, n)", "range(i, n)"),
        "the mean over the width": ("return out", "return out / width"),
        "only the first field's pairs, or none": ("range(n):", "range(1, n):"),
        "one number for all rows": ("return out", "return out.mean(0, keepdim=True)"),
        "one dimension less": ("return out", "return out[:, 0]"),
        "the opposite sign": ("return out", "return -out"),
    },
)

INNER = Case(
    InnerProduct,
    lambda b, f, d: Probe("InnerProduct", {"n_fields": f + 1, "embedding_dim": d}, fields(b, f + 1, d)),
    """
import torch

def reference(fields):
    n = fields.shape[1]
    products = []
    for i in range(n):
        for j in range(i + 1, n):
            products.append((fields[:, i] * fields[:, j]).sum(1))
    return torch.stack(products, 1)
""",
    {
        "the mean over the width": (".sum(1)", ".mean(1)"),
        "the pairs in another order": ("torch.stack(products, 1)", "torch.stack(products[::-1], 1)"),
        "cosines": ("products.append((", "products.append((1 / fields[:, i].norm(dim=1, keepdim=True) * "),
        "half of it": ("torch.stack(products, 1)", "torch.stack(products, 1) / 2"),
        "pairs with themselves": ("fields[:, j]", "fields[:, i]"),
    },
)

CROSS = Case(
    CrossNetworkV2,
    lambda b, f, d: Probe(
        "CrossNetworkV2",
        {"in_dim": d, "n_layers": 2},
        (Input("x", (b, d)),),
        {"w0": "layers.0.weight", "b0": "layers.0.bias", "w1": "layers.1.weight.T", "b1": "layers.1.bias"},
    ),
    """
import torch

def reference(x, w0, b0, w1, b1):
    rows = []
    for first in x:
        one = first * (w0 @ first + b0) + first
        rows.append(first * (one @ w1 + b1) + one)
    return torch.stack(rows)
""",
    {
        "a bias dropped": ("one @ w1 + b1", "one @ w1"),
        "a weight transposed": ("w0 @ first", "w0.T @ first"),
        "the other weight transposed": ("one @ w1", "w1 @ one"),
        "the residual dropped": ("b1) + one", "b1)"),
        "the layer's input for the first": ("first * (one", "one * (one"),
        "the bias outside": ("(w0 @ first + b0) + first", "(w0 @ first) + b0 + first"),
    },
)

CROSS_V1 = Case(
    CrossNetworkV1,
    lambda b, f, d: Probe(
        "CrossNetworkV1", {"in_dim": d, "n_layers": 2}, (Input("x", (b, d)),), {"weights": "weight", "biases": "bias"}
    ),
    """
def reference(x, weights, biases):
    crossed = x
    for w, b in zip(weights, biases):
        crossed = x * (crossed * w).sum(1, keepdim=True) + b + crossed
    return crossed
""",
    {
        "a bias dropped": ("+ b +", "+"),
        "the mean": (".sum(1, keepdim=True)", ".mean(1, keepdim=True)"),
        "a sum over rows": (".sum(1, keepdim=True)", ".sum(0, keepdim=True)"),
    },
)

SQUEEZE = Case(
    SqueezeExcitation,
    lambda b, f, d: Probe(
        "SqueezeExcitation",
        {"n_fields": f + 1, "embedding_dim": d, "reduction_ratio": 2},
        fields(b, f + 1, d),
        {"w1": "squeeze.weight", "w2": "excite.weight"},
    ),
    """
import torch

def reference(fields, w1, w2):
    out = torch.zeros(fields.shape)
    for b, row in enumerate(fields):
        z = torch.stack([field.mean() for field in row])
        a = torch.sigmoid(w2 @ torch.clamp(w1 @ z, min=0))
        for i in range(len(row)):
            out[b, i] = a[i] * row[i]
    return out
""",
    {
        "a sum for the mean": ("field.mean()", "field.sum()"),
        "the maximum for the mean": ("field.mean()", "field.max()"),
        "no rectifier": ("torch.clamp(w1 @ z, min=0)", "(w1 @ z)"),
        "another gate": ("torch.sigmoid(", "torch.tanh("),
        "a residual": ("a[i] * row[i]", "a[i] * row[i] + row[i]"),
        "all of one weight": ("a[i] *", "a.mean() *"),
    },
)

TARGET = Case(
    TargetAttention,
    lambda b, f, d: Probe(
        "TargetAttention",
        {"embedding_dim": d, "attention_units": [3]},
        history(b, f, d),
        {
            "w1": "activation_unit.0.weight",
            "b1": "activation_unit.0.bias",
            "slope": "activation_unit.1.weight",
            "w2": "activation_unit.2.weight",
            "b2": "activation_unit.2.bias",
        },
    ),
    """
import torch

def reference(target, history, mask, w1, b1, slope, w2, b2):
    out = torch.zeros(target.shape)
    for b in range(len(target)):
        v = target[b]
        for j in range(history.shape[1]):
            if not mask[b, j]:
                continue
            e = history[b, j]
            hidden = w1 @ torch.cat([e, v, e - v, e * v]) + b1
            hidden = torch.where(hidden > 0, hidden, slope * hidden)
            out[b] += (w2 @ hidden + b2) * e
    return out
""",
    {
        "the mask ignored": ("if not mask[b, j]:", "if False:"),
        "the mask turned round": ("if not mask", "if mask"),
        "a bias dropped": ("+ b2", ""),
        "a plain rectifier": ("slope * hidden)", "0 * hidden)"),
        "no activation": ("hidden = torch.where(hidden > 0, hidden, slope * hidden)", ""),
        "the parts in another order": ("[e, v, e - v, e * v]", "[v, e, e - v, e * v]"),
        "the difference turned round": ("e - v", "v - e"),
        "a gate on each weight": ("(w2 @ hidden + b2)", "torch.sigmoid(w2 @ hidden + b2)"),
        "the mean over the history": ("return out", "return out / mask.sum(1, keepdim=True)"),
        "the candidate left out": ("v = target[b]", "v = target[b] * 0"),
    },
)

POOLING = Case(  # whose target is never looked at
    AttentionPooling,
    lambda b, f, d: Probe(
        "AttentionPooling",
        {"embedding_dim": d, "attention_dim": 3},
        history(b, f, d),
        {"w": "key.weight", "c": "key.bias", "q": "query"},
    ),
    """
import torch

def reference(target, history, mask, w, c, q):
    rows = []
    for values, real in zip(history, mask):
        values = values[real]
        scores = torch.tanh(values @ w.T + c) @ q
        shares = torch.exp(scores) / torch.exp(scores).sum()
        rows.append(shares @ values)
    return torch.stack(rows)
""",
    {
        "the mask ignored": ("values[real]", "values"),
        "shares that do not add up to one": (" / torch.exp(scores).sum()", ""),
        "a bias dropped": (" + c", ""),
        "the sigmoid for tanh": ("torch.tanh", "torch.sigmoid"),
        "the target added": ("torch.stack(rows)", "torch.stack(rows) + target"),
    },
)

WHOLE = {"fm": FM, "inner": INNER, "cross": CROSS, "cross_v1": CROSS_V1, "squeeze": SQUEEZE, "target": TARGET}
CASES = {**WHOLE, "pooling": POOLING}
SLIPS = [(case, slip) for case in CASES for slip in CASES[case].slips]
