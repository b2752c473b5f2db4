"""Alignment whose weight grows with what is known. Notation: B rows, F fields, D embedding width, V ids of a field."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from random_rows import ILLUSTRATED, random_rows
from torch import nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import AlignmentByEvidence, FeatureEmbedding, ModalityAlignment
from sandboxes.kit.schema import CategoricalField, Schema, VectorField
from sandboxes.kit.vector_table import VectorTable

D, ROWS = 4, 40
USER, ITEM = 0, 1


def test_every_row_counts_by_a_saturating_share_of_its_values_occurrences() -> None:
    torch.manual_seed(0)
    batch = random_rows(ILLUSTRATED, ROWS).whole
    block = AlignmentByEvidence(ILLUSTRATED, D, 0.5, 3, half_weight_at=2.0).double()
    fields = torch.randn(ROWS, ILLUSTRATED.n_fields, D, dtype=torch.float64)
    assert block(fields, batch).item() == 0  # nothing is known yet
    surveyed = random_rows(ILLUSTRATED, 300, seed=5).whole
    block.survey(surveyed)
    for column in (USER, ITEM):
        values = surveyed.ids[:, column].tolist()
        known = range(2, ILLUSTRATED.categorical[column].cardinality)
        mean = np.mean([values.count(v) for v in known])
        wanted = [values.count(v) / (values.count(v) + 2 * mean) for v in known]
        np.testing.assert_allclose(block.weights(column, torch.tensor(known)), wanted, rtol=1e-6)


def test_the_loss_is_the_weighted_sum_of_each_values_own() -> None:
    """One more row of weight changes the loss by that row's own terms: found by giving weight to one value at a time."""
    torch.manual_seed(0)
    batch = random_rows(ILLUSTRATED, ROWS).whole
    block, plain = (kind(ILLUSTRATED, D, 0.5, 3, loss_weight=0.7).double() for kind in (AlignmentByEvidence, ModalityAlignment))
    plain.load_state_dict(block.state_dict(), strict=False)
    fields = torch.randn(ROWS, ILLUSTRATED.n_fields, D, dtype=torch.float64)
    trusts = dict(block.named_buffers())
    parts = []
    for trust in trusts.values():
        for value in range(len(trust)):
            trust[value] = 1
            parts.append(block(fields, batch).item())
            trust[value] = 0
    assert sum(parts) == pytest.approx(plain(fields, batch).item(), rel=1e-9)
    weights = np.linspace(0, 1, len(parts))
    start = 0
    for trust in trusts.values():
        trust.copy_(torch.from_numpy(weights[start : start + len(trust)]))
        start += len(trust)
    whole = block(fields, batch).item()
    assert whole == pytest.approx(float(weights @ np.array(parts)), rel=1e-9) and whole > 0


def test_rare_items_content_is_left_in_peace() -> None:
    """Ids of frequent items agree with their contents in a rotated space, those of rare ones are noise. Weighed by evidence, the
    map of contents learns the rotation, and does not heed the noise of the many."""
    frequent, draw = 20, torch.Generator().manual_seed(2)
    schema = Schema((CategoricalField("item", 202),), vectors=(VectorField("image", "item", 7),))
    ids = torch.arange(2, 202)
    content = torch.cat([torch.randn(202, 6, generator=draw), torch.ones(202, 1)], 1)
    content[:2] = 0
    rotation = torch.linalg.qr(torch.randn(6, 6, generator=draw))[0]
    of_id = torch.where(ids[:, None] < 2 + frequent, content[2:, :6] @ rotation, torch.randn(200, 6, generator=draw))
    batch = Batch(ids.unsqueeze(1), torch.zeros(200, 0), vector_rows={"image": ids}, tables={"image": VectorTable(content)})
    often = torch.cat([ids[:frequent].repeat(2000), ids[frequent:]])
    found = {}
    for kind in (ModalityAlignment, AlignmentByEvidence):
        torch.manual_seed(0)
        block, image = kind(schema, 6, projection_dim=6), nn.Linear(6, 6, bias=False)
        if isinstance(block, AlignmentByEvidence):
            block.survey(replace(batch, ids=often.unsqueeze(1)))
        optimizer = torch.optim.Adam([*block.parameters(), *image.parameters()], lr=0.02)
        for _ in range(200):
            optimizer.zero_grad()
            block(torch.stack([of_id, image(content[2:, :6])], 1), batch).backward()
            optimizer.step()
        with torch.no_grad():
            a, b = block.of_id[0](of_id[:frequent]), block.of_vector[0](image(content[2 : 2 + frequent, :6]))
            found[kind] = functional.cosine_similarity(a, b).mean().item()
    assert found[AlignmentByEvidence] > 0.95 and found[ModalityAlignment] < 0.9


def test_a_served_block_knows_what_it_was_shown() -> None:
    block, rows = AlignmentByEvidence(ILLUSTRATED, D), random_rows(ILLUSTRATED, 300).whole
    block.survey(rows)
    served = AlignmentByEvidence(ILLUSTRATED, D)
    served.load_state_dict(block.state_dict())
    fields = FeatureEmbedding(ILLUSTRATED, D)(rows)
    assert torch.equal(served(fields, rows), block(fields, rows)) and block(fields, rows) > 0
