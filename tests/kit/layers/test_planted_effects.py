"""What a block over histories or scenarios can learn, and a simpler one cannot: each reads out by one linear layer.

Notation: n rows, L history length, D width, S scenarios.
"""

from __future__ import annotations

import pytest
import torch
from planted_histories import KINDS, Rows, built, learned, marked_history
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.layers import (
    AttentionPooling,
    ConvolutionalHistory,
    CrossDomainTransfer,
    GRUHistory,
    InterestEvolution,
    LongHistorySearch,
    LowRankAttention,
    MultiInterest,
    StarTopology,
    TargetAttention,
)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def latest_of_the_targets_kind(n: int) -> Rows:
    """The label is the mark of the latest behaviour of the target's kind: order and target matter, together."""
    target, history, akin, marks = marked_history(n, 6)
    latest = (akin * torch.arange(1, 7)).argmax(1, keepdim=True)
    label = torch.where(akin.any(1), marks.gather(1, latest).squeeze(1), marks[:, 0])
    return (target, history, torch.ones(n, 6, dtype=torch.bool)), (label > 0).float()


def test_evolving_interest_is_that_of_the_target_and_the_latest() -> None:
    """A recurrence without the target and attention without the order are each blind to half of it."""
    width = KINDS + 1
    assert learned(built(lambda: InterestEvolution(width, 16)), latest_of_the_targets_kind) > 0.95
    assert learned(built(lambda: GRUHistory(width, 16)), latest_of_the_targets_kind) < 0.8
    assert learned(built(lambda: TargetAttention(width, (16,))), latest_of_the_targets_kind) < 0.9


def majority_of_the_targets_kind(n: int) -> Rows:
    """Sixty behaviours, of which those of the target's kind decide."""
    target, history, akin, marks = marked_history(n, 60)
    return (target, history, torch.ones(n, 60, dtype=torch.bool)), ((akin * marks).sum(1) > 0).float()


def test_a_search_learns_to_find_what_the_target_is_about() -> None:
    search = built(lambda: LongHistorySearch(KINDS + 1, top_k=10, search_dim=4))
    before = share_of_the_targets_kind(search)
    assert learned(search, majority_of_the_targets_kind) > 0.85
    assert share_of_the_targets_kind(search) > 0.95 > 0.85 > before
    assert learned(built(lambda: AttentionPooling(KINDS + 1)), majority_of_the_targets_kind) < 0.75


def share_of_the_targets_kind(block: nn.Module) -> float:
    """Of the ten behaviours that the search finds."""
    torch.manual_seed(2)
    target, history, akin, _ = marked_history(500, 60)
    found = torch.einsum("nr,nlr->nl", block.search(target), block.search(history))
    return akin.gather(1, found.topk(10, 1).indices).float().mean().item()


def companions(n: int) -> Rows:
    """Whether a behaviour of the first kind and one of the second are both in the history, or neither."""
    target, history, _, _ = marked_history(n, 4)
    first, second = ((history[:, :, k] > 0).any(1) for k in (0, 1))
    return (target, history, torch.ones(n, 4, dtype=torch.bool)), (first == second).float()


def test_landmarks_tell_behaviours_of_each_other() -> None:
    """A sum of what each behaviour says by itself is blind to which of them come together."""
    width = KINDS + 1
    assert learned(built(lambda: LowRankAttention(width, n_landmarks=4)), companions, steps=600) > 0.95
    assert learned(built(lambda: TargetAttention(width, (16,))), companions, steps=600) < 0.8


def one_right_after_another(n: int) -> Rows:
    """Whether somewhere a behaviour of the first kind is followed at once by one of the second."""
    target, history, _, _ = marked_history(n, 8)
    first, second = (history[:, :, k] > 0 for k in (0, 1))
    return (target, history, torch.ones(n, 8, dtype=torch.bool)), (first[:, :-1] & second[:, 1:]).any(1).float()


