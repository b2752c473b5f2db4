"""What single models are known for, beyond the contract that all of them pass."""

from __future__ import annotations

import torch
from planted_rows import SCHEMAS, planted
from torch import Tensor, nn

from sandboxes.kit.models import MODELS
from sandboxes.kit.training import build


def test_din_asks_each_history_about_the_rows_own_value_of_its_field() -> None:
    schema = SCHEMAS["two_histories"]
    rows, din = planted(schema, 20).all, build(MODELS["din"], schema, {"embedding_dim": 4}, 0)
    asked: list[tuple[Tensor, ...]] = []
    for attention in din.attention:
        attention.register_forward_hook(lambda block, inputs, output: asked.append(inputs))
    din(rows)
    for sequence, (target, history, mask) in zip(schema.sequences, asked, strict=True):
        assert torch.equal(target, din.embedding.field(rows, sequence.of))
        assert torch.equal(history, din.embedding.history(rows, sequence.name)[0])
        assert torch.equal(mask, rows.history[sequence.name] != 0)


def test_esmm_never_gives_a_conversion_a_better_chance_than_its_click() -> None:
    schema = SCHEMAS["tasks"]
    esmm = build(MODELS["esmm"], schema, {"embedding_dim": 4}, 0)
    for p in esmm.parameters():
        nn.init.normal_(p, std=0.3)
    probabilities = torch.sigmoid(esmm(planted(schema, 200).all))  # click, buy (given click), liked
    assert (probabilities[:, 1] <= probabilities[:, 0]).all()
    assert (probabilities[:, 2] > probabilities[:, 0]).any()


def test_fm_of_one_field_is_linear_and_has_no_vectors() -> None:
    parameters = [n for n, _ in build(MODELS["fm"], SCHEMAS["one_field"], {}, 0).named_parameters()]
    assert all(name.startswith("linear.") for name in parameters)


def test_a_term_without_tasks_is_added_to_every_task() -> None:
    schema = SCHEMAS["tasks"]
    rows, fm = planted(schema, 30).all, build(MODELS["fm"], schema, {"embedding_dim": 4}, 0)
    shared = fm(rows) - fm.linear(rows)  # (B, T)
    assert shared.abs().max() > 0 and torch.allclose(shared, shared[:, :1].expand_as(shared), atol=1e-6)
    deepfm = build(MODELS["deepfm"], schema, {"embedding_dim": 4}, 0)
    fields = deepfm.embedding.with_histories(rows)
    parts = deepfm.linear(rows) + deepfm.output(deepfm.deep(fields.flatten(1))) + deepfm.fm(fields)
    assert torch.allclose(deepfm(rows), parts, atol=1e-6)
