"""A prior that is a mixture over groups: its divergence, what chooses the groups, and what ids with few samples inherit.

Notation: B rows, C categorical fields, D embedding width, K groups.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from random_rows import CATEGORIES_ONLY, NUMBERS_ONLY, RICH, random_rows
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, kl_divergence

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import GroupedPriorEmbedding, VariationalEmbedding
from sandboxes.kit.layers.table import INITIAL_STD
from sandboxes.kit.schema import CategoricalField, Schema

B, D = 7, 3
SHOP = Schema(
    (
        CategoricalField("item", 9, "item"),
        CategoricalField("user", 12, "user"),
        CategoricalField("kind", 5, "item"),
        CategoricalField("hour", 5),
        CategoricalField("maker", 6, "item"),
    )
)


def built(schema: Schema = SHOP, n_groups: int = 3, **arguments: float) -> GroupedPriorEmbedding:
    torch.manual_seed(0)
    block = GroupedPriorEmbedding(schema, D, n_groups=n_groups, **arguments)
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return block


def posteriors(block: GroupedPriorEmbedding, batch: Batch) -> Normal:
    rows = batch.ids + block.means.offsets
    return Normal(block.means.table.weight[rows].detach(), INITIAL_STD * block.log_std_table.weight[rows].detach().exp())


def prior(block: GroupedPriorEmbedding, batch: Batch, b: int, c: int) -> tuple[np.ndarray, Normal]:
    """The shares (K,) and the components (K, D) for one id of one row, by loops."""
    means = posteriors(block, batch).mean[b].numpy()
    of_same = {0: (2, 4), 2: (0, 4), 4: (0, 2)}.get(c, ())  # places of the item's fields
    logits = block.usual[c].detach().numpy().copy()
    if of_same:
        side = np.mean([means[i] / np.linalg.norm(means[i]) for i in of_same], 0)
        logits += block.choice[c].detach().numpy() @ side
    return np.exp(logits) / np.exp(logits).sum(), Normal(
        block.centres[c].detach(), block.prior_std * block.log_widths[c].detach().exp()
    )


@pytest.mark.parametrize("training", [True, False])
def test_divergence_of_the_last_forward(training: bool) -> None:
    block, batch = built(kl_weight=0.4, prior_std=0.5).train(training), random_rows(SHOP, B).whole
    block(random_rows(SHOP, 3, seed=1).whole)
    block(batch)
    own, total = posteriors(block, batch), 0.0
    for b in range(B):
        for c in range(5):
            shares, components = prior(block, batch, b, c)
            each = kl_divergence(Normal(own.mean[b, c], own.stddev[b, c]), components).sum(1).numpy()
            total -= np.log((shares * np.exp(-each)).sum())
    assert block.kl().item() == pytest.approx(0.4 * total / B, rel=1e-4)


def test_it_is_no_less_than_the_divergence_from_the_mixture_and_near_it_where_groups_lie_apart() -> None:
    block, batch = built(kl_weight=1.0, prior_std=0.5), random_rows(SHOP, 1).whole
    for apart in (1.0, 10.0):
        block.centres.data *= apart
        block(batch)
        bound, own, exact = block.kl().item(), posteriors(block, batch), 0.0
        for c in range(5):
            shares, components = prior(block, batch, 0, c)
            mixture = MixtureSameFamily(Categorical(torch.from_numpy(shares)), Independent(components, 1))
            alone = Independent(Normal(own.mean[0, c], own.stddev[0, c]), 1)
            draws = alone.sample((4000,))
            exact += (alone.log_prob(draws) - mixture.log_prob(draws)).mean().item()
        assert bound > exact - 0.05
    assert bound == pytest.approx(exact, rel=0.05)


def test_one_group_is_a_prior_whose_place_is_learned() -> None:
    block, plain = built(n_groups=1, kl_weight=0.4, prior_std=0.5), VariationalEmbedding(SHOP, D, kl_weight=0.4, prior_std=0.5)
    plain.load_state_dict({n: v for n, v in block.state_dict().items() if n in plain.state_dict()})
    block.centres.data.zero_()
    block.log_widths.data.zero_()
    batch = random_rows(SHOP, B).whole
    assert torch.equal(block.eval()(batch), plain.eval()(batch))
    torch.testing.assert_close(block.kl(), plain.kl())


def test_the_divergence_does_not_move_what_tells_the_groups() -> None:
    """An item's own vector is drawn to its prior, and that prior moves no vector of its kind and maker."""
    block, batch = built(), random_rows(SHOP, B).whole
    mean = block.means.table(batch.ids + block.means.offsets).detach().requires_grad_()
    (slope,) = torch.autograd.grad(block.log_shares(mean).exp()[..., 0].sum(), mean, allow_unused=True)
    assert slope is None


@pytest.mark.parametrize("schema", [CATEGORIES_ONLY, RICH, NUMBERS_ONLY])
def test_data_without_side_information_or_ids_works_too(schema: Schema) -> None:
    block = GroupedPriorEmbedding(schema, D)
    assert block.choice is None
    block(random_rows(schema, B).whole)
    assert torch.isfinite(block.kl()) and (block.kl() == 0) == (schema is NUMBERS_ONLY)


def test_ids_with_few_samples_are_like_others_of_their_kind() -> None:
    """Items of two kinds have vectors about 1 and -1; some are never asked for, so that the prior alone speaks of them."""
    schema = Schema((CategoricalField("item", 42, "item"), CategoricalField("kind", 4, "item")))
    torch.manual_seed(0)
    block = GroupedPriorEmbedding(schema, D, n_groups=4, kl_weight=0.1)
    plain = VariationalEmbedding(schema, D, kl_weight=0.1)
    for one in (block, plain):
        optimiser = torch.optim.Adam(one.parameters(), lr=0.03)
        for _ in range(400):
            item = torch.randint(2, 42, (64,))
            batch = Batch(torch.stack([item, 2 + item % 2], 1), torch.zeros(64, 0))
            wanted = (2.0 * (item % 2) - 1).unsqueeze(1)
            known = item >= 12  # the first ten are new
            optimiser.zero_grad()
            wrong = (one(batch) - wanted.unsqueeze(1)).square().mean(2)  # (B, C): kinds have vectors of their own
            (wrong[:, 1].mean() + (wrong[:, 0] * known).mean() + one.kl()).backward()
            optimiser.step()
    new = torch.arange(2, 12)
    batch = Batch(torch.stack([new, 2 + new % 2], 1), torch.zeros(10, 0))
    toward = 2.0 * (new % 2) - 1
    inherited, without = ((one.eval()(batch)[:, 0].mean(1) * toward).detach() for one in (block, plain))
    assert (inherited > 0.5).all() and (without < 0.3).all()