def test_filters_find_what_follows_what_wherever_it_happened() -> None:
    """To filters that see one behaviour at a time, and to a sum over behaviours, any order is the same."""
    width = KINDS + 1
    assert learned(built(lambda: ConvolutionalHistory(width, 8, heights=(2,))), one_right_after_another) > 0.97
    assert learned(built(lambda: ConvolutionalHistory(width, 8, heights=(1,))), one_right_after_another) < 0.8
    assert learned(built(lambda: AttentionPooling(width)), one_right_after_another) < 0.8


def two_tastes(n: int) -> Rows:
    """Six behaviours of two kinds, each kind with one mark; the label is that of the target's kind."""
    pair, marks = torch.rand(n, KINDS).argsort(1)[:, :2], torch.randint(2, (n, 2)) * 2.0 - 1
    which = torch.randint(2, (n, 6))  # of the pair
    history = torch.cat([functional.one_hot(pair.gather(1, which), KINDS).float(), marks.gather(1, which).unsqueeze(2)], 2)
    asked = which[:, :1]
    target = functional.pad(functional.one_hot(pair.gather(1, asked).squeeze(1), KINDS).float(), (0, 1))
    return (target, history, torch.ones(n, 6, dtype=torch.bool)), (marks.gather(1, asked).squeeze(1) > 0).float()


def test_two_tastes_need_two_interests() -> None:
    """With one there is nothing for the target to choose from."""
    width = KINDS + 1
    assert learned(built(lambda: MultiInterest(width, n_interests=4)), two_tastes) > 0.97
    assert learned(built(lambda: MultiInterest(width, n_interests=1)), two_tastes) < 0.87


K, S = 8, 6
DIRECTIONS = torch.randn(2, S, K, generator=torch.Generator().manual_seed(3))


def bent(x: Tensor, directions: Tensor) -> Tensor:
    """Labels (n,): which of two directions (2, n, K) or (2, K) `x` (n, K) goes further along, neither backwards."""
    up, down = ((x * d).sum(1).relu() for d in directions)
    return (up > down).float()


def ways_of_their_own(n: int) -> Rows:
    """Each scenario has directions of its own."""
    x, scenario = torch.randn(n, K), torch.randint(S, (n,))
    return (x, scenario), bent(x, DIRECTIONS[:, scenario])


class Blind(nn.Module):
    """A layer of the same width that all scenarios share."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.out_dim = nn.Linear(K, K), K

    def forward(self, x: Tensor, scenario: Tensor) -> Tensor:
        output: Tensor = self.layer(x).relu()
        return output


@pytest.mark.parametrize("block", [StarTopology, CrossDomainTransfer])
def test_scenarios_may_differ_in_every_weight(block: type[nn.Module]) -> None:
    assert learned(built(lambda: block(K, S)), ways_of_their_own) > 0.9
    assert learned(built(Blind), ways_of_their_own) < 0.75


def test_a_scenario_with_few_rows_borrows_from_the_others() -> None:
    """All go by the same rule, and one has twelve rows of four hundred; without the shared layer it would know these only."""
    torch.manual_seed(4)
    few_x, few_scenario = torch.randn(400, K), (torch.arange(400) < 12).long()

    def train(n: int) -> Rows:
        rows = torch.randint(400, (n,))
        return (few_x[rows], few_scenario[rows]), bent(few_x[rows], DIRECTIONS[:, 0])

    def of_the_small_one(n: int) -> Rows:
        x = torch.randn(n, K)
        return (x, torch.ones(n, dtype=torch.int64)), bent(x, DIRECTIONS[:, 0])

    def alone() -> nn.Module:
        block = CrossDomainTransfer(K, 2)
        nn.init.constant_(block.gate.bias, -50.0)
        return block

    assert learned(built(lambda: CrossDomainTransfer(K, 2)), train, asked=of_the_small_one) > 0.85
    assert learned(built(alone), train, asked=of_the_small_one) < 0.81
