"""Blocks on vectors made elsewhere, held to their formulas, and to what they alone can learn.

Notation: D embedding width, P projection width.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from random_rows import ILLUSTRATED, random_rows
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import FeatureEmbedding, ModalityAlignment, ModalityGate
from sandboxes.kit.schema import CategoricalField, Schema, VectorField
from sandboxes.kit.vector_table import VectorTable

D, ROWS = 4, 40
ITEM, IMAGE, TEXT, USER, HOME = 1, 5, 6, 0, 7  # places among the fields


def present(batch: Batch, name: str) -> list[bool]:
    return (batch.vectors(name)[:, -1] == 1).tolist()


def test_modality_gate() -> None:
    torch.manual_seed(0)
    block, batch = ModalityGate(ILLUSTRATED, D), random_rows(ILLUSTRATED, ROWS).whole
    plain = FeatureEmbedding(ILLUSTRATED, D)
    plain.load_state_dict(block.state_dict(), strict=False)
    fields, fused = plain(batch), block(batch)
    scores = block.gate(fields.flatten(1))  # of item, image, text, user, home
    seen = set()
    for b in range(ROWS):
        for places, own, names in (((ITEM, IMAGE, TEXT), (0, 1, 2), ("image", "text")), ((USER, HOME), (3, 4), ("home",))):
            there = [True, *(present(batch, name)[b] for name in names)]
            weights = [scores[b, i].exp() if here else torch.tensor(0.0) for i, here in zip(own, there, strict=True)]
            shares = [w / sum(weights) for w in weights]
            total = sum(share * fields[b, place] for share, place in zip(shares, places, strict=True))
            torch.testing.assert_close(fused[b, places[0]], total)
            for share, place in list(zip(shares, places, strict=True))[1:]:
                torch.testing.assert_close(fused[b, place], share * fields[b, place])
            seen.add(tuple(there))
    assert {(True, True, True), (True, True, False), (True, False, True)} <= seen
    untouched = [i for i in range(ILLUSTRATED.n_fields) if i not in (ITEM, IMAGE, TEXT, USER, HOME)]
    assert torch.equal(fused[:, untouched], fields[:, untouched])
    assert torch.equal(block.history(batch, "clicked")[0], plain.history(batch, "clicked")[0])


def test_what_an_image_counts_for_depends_on_who_looks() -> None:
    """Users of one half click by the image, those of the other half by its opposite: a sum of weighted fields cannot know."""
    schema = Schema((CategoricalField("user", 12), CategoricalField("item", 102)), vectors=(VectorField("image", "item", 2),))
    torch.manual_seed(1)
    values = torch.cat([torch.randn(102, 1), torch.ones(102, 1)], 1)
    ids = torch.stack([torch.randint(2, 12, (600,)), torch.randint(2, 102, (600,))], 1)
    batch = Batch(ids, torch.zeros(600, 0), vector_rows={"image": ids[:, 1]}, tables={"image": VectorTable(values)})
    labels = ((ids[:, 0] % 2 == 0) == (values[ids[:, 1], 0] > 0)).float()
    losses = {}
    for kind in (FeatureEmbedding, ModalityGate):
        block, output = kind(schema, 8), torch.nn.Linear(24, 1)
        block.table.weight.requires_grad_(True)
        optimizer = torch.optim.Adam([*block.parameters(), *output.parameters()], lr=0.02)
        for _ in range(400):
            optimizer.zero_grad()
            fields = block(batch) * torch.tensor([1.0, 0.0, 1.0]).view(1, 3, 1)  # nothing of the item but its image
            loss = functional.binary_cross_entropy_with_logits(output(fields.flatten(1)).squeeze(1), labels)
            loss.backward()
            optimizer.step()
        losses[kind] = loss.item()
    assert losses[FeatureEmbedding] > 0.6 and losses[ModalityGate] < 0.45


def aligned(block: ModalityAlignment, fields: np.ndarray, batch: Batch, temperature: float, weight: float) -> float:
    """The formula row by row."""
    total = 0.0
    for k, (place, vector_place, name) in enumerate(((ITEM, IMAGE, "image"), (ITEM, TEXT, "text"), (USER, HOME, "home"))):
        maps = [m[k].weight.detach().double().numpy() for m in (block.of_id, block.of_vector)]
        of_id, of_vector = (
            x / np.linalg.norm(x, axis=1, keepdims=True)
            for x in (fields[:, place] @ maps[0].T, fields[:, vector_place] @ maps[1].T)
        )
        ids, there = batch.ids[:, place].numpy(), present(batch, name)
        rows = [b for b in range(len(fields)) if ids[b] >= 2 and there[b]]
        losses = []
        for b in rows:
            others = [c for c in rows if ids[c] != ids[b]]
            for left, right in ((of_id, of_vector), (of_vector, of_id)):
                scores = np.exp([left[b] @ right[c] / temperature for c in (b, *others)])
                losses.append(-np.log(scores[0] / scores.sum()))
        total += float(np.mean(losses)) if losses else 0.0
    return weight * total


def test_modality_alignment() -> None:
    torch.manual_seed(2)
    batch = random_rows(ILLUSTRATED, ROWS).whole
    block = ModalityAlignment(ILLUSTRATED, D, temperature=0.5, projection_dim=3, loss_weight=0.7).double()
    fields = torch.randn(ROWS, ILLUSTRATED.n_fields + 2, D, dtype=torch.float64)  # histories may follow
    wanted = aligned(block, fields.numpy(), batch, 0.5, 0.7)
    assert block(fields, batch).item() == pytest.approx(wanted, rel=1e-9)
    assert block(fields[:1], batch[:1]).item() == 0


def test_alignment_makes_an_embedding_tell_its_vector() -> None:
    schema = Schema((CategoricalField("item", 32),), vectors=(VectorField("image", "item", 9),))
    torch.manual_seed(3)
    values = torch.cat([torch.randn(32, 8), torch.ones(32, 1)], 1)
    ids = torch.arange(2, 32).unsqueeze(1)
    batch = Batch(ids, torch.zeros(30, 0), vector_rows={"image": ids[:, 0]}, tables={"image": VectorTable(values)})
    embedding, block = FeatureEmbedding(schema, 16), ModalityAlignment(schema, 16, projection_dim=16)
    optimizer = torch.optim.Adam([*embedding.parameters(), *block.parameters()], lr=0.02)

    def found() -> float:
        fields = embedding(batch)
        similarity = block.of_id[0](fields[:, 0]) @ functional.normalize(block.of_vector[0](fields[:, 1]), dim=1).T
        return (similarity.argmax(1) == torch.arange(30)).float().mean().item()

    assert found() < 0.3
    for _ in range(150):
        optimizer.zero_grad()
        block(embedding(batch), batch).backward()
        optimizer.step()
    assert found() > 0.9


def test_where_items_are_predicted_only_the_querys_vectors_are_aligned() -> None:
    schema = replace(ILLUSTRATED, tasks=ILLUSTRATED.tasks[:1], predicts="items")
    block, batch = ModalityAlignment(schema, D), random_rows(ILLUSTRATED, ROWS).whole
    held = schema.query_fields  # user, scene, age, home
    assert len(block.of_id) == 1
    fields = torch.randn(ROWS, len(held), D)
    torch.testing.assert_close(
        block(fields, batch),
        _only_home(block, fields[:, held.index(USER)], fields[:, held.index(HOME)], batch),
    )


def _only_home(block: ModalityAlignment, users: torch.Tensor, homes: torch.Tensor, batch: Batch) -> torch.Tensor:
    alone = Schema((CategoricalField("user", 12),), vectors=(VectorField("home", "user", 3),))
    other = ModalityAlignment(alone, D)
    other.load_state_dict(block.state_dict())
    return other(torch.stack([users, homes], 1), replace(batch, ids=batch.ids[:, :1]))
