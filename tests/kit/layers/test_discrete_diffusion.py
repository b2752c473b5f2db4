"""The generative loss over a row's ids against its formula, and what it can learn that a fixed share of gaps cannot.

Notation: B rows, C categorical fields, D embedding width.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from random_rows import RICH, random_rows
from torch import Tensor

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import DiscreteDiffusion, FeatureEmbedding
from sandboxes.kit.layers.field_denoising import FieldDenoising
from sandboxes.kit.schema import CategoricalField, Schema

B, D = 8, 4
PAIR = Schema((CategoricalField("user", 10, "user"), CategoricalField("home", 10, "user")))


def built(schema: Schema, **arguments: float) -> tuple[DiscreteDiffusion, FeatureEmbedding]:
    """In float64, with vectors large enough to matter."""
    torch.manual_seed(0)
    block, embedding = DiscreteDiffusion(schema, D, **arguments).double(), FeatureEmbedding(schema, D).double()
    torch.nn.init.normal_(embedding.table.weight)
    return block, embedding


def rows(schema: Schema, n: int = B) -> Batch:
    batch = random_rows(schema, n).whole
    batch.numeric = batch.numeric.double()
    return batch


def told_of(block: DiscreteDiffusion, embedding: FeatureEmbedding, batch: Batch, seed: int) -> tuple[list[Tensor], float]:
    """What the network saw and told, and the loss."""
    seen: list[Tensor] = []
    hook = block.denoising.network.register_forward_hook(lambda _, args, out: seen.extend((*args, out)))
    torch.manual_seed(seed)
    loss = block(embedding, batch).item()
    hook.remove()
    return seen, loss


def test_the_loss_is_the_mean_cross_entropy_of_what_a_row_hides() -> None:
    block, embedding = built(RICH, n_steps=4, loss_weight=0.7)
    batch = rows(RICH)
    (_, hidden, _, told), computed = told_of(block, embedding, batch, seed=3)
    by_row = []
    for b in range(B):
        told_wrong = []
        for i, field in enumerate(RICH.categorical):
            if hidden[b, i]:
                values = embedding.vectors_of(field.name, torch.arange(1, field.cardinality), batch)
                scores = (values @ told[b, i]).detach().numpy()
                told_wrong.append(np.log(np.exp(scores).sum()) - scores[batch.ids[b, i] - 1])
        by_row += [np.mean(told_wrong)] if told_wrong else []
    assert len(by_row) > 0 and not hidden.all()
    assert computed == pytest.approx(0.7 * np.mean(by_row))


def test_of_many_ids_some_stand_for_all() -> None:
    """Over many draws the candidates' sum comes to that of all other ids of the field."""
    wide = Schema((CategoricalField("user", 42), CategoricalField("home", 5)))
    block, embedding = built(wide, n_candidates=8)
    batch, told = rows(wide, 1), torch.randn(1, D, dtype=torch.float64)
    torch.manual_seed(0)
    drawn = torch.stack([block.denoising._cross_entropy(embedding, batch, 0, told) for _ in range(4000)])
    own, every = batch.ids[0, 0].item(), [*range(1, 42)]
    scores = (embedding.table.weight[every] @ told[0]).exp()
    others = (scores.sum() - scores[own - 1]) / scores[own - 1]
    torch.testing.assert_close((drawn.exp() - 1).mean(), others, rtol=0.1, atol=0)


def test_fields_are_hidden_at_the_rows_own_level() -> None:
    """A row's share of hidden fields is its step's, from a little to all; numbers and histories are never hidden."""
    schema = Schema(tuple(CategoricalField(f"c{i}", 5) for i in range(40)))
    block, embedding = built(schema, n_steps=5)
    (seen, hidden, level, _), _ = told_of(block, embedding, rows(schema, 600), seed=0)
    assert set(level.flatten().tolist()) == {0.2, 0.4, 0.6, 0.8, 1.0}
    for step in (0.2, 0.4, 0.6, 0.8, 1.0):
        of_step = (level == step).flatten()
        assert 80 < of_step.sum() < 160
        assert hidden[of_step].double().mean().item() == pytest.approx(step, abs=0.03)
        assert step == 1.0 or 0.02 < hidden[of_step].double().mean(1).std() < 0.12
    assert seen.shape == (600, 40, D)


def test_a_hidden_field_tells_nothing_of_itself_and_the_rest_tells_all_it_knows() -> None:
    block, embedding = built(RICH)
    network, seen = block.denoising.network, torch.randn(2, 7, D, dtype=torch.float64)
    hidden = torch.tensor([[True, False, True]] * 2)
    level = torch.full((2, 1), 0.5, dtype=torch.float64)
    for field in range(7):
        changed = seen.clone()
        changed[0, field] += torch.randn(D, dtype=torch.float64)
        same = torch.equal(network(changed, hidden, level)[0], network(seen, hidden, level)[0])
        assert same == (field in (0, 2))
        assert torch.equal(network(changed, hidden, level)[1], network(seen, hidden, level)[1])
    assert not torch.equal(network(seen, hidden, level), network(seen, hidden, level / 2))
    assert embedding.with_histories(rows(RICH)).shape[1] == 7


def learned(copied: bool, n_steps: int) -> tuple[float, float]:
    """Mean cross-entropies after training: of a field whose companion is seen, and of one with everything hidden."""
    torch.manual_seed(0)
    denoising, embedding = FieldDenoising(PAIR, D, n_steps, 128, 16), FeatureEmbedding(PAIR, D)
    optimiser = torch.optim.Adam([*denoising.parameters(), *embedding.parameters()], lr=0.01)
    often = torch.tensor([0.0, 0.0, 8, 1, 1, 1, 1, 1, 1, 1])

    def drawn(n: int) -> Batch:
        ids = torch.multinomial(often, 2 * n, replacement=True).view(n, 2)
        return Batch(ids[:, :1].repeat(1, 2) if copied else ids, torch.zeros(n, 0))

    for _ in range(500):
        losses, hidden = denoising(embedding, drawn(128))
        optimiser.zero_grad()
        losses[hidden].mean().backward()
        optimiser.step()
    denoising.n_steps, batch = 2, drawn(2000)
    losses, hidden = denoising(embedding, batch)
    one = hidden[:, 0] & ~hidden[:, 1]
    return losses[one, 0].mean().item(), losses[hidden.all(1), 0].mean().item()


def test_it_learns_how_fields_hang_together_and_how_often_ids_are() -> None:
    """From a companion that is a copy the id is told; with nothing to see, as well as its frequency allows."""
    shares = np.array([8, 1, 1, 1, 1, 1, 1, 1]) / 15
    entropy = -(shares * np.log(shares)).sum()
    of_copy, of_nothing = learned(copied=True, n_steps=10)
    assert of_copy < 0.1 and of_nothing == pytest.approx(entropy, abs=0.12)
    of_stranger, _ = learned(copied=False, n_steps=10)
    assert of_stranger == pytest.approx(entropy, abs=0.12)


def test_a_batch_that_hides_nothing_has_no_loss() -> None:
    block, embedding = built(PAIR, n_steps=10000)
    torch.manual_seed(0)
    batch = rows(PAIR, 1)
    found = [block(embedding, batch).item() for _ in range(60)]
    assert 0.0 in found and max(found) > 0
