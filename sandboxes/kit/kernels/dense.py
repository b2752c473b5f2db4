"""A linear map with or without ReLU, through oneDNN's products where they are the faster ones. Notation: B rows, K in, N out.

Torch's own products are MKL's, which reach some three quarters of an AMD processor; oneDNN's reach nearly all of it in the
forward product and in the gradient of the input, and take the ReLU along. The gradient of the weight stays with torch, whose
product of two transposed matrices is the faster one.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class Dense(nn.Linear):
    """(B, K) -> (B, N): x W^T + b, then `relu` if wanted. Any number of leading dimensions, dtype and device will do."""

    def __init__(self, in_features: int, out_features: int, *, bias: bool = True, relu: bool = False) -> None:
        super().__init__(in_features, out_features, bias)
        self.relu = relu

    def forward(self, input: Tensor) -> Tensor:
        if _onednn_takes(input, self.weight):
            product: Tensor = _Product.apply(input, self.weight, self.bias, self.relu)  # type: ignore[no-untyped-call]
            return product
        product = functional.linear(input, self.weight, self.bias)
        return product.relu() if self.relu else product

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, relu={self.relu}"


def start_before_relu(layer: Dense) -> Dense:
    """The layer itself, its weights drawn as He et al., ICCV 2015, eq. 10 has it, and its bias zero."""
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _onednn_takes(input: Tensor, weight: Tensor) -> bool:
    """Compiled models are left to the compiler, and low precision to autocast."""
    return (
        input.dim() == 2
        and input.device.type == "cpu"
        and input.dtype == weight.dtype == torch.float32
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and not torch.compiler.is_compiling()
        and not torch.is_autocast_enabled("cpu")
    )


def _onednn(input: Tensor, weight: Tensor, bias: Tensor | None, after: str) -> Tensor:
    """(B, K), (N, K), (N,) -> (B, N). Has no derivative; a gradient that shall have one itself is computed by torch."""
    if torch.is_grad_enabled():
        return functional.linear(input, weight, bias)
    product: Tensor = torch.ops.mkldnn._linear_pointwise(input, weight, bias, after, [], "")
    return product


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor, bias: Tensor | None, relu: bool) -> Tensor:
        product = _onednn(input, weight, bias, "relu" if relu else "none")
        ctx.save_for_backward(input, weight, product if relu else None)
        return product

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        input, weight, product = ctx.saved_tensors
        if product is not None:
            gradient = torch.ops.aten.threshold_backward(gradient, product, 0.0)
        needs_input, needs_weight, needs_bias, _ = ctx.needs_input_grad
        return (
            _onednn(gradient, weight.t(), None, "none") if needs_input else None,
            gradient.t() @ input if needs_weight else None,
            gradient.sum(0) if needs_bias else None,
            None,
        )
