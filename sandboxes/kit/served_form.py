"""The form in which a model is served: without what only training needs, and with what is kept smaller for serving."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from sandboxes.kit.contract import ServedOtherwise


def served_state(model: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The trained `state` of `model` (whole tables) as its served form has it."""
    served = dict(state)
    for name, module in reversed(list(model.named_modules(remove_duplicate=False))):  # parts before the whole
        if isinstance(module, ServedOtherwise):
            module.served_state(served, f"{name}." if name else "")
    return served


def in_served_form(model: nn.Module) -> nn.Module:
    """Puts `model` into its served form, in place, and into evaluation mode."""
    for module in list(model.modules()):
        if isinstance(module, ServedOtherwise):
            module.take_served_form()
    return model.eval()
