"""What happens around training: stages of a scheme, and several paths at prediction."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from random_rows import PLAIN, random_rows
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.contract import Stage
from sandboxes.kit.layers import FeatureEmbedding, MultiPathAveraging, PretrainThenFinetune
from sandboxes.kit.training import TrainConfig, fit

B, F, D = 6, 5, 3


class TwoStages(nn.Module):
    """A model with a pre-training loss that only its embedding and `side` take part in."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = FeatureEmbedding(PLAIN, D)
        self.side, self.output = nn.Linear(D, 1), nn.Linear(F * D, 1)
        self.losses: list[str] = []
        self.after_pretraining: Tensor | None = None

    def forward(self, batch: Batch) -> Tensor:
        return self.output(self.embedding(batch).flatten(1))

    def pretrain_loss(self, batch: Batch) -> Tensor:
        self.losses.append("pretrain")
        return (self.side(self.embedding(batch)) - 1).square().mean()

    def loss(self, batch: Batch) -> Tensor:
        if self.losses[-1] == "pretrain":
            self.after_pretraining = self.embedding.table.weight.detach().clone()
        self.losses.append("loss")
        return nn.functional.binary_cross_entropy_with_logits(self(batch), batch.labels)

    def stages(self) -> object:
        return PretrainThenFinetune("pretrain_loss", 0.25).staged((Stage("train"),))


def test_pretrain_then_finetune_in_the_trainer() -> None:
    torch.manual_seed(0)
    model, rows = TwoStages(), random_rows(PLAIN, 200)
    started = model.embedding.table.weight.detach().clone()
    fit(model, rows, rows, TrainConfig(max_epochs=4, patience=4, batch_size=100, learning_rate=0.01))
    assert model.losses == ["pretrain"] * 2 + ["loss"] * 6  # one epoch of four, two batches each
    assert not torch.equal(model.after_pretraining, started)
    assert not torch.equal(model.embedding.table.weight, model.after_pretraining)


def test_shares_make_up_one_training() -> None:
    first, second = PretrainThenFinetune("own_loss", pretrain_share=0.3).staged((Stage("train"),))
    assert (first.loss, second.loss) == ("own_loss", "loss")
    assert first.epochs == 0.3 and first.epochs + second.epochs == pytest.approx(1)
    assert first.freeze == second.freeze == ()
    assert PretrainThenFinetune("own_loss", 0.6).staged((first, second)) == (first, second)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_a_share_must_leave_something_for_either_stage(share: float) -> None:
    with pytest.raises(ValueError, match="above 0 and below 1"):
        PretrainThenFinetune("own_loss", pretrain_share=share)


def fields() -> Tensor:
    return torch.randn(B, F, D, generator=torch.Generator().manual_seed(0))


def logits_of(x: Tensor) -> Tensor:
    return torch.stack([x.sum((1, 2)), x.prod(2).sum(1)], 1)


@pytest.mark.parametrize(("n_paths", "drop_rate"), [(1, 0.5), (3, 0.2), (4, 0.6)])
def test_multi_path_averaging(n_paths: int, drop_rate: float) -> None:
    block, x = MultiPathAveraging(F, n_paths, drop_rate), fields().numpy()
    wanted = np.zeros((B, 2))
    for mask in block.masks.numpy():
        for b in range(B):
            kept = x[b] * mask[:, None]
            wanted[b] += 1 / (1 + np.exp(-np.array([kept.sum(), kept.prod(1).sum()])))
    np.testing.assert_allclose(block(logits_of, fields()).numpy(), wanted / n_paths, rtol=1e-5)


@pytest.mark.parametrize(("rate", "off"), [(0.0, 0), (0.01, 1), (0.4, 2), (0.94, 4)])
def test_paths_leave_out_their_share_but_the_first_keeps_all(rate: float, off: int) -> None:
    masks = MultiPathAveraging(F, 200, rate).masks
    assert set(masks.unique().tolist()) <= {0.0, 1.0}
    assert (masks[0] == 1).all() and ((masks[1:] == 0).sum(1) == off).all()
    np.testing.assert_allclose((masks[1:] == 0).float().mean(0), off / F, atol=0.15)  # each field as often as another


def test_masks_are_the_same_in_every_process_and_touch_no_other_randomness() -> None:
    torch.manual_seed(7)
    wanted = torch.rand(3)
    torch.manual_seed(7)
    first = MultiPathAveraging(F, 6, 0.4)
    assert torch.equal(torch.rand(3), wanted)
    assert torch.equal(MultiPathAveraging(F, 6, 0.4).masks, first.masks)
    assert len(first.masks.unique(dim=0)) > 3
    assert first.state_dict() == {}


def test_a_model_of_one_field_keeps_it() -> None:
    assert (MultiPathAveraging(1, 4, 0.5).masks == 1).all()


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_share_of_fields_must_leave_some(rate: float) -> None:
    with pytest.raises(ValueError, match="at least 0 and below 1"):
        MultiPathAveraging(F, 4, rate)
