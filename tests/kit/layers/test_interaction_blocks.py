"""Interaction and feature blocks, against their formulas written out one row at a time.

Notation: F fields, D embedding width, K = F * D, x a row (F, D).
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from history_rows import layer_norm
from row_formulas import FIELDS, PAIRS, Array, D, F, K, W, check, relu, sigmoid, softmax
from torch import nn

from sandboxes.kit.layers import (
    DNN,
    AttentionalFM,
    BiInteractionPooling,
    BilinearInteraction,
    CompressedInteraction,
    CrossNetworkV1,
    CrossNetworkV2,
    FactorizationMachine,
    FeatureDropout,
    FieldWeightedFM,
    InnerProduct,
    InstanceGuidedMask,
    OuterProduct,
    ResidualDNN,
    SelfAttentionInteraction,
    SqueezeExcitation,
    TwoStreamMLP,
)
from sandboxes.kit.layers.bilinear_fusion import BilinearFusion
from sandboxes.kit.layers.feature_selection_gate import FeatureSelectionGate
from sandboxes.kit.layers.mask_block import MaskBlock


def test_factorization_machine() -> None:
    check(FactorizationMachine(F, D), lambda x, w: sum(x[i] @ x[j] for i, j in PAIRS))


def test_field_weighted_fm() -> None:
    check(FieldWeightedFM(F, D), lambda x, w: sum(r * (x[i] @ x[j]) for r, (i, j) in zip(w["strength"], PAIRS, strict=True)))


def test_field_weighted_fm_starts_as_a_factorization_machine() -> None:
    x = torch.from_numpy(FIELDS)
    torch.testing.assert_close(FieldWeightedFM(F, D).double()(x), FactorizationMachine(F, D)(x))


def test_attentional_fm() -> None:
    def formula(x: Array, w: W) -> Array:
        products = [x[i] * x[j] for i, j in PAIRS]
        scores = [w["score.weight"] @ relu(w["attention.weight"] @ p + w["attention.bias"]) for p in products]
        return w["project.weight"] @ sum(a * p for a, p in zip(softmax(np.concatenate(scores)), products, strict=True))

    check(AttentionalFM(F, D, attention_dim=6), formula)


def test_bi_interaction_pooling() -> None:
    check(BiInteractionPooling(F, D), lambda x, w: sum(x[i] * x[j] for i, j in PAIRS))


@pytest.mark.parametrize("kind", ["all", "each", "interaction"])
def test_bilinear_interaction(kind: str) -> None:
    def formula(x: Array, w: W) -> Array:
        owner = {"all": lambda p, i: 0, "each": lambda p, i: i, "interaction": lambda p, i: p}[kind]
        return np.concatenate([(x[i] @ w["weight"][owner(p, i)]) * x[j] for p, (i, j) in enumerate(PAIRS)])

    check(BilinearInteraction(F, D, kind), formula)


def test_bilinear_interaction_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="choose one of all, each, interaction"):
        BilinearInteraction(F, D, "none")


@pytest.mark.parametrize("biased", [False, True])
def test_compressed_interaction(biased: bool) -> None:
    def formula(x: Array, w: W) -> Array:
        maps, pooled = x, []
        for layer, size in enumerate((4, 2)):
            filters = w[f"filters.{layer}"].reshape(size, len(maps), F)
            maps = np.array([sum(f[i, j] * maps[i] * x[j] for i in range(len(maps)) for j in range(F)) for f in filters])
            maps = maps + w.get(f"biases.{layer}", 0.0)
            pooled.append(maps.sum(1))
        return np.concatenate(pooled)

    check(CompressedInteraction(F, D, (4, 2), biased=biased), formula)


def test_cross_network_v1() -> None:
    def formula(x: Array, w: W) -> Array:
        state = x
        for weight, bias in zip(w["weight"], w["bias"], strict=True):
            state = np.outer(x, state) @ weight + bias + state
        return state

    check(CrossNetworkV1(K, 3), formula, flat=True)


def test_cross_network_v2() -> None:
    def formula(x: Array, w: W) -> Array:
        state = x
        for layer in ("layers.0", "layers.1"):
            state = x * (w[f"{layer}.weight"] @ state + w[f"{layer}.bias"]) + state
        return state

    check(CrossNetworkV2(K, 2), formula, flat=True)


def test_cross_network_v2_of_low_rank() -> None:
    def formula(x: Array, w: W) -> Array:
        return x * (w["layers.0.1.weight"] @ w["layers.0.0.weight"] @ x + w["layers.0.1.bias"]) + x

    block = CrossNetworkV2(K, 1, rank=2)
    assert [tuple(p.shape) for p in block.parameters()] == [(2, K), (K, 2), (K,)]
    check(block, formula, flat=True)


def test_inner_product() -> None:
    check(InnerProduct(F, D), lambda x, w: np.array([x[i] @ x[j] for i, j in PAIRS]))


def test_outer_product() -> None:
    check(OuterProduct(F, D), lambda x, w: sum(np.outer(x[i], x[j]) for i in range(F) for j in range(F)).reshape(-1))


@pytest.mark.parametrize("units", [(), (6,), (6, 4)])
def test_dnn(units: tuple[int, ...]) -> None:
    def formula(x: Array, w: W) -> Array:
        for layer in range(len(units)):
            x = relu(w[f"layers.{layer}.weight"] @ x + w[f"layers.{layer}.bias"])
        return x

    check(DNN(K, units), formula, flat=True)


def test_signals_keep_their_size_through_a_deep_dnn_before_training() -> None:
    torch.manual_seed(0)
    x = torch.randn(500, 300)
    assert DNN(300, (400,) * 6)(x).square().mean().item() == pytest.approx(1, rel=0.4)


def test_dnn_drops_out_after_every_hidden_layer_in_training_only() -> None:
    block = DNN(K, (50, 40), dropout=0.5)
    assert sum(isinstance(m, nn.Dropout) for m in block.layers) == 2
    x = torch.randn(3, K)
    assert torch.equal(block.eval()(x), block(x)) and not torch.equal(block.train()(x), block(x))


def test_residual_dnn() -> None:
    def formula(x: Array, w: W) -> Array:
        for unit in ("units.0", "units.1"):
            inner = relu(w[f"{unit}.inner.weight"] @ x + w[f"{unit}.inner.bias"])
            x = relu(w[f"{unit}.outer.weight"] @ inner + w[f"{unit}.outer.bias"] + x)
        return x

    check(ResidualDNN(K, (6, 4)), formula, flat=True)


def test_self_attention_interaction() -> None:
    def formula(x: Array, w: W) -> Array:
        for layer in ("layers.0", "layers.1"):
            query, key, value, rest = (x @ w[f"{layer}.{m}.weight"].T for m in ("query", "key", "value", "residual"))
            heads = []
            for h in (slice(0, 4), slice(4, 8)):
                shares = np.array([softmax(query[m, h] @ key[:, h].T) for m in range(F)])
                heads.append(shares @ value[:, h])
            x = relu(np.concatenate(heads, 1) + rest)
        return x.reshape(-1)

    check(SelfAttentionInteraction(F, D, n_layers=2, n_heads=2, head_dim=4), formula)


def test_squeeze_excitation() -> None:
    def formula(x: Array, w: W) -> Array:
        importance = sigmoid(w["excite.weight"] @ relu(w["squeeze.weight"] @ x.mean(1)))
        return importance[:, None] * x

    check(SqueezeExcitation(F, D, reduction_ratio=2), formula)


def test_instance_guided_mask() -> None:
    def formula(x: Array, w: W) -> Array:
        gathered = relu(w["aggregate.weight"] @ x.reshape(-1) + w["aggregate.bias"])
        mask = (w["project.weight"] @ gathered + w["project.bias"]).reshape(F, D)
        return mask * np.array([layer_norm(v, w["norm.weight"], w["norm.bias"]) for v in x])

    block = InstanceGuidedMask(F, D, reduction_ratio=1.5)
    assert block.aggregate.out_features == round(1.5 * K)
    check(block, formula)


def test_mask_block() -> None:
    """Its input and the embeddings that decide on the mask are two halves of a row here."""

    class Halves(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block = MaskBlock(7, K - 7, 6, reduction_ratio=1.5)

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return self.block(rows[:, 7:], rows[:, :7])

    def formula(x: Array, w: W) -> Array:
        gathered = relu(w["block.aggregate.weight"] @ x[:7] + w["block.aggregate.bias"])
        mask = w["block.project.weight"] @ gathered + w["block.project.bias"]
        return relu(layer_norm(w["block.hidden.weight"] @ (mask * x[7:]), w["block.norm.weight"], w["block.norm.bias"]))

    halves = Halves()
    assert halves.block.aggregate.out_features == 1.5 * (K - 7) == halves.block.project.in_features
    check(halves, formula, flat=True)


def test_mask_block_drops_out_in_training_only() -> None:
    block, x = MaskBlock(K, K, 40, dropout=0.5), torch.randn(3, K)
    assert torch.equal(block.eval()(x, x), block(x, x)) and not torch.equal(block.train()(x, x), block(x, x))


def gated(x: Array, context: Array, w: W, name: str) -> Array:
    hidden = relu(w[f"{name}.deep.layers.0.weight"] @ context + w[f"{name}.deep.layers.0.bias"])
    return 2 * sigmoid(w[f"{name}.weigh.weight"] @ hidden + w[f"{name}.weigh.bias"]) * x


def test_feature_selection_gate() -> None:
    """On a context: the row's last four elements here."""

    class OnItsTail(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate = FeatureSelectionGate(K, 4, (6,))

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return self.gate(rows, rows[:, -4:])

    check(OnItsTail(), lambda x, w: gated(x, x[-4:], w, "gate"), flat=True)


@pytest.mark.parametrize("n_heads", [1, 2, 4])
def test_bilinear_fusion(n_heads: int) -> None:
    """Of the row's first 8 and last 7 elements; 7 gives a last head that is narrower."""

    class OfTwoParts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fusion = BilinearFusion(8, 7, n_outputs=2, n_heads=n_heads)

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return self.fusion(rows[:, :8], rows[:, 8:])

    def formula(x: Array, w: W) -> Array:
        first, second, between = x[:8], x[8:], w["fusion.between"]
        outputs = w["fusion.first.weight"] @ first + w["fusion.first.bias"] + w["fusion.second.weight"] @ second
        of_first, of_second = -(-8 // n_heads), -(-7 // n_heads)
        for t in range(2):
            for i, a in enumerate(first):
                for j, b in enumerate(second):
                    head = i // of_first
                    if head == j // of_second:
                        outputs[t] += a * between[head, t, i % of_first, j % of_second] * b
        return outputs

    check(OfTwoParts(), formula, flat=True)


def test_two_stream_mlp() -> None:
    def formula(x: Array, w: W) -> Array:
        streams = []
        for s in (0, 1):
            hidden = gated(x.reshape(-1), w[f"gates.{s}.context"][0], w, f"gates.{s}")
            streams.append(relu(w[f"streams.{s}.layers.0.weight"] @ hidden + w[f"streams.{s}.layers.0.bias"]))
        y = w["fusion.first.weight"] @ streams[0] + w["fusion.first.bias"] + w["fusion.second.weight"] @ streams[1]
        for head, part in enumerate((slice(0, 3), slice(3, 6))):
            y = y + streams[0][part] @ w["fusion.between"][head, 0] @ streams[1][part]
        return y

    check(TwoStreamMLP(F, D, hidden_units=(6,), gate_units=(5,), fusion_heads=2), formula)


def test_feature_dropout_leaves_out_whole_fields_and_keeps_the_mean() -> None:
    block, x = FeatureDropout(F, D, rate=0.3).train(), torch.ones(20_000, F, D)
    torch.manual_seed(0)
    dropped = block(x)
    assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.7])
    assert (dropped == dropped[:, :, :1]).all()  # a field as a whole
    torch.testing.assert_close(dropped.mean(0), x[0], atol=0.03, rtol=0)
    pair = (dropped[:, 0, 0] > 0) & (dropped[:, 1, 0] > 0)
    assert pair.float().mean().item() == pytest.approx(0.49, abs=0.02)  # fields fall independently
    assert torch.equal(block.eval()(x), x)


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_feature_dropout_must_leave_something(rate: float) -> None:
    with pytest.raises(ValueError, match="at least 0 and below 1"):
        FeatureDropout(F, D, rate)


@pytest.mark.parametrize("block", [AttentionalFM, BilinearInteraction, FieldWeightedFM, InnerProduct])
def test_pairs_need_two_fields(block: type[nn.Module]) -> None:
    with pytest.raises(ValueError, match="at least two fields"):
        block(1, D)
