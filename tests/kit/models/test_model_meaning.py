"""What single models are known for, beyond the contract that all of them pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from planted_rows import SCHEMAS, planted
from random_rows import RICH, random_rows
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.losses import observed_bce
from sandboxes.kit.models import MODELS
from sandboxes.kit.models.dien import drawn_instead
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
        assert torch.equal(target, din.embedding.target(rows, sequence.name))
        assert torch.equal(history, din.embedding.history(rows, sequence.name)[0])
        assert torch.equal(mask, rows.history[sequence.name] != 0)


@pytest.mark.parametrize(("name", "blocks"), [("dkt", "memories"), ("akt", "retrievers")])
def test_tracing_models_ask_one_log_of_aligned_histories_and_know_what_came_of_it(name: str, blocks: str) -> None:
    schema = SCHEMAS["outcomes"]
    rows, model = planted(schema, 20).all, build(MODELS[name], schema, {"embedding_dim": 4, "hidden_size": 5}, 0)
    asked = calls_of(getattr(model, blocks))
    logits = model(rows)
    ((target, values, mask, outcomes),) = asked
    embedding = model.embedding
    torch.testing.assert_close(target, embedding.field(rows, "item") + embedding.field(rows, "shop"))
    torch.testing.assert_close(values, embedding.entries(rows, "seen")[0] + embedding.entries(rows, "shops")[0])
    assert torch.equal(mask, rows.history["seen"] != 0)
    assert torch.equal(outcomes.squeeze(2), (rows.history["results"] == 3).float() - (rows.history["results"] == 2).float())
    found = getattr(model, blocks)[0](target, values, mask, outcomes)
    flat = torch.cat([embedding(rows).flatten(1), found], 1)
    assert torch.allclose(logits, model.output(model.deep(flat)), atol=1e-6)


def test_tracing_models_of_other_data_have_a_block_for_each_history() -> None:
    for shape, n in (("two_histories", 2), ("categorical", 0)):
        dkt, akt = (build(MODELS[name], SCHEMAS[shape], {"embedding_dim": 4}, 0) for name in ("dkt", "akt"))
        assert len(dkt.memories) == len(akt.retrievers) == n
        assert all(r.outcome is None for r in akt.retrievers)


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


def calls_of(blocks: Sequence[nn.Module]) -> list[tuple[Tensor, ...]]:
    """A list that fills with what the blocks are called on, in the order of calls."""
    calls: list[tuple[Tensor, ...]] = []
    for block in blocks:
        block.register_forward_hook(lambda block, inputs, output: calls.append(inputs))
    return calls


@pytest.mark.parametrize(("name", "branch"), [("dcn", "cross"), ("dcnv2", "cross"), ("xdeepfm", "interaction")])
def test_logits_are_linear_in_an_explicit_and_a_deep_branch(name: str, branch: str) -> None:
    schema = SCHEMAS["tasks"]
    rows, model = planted(schema, 30).all, build(MODELS[name], schema, {"embedding_dim": 4}, 0)
    fields = model.embedding.with_histories(rows)
    explicit = getattr(model, branch)(fields.flatten(1) if branch == "cross" else fields)
    logits = model.output(torch.cat([explicit, model.deep(fields.flatten(1))], 1))
    if name == "xdeepfm":
        nn.init.normal_(model.linear.table.weight)
        logits = logits + model.linear(rows)
    assert torch.allclose(model(rows), logits, atol=1e-6)


def test_cross_layers_and_feature_maps_are_as_many_as_asked_for() -> None:
    dcn = build(MODELS["dcn"], SCHEMAS["categorical"], {"n_cross_layers": 5}, 0)
    xdeepfm = build(MODELS["xdeepfm"], SCHEMAS["categorical"], {"feature_maps": (7, 6, 5)}, 0)
    assert len(dcn.cross.weight) == 5
    assert [len(f) for f in xdeepfm.interaction.filters] == [7, 6, 5]


@pytest.mark.parametrize("hidden_units", [(), (9,)])
def test_autoint_is_attention_with_or_without_a_deep_network(hidden_units: tuple[int, ...]) -> None:
    schema = SCHEMAS["history"]
    rows, autoint = planted(schema, 30).all, build(MODELS["autoint"], schema, {"hidden_units": hidden_units, "n_heads": 3}, 0)
    fields = autoint.embedding.with_histories(rows)
    parts = [autoint.attention(fields), *([autoint.deep(fields.flatten(1))] if hidden_units else [])]
    assert (autoint.deep is not None) == bool(hidden_units)
    assert torch.allclose(autoint(rows), autoint.output(torch.cat(parts, 1)), atol=1e-6)


def test_a_single_field_has_nothing_to_attend_to() -> None:
    autoint = build(MODELS["autoint"], SCHEMAS["one_field"], {"hidden_units": ()}, 0)
    rows = planted(SCHEMAS["one_field"], 5).all
    assert autoint.attention is None
    assert torch.equal(autoint(rows), autoint.output(autoint.embedding(rows).flatten(1)))


@pytest.mark.parametrize("n_parallel", [0, 3])
def test_masknets_blocks_are_in_series_or_side_by_side_and_all_masks_are_the_embeddings(n_parallel: int) -> None:
    schema = SCHEMAS["history"]
    hyper = {"hidden_units": (9, 8, 7), "n_parallel": n_parallel, "block_dim": 6, "embedding_dim": 4}
    rows, masknet = planted(schema, 30).all, build(MODELS["masknet"], schema, hyper, 0)
    fields = masknet.embedding.with_histories(rows)
    seen_by_blocks = calls_of(masknet.blocks)
    logits = masknet(rows)
    calls = list(seen_by_blocks)
    assert [b.out_dim for b in masknet.blocks] == ([6, 6, 6] if n_parallel else [9, 8, 7])
    assert all(torch.equal(flat, fields.flatten(1)) for _, flat in calls)
    normed = torch.stack([masknet.norm(f) for f in fields.unbind(1)], 1).flatten(1)
    state, outputs = normed, []
    for block, (seen, flat) in zip(masknet.blocks, calls, strict=True):
        assert torch.allclose(seen, state, atol=1e-6)
        outputs.append(block(seen, flat))
        state = normed if n_parallel else outputs[-1]
    final = masknet.deep(torch.cat(outputs, 1)) if n_parallel else outputs[-1]
    assert torch.allclose(logits, masknet.output(final), atol=1e-6)


def test_finalmlps_streams_select_by_the_users_and_by_the_items_fields() -> None:
    hyper = {"embedding_dim": 4, "hidden_units": (8,), "second_units": (6, 5), "fusion_heads": 2}
    rows, finalmlp = random_rows(RICH, 30).whole, build(MODELS["finalmlp"], RICH, hyper, 0)
    fields = finalmlp.embedding.with_histories(rows)  # user, item, scene, age, price and two histories
    gated, fused = calls_of(finalmlp.gates), calls_of([finalmlp.fusion])
    logits = finalmlp(rows)
    for (flat, context), columns in zip(gated, ([0, 3], [1, 4]), strict=True):
        assert torch.equal(flat, fields.flatten(1))
        assert torch.equal(context, torch.cat([fields[:, c] for c in columns], 1))
        assert context.requires_grad
    streams = [stream(gate(*given)) for stream, gate, given in zip(finalmlp.streams, finalmlp.gates, gated[:2], strict=True)]
    assert [s.shape for s in streams] == [(30, 8), (30, 5)]
    assert torch.equal(fused[0][0], streams[0]) and torch.equal(fused[0][1], streams[1])
    assert torch.equal(logits, finalmlp.fusion(*streams)) and logits.shape == (30, 2)


def one_history(n: int) -> tuple[nn.Module, Batch]:
    schema = SCHEMAS["history"]
    return build(MODELS["dien"], schema, {"embedding_dim": 4}, 0), planted(schema, n).all


def test_diens_states_are_asked_for_the_next_behaviour_and_another(monkeypatch: pytest.MonkeyPatch) -> None:
    dien, rows = one_history(40)
    shifted = 2 + (rows.history["seen"] + 3) % 12  # instead of random values
    monkeypatch.setattr("sandboxes.kit.models.dien.drawn_instead", lambda ids, n_values: 2 + (ids + 3) % 12)
    first = 14  # of the items' rows in the table, after the users'
    losses = []
    for row in range(40):
        ids = [i for i in range(6) if rows.history["seen"][row, i]]
        vectors = dien.embedding.table.weight[first + rows.history["seen"][row, ids]]
        states, _ = dien.interests[0].extractor(vectors.unsqueeze(0)) if ids else (torch.zeros(1, 0, 4), None)
        for state, following in zip(states[0], ids[1:], strict=False):
            right, wrong = (dien.embedding.table.weight[first + h[row, following]] for h in (rows.history["seen"], shifted))
            losses += [-torch.log(torch.sigmoid(state @ right)), -torch.log(1 - torch.sigmoid(state @ wrong))]
    auxiliary = dien.auxiliary(rows, dien.sequences[0], dien.states(rows)[0])
    torch.testing.assert_close(auxiliary, torch.stack(losses).mean())
    plain = observed_bce(dien(rows), rows.labels)
    dien.auxiliary_weight = 0.7
    torch.testing.assert_close(dien.loss(rows), plain + 0.7 * auxiliary)


def test_diens_states_learn_what_comes_next() -> None:
    """Behaviours that follow one another in a ring: a state knows what comes, where chance is a loss of log 2."""
    dien, rows = one_history(64)
    rows.history["seen"] = 2 + (torch.arange(6) + torch.arange(64).unsqueeze(1)) % 12
    optimizer = torch.optim.Adam(dien.parameters(), lr=0.02)
    torch.manual_seed(0)
    losses = []
    for _ in range(150):
        optimizer.zero_grad()
        loss = dien.auxiliary(rows, dien.sequences[0], dien.states(rows)[0])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(np.log(2), abs=0.02) and np.mean(losses[-10:]) < 0.35


@given(st.integers(2, 9), st.integers(0, 2**31))
def test_a_value_drawn_instead_is_another_known_one(n_values: int, seed: int) -> None:
    torch.manual_seed(seed)
    ids = torch.randint(0, n_values, (50,))
    drawn = drawn_instead(ids, n_values)
    if n_values <= 3:  # at most one known value
        assert (drawn == 1).all()
        return
    assert (drawn != ids).all() and (drawn >= 2).all() and (drawn < n_values).all()


def test_every_other_value_is_drawn_as_often() -> None:
    torch.manual_seed(0)
    counts = torch.bincount(drawn_instead(torch.full((9000,), 3), 6), minlength=6)
    assert counts[:4].tolist() == [0, 0, counts[2].item(), 0]
    np.testing.assert_allclose(counts[[2, 4, 5]], 3000, atol=200)


def test_histories_without_a_second_entry_have_no_auxiliary_loss() -> None:
    dien, rows = one_history(10)
    rows.history["seen"][:, :-1] = 0
    assert dien.auxiliary(rows, dien.sequences[0], dien.states(rows)[0]) == 0


def test_star_normalises_then_multiplies_weights_and_adds_a_small_network_on_all_fields() -> None:
    schema = SCHEMAS["scenario"]
    rows, star = planted(schema, 40).all, build(MODELS["star"], schema, {"embedding_dim": 4, "hidden_units": (9, 7)}, 0).eval()
    for p in star.parameters():
        nn.init.normal_(p, std=0.3)
    flat, scenario = star.embedding(rows).flatten(1), rows.ids[:, schema.index_of("tab")]
    state = star.norm(flat, scenario)
    for i, layer in enumerate(star.layers):
        weight = layer.shared.weight * (1 + layer.factor[scenario])  # (B, N, K)
        state = torch.einsum("bnk,bk->bn", weight, state) + layer.shared.bias + layer.shift[scenario]
        state = state.relu() if i < 2 else state
    assert torch.allclose(star(rows), state + star.auxiliary_output(star.auxiliary(flat)), atol=1e-5)


def test_ple_and_bst_are_their_blocks_on_all_fields() -> None:
    schema = SCHEMAS["tasks_and_history"]
    rows = planted(schema, 30).all
    ple, bst = (build(MODELS[name], schema, {"embedding_dim": 4}, 0) for name in ("ple", "bst"))
    assert torch.equal(ple(rows), ple.tower(ple.embedding.with_histories(rows).flatten(1)))
    target, history = bst.embedding.field(rows, "item"), bst.embedding.history(rows, "seen")
    flat = torch.cat([bst.embedding(rows).flatten(1), bst.encoders[0](target, *history)], 1)
    assert torch.equal(bst(rows), bst.output(bst.deep(flat)))
