"""What items are like, as one fixed vector each: what their code words are made from.

Notation: I ids of the target item, C categorical fields, E events, U users, W width.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from sandboxes.kit.collection import Collection
from sandboxes.kit.schema import Schema

PART = 16  # width of what a categorical field, and who took an item, contribute
SEED = 0


@torch.no_grad()
def item_content(schema: Schema, collection: Collection) -> Tensor:
    """(I, W), side by side: a random unit vector for the value of each categorical field of the item other than its id, its
    numbers as they are, and a unit vector that is near for items which the same users took. Where the schema names no user, there
    is no such part, but the id's own random vector if the item has no other fields: code words mean nothing then.

    This is the one place where what is known of items enters their code words.
    """
    ids, numeric = collection.items.ids, collection.items.numeric
    parts = [_random_units(schema.categorical[c].cardinality, c)[ids[:, c]] for c in _described_by(schema)]
    parts.append(numeric[:, schema.item_columns[1]])
    if schema.user is not None:
        n_users = schema.categorical[schema.index_of(schema.user)].cardinality
        parts.append(taken_together(collection.events, n_users, schema.n_items))
    if not any(part.shape[1] for part in parts):
        parts.append(_random_units(schema.n_items, 0))
    return torch.cat(parts, 1)


@torch.no_grad()
def joined_modalities(schema: Schema, collection: Collection) -> Tensor:
    """The same, followed by the vectors made elsewhere of each vector field of items: (I, W)."""
    vectors = [collection.items.vectors(schema.vectors[i].name) for i in schema.item_vectors]
    return torch.cat([item_content(schema, collection), *vectors], 1)


def modality_widths(schema: Schema) -> list[int]:
    """Of the parts of `joined_modalities`: fields and numbers, who took an item, each vector field; what the schema has not is
    left out, and the id's own vector stands for the first two where it has neither."""
    own = PART * len(_described_by(schema)) + len(schema.item_columns[1]), PART if schema.user is not None else 0
    return [*([w for w in own if w] or [PART]), *(schema.vectors[i].width for i in schema.item_vectors)]


@torch.no_grad()
def taken_together(events: Tensor, n_users: int, n_items: int) -> Tensor:
    """Unit vectors (I, PART) by singular vectors of the matrix of who took what, divided by the roots of both degrees (Dhillon,
    KDD 2001, section 4); popularity, which is one of them, is taken out. Zeros for what nobody took.

    `events` (E, 2) int64: the user and the item of each; repetitions count once.
    """
    users, items = torch.unique(events, dim=0).T
    of_user, of_item = torch.bincount(users, minlength=n_users), torch.bincount(items, minlength=n_items)
    weights = (of_user[users] * of_item[items]).to(torch.float32).rsqrt()
    matrix = torch.sparse_coo_tensor(torch.stack([users, items]), weights, (n_users, n_items), check_invariants=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        _, strengths, vectors = torch.svd_lowrank(matrix.coalesce(), q=min(PART, n_users, n_items), niter=4)
    found = vectors * strengths  # (I, at most PART)
    popularity = functional.normalize(of_item.to(torch.float32).sqrt(), dim=0)  # (I,)
    found = found - popularity.outer(popularity @ found)
    found = functional.normalize(found * (of_item > 0).unsqueeze(1), dim=1)
    return functional.pad(found, (0, PART - found.shape[1]))


def _described_by(schema: Schema) -> list[int]:
    """The columns of the item's categorical fields but for its id."""
    return [c for c in schema.item_columns[0] if schema.categorical[c].name != schema.target_item]


def _random_units(rows: int, seed: int) -> Tensor:
    """Nearly orthogonal to one another (rows, PART); the same for the same seed."""
    drawn = torch.randn(rows, PART, generator=torch.Generator().manual_seed(seed))
    return functional.normalize(drawn, dim=1)
