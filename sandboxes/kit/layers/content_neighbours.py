"""Which items are alike by what they are, whoever took them.

Notation: I ids of the target item, C categorical fields, K neighbours, W width of a vector.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.co_occurrence import in_parts
from sandboxes.kit.schema import FIRST_ID, Schema

TIES = 1e-4  # below any difference that counts: who comes first among many that are equally alike is drawn
SEED = 0


@torch.no_grad()
def alike(schema: Schema, collection: Collection, n_neighbours: int) -> tuple[Tensor, Tensor]:
    """Of every item the K = min(`n_neighbours`, I) others that are most like it, (I, K) int64, and how much, (I, K) from 0 on.

    Two items are alike by the sum over the item's categorical fields but its id of ln(I / items with the value) / ln I where both
    have one known value (rarer values say more: Sparck Jones, Journal of Documentation 1972), and over its vectors made elsewhere
    of their cosine where it is positive. Items of no value in common are not alike, 0.
    """
    n_items = schema.n_items
    columns = [c for c in schema.item_columns[0] if schema.categorical[c].name != schema.target_item]
    values = collection.items.ids[:, columns]  # (I, C)
    told = [_rarity(values[:, i], schema.categorical[c].cardinality) for i, c in enumerate(columns)]  # each (I,)
    names = [schema.vectors[i].name for i in schema.item_vectors]
    units = [functional.normalize(collection.items.vectors(name)[:, :-1], dim=1) for name in names]  # each (I, W)
    draw = torch.Generator().manual_seed(SEED)
    found = []
    for some in in_parts(n_items):
        similarity = torch.zeros(len(some), n_items)
        for i, rarity in enumerate(told):
            similarity += (values[some, i, None] == values[:, i]) * rarity
        for unit in units:
            similarity += (unit[some] @ unit.T).clamp(min=0)
        similarity[torch.arange(len(some)), some] = 0
        similarity[:, :FIRST_ID] = 0  # no items
        similarity[some < FIRST_ID] = 0
        drawn = similarity + TIES * torch.rand(similarity.shape, generator=draw)
        ids = drawn.topk(min(n_neighbours, n_items), dim=1).indices
        found.append((ids, similarity.gather(1, ids)))
    return torch.cat([ids for ids, _ in found]), torch.cat([similarity for _, similarity in found])


def _rarity(values: Tensor, cardinality: int) -> Tensor:
    """How much an agreement on an item's value says (I,): 0 of what all items or none have, and of the unknown."""
    n_items = len(values) - FIRST_ID
    counts = torch.bincount(values[FIRST_ID:], minlength=cardinality).clamp(min=1)[values]  # (I,)
    rarity = (n_items / counts).log() / max(torch.tensor(float(n_items)).log().item(), 1e-9)
    return rarity * (values >= FIRST_ID)
