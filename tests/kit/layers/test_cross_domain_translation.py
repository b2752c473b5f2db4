"""Translation between domains, against its formula, in stages, and for what it tells of users a domain has never seen.

Notation: B rows, D embedding width, S domains, H width of a latent, T tasks.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from composed import model_class, spec_of
from random_rows import RICH, random_rows
from slopes import away_from_the_start
from torch import Tensor

from agents.autotrain.builtin.architect import draw
from agents.autotrain.builtin.render import render
from sandboxes.kit.batch import Batch
from sandboxes.kit.contract import Stage
from sandboxes.kit.layers import CARDS, CrossDomainTranslation
from sandboxes.kit.losses import observed_bce
from sandboxes.kit.schema import CategoricalField, Schema, Task
from sandboxes.kit.training.config import TrainConfig
from sandboxes.kit.training.fit import fit

B, D, H = 6, 2, 3
SCENE = RICH.index_of("scene")


def rows() -> Batch:
    batch = random_rows(RICH, B).whole
    assert batch.labels is not None
    batch.labels[1, 1] = math.nan
    return replace(batch, numeric=batch.numeric.double(), labels=batch.labels.double())


@pytest.mark.parametrize("n_layers", [1, 3])
def test_others_latents_are_translated_and_judged_by_the_rows_own_domain(n_layers: int) -> None:
    torch.manual_seed(1)
    block, batch = CrossDomainTranslation(RICH, D, 2, H, n_layers, translation_weight=0.7), rows()
    away_from_the_start(block)
    w = {n: p.detach().numpy() for n, p in block.named_parameters()}
    flat = block.embedding.with_histories(batch).flatten(1).detach().numpy()

    def latent(b: int, s: int) -> np.ndarray:
        first = slice(s * H, (s + 1) * H)
        z = np.maximum(w["encoders.first.weight"][first] @ flat[b] + w["encoders.first.bias"][first], 0)
        for layer in range(n_layers - 1):
            z = np.maximum(w[f"encoders.weights.{layer}"][s] @ z + w[f"encoders.biases.{layer}"][s], 0)
        return z

    computed, own, translated = block(batch).detach().numpy(), [], []
    for b, s in enumerate(batch.ids[:, SCENE].tolist()):
        foreign = np.mean([latent(b, other) for other in (2, 3, 4) if other != s], 0)
        z = w["translators"][s] @ foreign
        np.testing.assert_allclose(computed[b], z, atol=1e-9)
        own.append(w["predictors"][s] @ latent(b, s) + w["biases"][s])
        translated.append(w["predictors"][s] @ z + w["biases"][s])
    assert batch.labels is not None
    judged = [observed_bce(torch.from_numpy(np.array(logits)), batch.labels).item() for logits in (own, translated)]
    assert block.translation_loss(batch).item() == pytest.approx(judged[0] + 0.7 * judged[1], abs=1e-9)


def test_a_single_domain_has_nothing_to_translate() -> None:
    block = CrossDomainTranslation(Schema((CategoricalField("scene", 3),), scenario="scene"), D, 1, H)
    batch = Batch(torch.tensor([[2], [2]]), torch.zeros(2, 0), labels=torch.tensor([[1.0], [0.0]]))
    assert (block(batch) == 0).all() and torch.isfinite(block.translation_loss(batch))


def test_translation_comes_before_all_else_and_is_fixed_then() -> None:
    stages = CrossDomainTranslation(RICH, D, 2, translation_share=0.25).staged((Stage("train"),))
    assert [(s.name, s.loss, s.epochs) for s in stages] == [("translation", "translation_loss", 0.25), ("train", "loss", 0.75)]
    spec = spec_of(["distillation", "cross_domain_translation", "pretrain_then_finetune", "masked_reconstruction", "dnn"])
    model = model_class(render(draw(spec, RICH, CARDS)))(RICH, embedding_dim=4)
    assert [s.name for s in model.stages()] == ["pretrain", "translation", "teacher", "train"]
    assert [s.freeze for s in model.stages()][2:] == [("cross_domain_translation.",)] * 1 + [
        ("distillation.teacher.", "cross_domain_translation.")
    ]


def test_training_leaves_the_translation_as_its_own_stage_left_it() -> None:
    torch.manual_seed(0)
    model = model_class(render(draw(spec_of(["cross_domain_translation", "dnn"]), RICH, CARDS)))(RICH, embedding_dim=4)
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    seen: list[dict[str, Tensor]] = []

    def look(event: dict[str, object]) -> None:
        if event["event"] == "epoch":
            seen.append({n: p.detach().clone() for n, p in model.named_parameters()})

    data = random_rows(RICH)
    fit(model, data, data, TrainConfig(max_epochs=2, batch_size=128), look)
    (translated, trained), ours = seen, [n for n in before if n.startswith("cross_domain_translation.")]
    assert any(not torch.equal(before[n], translated[n]) for n in ours)
    assert all(torch.equal(trained[n], translated[n]) for n in ours)
    rest = before.keys() - set(ours)
    assert all(torch.equal(before[n], translated[n]) for n in rest) and any(not torch.equal(trained[n], before[n]) for n in rest)


# One domain knows all users and says yes to half of them; the other says the opposite, and has seen a few.
OTHERS, OWN, USERS, SEEN = 2, 3, 202, 26
TWO_DOMAINS = Schema((CategoricalField("user", USERS), CategoricalField("scene", 4)), tasks=(Task("click"),), scenario="scene")
LIKES = torch.randint(2, (USERS,), generator=torch.Generator().manual_seed(0)).float()


def visits(users: Tensor, domain: int) -> Batch:
    labels = LIKES[users] if domain == OTHERS else 1 - LIKES[users]
    return Batch(torch.stack([users, torch.full_like(users, domain)], 1), torch.zeros(len(users), 0), labels=labels.unsqueeze(1))


def right_on_the_unseen(block: CrossDomainTranslation) -> float:
    """How often the own domain's predictor is right about users it has not seen, given translated latents alone."""
    batch = visits(torch.arange(SEEN, USERS), OWN)
    assert batch.labels is not None
    with torch.no_grad():
        logits = torch.einsum("bh,th->bt", block(batch), block.predictors[OWN]) + block.biases[OWN]
    return ((logits > 0) == (batch.labels == 1)).float().mean().item()


@pytest.mark.parametrize(("visited", "least", "most"), [(True, 0.95, 1.0), (False, 0.0, 0.65)])
def test_what_another_domain_knows_of_users_is_said_in_the_domains_own_terms(visited: bool, least: float, most: float) -> None:
    """The other domain's opinion, turned around; where nobody has `visited` the other domain, there is none."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    block = CrossDomainTranslation(TWO_DOMAINS, 4, 1, hidden_dim=8)
    optimizer = torch.optim.Adam(block.parameters(), lr=0.01)
    for _ in range(200):
        loss = block.translation_loss(visits(torch.randint(2, SEEN, (32,)), OWN))
        if visited:
            loss = loss + block.translation_loss(visits(torch.randint(2, USERS, (128,)), OTHERS))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert least <= right_on_the_unseen(block) <= most
