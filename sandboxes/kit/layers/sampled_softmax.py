"""Softmax over the items of a batch and a few random ones, instead of over all items.

Notation: B rows, S random items, D width, I ids of the target item.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.collection import Collection
from sandboxes.kit.schema import FIRST_ID

LEAST_SHARE = 1e-9  # of an item never seen, before the logarithm


class SampledSoftmax(nn.Module):
    """(queries (B, D), answers (B,), vectors of items) -> scalar: cross-entropy of each row's answer among the answers of all
    rows and `uniform` items drawn at random.

    A score is lowered by the logarithm of how often its item comes to be compared, since popular items are negatives more often
    (Bengio and Senécal, 2008; Yi et al., RecSys 2019, eq. 3; with uniform items Yang et al., WWW 2020, section 3.2). Equal
    answers of other rows are no negatives.
    """

    shares: Tensor  # (I,) of training events; sums to 1

    def __init__(self, n_items: int, temperature: float = 0.05, uniform: int = 0) -> None:
        super().__init__()
        self.temperature, self.uniform = temperature, uniform
        self.register_buffer("shares", torch.full((n_items,), 1 / n_items))

    def meet(self, collection: Collection) -> None:
        self.shares.copy_(collection.counts / max(len(collection.events), 1))

    def forward(self, queries: Tensor, answers: Tensor, vectors_of: Callable[[Tensor], Tensor]) -> Tensor:
        random = torch.randint(FIRST_ID, len(self.shares), (self.uniform,), device=answers.device)  # (S,)
        items = torch.cat([answers, random])  # (B + S,)
        scores = queries @ vectors_of(items).T / self.temperature  # (B, B + S)
        expected = len(answers) * self.shares[items] + self.uniform / max(len(self.shares) - FIRST_ID, 1)
        corrected = scores - expected.clamp(min=LEAST_SHARE).log()
        own = torch.arange(len(answers), device=answers.device)
        same = answers[:, None] == items  # (B, B + S)
        same[own, own] = False
        return functional.cross_entropy(corrected.masked_fill(same, -torch.inf), own)
