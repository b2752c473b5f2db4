"""A graph with edges by content, against dense matrices. Notation: U, I ids of users and items, D width, K neighbours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers import ContentGraph, GraphPropagation, GraphScores, PairwiseRanking, co_occurrence
from sandboxes.kit.layers.content_neighbours import alike
from sandboxes.kit.schema import FIRST_ID, CategoricalField, Schema, VectorField
from sandboxes.kit.vector_table import VectorTable

U, I, D = 20, 32, 6  # noqa: E741 - the letter of items
BRANDS = 6
SCHEMA = Schema(
    (
        CategoricalField("user", U, "user"),
        CategoricalField("item", I, "item"),
        CategoricalField("brand", BRANDS + FIRST_ID, "item"),
        CategoricalField("shelf", 4, "item"),
    ),
    target_item="item",
    user="user",
    predicts="items",
    vectors=(VectorField("photo", "item", 5),),
)


def collection(events: Tensor, seed: int = 0) -> Collection:
    draw = torch.Generator().manual_seed(seed)
    ids = torch.zeros(I, 4, dtype=torch.int64)
    ids[:, 1] = torch.arange(I)
    ids[:, 2] = torch.randint(1, BRANDS + FIRST_ID, (I,), generator=draw)
    ids[:, 3] = torch.randint(1, 4, (I,), generator=draw)
    ids[:FIRST_ID, 2:] = 1
    photos = torch.cat([torch.randn(I, 4, generator=draw), torch.ones(I, 1)], 1)
    photos[[0, 1, 7]] = 0  # without one
    rows = {"photo": torch.arange(I)}
    return Collection(Batch(ids, torch.zeros(I, 0), vector_rows=rows, tables={"photo": VectorTable(photos)}), events)


def random_events(n: int = 60, up_to: int = I, seed: int = 0) -> Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(np.stack([rng.integers(1, U, n), rng.integers(FIRST_ID, up_to, n)], 1))


def likeness(known: Collection) -> np.ndarray:
    """(I, I), pair by pair."""
    ids, photos, found = known.items.ids.numpy(), known.items.vectors("photo").numpy()[:, :-1], np.zeros((I, I))
    for i in range(FIRST_ID, I):
        for j in set(range(FIRST_ID, I)) - {i}:
            for column in (2, 3):
                value = ids[i, column]
                if value >= FIRST_ID and ids[j, column] == value:
                    found[i, j] += np.log((I - 2) / (ids[FIRST_ID:, column] == value).sum()) / np.log(I - 2)
            lengths = np.linalg.norm(photos[i]) * np.linalg.norm(photos[j])
            found[i, j] += max(photos[i] @ photos[j] / lengths, 0) if lengths else 0
    return found


@pytest.mark.parametrize("at_once", [1 << 24, 100])
def test_likeness_is_of_values_and_vectors(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(co_occurrence, "AT_ONCE", at_once)
    known = collection(random_events())
    wanted, (ids, similarity) = likeness(known), alike(SCHEMA, known, 4)
    np.testing.assert_allclose(similarity.numpy(), np.take_along_axis(wanted, ids.numpy(), 1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(similarity.numpy(), -np.sort(-wanted, 1)[:, :4], rtol=1e-5, atol=2e-4)  # but for ties
    assert (similarity[:FIRST_ID] == 0).all()


def test_ties_are_shared_out() -> None:
    """Where all items are equally alike, no item is everybody's neighbour."""
    schema = replace(SCHEMA, vectors=(), categorical=SCHEMA.categorical[:3])
    ids = torch.zeros(I, 3, dtype=torch.int64)
    ids[:, 1] = torch.arange(I)
    ids[FIRST_ID:, 2] = 2 + torch.arange(I - FIRST_ID) % 2
    neighbours, similarity = alike(schema, Collection(Batch(ids, torch.zeros(I, 0)), random_events()), 3)
    assert torch.bincount(neighbours[FIRST_ID:].flatten(), minlength=I).max() < 10 and (similarity[FIRST_ID:] > 0).all()


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_layers_are_those_of_the_dense_matrices(share: float) -> None:
    events, draw = random_events(), torch.Generator().manual_seed(1)
    neighbours, similarity = alike(SCHEMA, collection(events), 3)
    similarity[9] = 0  # hears of others only as theirs
    graph = GraphPropagation(2)
    graph.join_items(neighbours, similarity, share)
    graph.connect(events, U, I)
    taken, joined = np.zeros((U, I)), np.zeros((I, I))
    for u, i in events.tolist():
        taken[u, i] = 1
    for i in range(I):
        for j, weight in zip(neighbours[i].tolist(), similarity[i].tolist(), strict=True):
            joined[i, j] += weight
            joined[j, i] += weight
    roots = [np.sqrt(np.maximum(m.sum(a, keepdims=True), 1e-12)) for m, a in ((taken, 0), (taken, 1), (joined, 0), (joined, 1))]
    taken, joined = taken / roots[0] / roots[1], joined / roots[2] / roots[3]
    of_content = share * (joined.sum(1, keepdims=True) > 0)
    users, items = (torch.randn(n, D, generator=draw, dtype=torch.float64, requires_grad=True) for n in (U, I))
    now = users.detach().numpy(), items.detach().numpy()
    sums = now
    for _ in range(2):
        now = taken @ now[1], (1 - of_content) * (taken.T @ now[0]) + of_content * (joined @ now[1])
        sums = sums[0] + now[0], sums[1] + now[1]
    propagated = graph.double()(users, items)
    for ours, wanted in zip(propagated, sums, strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), wanted / 3, rtol=1e-5, atol=1e-6)
    # Propagation is linear in the first vectors: its slope times these vectors is the sum itself.
    total = propagated[0].sum() + propagated[1].sum()
    slopes = torch.autograd.grad(total, (users, items))
    torch.testing.assert_close((slopes[0] * users).sum() + (slopes[1] * items).sum(), total)


