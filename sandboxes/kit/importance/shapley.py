"""Shapley values by sampling: the AUC that a field adds when it is revealed, over random orders of all (Castro et al. 2009).

What is not revealed yet is that of another row, the same one for all hidden fields, so that they go together as in the data.
Where two fields say the same, permutation of either may cost nothing; here each gets its half. Scores add up to the AUC of the
model less that of the model when it sees another row. Orders come in pairs, one the other upside down
(Mitchell et al., JMLR 2022).
"""

from __future__ import annotations

import numpy as np
import torch

from sandboxes.kit.importance.asked import Answer, Asked
from sandboxes.kit.importance.mixing import mixed


def shapley(asked: Asked) -> Answer:
    """The mean over orders; its error is that of a mean over pairs of orders, None of one pair."""
    generator = asked.generator()
    pairs = [_pair(asked, generator) for _ in range(asked.config.orders // 2)]
    added = {name: [pair.get(name, 0.0) for pair in pairs] for name in asked.fields}
    several = len(pairs) > 1
    return Answer(
        scores={name: float(np.mean(found)) for name, found in added.items()},
        errors={name: float(np.std(found, ddof=1) / np.sqrt(len(found))) for name, found in added.items()} if several else {},
    )


def _pair(asked: Asked, generator: torch.Generator) -> dict[str, float]:
    """What each field adds in a drawn order and its reverse, on the mean."""
    order = torch.randperm(len(asked.varied), generator=generator).tolist()
    hidden = asked.shuffle(generator)
    there, back = (_added(asked, [asked.varied[i] for i in way], hidden) for way in (order, order[::-1]))
    return {name: (there[name] + back[name]) / 2 for name in there}


def _added(asked: Asked, order: list[str], hidden: torch.Tensor) -> dict[str, float]:
    """What each field adds to those before it, where what is hidden is that of the rows `hidden` (n,)."""
    other, added = asked.rows[hidden], {}
    before = asked.auc(mixed(asked.rows, other, set(order), asked.schema))
    for place, name in enumerate(order, start=1):
        after = asked.auc(mixed(asked.rows, other, set(order[place:]), asked.schema))
        added[name], before = after - before, after
    return added
