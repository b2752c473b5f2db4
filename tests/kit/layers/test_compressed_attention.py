"""Attention to what a history was condensed to: its formula, the loss that keeps it near softmax attention, and what that loss
is good for.

Notation: B rows, L history length, D embedding width, r slots.
"""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
import torch
from history_rows import Array, B, D, real_rows, rows
from planted_histories import KINDS, Rows, marked_history
from row_formulas import softmax
from slopes import away_from_the_start, gradients_are_slopes
from torch import nn
from torch.nn import functional

from sandboxes.kit.layers import CompressedAttention

R, OLDEST, WEIGHT = 3, 3, 0.7  # histories have up to five entries, so that the oldest share a position


def block(of_outputs: bool = False) -> CompressedAttention:
    torch.manual_seed(5)
    made = CompressedAttention(D, n_slots=R, max_length=OLDEST, kl_weight=WEIGHT, of_outputs=of_outputs)
    away_from_the_start(made)
    return made.eval()


def written_out(made: CompressedAttention) -> tuple[Array, Array, Array]:
    """Outputs (B, D), divergences of weights (B,) and squared distances of outputs (B,)."""
    w = {name: p.detach().numpy() for name, p in made.named_parameters()}
    outputs, divergences, distances = np.zeros((B, D)), np.zeros(B), np.zeros(B)
    for b, (target, entries) in enumerate(real_rows()):
        n = len(entries)
        if not n:
            continue
        ages = [min(n - 1 - place, OLDEST - 1) for place in range(n)]
        logits = np.array([w["content.weight"] @ e + w["position"][age] for e, age in zip(entries, ages, strict=True)])  # (n, r)
        projection = [softmax(column) for column in logits.T]
        slots = [sum(p * e for p, e in zip(row, entries, strict=True)) for row in projection]
        query = w["match.weight"] @ target / np.sqrt(D)
        shares = softmax(np.array([query @ slot for slot in slots]))
        outputs[b] = sum(share * slot for share, slot in zip(shares, slots, strict=True))
        exact = softmax(np.array([query @ e for e in entries]))
        implied = [sum(shares[j] * projection[j][place] for j in range(R)) for place in range(n)]
        divergences[b] = sum(a * np.log(a / i) for a, i in zip(exact, implied, strict=True))
        distances[b] = ((sum(a * e for a, e in zip(exact, entries, strict=True)) - outputs[b]) ** 2).sum()
    return outputs, divergences, distances


@pytest.mark.parametrize("of_outputs", [False, True])
def test_compressed_attention_and_its_loss(of_outputs: bool) -> None:
    made, x = block(of_outputs), rows()
    outputs, divergences, distances = written_out(made)
    np.testing.assert_allclose(made(*x).detach().numpy(), outputs, atol=1e-9)
    wanted = WEIGHT * (distances if of_outputs else divergences)[x[2].any(1).numpy()].mean()
    assert made.kl().item() == pytest.approx(wanted, abs=1e-9)
    assert gradients_are_slopes(made, lambda: made(*x), [x[0]])


@pytest.mark.parametrize("of_outputs", [False, True])
def test_exact_attention_is_held_fixed(of_outputs: bool) -> None:
    """The loss's gradients are those of the same loss with exact attention written down beforehand."""
    made, (target, history, mask) = block(of_outputs), rows()
    with torch.no_grad():
        scores = (target @ made.match.weight.T).unsqueeze(1) @ history.transpose(1, 2) / D**0.5  # (B, 1, L)
        exact = torch.softmax(scores.squeeze(1).masked_fill(~mask, -1e9), 1) * mask
    output = made(target, history, mask)
    shares = made.attend(target, made.compressed(history, mask))[1]
    implied = (shares.unsqueeze(1) @ made.projection(history, mask)).squeeze(1)
    found = (exact.unsqueeze(1) @ history).squeeze(1)
    each = (found - output).square().sum(1) if of_outputs else -(exact * (implied + ~mask).log()).sum(1)
    losses = made.kl(), WEIGHT * each.sum() / mask.any(1).sum()
    ours, theirs = (torch.autograd.grad(loss, list(made.parameters()), retain_graph=True) for loss in losses)
    for one, other in zip(ours, theirs, strict=True):
        assert one.abs().max() > 0
        torch.testing.assert_close(one, other)


def test_no_history_and_padding_leave_no_trace() -> None:
    made = block()
    (target, history, mask), padded = rows(), rows(padding=4)
    torch.testing.assert_close(made(*padded), made(target, history, mask))
    here = made.kl()
    made(*padded)
    torch.testing.assert_close(made.kl(), here)
    made(target[:1], history[:1], mask[:1])  # an empty one
    assert made.kl() == 0


def test_slots_are_stored_for_a_user_and_asked_about_any_target() -> None:
    made, (target, history, mask) = block(), rows()
    stored = made.compressed(history, mask).detach()
    assert stored.shape == (B, R, D)
    assert torch.equal(made.attend(target.flip(0), stored)[0], made(target.flip(0), history, mask))


def test_the_loss_is_of_a_forward_pass() -> None:
    with pytest.raises(RuntimeError, match="last forward"):
        CompressedAttention(D).kl()


LENGTH, TURNED = 24, 0.3


def majority_of_the_targets_kind(n: int, turned: float = 0.0) -> Rows:
    """Many behaviours, of which those of the target's kind decide; a share of the labels is turned around."""
    target, history, akin, marks = marked_history(n, LENGTH)
    label = ((akin * marks).sum(1) > 0) ^ (torch.rand(n) < turned)
    return (target, history, torch.ones(n, LENGTH, dtype=torch.bool)), label.float()


def trained(kl_weight: float, steps: int = 300) -> tuple[float, float]:
    """Accuracy on fresh rows, and how far attention is from softmax attention there, in nats. It is by agreement from the start,
    so that all that is to be learned is what to condense."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    made, output = CompressedAttention(KINDS + 1, n_slots=KINDS, kl_weight=kl_weight), nn.Linear(KINDS + 1, 1)
    made.match.weight.requires_grad_(False).copy_(5 * torch.eye(KINDS + 1))
    optimizer = torch.optim.Adam([p for p in chain(made.parameters(), output.parameters()) if p.requires_grad], lr=0.02)
    for _ in range(steps):
        x, label = majority_of_the_targets_kind(128, TURNED)
        optimizer.zero_grad()
        (functional.binary_cross_entropy_with_logits(output(made(*x)).squeeze(1), label) + made.kl()).backward()
        optimizer.step()
    with torch.no_grad():
        x, label = majority_of_the_targets_kind(2000)
        accuracy = ((output(made(*x)).squeeze(1) > 0) == (label > 0.5)).float().mean().item()
        made.kl_weight = 1.0
        return accuracy, made.kl().item()


def test_the_loss_teaches_what_noisy_labels_alone_do_not() -> None:
    """Which behaviours must not be condensed to one slot."""
    with_it, without = trained(0.1), trained(0.0)
    assert with_it[1] < 0.1 < 0.3 < without[1]
    assert with_it[0] > without[0] + 0.04