def test_without_a_share_it_is_the_plain_graph() -> None:
    events, scores = random_events(), []
    batch = Batch(torch.tensor([[2, 0, 0, 0], [5, 0, 0, 0]]), torch.zeros(2, 0))
    for build in (lambda: ContentGraph(SCHEMA, D, content_share=0.0), lambda: GraphScores(SCHEMA, D)):
        torch.manual_seed(0)
        layer = build()
        layer.meet(collection(events))
        scores.append(layer(batch))
    torch.testing.assert_close(*scores)


def test_what_nobody_took_is_found_by_its_likeness() -> None:
    """Users take items of one brand; of each brand some items were never taken. Interactions alone know nothing of these."""
    schema = replace(SCHEMA, vectors=(), categorical=SCHEMA.categorical[:3])
    ids = torch.zeros(I, 3, dtype=torch.int64)
    ids[:, 1] = torch.arange(I)
    ids[FIRST_ID:, 2] = 2 + torch.arange(I - FIRST_ID) % 3
    old = [i for i in range(FIRST_ID, I) if i < 20]
    events = torch.tensor([[u, i] for u in range(2, U) for i in old if ids[i, 2] == 2 + u % 3])
    known = Collection(Batch(ids, torch.zeros(I, 0)), events)
    asked = Batch(torch.tensor([[int(u), 0, 0] for u in events[:, 0]]), torch.zeros(len(events), 0), answer=events[:, 1])
    same = ids[:, 2] == 2 + torch.arange(2, U)[:, None] % 3  # (U - 2, I)

    def chance(layer: nn.Module) -> float:
        """That an item of the user's brand which nobody took is ranked before one of another brand."""
        optimiser = torch.optim.Adam(layer.parameters(), lr=0.05)
        for _ in range(30):
            optimiser.zero_grad()
            PairwiseRanking()(layer(asked), asked).backward()
            optimiser.step()
        rows = torch.stack([torch.arange(2, U), *[torch.zeros(U - 2, dtype=torch.int64)] * 2], 1)
        new = layer.eval()(Batch(rows, torch.zeros(U - 2, 0)))[:, 20:]
        wins = (new[:, :, None] > new[:, None, :])[same[:, 20:, None] & ~same[:, None, 20:]]
        return float(wins.double().mean())

    found = []
    for build in (ContentGraph, GraphScores):
        torch.manual_seed(0)
        layer = build(schema, D)
        layer.meet(known)
        found.append(chance(layer))
    assert found[0] > 0.95 and abs(found[1] - 0.5) < 0.2, found
