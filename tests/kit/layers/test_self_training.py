"""Rows that a model generates for the next stage, against loops. Notation: B rows, L history length, I ids of the target item."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.contract import Stage
from sandboxes.kit.layers import FeatureEmbedding, SelfTraining
from sandboxes.kit.layers.longer_histories import LongerHistories
from sandboxes.kit.losses import softmax_over_items
from sandboxes.kit.schema import FIRST_ID, CategoricalField, Schema, SequenceField, Task

CHAINS, L = 8, 3
I = 3 * CHAINS + FIRST_ID  # noqa: E741 - the letter of items
SCHEMA = Schema(
    (CategoricalField("item", I, "item"), CategoricalField("kind", 5, "item"), CategoricalField("hour", 7)),
    sequences=(
        SequenceField("seen", "item", L, events="visits"),
        SequenceField("kinds", "kind", L, events="visits"),
        SequenceField("hours", "hour", L, events="visits"),
        SequenceField("liked", "click", L, records="outcomes", events="visits"),
        SequenceField("other_hours", "hour", L),
    ),
    tasks=(Task("click"),),
    target_item="item",
    predicts="items",
)


class MeanOfHistory(nn.Module):
    """(batch) -> (B, I): the mean vector of the items seen, times every item's."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.embedding = FeatureEmbedding(SCHEMA, width)
        self.out = nn.Parameter(0.1 * torch.randn(I, width))

    def forward(self, batch: Batch) -> Tensor:
        vectors, mask = self.embedding.history(batch, "seen")
        return vectors.sum(1) / mask.sum(1, keepdim=True).clamp(min=1) @ self.out.T


def queries(seen: list[list[int]], answers: list[int]) -> Batch:
    items = torch.tensor(seen)
    history = {s.name: (items > 0).long() * 2 for s in SCHEMA.sequences} | {"seen": items}
    return Batch(torch.zeros(len(seen), 3, dtype=torch.int64), torch.zeros(len(seen), 0), history, answer=torch.tensor(answers))


def collection() -> Collection:
    ids = torch.stack([torch.arange(I), 2 + torch.arange(I) % 3, torch.zeros(I, dtype=torch.int64)], 1)
    return Collection(Batch(ids, torch.zeros(I, 0)), torch.zeros(0, 2, dtype=torch.int64))


def test_a_longer_history_says_of_the_item_what_is_known() -> None:
    longer = LongerHistories(SCHEMA)
    longer.meet(collection())
    batch = queries([[0, 4, 5], [6, 7, 8]], [9, 9])
    found = longer(batch, torch.tensor([10, 12])).history
    assert found["seen"].tolist() == [[4, 5, 10], [7, 8, 12]]
    assert found["kinds"].tolist() == [[2, 2, 2 + 10 % 3], [2, 2, 2 + 12 % 3]]
    assert found["hours"].tolist() == [[2, 2, 1], [2, 2, 1]]
    assert found["liked"].tolist() == [[2, 2, 3], [2, 2, 3]]
    assert torch.equal(found["other_hours"], batch.history["other_hours"])
    assert batch.history["seen"].tolist() == [[0, 4, 5], [6, 7, 8]]


def later(layer: SelfTraining) -> SelfTraining:
    """As if a stage had gone before."""
    layer.set_progress(0.0)
    layer.set_progress(0.0)
    return layer


