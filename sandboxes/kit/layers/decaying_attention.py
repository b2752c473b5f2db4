"""Attention of the question at hand over past ones that fades with their distance; what came of them is part of what is found.

Notation: B rows, L history length, D embedding width, O outcomes of an event, H heads, A width of a head.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.masked_softmax import masked_softmax

CARD = Card(
    name="decaying_attention",
    block="DecayingAttention",
    slot="history",
    needs=("history", "target_item"),
    takes=("target", "history", "mask", "outcomes"),
    summary="Compares the target with past events by scaled dot products that fade exponentially with a distance in steps and in "
    "related events since, and mixes the events and their outcomes in these shares.",
    equation="s_t = exp(-theta d_t) q^T k_t / sqrt(A), theta > 0 for each head; d_t = |T - t| sum_{t' > t} g_t', "
    "g = softmax_t(q^T k_t / sqrt(A)); f = W_O concat_h sum_t softmax_t(s_t) v_t; q and k by one matrix from what is and was "
    "asked, v from what was asked plus a vector for each outcome (Ghosh et al., KDD 2020, section 3.2; input layer-normalised)",
    cues=(
        "knowledge tracing",
        "monotonic attention",
        "monotonic attention mechanism",
        "exponentially decaying attention",
        "exponential decay of the attention weights",
        "attention weights decay with distance",
        "attention with exponential decay",
        "decay term in the attention",
        "learnable decay rate",
        "learned decay rate of the attention",
        "context-aware relative distance",
        "distance-aware attention",
        "time-decayed attention over past interactions",
        "attention over past questions and responses",
        "forgetting effect in the attention",
        "attention scores are multiplied by an exponential decay",
    ),
    descriptions=(
        "Attention between the present question and past ones is damped the longer ago these were.",
        "A learned rate makes attention scores fall off exponentially with the distance to the present step.",
        "Scaled dot-product scores are multiplied by a decay factor before the softmax.",
        "How far away a past event counts depends on how many related events have come since.",
        "Keys come from the questions alone, values from questions together with the learner's responses.",
        "Memory fades, so that older practice gets less weight unless it is very similar to the task at hand.",
        (
            "We propose an attention mechanism whose weights decrease monotonically with the distance between the current and "
            "the past time step: the scaled dot product of query and key is multiplied by the exponential of minus a decay "
            "rate times the distance, with a trainable positive rate for every head."
        ),
        (
            "The query is the embedding of the question to be answered, keys are embeddings of previously practised questions, "
            "and values embed question and response pairs. A multiplicative exponential term models forgetting, so that "
            "distant responses influence the retrieved knowledge less."
        ),
        (
            "Instead of position encodings we use a context-aware distance: the number of steps is adjusted by softmax "
            "attention weights of the steps in between, so that consecutive practice of unrelated concepts hardly makes a past "
            "response more remote."
        ),
        (
            "The behaviour's relevance to the candidate, a scaled inner product, is discounted by a factor that shrinks "
            "exponentially with its age, the shrinkage being learned per head, before weights are normalised and the "
            "behaviours with their feedback are summed."
        ),
        (
            "Asked for a tune, the memory of a listener answers with similar tunes, the recent ones more loudly. Resemblance "
            "is a dot product; recency multiplies it by a number between zero and one that is e to the minus something "
            "learned. Whether those tunes were skipped is in what is answered, not in how they are found."
        ),
        (
            "An old lesson is not equally old for everybody: ten lessons on other topics leave it fresh, ten on the same one "
            "bury it. We measure age by the sum of the relevances of what happened in between, times the steps, and let the "
            "match with the present topic shrink accordingly."
        ),
        (
            "To guess if a loan will be repaid we look for comparable earlier loans of the customer. Comparability fades with "
            "time by a half-life that training finds; the endings of those loans, good or bad, are then averaged in proportion "
            "to what is left of their comparability."
        ),
        (
            "A spotlight with a fog: the level about to be played shines on former levels like it, and the fog thickens "
            "towards the past at a pace that each lamp learns for itself. What the light brings back are victories and "
            "defeats."
        ),
        (
            "For score u_i between query and key i, compute p = softmax(u), then c_i, the sum of p_j over all later j, then "
            "u_i times exp(-a n_i c_i) with n_i the steps since i, then softmax again. The parameter a is kept positive by "
            "softplus. Mix the value vectors, in which results are added to items."
        ),
        (
            "The hotel on the page asks the guest's file which stays resembled it and how they were rated. Stays of last month "
            "speak up, stays of three years ago whisper, unless there have been few of the sort since. The loudness is a "
            "product of likeness and an exponential of negative remoteness."
        ),
        (
            "Two softmax passes are made over a reader's log. The first finds out which articles have to do with the headline; "
            "its shares, added up from the newest backwards, tell how outdated each article is. The second pass weighs with "
            "outdated articles turned down."
        ),
        (
            "No positional vectors are used. Order enters by damping alone: the further back, the closer the logit of the "
            "attention is pulled to zero, along an exponential curve with its own steepness in each of the parallel heads. "
            "Steepness is trained with the rest and cannot become negative."
        ),
        (
            "Campaigns remember badly on purpose. The influence of an impression shown long ago on the present ad's forecast "
            "is cut by an exponential of elapsed relevant impressions; influence itself is decided by how much the two ads "
            "have in common, and it carries along if that impression was clicked."
        ),
        (
            "In a shop, last week's trousers say more of tomorrow's than those of last winter. Similarity between the product "
            "in question and each bought or returned one is therefore aged: multiplied by a learned discount for every step "
            "back. Discounted similarities are normalised and blend products with the note 'kept' or 'returned'."
        ),
        (
            "The forgetting curve is built into the lookup. When the card to be reviewed is compared with cards reviewed "
            "before, the comparison loses strength along a decreasing exponential, and what is looked up are those cards with "
            "the marks that were got for them."
        ),
        (
            "Implementation note: keep queries and keys free of feedback, add a feedback vector to the values only, "
            "reverse-cumulate the plain attention row to obtain effective gaps, multiply by integer gaps, exponentiate minus "
            "rate times that, and scale the raw scores before normalising a second time."
        ),
        (
            "Which of a driver's earlier routes bear on the one proposed? Those through the same streets, and of these the "
            "late ones. The network learns how quickly a route becomes irrelevant, separately for several points of view, and "
            "gathers the outcomes, taken or refused, of the routes that remain."
        ),
        (
            "Attention over a player's matches usually treats the match of yesterday and that of last year alike. Ours tilts "
            "the scale by a decreasing function with learned slope, counted not in days but in matches against comparable "
            "opponents, and reads wins and losses off the tilted scale."
        ),
    ),
    arguments=(
        Argument(
            "n_heads",
            2,
            (
                "number of attention heads",
                "attention heads",
                "heads of the monotonic attention",
            ),
            low=1,
            high=64,
        ),
    ),
    example="layer = DecayingAttention(history.shape[2], outcomes.shape[2], n_heads=2)\n"
    "output = layer(target, history, mask, outcomes)",
)


class DecayingAttention(nn.Module):
    """(target (B, D), history (B, L, D), mask (B, L), outcomes (B, L, O)) -> (B, D); zeros for an empty history.

    Outcomes are 1, -1 or, not observed, 0; they are part of what is remembered, not of what is compared. A head has D // H
    columns, at least one.
    """

    def __init__(self, embedding_dim: int, n_outcomes: int, n_heads: int = 2) -> None:
        super().__init__()
        self.n_heads, self.head_dim = n_heads, max(1, embedding_dim // n_heads)
        inner = self.n_heads * self.head_dim
        self.norm = nn.LayerNorm(embedding_dim)
        self.compared, self.value = (nn.Linear(embedding_dim, inner, bias=False) for _ in range(2))
        drawn = torch.randn(n_outcomes, embedding_dim) * embedding_dim**-0.5  # (O, D)
        self.outcome = nn.Parameter(drawn) if n_outcomes else None
        self.forgetting = nn.Parameter(torch.full((n_heads,), -4.0))  # (H,) before softplus makes it positive; it starts slow
        self.mix = nn.Linear(inner, embedding_dim, bias=False)
        self.out_dim = embedding_dim

    def forward(self, target: Tensor, history: Tensor, mask: Tensor, outcomes: Tensor) -> Tensor:
        target, history = self.norm(target), self.norm(history)
        answered = history if self.outcome is None else history + outcomes @ self.outcome  # (B, L, D)
        query, key = self._heads(self.compared(target)), self._heads(self.compared(history))  # (B, H, A), (B, L, H, A)
        value = self._heads(self.value(answered))  # (B, L, H, A)
        fit = torch.einsum("bha,blha->bhl", query, key) / self.head_dim**0.5  # (B, H, L)
        real = mask.unsqueeze(1)  # (B, 1, L)
        decay = torch.exp(-functional.softplus(self.forgetting).unsqueeze(1) * _distance(masked_softmax(fit, real), real))
        shares = masked_softmax(fit * decay, real)  # (B, H, L)
        remembered: Tensor = self.mix(torch.einsum("bhl,blha->bha", shares, value).flatten(1))  # (B, D)
        return remembered

    def _heads(self, projected: Tensor) -> Tensor:
        return projected.view(*projected.shape[:-1], self.n_heads, self.head_dim)  # (..., H, A)


def _distance(shares: Tensor, real: Tensor) -> Tensor:
    """How far back each entry is for the target (B, H, L): steps, each event counted, times the shares of what came since."""
    steps = real.flip(-1).cumsum(-1).flip(-1).to(shares.dtype)  # (B, 1, L): 1 for the latest
    since = shares.flip(-1).cumsum(-1).flip(-1) - shares  # (B, H, L)
    return steps * since
