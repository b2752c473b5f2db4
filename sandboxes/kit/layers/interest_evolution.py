"""Interest evolution: a recurrence over interest states, moved by each of them as far as it has to do with the target.

Notation: B rows, L history length, D embedding width, H hidden width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.masked_softmax import masked_softmax
from sandboxes.kit.layers.real_first import real_first

CARD = Card(
    name="interest_evolution",
    block="InterestEvolution",
    slot="history",
    needs=("history", "target_item"),
    summary="Extracts interest states with a gated recurrent unit, and evolves them with a second one whose update gate is "
    "scaled by the target's attention.",
    equation="h = GRU(e); a_t = softmax_t(h_t^T W v_A); u'_t = a_t u_t; s_t = (1 - u'_t) * s_{t-1} + u'_t * c_t, with u_t, the "
    "reset gate r_t and c_t = tanh(W_c h_t + b_c + r_t * (U_c s_{t-1} + d_c)) as in a gated recurrent unit over h; "
    "s_L is kept (Zhou et al., AAAI 2019, the interest evolving layer with attentional update gate)",
    cues=(
        "attentional update gate",
        "gru with attentional update gate",
        "attention scales the update gate",
        "attention scores control the update gate",
        "interest evolution",
        "interest evolving layer",
        "interest evolving process",
        "interest extractor layer",
        "evolving interests",
        "evolution of user interests over time",
        "evolution of interests relevant to the target item",
        "interest drifting",
        "interest drift",
        "latent interest states",
        "recurrent unit with attention inside its update",
        "second recurrent layer guided by the target item",
    ),
    descriptions=(
        (
            "A recurrent layer extracts interest states, and a second one, whose update gate is multiplied by attention to the "
            "target, evolves them."
        ),
        (
            "Attention scores scale the update gate of the second recurrent network, so that states irrelevant to the candidate "
            "hardly change it."
        ),
        "The interest related to the target evolves along the sequence, and its last state enters the prediction.",
        "Interests drift, and only the drift that leads to the candidate item is followed.",
        (
            "Two recurrent layers are stacked: the lower reads the behaviours, the upper reads the lower's states under the "
            "candidate's attention."
        ),
        "The attention weight of a step decides how far that step may move the evolving interest.",
        (
            "We split the modelling of the sequence into two layers. A GRU first extracts a latent interest state after every "
            "behaviour; the interest evolving layer then combines attention with a recurrent unit, multiplying the update gate "
            "of each step by the attention score between that interest state and the target item."
        ),
        (
            "To model how interests relevant to the candidate develop, attention is embedded in the recurrence itself: the "
            "update gate vector is scaled by a scalar attention score in every step, which keeps the gate's different "
            "importance for each dimension and weakens the influence of interest drifting."
        ),
        (
            "Explicit behaviours are not interests. The extractor yields hidden interest states, supervised by an auxiliary "
            "loss on the next behaviour, and a gated recurrent unit with attentional update gates traces their evolution with "
            "respect to the item to be ranked; its final hidden state is the user's representation."
        ),
        (
            "Neither attention without recurrence nor recurrence without attention follows an interest over time. In our second "
            "recurrent layer the state is replaced by a share of the candidate state that is the product of the usual gate and "
            "of the relevance of that step to the advertisement."
        ),
        (
            "The listener's plays are read twice. On the first reading each play leaves a note of what the listener was after "
            "by then. On the second a running impression is kept, and a note may change it only to the degree that it bears on "
            "the song on offer; the impression after the last note is our feature."
        ),
        (
            "In formulas: a_t is the softmax over t of h_t W v, with h_t from a GRU over the opened articles and v the article "
            "at hand; u' = a_t u_t; s_t = (1 - u') s_{t-1} + u' c_t. We feed s of the final step to the classifier."
        ),
        (
            "A guest browses beaches, then a ski resort, then beaches again. Asked about a beach hotel, the second recurrence "
            "moves on the beach steps and stands nearly still on the ski step, since its valve is throttled by how well each "
            "step suits the hotel; asked about a chalet it does the reverse."
        ),
        (
            "Think of a river with sluices. The first channel carries everything the player has done; the gates into the second "
            "are opened in proportion to the likeness of each moment to the game being advertised. What has gathered at the "
            "mouth of the second channel is the player's inclination to that game."
        ),
        (
            "The encoder is a stack of two loops. The first is an ordinary gated unit over the installs, giving one vector a "
            "step. The second runs over these vectors, and the coefficient that blends old memory with new proposal is weakened "
            "by a match score with the app in question, so unrelated installs are passed over."
        ),
        (
            "A card holder's payments show several lines of intent at once. For the offer to be scored we follow just one of "
            "them: states derived step by step from the payments are matched with the offer, and the match tempers how strongly "
            "every state may rewrite a second memory."
        ),
        (
            "Engineering note: the input products of the upper cell are computed for all fifty steps in one matrix "
            "multiplication. Only the short loop remains, in which a sigmoid gate, shrunk by the precomputed match of that step "
            "with the candidate, interpolates the memory. Steps with match zero are no-ops."
        ),
        (
            "What a diner wants tonight grew out of what she wanted before, yet not out of all of it. We keep a story of her "
            "wants as latent vectors and retell it for each restaurant: chapters which have little to do with the restaurant "
            "are skimmed, the fitting ones advance the plot, and the last sentence is what the ranker gets."
        ),
        (
            "Instead of averaging the states of the recurrent network by their relevance to the ad, which forgets their order, "
            "a further recurrent network takes them in turn. Relevance enters as a brake on its update: full for what is "
            "unrelated, released for what is related."
        ),
        (
            "The order of visits and their fit to the place on offer are used jointly. First pass, gated unit, all visits; "
            "second pass, gated unit, whose renewal coefficient in step t is cut by the normalised affinity of step t to the "
            "place. The end state goes up."
        ),
        (
            "For the same reader, two candidate stories lead to two different trajectories through the same hidden states, "
            "since the affinity of each state to the candidate regulates how much the trajectory turns at that point. Where the "
            "trajectory ends describes the reader in view of that story."
        ),
        (
            "Shoppers go astray and come back. Our sequential component holds on to the thread that concerns the item "
            "displayed: whenever a recovered intent is foreign to the item, the learned interpolation factor is pressed towards "
            "zero and the carried vector survives unchanged; otherwise it is refreshed."
        ),
        (
            "Per-dimension gates are kept, a scalar is multiplied in. That scalar is the attention paid to the hidden state of "
            "the lower recurrence by the candidate; the gates belong to the upper recurrence. The result depends on the order "
            "of the behaviours and on the candidate at once."
        ),
        (
            "Two clocks tick over the same viewing record. The first advances with every clip. The second advances fast at "
            "clips whose derived mood matches the clip to be recommended and almost stops elsewhere; where its hand stands in "
            "the end tells whether the recommendation will be welcome."
        ),
    ),
    arguments=(
        Argument(
            "hidden_size",
            64,
            (
                "hidden size of the interest states",
                "hidden size of the gru",
                "gru hidden units",
                "hidden state size",
                "dimension of the hidden state",
                "size of the recurrent layers",
            ),
            low=1,
            high=2048,
        ),
    ),
    example="layer = InterestEvolution(history.shape[2], hidden_size=8)\noutput = layer(target, history, mask)",
)


class InterestEvolution(nn.Module):
    """(target (B, D), history (B, L, D), mask (B, L)) -> (B, hidden_size); zeros for an empty history.

    `states` and `evolved` are its two halves, for a model that has a loss of its own on the states. Padding takes no step.
    """

    def __init__(self, embedding_dim: int, hidden_size: int = 64) -> None:
        super().__init__()
        self.extractor = nn.GRU(embedding_dim, hidden_size, batch_first=True)
        self.match = nn.Linear(embedding_dim, hidden_size, bias=False)
        self.evolution = AttentionalGRU(hidden_size)
        self.out_dim = hidden_size

    def forward(self, target: Tensor, history: Tensor, mask: Tensor) -> Tensor:
        return self.evolved(target, *self.states(history, mask))

    def states(self, history: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """What the user was interested in after each real behaviour (B, L, H), these first, and which they are (B, L)."""
        entries, real = real_first(history, mask)
        states, _ = self.extractor(entries)  # (B, L, H)
        return states, real

    def evolved(self, target: Tensor, states: Tensor, real: Tensor) -> Tensor:
        """The interest (B, H) to which those states lead that have to do with the target."""
        shares = masked_softmax(torch.einsum("blh,bh->bl", states, self.match(target)), real)  # (B, L)
        final: Tensor = self.evolution(states, shares)
        return final


class AttentionalGRU(nn.Module):
    """(states (B, L, H), shares (B, L)) -> (B, H), the last state. A step whose share is 0 changes nothing."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.of_input = nn.Linear(width, 3 * width)  # reset, update, candidate
        self.of_state = nn.Linear(width, 3 * width)

    def forward(self, states: Tensor, shares: Tensor) -> Tensor:
        inputs = self.of_input(states.transpose(0, 1)).unbind(0)  # L times (B, 3 H), for all steps at once
        state = states.new_zeros(states.shape[0], self.width)  # (B, H)
        for given, share in zip(inputs, shares.T.unsqueeze(2).unbind(0), strict=True):
            before = self.of_state(state)  # (B, 3 H)
            reset, update = torch.sigmoid(given[:, : 2 * self.width] + before[:, : 2 * self.width]).chunk(2, 1)  # (B, H) each
            candidate = torch.tanh(given[:, 2 * self.width :] + reset * before[:, 2 * self.width :])  # (B, H)
            state = state + share * update * (candidate - state)
        return state
