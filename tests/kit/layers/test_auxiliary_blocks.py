"""Additional losses on embeddings, against their formulas. Notation: B rows, F fields, D embedding width."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from sandboxes.kit.layers import ContrastiveLoss, MaskedReconstruction

B, F, D = 6, 5, 3


def fields(rows: int = B) -> Tensor:
    return torch.randn(rows, F, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def contrastive(**arguments: float) -> ContrastiveLoss:
    torch.manual_seed(1)
    return ContrastiveLoss(F, D, projection_dim=4, **arguments).double()


def test_contrastive_loss() -> None:
    block = contrastive(temperature=0.3, view_dropout=0.4, loss_weight=0.7)
    torch.manual_seed(2)
    computed = block(fields()).item()
    torch.manual_seed(2)  # the same two views
    views = [block.augment(fields()).flatten(1).numpy() @ block.project.weight.detach().numpy().T for _ in range(2)]
    first, second = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in views)
    total = 0.0
    for anchors, others in ((first, second), (second, first)):
        for b in range(B):
            scores = np.array([anchors[b] @ others[c] / 0.3 for c in range(B)])
            total -= scores[b] - np.log(np.exp(scores).sum())
    assert computed == pytest.approx(0.7 * total / (2 * B))


def test_rows_alike_cannot_be_told_apart() -> None:
    block = contrastive(view_dropout=0.0, loss_weight=1.0)
    assert block(fields(1).expand(B, F, D)).item() == pytest.approx(np.log(B))


def test_views_differ_in_training_only() -> None:
    block = contrastive(temperature=0.01)
    trained, evaluated = block.train()(fields()).item(), block.eval()(fields()).item()
    assert trained > evaluated >= 0
    assert block.eval()(fields()).item() == evaluated


@pytest.mark.parametrize("rows", [1, 2])
def test_a_row_without_negatives_has_no_loss_and_dropped_rows_no_bad_gradient(rows: int) -> None:
    block, x = contrastive(view_dropout=0.9), torch.zeros(rows, F, D, dtype=torch.float64, requires_grad=True)
    loss = block(x)
    loss.backward()
    assert torch.isfinite(x.grad).all() and torch.isfinite(block.project.weight.grad).all()
    assert (loss == 0) == (rows == 1)


def test_contrastive_training_separates_rows() -> None:
    block, x = contrastive(temperature=0.2, loss_weight=1.0), fields(16).requires_grad_()
    optimizer = torch.optim.Adam([x, *block.parameters()], lr=0.01)
    torch.manual_seed(0)
    losses = []
    for _ in range(200):
        optimizer.zero_grad()
        loss = block(x)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:10])


def reconstruction(**arguments: float) -> MaskedReconstruction:
    torch.manual_seed(1)
    return MaskedReconstruction(F, D, reconstruction_dim=7, **arguments).double()


def masked_of(block: MaskedReconstruction, seed: int, rows: int = B) -> np.ndarray:
    """Which fields (B, F) are masked under the seed: those that a mask vector of NaN reaches."""
    seen: list[Tensor] = []
    hook = block.encode.register_forward_pre_hook(lambda _, args: seen.append(args[0].detach()))
    kept = block.mask_vector.data.clone()
    block.mask_vector.data.fill_(torch.nan)
    torch.manual_seed(seed)
    block(fields(rows))
    block.mask_vector.data.copy_(kept)
    hook.remove()
    return torch.isnan(seen[0]).view(rows, F, D).all(2).numpy()


def test_masked_reconstruction() -> None:
    block = reconstruction(mask_rate=0.4, loss_weight=0.7)
    masked = masked_of(block, seed=3)
    torch.manual_seed(3)
    computed = block(fields()).item()
    w = {name: p.detach().numpy() for name, p in block.named_parameters()}
    total = 0.0
    for row, hidden in zip(fields().numpy(), masked, strict=True):
        visible = np.where(hidden[:, None], w["mask_vector"], row).reshape(-1)
        inner = np.maximum(w["encode.weight"] @ visible + w["encode.bias"], 0)
        told = (w["decode.weight"] @ inner + w["decode.bias"]).reshape(F, D)
        for i in np.flatnonzero(hidden):
            total += ((told[i] - row[i] / np.linalg.norm(row[i])) ** 2).sum()
    assert computed == pytest.approx(0.7 * total / masked.sum())


@pytest.mark.parametrize(("rate", "number"), [(0.01, 1), (0.4, 2), (0.6, 3), (0.95, 4)])
def test_every_row_hides_as_many_fields_and_each_its_own(rate: float, number: int) -> None:
    masked = masked_of(reconstruction(mask_rate=rate), seed=0, rows=400)
    assert (masked.sum(1) == number).all()
    np.testing.assert_allclose(masked.mean(0), number / F, atol=0.12)


def test_a_network_that_says_nothing_has_a_distance_of_one() -> None:
    block = reconstruction(loss_weight=1.0)
    torch.nn.init.zeros_(block.decode.weight)
    torch.nn.init.zeros_(block.decode.bias)
    assert block(fields()).item() == pytest.approx(1)
    assert block(0.001 * fields()).item() == pytest.approx(1)


def test_targets_get_no_gradient() -> None:
    """A masked field is a target only, so its embedding has no gradient."""
    block, x = reconstruction(mask_rate=0.4), fields().requires_grad_()
    masked = masked_of(block, seed=3)
    torch.manual_seed(3)
    block(x).backward()
    assert (x.grad.numpy()[masked] == 0).all() and (x.grad.numpy()[~masked] != 0).all()


def test_what_depends_on_other_fields_can_be_told() -> None:
    """Field 1 repeats field 0: hiding either is made good by the other, and by nothing once the others are noise."""
    torch.manual_seed(0)
    told = {}
    for name in ("copied", "independent"):
        block = MaskedReconstruction(2, D, mask_rate=0.5, loss_weight=1.0)
        optimizer = torch.optim.Adam(block.parameters(), lr=0.01)
        losses = []
        for _ in range(400):
            x = torch.randn(128, 2, D)
            x[:, 1] = x[:, 0] if name == "copied" else x[:, 1]
            optimizer.zero_grad()
            loss = block(x)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        told[name] = np.mean(losses[-20:])
    assert told["copied"] < 0.1 < 0.9 < told["independent"]


def test_a_single_field_is_told_from_nothing() -> None:
    assert torch.isfinite(MaskedReconstruction(1, D)(torch.randn(1, 1, D)))
