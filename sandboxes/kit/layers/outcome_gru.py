"""Recurrent memory of past events and what came of each, read off at the question at hand.

Notation: B rows, L history length, D embedding width, O outcomes of an event, H hidden width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.gru_history import GRUHistory

CARD = Card(
    name="outcome_gru",
    block="OutcomeGRU",
    slot="history",
    needs=("history", "target_item"),
    takes=("target", "history", "mask", "outcomes"),
    summary="Reads past events and what came of each with a gated recurrent unit, and asks its last state about the target.",
    equation="x_t = [e_t, o_t, o_t e_t], o_t = 1, -1 or 0 for a positive, negative or unobserved outcome, so that each pair of a "
    "question and an outcome has an input of its own; h_t = GRU(x_t, h_{t-1}); y = h_L * (W v + b), whose sum is the logit of "
    "question v; e and v layer-normalised (Piech et al., NeurIPS 2015, eq. 1 and 2, with factorised inputs and outputs)",
    cues=(
        "knowledge tracing",
        "recurrent knowledge tracing",
        "knowledge tracing with a recurrent network",
        "recurrent network over exercise and response pairs",
        "rnn over question and answer pairs",
        "lstm over student interactions",
        "one-hot encoding of the exercise and its correctness",
        "exercise tag and correctness as the rnn input",
        "hidden state as the knowledge state",
        "latent knowledge state of the student",
        "knowledge state is updated after each response",
        "correctness of past answers is fed to the recurrent network",
        "recurrent network over items and their feedback",
        "gru over items and outcomes",
        "sequence of exercises and correctness labels",
        "recurrent state of mastery",
    ),
    descriptions=(
        "A recurrent network reads which exercises a student tried and whether each was solved, and foretells the next answer.",
        "The input at every step encodes both the question and the correctness of the response.",
        "The hidden state stands for what the learner knows by now and is updated after each attempt.",
        "Past items enter the GRU together with their outcome, so that a success and a failure on the same item differ.",
        "The last state is read at the question about to be asked to give the chance of a right answer.",
        "Successes and failures on earlier tasks drive a gated memory of the player's skills.",
        (
            "We model the student's latent knowledge state with a recurrent network. The input at each time step is an "
            "encoding of the tuple of exercise and response correctness, and the output is a vector of probabilities, one per "
            "exercise, of which we take the entry of the exercise that comes next."
        ),
        (
            "Given the interaction sequence of questions and binary responses up to time t, an LSTM maintains a hidden mastery "
            "vector. The probability that the next question is answered correctly is a sigmoid of the inner product of this "
            "vector and the output weights of that question."
        ),
        (
            "Each interaction is represented by the concatenation of the question's embedding placed in one half of the input "
            "when the answer was right and in the other half when it was wrong. A GRU consumes these inputs in order; its "
            "final state predicts performance on the candidate question."
        ),
        (
            "Feedback-aware sequence encoding: besides the identity of each recommended item, whether the user accepted or "
            "ignored it is part of the recurrent input, and the state reached at the end is matched with the candidate to "
            "estimate its acceptance probability."
        ),
        (
            "A tutor keeps a notebook on a pupil. After every exercise she looks at which topic it was about and at the tick "
            "or the cross beside it, rewrites part of her page, and when a new sheet is chosen she looks up on the page what "
            "it says of that topic."
        ),
        (
            "Playing a track to the end and skipping it after five seconds are opposite pieces of news about the same song. "
            "Our loop takes song and verdict as one compound symbol per step, folds it into a running memory through learned "
            "gates, and the memory is then questioned about the song that might come next."
        ),
        (
            "For each borrower, instalments due are replayed oldest first, every one with a flag saying paid in time or "
            "missed. A state vector is revised from instalment and flag jointly; the revision for paid and the one for missed "
            "use different weights. What the vector says of the coming instalment is the forecast."
        ),
        (
            "Levels won and levels lost are the raw material. A player's skill is never observed, so it is carried as a hidden "
            "vector that moves up or down in several directions after each result, depending on the level that produced it. "
            "The chance of beating the offered level follows from vector and level."
        ),
        (
            "The advertising log has negatives too: impressions that were not clicked. We feed the impressions in order, both "
            "kinds, with the response attached, to a step-by-step memory; the answer it gives to the present ad depends on how "
            "former ads of its sort fared with this visitor."
        ),
        (
            "State s; for t from the oldest event to the newest: s becomes gate(s, code of the pair of item t and result t). "
            "Finally return the coordinatewise product of s and a linear image of the item under evaluation. With two results "
            "there are two codes per item."
        ),
        (
            "What a traveller searched matters less than what became of the search: booked, or left. Search and ending are "
            "joined in one input and digested one after another; the digest is not used as it is but interrogated with the "
            "hotel at hand, whose likelihood of being booked is wanted."
        ),
        (
            "Implementation: look up the question vector, multiply it by plus one for right and minus one for wrong, append "
            "the sign itself and the plain vector, run the recurrent cell over the list, keep the terminal state, and gate it "
            "by a projection of the query question."
        ),
        (
            "The article was shown; was it opened? Both parts of that sentence enter our reader model at every step, since an "
            "article that was shown and scorned teaches the opposite of one that was opened. The model's evolving opinion of "
            "the reader is consulted about the next headline."
        ),
        (
            "Trials on a skill leave traces, and success leaves other traces than failure. A compact vector, altered trial by "
            "trial under the control of learned valves, holds them; there is no look back at single trials once they have been "
            "absorbed. The next trial's result is predicted from the vector's answer to its skill."
        ),
        (
            "Coupons redeemed and coupons expired are two sides of one stream. Every coupon arrives with its fate, the "
            "customer's hidden disposition is adjusted accordingly, in order of time, and the disposition is then tested "
            "against the coupon that we think of sending."
        ),
        (
            "Think of a chess rating that is a vector: one number for openings, one for endgames, and many without a name. "
            "Each game moves it by an amount that depends on the opponent and on the result, some of the old rating fades, and "
            "for the next opponent the expected score is computed from the coordinates that this opponent touches."
        ),
        (
            "The places that somebody was recommended are listed with thumbs up or thumbs down. The list is run through a cell "
            "with memory that sees place and thumb at once, so that it can learn what was liked from approvals and what to "
            "avoid from rejections. The memory at the end of the list is probed with the proposed place."
        ),
        (
            "We track how proficiency with an app's features develops. A usage event has a feature and a flag of completion; "
            "the pair advances a learned state machine with continuous states. Whether the next feature will be completed is a "
            "function of the present state and of that feature only."
        ),
    ),
    arguments=(
        Argument(
            "hidden_size",
            64,
            (
                "hidden units of the recurrent network",
                "size of the knowledge state",
                "dimension of the knowledge state",
                "hidden state size",
                "dimension of the hidden state",
                "lstm hidden units",
            ),
            low=1,
            high=2048,
        ),
    ),
    example="layer = OutcomeGRU(history.shape[2], outcomes.shape[2], hidden_size=8)\n"
    "output = layer(target, history, mask, outcomes)",
)


class OutcomeGRU(nn.Module):
    """(target (B, D), history (B, L, D), mask (B, L), outcomes (B, L, O)) -> (B, hidden_size); zeros for an empty history.

    Outcomes are 1, -1 or, not observed, 0. With O = 0 the events are told by what they were about alone.
    """

    def __init__(self, embedding_dim: int, n_outcomes: int, hidden_size: int = 64) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(embedding_dim)
        self.memory = GRUHistory(embedding_dim + n_outcomes * (embedding_dim + 1), hidden_size)
        self.question = nn.Linear(embedding_dim, hidden_size)
        self.out_dim = hidden_size

    def forward(self, target: Tensor, history: Tensor, mask: Tensor, outcomes: Tensor) -> Tensor:
        target, history = self.norm(target), self.norm(history)
        signed = (outcomes.unsqueeze(3) * history.unsqueeze(2)).flatten(2)  # (B, L, O * D)
        state = self.memory(target, torch.cat([history, outcomes, signed], 2), mask)  # (B, H)
        answer: Tensor = state * self.question(target)
        return answer
