"""Pairs under a matrix, graphs of fields, crosses by hash and gates, against their formulas written out row by row."""

from __future__ import annotations

import numpy as np
import torch
from row_formulas import FIELDS, PAIRS, Array, D, F, W, check, sigmoid, softmax

from sandboxes.kit.layers import FeatureGraph, InnerProduct, KernelProduct


def test_kernel_product() -> None:
    check(KernelProduct(F, D), lambda x, w: np.array([x[i] @ w["kernel"][p] @ x[j] for p, (i, j) in enumerate(PAIRS)]))


def test_kernels_start_as_inner_products() -> None:
    x = torch.from_numpy(FIELDS)
    torch.testing.assert_close(KernelProduct(F, D).double()(x), InnerProduct(F, D)(x))


def gru_cell(x: Array, h: Array, w: W) -> Array:
    of_input = np.split(w["update.weight_ih"] @ x + w["update.bias_ih"], 3)
    of_state = np.split(w["update.weight_hh"] @ h + w["update.bias_hh"], 3)
    reset, keep = (sigmoid(of_input[k] + of_state[k]) for k in (0, 1))
    return (1 - keep) * np.tanh(of_input[2] + reset * of_state[2]) + keep * h


def test_feature_graph() -> None:
    def formula(x: Array, w: W) -> Array:
        state = list(x)
        for _ in range(2):
            heard = []
            for i in range(F):
                others = [j for j in range(F) if j != i]
                scores = np.array([(w["of_receiver.weight"] @ x[i] + w["of_sender.weight"] @ x[j]).item() for j in others])
                shares = softmax(np.where(scores > 0, scores, 0.01 * scores))
                total = sum(a * (state[j] @ w["send"][j]) for a, j in zip(shares, others, strict=True))
                heard.append(total @ w["receive"][i] + w["bias"])
            state = [gru_cell(heard[i], state[i], w) + x[i] for i in range(F)]
        return np.array(state)

    check(FeatureGraph(F, D, n_rounds=2), formula)


def test_a_field_hears_of_all_others_in_one_round_and_of_itself_never() -> None:
    torch.manual_seed(0)
    shares = FeatureGraph(F, D).double().edges(torch.from_numpy(FIELDS))
    assert torch.equal(shares.diagonal(dim1=1, dim2=2), torch.zeros(len(FIELDS), F, dtype=torch.float64))
    assert (shares + torch.eye(F) > 0).all()
    torch.testing.assert_close(shares.sum(2), torch.ones(len(FIELDS), F, dtype=torch.float64))
