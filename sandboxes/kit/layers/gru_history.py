"""Gated recurrent unit over the history, oldest behaviour first.

Notation: B rows, L history length, D embedding width, H hidden width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.masked_softmax import masked_softmax
from sandboxes.kit.layers.real_first import real_first

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
        (
            "The behaviour sequence is fed, in chronological order, to a recurrent layer with update and reset gates. Its "
            "hidden state after the last behaviour represents the user's current interest and is concatenated with the other "
            "features for click prediction."
        ),
        (
            "We model the dependency between successive behaviours and the evolution of interests over time with a recurrent "
            "network: each hidden state is a gated combination of the previous state and the new behaviour embedding."
        ),
        (
            "Treating the history as an unordered bag loses its temporal dynamics. We therefore run a gated RNN over the "
            "clicked items, from the oldest to the latest, and use its states as the representation of the user's interest at "
            "every step."
        ),
        (
            "Interest dynamics are captured by a recurrent layer whose state is updated behaviour by behaviour, the update gate "
            "deciding how much of the old state is kept. The final state is fed to the prediction MLP."
        ),
        (
            "The model keeps a memory of the listener. It walks through the played tracks one after another; at each track it "
            "decides what part of the memory to wipe and what part to rewrite, and what remains after the newest track is taken "
            "as present taste."
        ),
        (
            "Tastes wander: a traveller who searched cities in spring looks at beaches in June. We carry a state vector along "
            "the timeline of visited places, blending it at each stop with the new place by learned valves, so that late stops "
            "can overrule early ones."
        ),
        (
            "From oldest to newest, each purchase modifies a running summary. Two sigmoid switches govern the change: one says "
            "how much of the former summary enters the proposal, the other interpolates between former summary and proposal. "
            "After the last purchase the summary is handed to the classifier."
        ),
        (
            "Sequential order matters in gameplay, so we avoid pooling. Sessions enter a loop one by one; the loop's state at "
            "session t depends on session t and on the state at t-1, with learned openings and closings protecting long-lived "
            "information from vanishing."
        ),
        (
            "The reader's recent articles are digested step by step, like the words of a sentence, by a network that feeds back "
            "into itself. What it holds at the end describes where the reader's curiosity has moved, at the price of "
            "computation that cannot be parallelised over the steps."
        ),
        (
            "For each customer, transactions are replayed in the order of their timestamps. A latent state is refreshed after "
            "every one: h becomes (1-z) times the old h plus z times a candidate state, z being computed from the transaction "
            "and the old h. The last h enters the risk score."
        ),
        (
            "Permuting the watched clips changes our user vector, and it should. The clips drive a state machine with "
            "continuous, learned transitions, whose multiplicative controls choose between remembering and overwriting; we read "
            "the state off after the most recent clip."
        ),
        (
            "We want to know not only what the guest liked but how one booking led to the next. A chain of identical cells, "
            "each receiving a booking and the message from the preceding cell, passes on a filtered message; the end of the "
            "chain stands for the guest."
        ),
        (
            "In the app store, an install is often a consequence of the one just before. Our encoder propagates information "
            "along the install log strictly forwards in time, keeping or discarding it through learned gates, and delivers the "
            "terminal hidden vector together with all intermediate ones."
        ),
        (
            "A compact memory replaces the full log. Each incoming event is folded into the memory through learned reset and "
            "update controls and may then be thrown away, so the memory can be maintained online; the ad's response rate is "
            "predicted from the memory's latest content."
        ),
        (
            "The borrowings of a library member are consumed one after another, from the oldest to the newest. A memory vector "
            "is carried along; at each borrowing two learned valves, with values between zero and one, settle which part of the "
            "memory is overwritten by the fresh content and which part of the old memory is allowed to shape that content. What "
            "the memory holds after the last borrowing is handed to the ranking layers."
        ),
        (
            "The earlier purchases are fed one after another, oldest first, to a cell that carries a memory. At each purchase "
            "two sigmoid valves decide how much of the memory is erased and how much is overwritten by the new code, and the "
            "memory left after the last purchase describes the shopper."
        ),
        (
            "Tastes drift, and the sequence of what was played tells where they are going. We step through the plays in time "
            "order with a recurrent state: a reset valve hides part of the old state when forming the proposal, an update valve "
            "blends proposal and old state. The resulting states stand for the listener's evolving interest."
        ),
        (
            "Start with a zero state. For each visited place in turn, compute from the place's code and the state a forget-part "
            "and a renew-part, form a tanh candidate, and move the state towards it coordinate by coordinate. Hand the final "
            "state to the prediction layers; shuffling the places would give another result."
        ),
        (
            "Picture a diary writer with a single page: on each new day she chooses which lines to rub out and which to write "
            "in, looking only at the day's event and at what the page says already. The page after the last watched clip is our "
            "account of the viewer. The rubbing and writing shares are learned, lie between zero and one, and differ per "
            "coordinate."
        ),
        (
            "Customer transactions come in as a time series and are digested sequentially. The hidden vector at moment t is an "
            "interpolation of the hidden vector at t minus one and a fresh proposal, the interpolation factor being itself a "
            "learned function of the present transaction and the hidden vector; no all-to-all comparison of transactions takes "
            "place."
        ),
        (
            "The state h_t equals one minus z times h of the previous step, plus z times the tanh of the present input and the "
            "partially "
            "cleared h; z and the clearing factor r are sigmoids of input and previous h. The inputs are codes of opened news "
            "in reading order, and the outputs represent the reader as she changes."
        ),
        (
            "A bag of past bookings forgets which came last. Our encoder is a loop instead: one shared cell with two "
            "multiplicative switches is applied booking by booking, so that recent trips can displace old ones while lasting "
            "preferences are carried along. Its running memory, of constant size whatever the length, is what the scorer sees."
        ),
        (
            "The stream of games a player opened is processed strictly from past to present, each step depending on the outcome "
            "of the one before. Switches trained with the rest regulate retention and renewal in the carried vector, which "
            "keeps gradients from dying over long streams. It costs a serial pass but remembers the order in which interests "
            "succeeded one another."
        ),
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
        entries, real = real_first(history, mask)
        states, _ = self.gru(entries)  # (B, L, H)
        if self.match is None:
            last = real & ~functional.pad(real[:, 1:], (0, 1), value=False)  # (B, L)
            shares = last.to(states.dtype)
        else:
            shares = masked_softmax(torch.einsum("blh,bh->bl", states, self.match(target)), real)  # (B, L)
        return torch.einsum("bl,blh->bh", shares, states)
