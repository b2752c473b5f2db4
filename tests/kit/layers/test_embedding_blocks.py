"""Embeddings and first-order weights of a batch, looked up one value at a time.

Notation: C categorical fields, N numeric fields, D embedding width.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from random_rows import CATEGORIES_ONLY, ILLUSTRATED, NUMBERS_ONLY, OUTCOMES, RICH, SCHEMAS, TWO_TASKS, random_rows
from slopes import away_from_the_start, gradients_are_slopes

from sandboxes.kit.layers import FeatureEmbedding, LinearTerm, NumericDiscretisation
from sandboxes.kit.schema import N_OUTCOMES, NEGATIVE_ID, NOT_OBSERVED_ID, POSITIVE_ID, Schema, SequenceField, VectorField
from sandboxes.kit.training.model import is_table

D, ROWS = 4, 15


def first_rows(schema: object) -> list[int]:
    return [sum(f.cardinality for f in schema.categorical[:i]) for i in range(len(schema.categorical))]


def weights_of_vectors(schema: Schema, weight: torch.Tensor | None) -> list[tuple[VectorField, torch.Tensor]]:
    """Each vector field with its own columns of what maps them."""
    ends = np.cumsum([v.width for v in schema.vectors])
    return [(v, weight[:, end - v.width : end]) for v, end in zip(schema.vectors, ends, strict=True)]


@pytest.mark.parametrize("kind", SCHEMAS)
def test_feature_embedding(kind: str) -> None:
    schema = SCHEMAS[kind]
    block, batch = FeatureEmbedding(schema, D), random_rows(schema, ROWS).whole
    torch.nn.init.normal_(block.numeric.bias) if schema.numeric else None
    fields = block(batch)
    assert fields.shape == (ROWS, schema.n_fields, D)
    for b in range(ROWS):
        for c, start in enumerate(first_rows(schema)):
            assert torch.equal(fields[b, c], block.table.weight[start + batch.ids[b, c]])
        for n in range(len(schema.numeric)):
            wanted = batch.numeric[b, n] * block.numeric.weight[n] + block.numeric.bias[n]
            torch.testing.assert_close(fields[b, len(schema.categorical) + n], wanted)
        for m, (v, weight) in enumerate(weights_of_vectors(schema, block.vectors.weight)):
            row = batch.tables[v.name].values[batch.vector_rows[v.name][b]]
            torch.testing.assert_close(fields[b, len(schema.categorical) + len(schema.numeric) + m], weight @ row)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_gradients_of_embeddings_are_slopes(kind: str) -> None:
    """Of fields and pooled histories together; each row of the table by the number of times it is looked up."""
    schema = SCHEMAS[kind]
    block, batch = away_from_the_start(FeatureEmbedding(schema, D)), random_rows(schema, ROWS).whole
    batch.numeric = batch.numeric.double()
    given = [batch.numeric] if schema.numeric else []
    assert gradients_are_slopes(block, lambda: block.with_histories(batch).square(), given)


def test_no_two_fields_share_a_row() -> None:
    for schema, n_judged in ((RICH, 0), (OUTCOMES, 1)):  # tasks whose past outcomes are known
        block = FeatureEmbedding(schema, D)
        last = [f.cardinality - 1 for f in schema.categorical]
        assert first_rows(schema) == block.offsets.tolist()
        assert block.offsets[-1] + last[-1] == block.table.num_embeddings - 1 - N_OUTCOMES * n_judged


def test_outcomes_have_rows_of_their_own_and_are_added_to_what_they_came_of() -> None:
    block, batch = FeatureEmbedding(OUTCOMES, D), random_rows(OUTCOMES, ROWS).whole
    items, answers = first_rows(OUTCOMES)[OUTCOMES.index_of("item")], block.table.num_embeddings - N_OUTCOMES
    (log,) = OUTCOMES.event_logs
    vectors, mask = block.history(batch, "asked")
    own, own_mask = block.history(batch, "answers")
    target, values, same_mask, signs = block.events(batch, log)
    assert torch.equal(mask, own_mask) and torch.equal(mask, same_mask) and signs.shape == (ROWS, 4, 1)
    for b in range(ROWS):
        for place in range(4):
            item, answer = (int(batch.history[name][b, place]) for name in ("asked", "answers"))
            of_item, of_answer = block.table.weight[items + item], block.table.weight[answers + answer]
            assert torch.equal(vectors[b, place], of_item + of_answer if item else torch.zeros(D))
            assert torch.equal(own[b, place], of_answer if item else torch.zeros(D))
            assert torch.equal(values[b, place], of_item if item else torch.zeros(D))
            assert signs[b, place].item() == {POSITIVE_ID: 1, NEGATIVE_ID: -1}.get(answer, 0)
    assert torch.equal(target, block.field(batch, "item")) and torch.equal(target, block.target(batch, "asked"))
    assert torch.equal(block.target(batch, "answers"), block.table.weight[answers + NOT_OBSERVED_ID].expand(ROWS, D))
    pooled = block.with_histories(batch)[:, OUTCOMES.n_fields :]
    torch.testing.assert_close(pooled[:, 0], block.pooled_history(batch, "asked"))
    torch.testing.assert_close(pooled[:, 1], own.sum(1) / mask.sum(1, keepdim=True).clamp(min=1))


def test_each_tasks_outcomes_have_rows_of_their_own_whatever_history_they_stand_in() -> None:
    said = [("a", "click", 3), ("b", "like", 3), ("c", "click", 2)]
    sequences = tuple(SequenceField(name, of, length, "outcomes", "all rows") for name, of, length in said)
    schema = dataclasses.replace(TWO_TASKS, sequences=sequences)
    block, batch = FeatureEmbedding(schema, D), random_rows(schema, ROWS).whole
    fields_end = sum(f.cardinality for f in schema.categorical)
    assert block.table.num_embeddings == fields_end + 2 * N_OUTCOMES
    for name, first in (("a", fields_end), ("b", fields_end + N_OUTCOMES), ("c", fields_end)):
        ids = batch.history[name]
        assert torch.equal(block.history(batch, name)[0], block.table.weight[first + ids] * (ids > 0).unsqueeze(2))
    both, short = schema.event_logs
    target, values, *_ = block.events(batch, both)
    torch.testing.assert_close(target, block.target(batch, "a") + block.target(batch, "b"))
    torch.testing.assert_close(values, block.entries(batch, "a")[0] + block.entries(batch, "b")[0])
    assert torch.equal(block.events(batch, short)[0], block.target(batch, "a"))


def test_a_row_without_categories_may_have_past_outcomes() -> None:
    schema = Schema((), OUTCOMES.numeric, OUTCOMES.sequences[1:])
    block, batch = FeatureEmbedding(schema, D), random_rows(schema, ROWS).whole
    assert block(batch).shape == (ROWS, 2, D) and block.with_histories(batch).shape == (ROWS, 3, D)
    (log,) = schema.event_logs
    assert [tuple(x.shape) for x in block.events(batch, log)] == [(ROWS, D), (ROWS, 4, D), (ROWS, 4), (ROWS, 4, 0)]


def test_fields_and_histories_share_the_items_rows() -> None:
    block, batch = FeatureEmbedding(RICH, D), random_rows(RICH, ROWS).whole
    start = first_rows(RICH)[RICH.index_of("item")]
    assert torch.equal(block.field(batch, "item"), block(batch)[:, RICH.index_of("item")])
    with pytest.raises(KeyError):
        block.field(batch, "age")
    for name in ("clicked", "bought"):
        vectors, mask = block.history(batch, name)
        pooled = block.pooled_history(batch, name)
        for b in range(ROWS):
            ids = [int(i) for i in batch.history[name][b] if i != 0]
            assert mask[b].sum() == len(ids) and (vectors[b, ~mask[b]] == 0).all()
            wanted = block.table.weight[[start + i for i in ids]]
            assert torch.equal(vectors[b, mask[b]], wanted)
            torch.testing.assert_close(pooled[b], wanted.mean(0) if ids else torch.zeros(D))
    joined = block.with_histories(batch)
    assert torch.equal(joined[:, : RICH.n_fields], block(batch))
    torch.testing.assert_close(joined[:, -1], block.pooled_history(batch, "bought"))


def test_histories_and_what_they_are_asked_about_have_the_vectors_of_their_field() -> None:
    block, batch = FeatureEmbedding(ILLUSTRATED, D), random_rows(ILLUSTRATED, 60).whole
    start = first_rows(ILLUSTRATED)[ILLUSTRATED.index_of("item")]
    image, text, _ = weights_of_vectors(ILLUSTRATED, block.vectors.weight)

    def whole(id: int, image_row: int, text_row: int) -> torch.Tensor:
        known = ((v, weight @ batch.tables[v.name].values[row]) for (v, weight), row in ((image, image_row), (text, text_row)))
        return block.table.weight[start + id] + sum(vector for _, vector in known)

    vectors, mask = block.history(batch, "clicked")
    target, pooled = block.target(batch, "clicked"), block.pooled_history(batch, "clicked")
    again = block.vectors_of("item", batch.history["clicked"], batch)
    beyond = 0
    for b in range(60):
        rows = {name: int(batch.vector_rows[name][b]) for name in ("image", "text")}
        item = int(batch.ids[b, ILLUSTRATED.index_of("item")])
        beyond += rows["image"] != item
        torch.testing.assert_close(target[b], whole(item, rows["image"], rows["text"]))
        wanted = [whole(i, i, i) for i in batch.history["clicked"][b].tolist() if i]
        assert (vectors[b, ~mask[b]] == 0).all() and mask[b].sum() == len(wanted)
        torch.testing.assert_close(vectors[b, mask[b]], torch.stack(wanted) if wanted else torch.zeros(0, D))
        torch.testing.assert_close(again[b, mask[b]], vectors[b, mask[b]])
        torch.testing.assert_close(pooled[b], torch.stack(wanted).mean(0) if wanted else torch.zeros(D))
    assert beyond, "some rows' items are not taught by train, and have vectors all the same"


def test_a_value_without_a_vector_gives_nothing_and_others_have_a_bias() -> None:
    block, batch = FeatureEmbedding(ILLUSTRATED, D), random_rows(ILLUSTRATED, 60).whole
    image = block(batch)[:, ILLUSTRATED.n_fields - 3]
    without = batch.vectors("image")[:, -1] == 0
    assert 0 < without.sum() < 60 and (image[without] == 0).all() and (image[~without] != 0).any(1).all()


def test_padding_of_a_history_trains_no_row() -> None:
    block, batch = FeatureEmbedding(RICH, D), random_rows(RICH, ROWS).whole
    vectors, _ = block.history(batch, "clicked")
    (vectors.sum() + block.pooled_history(batch, "clicked").sum()).backward()
    assert (block.table.weight.grad[first_rows(RICH)[RICH.index_of("item")]] == 0).all()


@pytest.mark.parametrize("kind", SCHEMAS)
def test_linear_term(kind: str) -> None:
    schema = SCHEMAS[kind]
    block, batch = LinearTerm(schema, 2), random_rows(schema, ROWS).whole
    torch.nn.init.normal_(block.bias)
    wanted = np.zeros((ROWS, 2))
    for b in range(ROWS):
        wanted[b] = block.bias.detach()
        for c, start in enumerate(first_rows(schema)):
            wanted[b] += block.table.weight[start + batch.ids[b, c]].detach().numpy()
        for n in range(len(schema.numeric)):
            wanted[b] += batch.numeric[b, n].item() * block.numeric.weight[:, n].detach().numpy()
        for v, weight in weights_of_vectors(schema, block.vectors.weight):
            wanted[b] += (weight @ batch.tables[v.name].values[batch.vector_rows[v.name][b]]).detach().numpy()
        for s in schema.sequences:
            ids = batch.history[s.name][b]
            if (ids != 0).any():
                wanted[b] += block.history_tables[f"of_{s.name}"].weight[ids[ids != 0]].mean(0).detach().numpy()
    np.testing.assert_allclose(block(batch).detach().numpy(), wanted, atol=1e-6)


def test_numeric_discretisation() -> None:
    block = NumericDiscretisation(2, D, n_buckets=5, temperature=0.3, skip=0.7).double()
    w = {name: p.detach().numpy() for name, p in block.named_parameters()}
    values = np.random.default_rng(0).normal(size=(ROWS, 2))
    computed = block(torch.from_numpy(values)).detach().numpy()
    for b in range(ROWS):
        for j in range(2):
            hidden = w["project"][j] * values[b, j]
            hidden = np.where(hidden > 0, hidden, 0.01 * hidden)
            scores = (hidden @ w["mix"][j] + 0.7 * hidden) / 0.3
            shares = np.exp(scores) / np.exp(scores).sum()
            np.testing.assert_allclose(computed[b, j], shares @ w["meta"][j], atol=1e-9)


def test_numbers_may_be_embedded_otherwise() -> None:
    inner, batch = NumericDiscretisation(2, D), random_rows(NUMBERS_ONLY, ROWS).whole
    assert torch.equal(FeatureEmbedding(NUMBERS_ONLY, D, numeric=inner)(batch), inner(batch.numeric))


def test_tables_are_known_as_such() -> None:
    embedding = {name for name, _ in FeatureEmbedding(CATEGORIES_ONLY, D).named_parameters()}
    linear = {name for name, _ in LinearTerm(RICH, 1).named_parameters()}
    assert embedding == {"table.weight"} == {n for n in embedding if is_table(n)}
    assert linear - {n for n in linear if is_table(n)} == {"bias", "numeric.weight"}
