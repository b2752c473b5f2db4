"""Learned gates: one number in [0, 1] for each field, between what the model looks up and the mean of that over all rows.

Gates are trained to predict well at a price for every open one (AutoField, Wang et al., WWW 2022, with a penalty in place of its
softmax, as in LPFS, Guo et al. 2022). The model stays as it is. Rows are those of valid, by which AutoField trains its gates too:
on rows that the model was trained on, noise that it learned by heart looks useful. One price says which fields are worth it; the
mean over a path of prices ranks them.

Notation: n rows, B rows at once, F gates, P places of a lookup, D width, N numeric fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.importance.asked import Answer, Asked
from sandboxes.kit.importance.lookups import task_logits
from sandboxes.kit.importance.means import Means, means_of
from sandboxes.kit.importance.places import found_places

PRICES = (0.03, 0.1, 0.3, 1.0, 3.0)  # of an open gate, in the mean loss that a field saves
STEPS, STEP, BATCH = 40, 0.06, 2048


def gates(asked: Asked) -> Answer:
    """How far a field's gate stays open, on the mean over all prices: 1, whatever it costs, 0, not even at the lowest."""
    places = found_places(asked)
    scores = {name: 0.0 for name in asked.fields if name not in places.unreadable}
    if places.of:
        gated = _Gated(asked, places.of, means_of(asked))
        scores |= dict(zip(places.of, gated.path().tolist(), strict=True))
    return Answer(scores=scores, unscored=places.unreadable)


class _Gated:
    """A model behind gates (F,), which stand in the order of the fields in `of`."""

    def __init__(self, asked: Asked, of: Mapping[str, Mapping[int, Tensor]], means: Means) -> None:
        self._asked, self._of, self._means = asked, of, means
        fields = list(of)
        self._numeric = [(fields.index(name), column) for column, name in enumerate(means.numeric_fields) if name in of]

    def path(self) -> Tensor:
        """The mean (F,) of the gates at each price, the lowest first, each from where the one before it ended."""
        device, generator = self._asked.rows.device, self._asked.generator()
        gates = torch.ones(len(self._of), device=device)
        saved = max(self._mean_loss(torch.zeros_like(gates)) - self._mean_loss(gates), 0.0) / len(gates)
        found = []
        for price in PRICES:
            gates = self._trained(gates, max(price * saved, 1e-6), generator)
            found.append(gates)
        return torch.stack(found).mean(0)

    def _trained(self, start: Tensor, price: float, generator: torch.Generator) -> Tensor:
        gates = start.clone().requires_grad_()
        optimiser = torch.optim.Adam([gates], lr=STEP)
        for _ in range(STEPS):
            n = len(self._asked.rows)
            drawn = torch.randint(n, (min(n, BATCH),), generator=generator).to(gates.device)
            loss = self._loss(self._asked.rows[drawn], gates) + price * gates.sum()
            (gates.grad,) = torch.autograd.grad(loss, gates)
            optimiser.step()
            with torch.no_grad():
                gates.clamp_(0.0, 1.0)
        return gates.detach()

    @torch.no_grad()
    def _mean_loss(self, gates: Tensor) -> float:
        starts = range(0, len(self._asked.rows), BATCH)
        parts = [self._asked.rows[s : s + BATCH] for s in starts]
        return sum(self._loss(part, gates).item() * len(part) for part in parts) / len(self._asked.rows)

    def _loss(self, rows: Batch, gates: Tensor) -> Tensor:
        """The mean over rows, a scalar."""
        factors = self._factors(gates)

        def gate(number: int, lookup: Tensor) -> Tensor:
            if number not in factors:
                return lookup
            mean = self._means.lookups[number]  # (P..., D)
            return mean + factors[number] * (lookup - mean)

        open_ = torch.ones_like(self._means.numeric)  # (N,)
        for i, column in self._numeric:
            open_ = open_.index_put((torch.tensor([column], device=gates.device),), gates[i])
        numeric = self._means.numeric + open_ * (rows.numeric - self._means.numeric)
        logits = task_logits(self._asked.model, replace(rows, numeric=numeric), self._asked.task, gate)
        assert rows.labels is not None
        return functional.binary_cross_entropy_with_logits(logits, rows.labels[:, self._asked.task])

    def _factors(self, gates: Tensor) -> dict[int, Tensor]:
        """By which to multiply each lookup (P..., 1): where several fields meet, the product of their gates."""
        factors: dict[int, Tensor] = {}
        for gate, lookups in zip(gates, self._of.values(), strict=True):
            for number, where in lookups.items():
                own = torch.where(where, gate, torch.ones_like(gate)).unsqueeze(-1)
                factors[number] = factors[number] * own if number in factors else own
        return factors
