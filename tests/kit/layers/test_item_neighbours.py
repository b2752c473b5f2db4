"""Neighbourhoods of items against walks over lists of who took what. Notation: B rows, I ids of the target item, U of users."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers import ItemNeighbours, co_occurrence
from sandboxes.kit.layers.co_occurrence import taken_along
from sandboxes.kit.losses import softmax_over_items
from sandboxes.kit.schema import FIRST_ID, CategoricalField, Schema, SequenceField

U, I, L = 30, 14, 4  # noqa: E741 - the letter of items
SCHEMA = Schema(
    (CategoricalField("user", U, "user"), CategoricalField("item", I, "item")),
    sequences=(SequenceField("seen", "item", L), SequenceField("lately", "item", 2)),
    target_item="item",
    user="user",
    predicts="items",
)


def random_events(seed: int = 0) -> Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(np.stack([rng.integers(1, U, 120), rng.integers(FIRST_ID, I, 120)], 1))


def arrived(events: Tensor, spread: float, damping: float) -> np.ndarray:
    """(I, I): from the item of the row to that of the column, by loops over users."""
    took = {u: {i for v, i in events.tolist() if v == u} for u in range(FIRST_ID, U)}
    degree = [sum(i in items for items in took.values()) for i in range(I)]
    found = np.zeros((I, I))
    for items in took.values():
        for j in items:
            for i in items - {j}:
                found[j, i] += 1 / len(items) ** damping / (degree[i] ** (1 - spread) * degree[j] ** spread)
    return found


def collection(events: Tensor) -> Collection:
    ids = torch.stack([torch.zeros(I, dtype=torch.int64), torch.arange(I)], 1)
    return Collection(Batch(ids, torch.zeros(I, 0)), events)


def queries(seen: list[list[int]], lately: list[list[int]] | None = None) -> Batch:
    history = {"seen": torch.tensor(seen), "lately": torch.tensor(lately or [[0, 0]] * len(seen))}
    return Batch(torch.full((len(seen), 2), 2), torch.zeros(len(seen), 0), history)


@pytest.mark.parametrize(("spread", "damping"), [(0.5, 1.0), (0.0, 1.0), (1.0, 1.0), (0.5, 0.0), (0.8, 0.3)])
@pytest.mark.parametrize("at_once", [1 << 24, 40])
def test_similarity_is_what_arrives(spread: float, damping: float, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(co_occurrence, "AT_ONCE", at_once)
    events = random_events()
    ids, similarity = taken_along(events, U, I, 5, spread, damping)
    wanted = arrived(events, spread, damping)
    for j in range(I):
        np.testing.assert_allclose(similarity[j].numpy(), np.sort(wanted[j])[::-1][:5], rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(wanted[j, ids[j].numpy()], similarity[j].numpy(), rtol=1e-5, atol=1e-7)


def test_cosine_of_who_took_them() -> None:
    events = random_events(1)
    matrix = np.zeros((U, I))
    matrix[events[:, 0], events[:, 1]] = 1
    matrix[:FIRST_ID] = 0  # nobody known
    unit = matrix / np.maximum(np.linalg.norm(matrix, axis=0), 1e-12)
    np.testing.assert_allclose(arrived(events, 0.5, 0.0), unit.T @ unit * (1 - np.eye(I)), atol=1e-12)


def test_scores_are_sums_over_histories() -> None:
    events = random_events(2)
    layer = ItemNeighbours(SCHEMA, 6, 0.3, 0.7, recency=0.8)
    layer.meet(collection(events))
    with torch.no_grad():
        layer.bias_table.weight.normal_()
        assert layer.log_factor is not None
        layer.log_factor.fill_(0.4)
    wanted, batch = arrived(events, 0.3, 0.7), queries([[0, 0, 3, 5], [9, 2, 9, 4], [0, 0, 0, 0]], [[0, 7], [4, 4], [0, 0]])
    kept = np.where(wanted >= np.sort(wanted)[:, -6:-5], wanted, 0)
    kept /= np.mean([row.max() for row in wanted if row.max() > 0])
    for b, scores in enumerate(layer(batch).detach().numpy()):
        total = layer.bias_table.weight.detach().numpy()[:, 0].astype(np.float64)
        for history in (batch.history["seen"], batch.history["lately"]):
            for place, item in enumerate(history[b].tolist()):
                total = total + np.exp(0.4) * (item > 0) * 0.8 ** (history.shape[1] - 1 - place) * kept[item]
        np.testing.assert_allclose(scores, total, rtol=1e-5, atol=1e-5)


def test_padding_and_length_do_not_matter() -> None:
    layer = ItemNeighbours(SCHEMA)
    layer.meet(collection(random_events(3)))
    short = queries([[3, 8]])
    assert torch.equal(
        layer(queries([[0, 0, 3, 8]])), layer(replace(short, history={**short.history, "seen": torch.tensor([[3, 8]])}))
    )


def test_heat_prefers_the_rare_companion_and_mass_the_popular_one() -> None:
    """Item 2 was always taken with 3, which nobody else took, and with 4, which everybody takes."""
    events = [[u, i] for u in range(2, 8) for i in (2, 3, 4)] + [[u, i] for u in range(8, U) for i in (4, 5)] + [[8, 2]]
    batch, first = queries([[0, 0, 0, 2]]), []
    for spread in (0.0, 1.0):
        layer = ItemNeighbours(SCHEMA, spread=spread)
        layer.meet(collection(torch.tensor(events)))
        first.append(int(layer(batch).argmax()))
    assert first == [3, 4]


def test_what_goes_together_is_known_before_training_and_the_factor_is_learned() -> None:
    """Items come in pairs, each taken as often: what is popular says nothing, and the last item everything."""
    events = torch.tensor([[2 + n, i] for n in range(24) for i in (2 + n % 6 * 2, 3 + n % 6 * 2)])
    layer = ItemNeighbours(SCHEMA)
    layer.meet(collection(events))
    batch = queries([[0, 0, 2 + (i + 4) % 12, i] for i in range(FIRST_ID, I)])
    answers = torch.tensor([i + 1 if i % 2 == 0 else i - 1 for i in range(FIRST_ID, I)])
    assert torch.equal(layer(batch).argmax(1), answers)
    before = softmax_over_items(layer(batch), answers).item()
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.1)
    for _ in range(50):
        optimiser.zero_grad()
        (loss := softmax_over_items(layer(batch), answers)).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert loss.item() < 0.75 * before and torch.equal(layer(batch).argmax(1), answers)


def test_a_served_block_needs_no_events() -> None:
    met, served = ItemNeighbours(SCHEMA), ItemNeighbours(SCHEMA)
    met.meet(collection(random_events(4)))
    served.load_state_dict(met.state_dict())
    batch = queries([[0, 3, 4, 5]])
    assert torch.equal(met(batch), served(batch))
    empty = ItemNeighbours(replace(SCHEMA, sequences=()))  # nothing to go by: every query gets the same scores
    empty.meet(collection(random_events(4)))
    assert empty(batch).shape == (1, I)
