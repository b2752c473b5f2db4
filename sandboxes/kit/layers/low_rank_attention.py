"""Low-rank self-attention over a long history: behaviours learn of each other through a few landmarks.

Notation: B rows, L history length, D embedding width, r landmarks.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.masked_softmax import masked_softmax
from sandboxes.kit.layers.table import INITIAL_STD

# What several cards that compress a history for attention have in common.
MAX_LENGTH = Argument(
    "max_length",
    1000,
    ("maximum sequence length", "maximum length of the sequence", "sequence length"),
    low=1,
    high=65536,
)

CARD = Card(
    name="low_rank_attention",
    block="LowRankAttention",
    slot="history",
    needs=("history", "target_item"),
    summary="Lets the behaviours of a long history attend to a few landmarks that are projected from all of them, at a cost "
    "linear in the length, and pools them by the target.",
    equation="z_j = e_j + p_j, p by the distance from the end; C = P z, P = softmax over the L columns of (W z)^T, r rows; x = "
    "LayerNorm(z + softmax(Q z (K C)^T / sqrt(D)) V C); sum_j softmax_j((M v)^T x_j / sqrt(D)) x_j (keys and values "
    "projected to r rows as in Wang et al., 2020, section 4, with shares that depend on the content as in Lee et al., "
    "ICML 2019, section 3.1)",
    cues=(
        "low-rank attention",
        "low-rank self-attention",
        "low-rank projection matrices",
        "low-rank projections of the sequence",
        "linear attention",
        "attention with linear complexity",
        "linear complexity in the sequence length",
        "linear in the length of the sequence",
        "linear with respect to the sequence length",
        "low-rank projection of keys and values",
        "project keys and values along the sequence",
        "learned projection matrices of rank r",
        "landmarks of the sequence",
        "inducing points",
        "quadratic complexity of self-attention",
        "compressed representation of the sequence",
        "efficient attention for long sequences",
        "reduces the complexity of attention",
    ),
    descriptions=(
        (
            "Self-attention over a long sequence is approximated through a small number of landmarks, at a cost linear in the "
            "length."
        ),
        "Keys and values are projected along the sequence to r rows, with r much smaller than the sequence length.",
        "Every behaviour attends to r compressed summaries of the sequence instead of to all other behaviours.",
        "The attention matrix has low rank, so it is never formed in full.",
        "Low-rank projections compress a long history, and the candidate then pools what attention returns.",
        "Memory and time of the attention layer grow linearly, not quadratically, with the number of behaviours.",
        (
            "The attention map of long behaviour sequences is approximately of low rank. We therefore learn projections that "
            "map the keys and values of L behaviours to r landmarks, r << L, which reduces the complexity of self-attention "
            "from O(L^2) to O(Lr); a target-aware pooling follows."
        ),
        (
            "To model thousands of behaviours within the response time limit, the softmax attention is replaced by an efficient "
            "form with linear complexity. A compressed representation of the sequence serves as its keys and values, while no "
            "behaviour is truncated or filtered out."
        ),
        (
            "Retrieval-based methods lose information by cutting the sequence. Our attention keeps all behaviours and "
            "factorises their pairwise interaction through a few learned summary tokens, to which each behaviour contributes "
            "and from which each behaviour reads."
        ),
        (
            "With learned projection matrices of rank r the sequence is condensed into r latent vectors in linear time; queries "
            "of all positions attend to the condensed vectors, and the outputs are aggregated with weights given by the target "
            "item."
        ),
        (
            "Long chat threads are made readable by a few minutes, and each writer then learns from the minutes what all others "
            "wrote. Likewise here: several weighted averages over the full search history are formed first, and every search is "
            "updated by looking into these averages, so that no search has to be held against each of the others."
        ),
        (
            "Let P be an r by L matrix of shares, each row summing to one. From the played tracks X form C = P X. The context "
            "of the tracks is softmax(Q (C K)') C V, an L by r product with an r by D one; an L by L table never exists. The "
            "track to be recommended then takes a weighted mean."
        ),
        (
            "The log of a loyal guest is too long for comparing each stay with each other stay. We blend all stays into a "
            "handful of digests, with learned blending proportions, and let each stay look up in the digests what matters for "
            "it. The hotel on offer weighs the informed stays."
        ),
        (
            "Suppose a bank customer has eight thousand transactions. Sixty-four million comparisons are replaced by two rounds "
            "of eight thousand times sixteen: gather, in which sixteen pooled rows are formed from all transactions, and "
            "scatter, in which all transactions are enriched by the pooled rows."
        ),
        (
            "The bottleneck is deliberate. Whatever one session is to learn of the others has to pass through r slots, shared "
            "by the whole log of the player; so the cost per session is constant, and logs of any length can be encoded "
            "together."
        ),
        (
            "Engineering view: two thin matrix products instead of one fat one. The first reduces the sequence axis from L to "
            "r, the second expands it again, normalisations sit in between, and peak memory scales with L times r. Nothing is "
            "dropped, sorted or hashed."
        ),
        (
            "An article one has read means something else among sports pages than among recipes. To let all two thousand read "
            "articles colour each other cheaply, they are summed up in a few prototypes of the reader's past, and every article "
            "is updated from these prototypes before the candidate article judges it."
        ),
        (
            "Like a newspaper between citizens: every app install reports to a few desks, every desk prints a summary, and each "
            "install reads the summaries. So knowledge about all installs reaches all installs, with traffic proportional to "
            "their number."
        ),
        (
            "The exponential kernel is traded for a factorised one, whereby the order of multiplication may be changed: first "
            "the keys with the values, giving a small matrix, then the queries with that. The sequence enters the cost as a "
            "factor, never squared."
        ),
        (
            "We summarise the history along time, not along features. A learned mixing over positions yields a short list of "
            "rows which stand for the entire history; the original positions query the short list, their answers are added to "
            "them, and a candidate-dependent average closes the encoder."
        ),
        (
            "The places a person has visited in ten years influence one another. Computing all mutual influences costs the "
            "square of their number; but influences vary in a few directions only, and it suffices to compute them with respect "
            "to a small basis that is itself mixed from the visits."
        ),
        (
            "Full attention is exact and slow, local attention is fast and blind. The factored attention proposed here connects "
            "all pairs of clips indirectly over a narrow waist, so that doubling the number of clips doubles the time."
        ),
        (
            "A thousand orders are first condensed to twelve vectors by twelve learned ways of weighing them. Each of the "
            "thousand is then compared with the twelve, and takes over from them in proportion to the comparison. Only after "
            "that does the dish on offer come in, as the query of a last, ordinary weighing."
        ),
        (
            "The ad log's pairwise affinity table is written as the product of a tall and a wide factor, neither of which is "
            "larger than events times rank. Multiplying from the right spares the table itself, and users with very long logs "
            "cost no more per event than those with short ones."
        ),
    ),
    arguments=(
        Argument(
            "n_landmarks",
            16,
            (
                "number of landmarks",
                "rank of the attention",
                "rank of the projection",
                "projected length",
                "number of inducing points",
            ),
            low=1,
            high=1024,
        ),
        MAX_LENGTH,
    ),
    example="layer = LowRankAttention(history.shape[2], n_landmarks=3)\noutput = layer(target, history, mask)",
)


class LowRankAttention(nn.Module):
    """(target (B, D), history (B, L, D), mask (B, L)) -> (B, D); zeros for an empty history.

    Time and memory grow with L * n_landmarks, and never with L * L. Positions count back from the newest entry; entries older
    than `max_length` share the last one.
    """

    def __init__(self, embedding_dim: int, n_landmarks: int = 16, max_length: int = 1000) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(max_length, embedding_dim) * INITIAL_STD)
        self.projection = nn.Linear(embedding_dim, n_landmarks, bias=False)
        self.query, self.key, self.value = (nn.Linear(embedding_dim, embedding_dim, bias=False) for _ in range(3))
        self.norm = nn.LayerNorm(embedding_dim)
        self.match = nn.Linear(embedding_dim, embedding_dim, bias=False)
        self.out_dim = embedding_dim

    def forward(self, target: Tensor, history: Tensor, mask: Tensor) -> Tensor:
        length, oldest = history.shape[1], self.positions.shape[0] - 1
        age = torch.arange(length - 1, -1, -1, device=history.device).clamp(max=oldest)  # (L,)
        tokens = history + self.positions[age]  # (B, L, D)
        shares = masked_softmax(self.projection(tokens).transpose(1, 2), mask.unsqueeze(1))  # (B, r, L)
        landmarks = shares @ tokens  # (B, r, D)
        seen = functional.scaled_dot_product_attention(
            self.query(tokens).unsqueeze(1), self.key(landmarks).unsqueeze(1), self.value(landmarks).unsqueeze(1)
        ).squeeze(1)  # (B, L, D)
        tokens = self.norm(tokens + seen)
        fit = torch.einsum("bd,bld->bl", self.match(target), tokens) / math.sqrt(self.out_dim)
        return torch.einsum("bl,bld->bd", masked_softmax(fit, mask), tokens)
