"""Gated recurrent unit over the history, oldest behaviour first.

Notation: B rows, L history length, D embedding width, H hidden width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.masked_softmax import masked_softmax

CARD = Card(
    name="gru_history",
    block="GRUHistory",
    slot="history",
    needs=("history",),
    summary="Reads the user's behaviours in order with a gated recurrent unit and keeps its last state, or the "
    "states weighed by the target.",
    equation="u_t = sigmoid(W_u e_t + U_u h_{t-1} + b_u), r_t likewise; n_t = tanh(W_n e_t + b_n + r_t * (U_n h_{t-1} + c_n));"
    " h_t = u_t * h_{t-1} + (1 - u_t) * n_t (Cho et al., EMNLP 2014, section 2.3); with the target's attention,"
    " sum_t a_t h_t, a_t = softmax_t h_t^T W v_A (Zhou et al., AAAI 2019, eq. 6)",
    cues=(
        "gru",
        "gated recurrent unit",
        "recurrent neural network over the behavior sequence",
        "rnn over user behaviors",
        "gru over the behavior sequence",
        "gru to model the dependency between behaviors",
        "recurrent network encodes the click sequence",
        "last hidden state as the user representation",
        "final hidden state of the gru",
        "interest extractor layer",
        "interest evolution",
        "evolving interests",
        "evolution of user interests over time",
        "sequential dependency between behaviors",
        "lstm over the behavior sequence",
        "hidden states of the recurrent network",
    ),
    descriptions=(
        "A recurrent network runs over the sequence of past behaviours, and its final state represents the user's interest.",
        "Gated recurrent units capture how interests develop from one behaviour to the next.",
        "The hidden states of a GRU over the click history are extracted as interest states.",
        "The order of the behaviours matters, so they are encoded step by step with update and reset gates.",
        "Attention with respect to the target item is applied to the hidden states of the recurrent layer.",
        "User interests drift over time, and a recurrent unit tracks their evolution along the behaviour sequence.",
    ),
    arguments=(
        Argument(
            "hidden_size",
            64,
            (
                "hidden size of the gru",
                "gru hidden size",
                "gru hidden units",
                "hidden units of the gru",
                "hidden state size",
                "dimension of the hidden state",
                "size of the recurrent layer",
            ),
            low=1,
            high=2048,
        ),
        Argument("target_attended", False, ("attention over hidden states", "attention with respect to the target")),
    ),
    example="layer = GRUHistory(history.shape[2], hidden_size=8, target_attended=True)\noutput = layer(target, history, mask)",
)


class GRUHistory(nn.Module):
    """(target (B, D), history (B, L, D), mask (B, L)) -> (B, hidden_size); zeros for an empty history.

    `target_attended` mixes all states by their fit to the target instead of keeping the last one. Padding takes no step, so
    that it does not matter how far a history is padded.
    """

    def __init__(self, embedding_dim: int, hidden_size: int = 64, target_attended: bool = False) -> None:
        super().__init__()
        self.gru = nn.GRU(embedding_dim, hidden_size, batch_first=True)
        self.match = nn.Linear(embedding_dim, hidden_size, bias=False) if target_attended else None
        self.out_dim = hidden_size

    def forward(self, target: Tensor, history: Tensor, mask: Tensor) -> Tensor:
        order = torch.argsort((~mask).to(torch.int8), dim=1, stable=True)  # (B, L): the real entries first, in their order
        states, _ = self.gru(history.gather(1, order.unsqueeze(2).expand_as(history)))  # (B, L, H)
        length = mask.sum(1, keepdim=True)  # (B, 1)
        step = torch.arange(1, mask.shape[1] + 1, device=mask.device)  # (L,)
        if self.match is None:
            shares = (step == length).to(states.dtype)  # (B, L)
        else:
            shares = masked_softmax(torch.einsum("blh,bh->bl", states, self.match(target)), step <= length)  # (B, L)
        return torch.einsum("bl,blh->bh", shares, states)