@pytest.mark.parametrize(("n_generated", "rank"), [(1, 100), *((1, rank) for rank in range(4, 14)), (3, 6), (2, 1)])
def test_loss_is_that_of_the_rows_that_keep_the_answer_likely(n_generated: int, rank: int) -> None:
    torch.manual_seed(0)
    model = MeanOfHistory().double()
    layer = later(SelfTraining(SCHEMA, n_generated=n_generated, top_k=1, fidelity_rank=rank, generated_weight=0.5))
    draw = np.random.default_rng(1)
    batch = queries(draw.integers(FIRST_ID, I, (12, L)).tolist(), draw.integers(FIRST_ID, I, 12).tolist())
    loss = layer(batch, model)
    total, kept = torch.zeros((), dtype=torch.float64), 0
    for b in range(len(batch)):
        row = batch[b : b + 1]
        assert row.answer is not None
        answer = int(row.answer)
        for _ in range(n_generated):
            seen = row.history["seen"][0].tolist()
            ranked = [i for i in model(row)[0].argsort(descending=True).tolist() if i >= FIRST_ID]
            best = next(i for i in ranked if i not in (answer, *seen))
            after = layer.histories(row, torch.tensor([best]))
            place = [i for i in model(after)[0].argsort(descending=True).tolist() if i >= FIRST_ID].index(answer)
            if place >= rank:
                break
            kept += 1
            total = total - model(row)[0, FIRST_ID:].log_softmax(0)[best - FIRST_ID]
            row = after
            total = total - model(row)[0, FIRST_ID:].log_softmax(0)[answer - FIRST_ID]
    if rank == 100:
        assert kept == 12
    elif n_generated == 1:
        assert 0 < kept < 12
    torch.testing.assert_close(loss.double(), 0.5 * total / 12, rtol=1e-10, atol=1e-12)
    if kept:
        (ours,), (wanted,) = torch.autograd.grad(loss, [model.out]), torch.autograd.grad(0.5 * total / 12, [model.out])
        torch.testing.assert_close(ours, wanted, rtol=1e-8, atol=1e-12)


def test_nothing_is_generated_before_a_second_stage_and_then_by_the_model_as_it_was() -> None:
    torch.manual_seed(0)
    model, batch = MeanOfHistory(), queries([[2, 3, 4]], [5])
    layer = SelfTraining(SCHEMA, top_k=1, fidelity_rank=1000)
    for progress in (0.0, 0.5):
        layer.set_progress(progress)
        assert layer(batch, model).item() == 0
    layer.set_progress(0.0)
    scores = model(batch).detach()
    drawn = []
    for _ in range(2):
        model.train()
        layer(batch, model)
        drawn.append(next(iter(layer._generated(batch, model))).answer)
        assert model.training
        with torch.no_grad():
            model.out.neg_()  # what was likely is not any more
    assert drawn[0] is not None and drawn[1] is not None and torch.equal(drawn[0], drawn[1])
    scores[:, [0, 1, 2, 3, 4, 5]] = -torch.inf
    assert drawn[0].item() == scores.argmax()
    layer.set_progress(0.0)  # a third stage: the generator is the model of now
    layer(batch, model)
    assert torch.equal(layer._asked(model, batch), model.eval()(batch))


def test_stages_share_the_epochs_of_the_last() -> None:
    stages = SelfTraining(SCHEMA, n_rounds=2, first_share=0.4).staged((Stage("a", epochs=0.5), Stage("b", rows=(0.5, 1.0))))
    assert [s.epochs for s in stages] == pytest.approx([0.5, 0.4, 0.3, 0.3])
    assert [s.rows[0] for s in stages] == [0, 0.5, 0.5, 0.5]


def test_what_never_stood_in_a_history_is_understood_through_generated_ones() -> None:
    """Whoever took a took b or c next; nothing was seen to follow on b. Who generates b after a, and still expects c, learns that
    c does."""
    a, b, c = (torch.arange(FIRST_ID + place, I, 3).tolist() for place in range(3))
    batch = queries([[0, 0, i] for i in (*a, *a, *a)], [*b, *b, *c])
    asked = queries([[0, 0, i] for i in b], c)

    def found(rank: int) -> float:
        """How often c is the first after b, apart from b itself and a."""
        torch.manual_seed(0)
        model, layer = MeanOfHistory(16), SelfTraining(SCHEMA, fidelity_rank=rank, top_k=1)
        layer.meet(collection())
        optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
        for _ in range(2):
            for step in range(80):
                layer.set_progress(step / 80)
                optimiser.zero_grad()
                assert batch.answer is not None
                (softmax_over_items(model(batch), batch.answer) + layer(batch, model)).backward()
                optimiser.step()
        scores = model.eval()(asked)[:, FIRST_ID:].detach()
        scores[torch.arange(CHAINS), torch.tensor(b) - FIRST_ID] = -torch.inf
        return float((scores.argmax(1) + FIRST_ID == torch.tensor(c)).double().mean())

    assert found(4) == 1.0
    assert found(0) < 0.4  # nothing is let through
