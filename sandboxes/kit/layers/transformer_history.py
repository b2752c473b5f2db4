"""Transformer encoder over the history and the target, with learned positions.

Notation: B rows, L history length, D embedding width, H heads, A width of a head.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.table import INITIAL_STD

CARD = Card(
    name="transformer_history",
    block="TransformerHistory",
    slot="history",
    needs=("history",),
    summary="Encodes the user's behaviours, followed by the target, with layers of multi-head self-attention; the "
    "target's output is kept.",
    equation="z_j = e_j + p_j, p by the distance from the end; S = LayerNorm(z + concat_h softmax(Q_h K_h^T / sqrt(A)) V_h W_O);"
    " z' = LayerNorm(S + W_2 leaky_relu(W_1 S + b_1) + b_2), for each layer (Chen et al., DLP-KDD 2019, eq. 2 to 7, with learned"
    " positions as in Kang and McAuley, ICDM 2018, eq. 1; only the target's output is read)",
    cues=(
        "transformer over the behavior sequence",
        "transformer layer over behaviors",
        "transformer encoder over user behaviors",
        "transformer-based sequence encoder",
        "behavior sequence transformer",
        "self-attention over the behavior sequence",
        "self-attention between behaviors",
        "multi-head self-attention over historical behaviors",
        "multi-head self-attention to model the behavior sequence",
        "sequential signals underlying users' behavior sequences",
        "positional embeddings for the sequence",
        "positional embedding",
        "position embedding of the behavior",
        "self-attention blocks over clicked items",
        "point-wise feed-forward network after self-attention",
        "transformer block for sequence modeling",
        "causal self-attention over the sequence",
    ),
    descriptions=(
        "A transformer encodes the user's behaviour sequence, so that each past item is represented in the light of the others.",
        "Self-attention layers capture the relations among the items of the click history and between them and the target item.",
        "Position embeddings are added to the item embeddings to keep the order of the behaviours.",
        "Each block is multi-head self-attention and a point-wise feed-forward network, with residual connections and layer "
        "normalisation.",
        "The sequence of historical behaviours together with the target item is fed into stacked transformer layers.",
        "Several heads attend to different kinds of dependency inside the sequence of user actions.",
        (
            "We append the candidate item to the user's behaviour sequence, add position embeddings, and encode the whole "
            "sequence with multi-head self-attention followed by position-wise feed-forward layers. The outputs are "
            "concatenated with the other features and fed to an MLP."
        ),
        (
            "To capture the relations among behaviours, every clicked item attends to all the others and to the target item "
            "through scaled dot-product attention with several heads, residual connections and layer normalisation."
        ),
        (
            "The sequence layer consists of stacked encoder blocks: queries, keys and values are linear projections of the item "
            "embeddings in the history, including the item to be scored, and positional features encode the time distance to "
            "the recommendation."
        ),
        (
            "Unlike recurrent models, which process behaviours one at a time, we let all positions of the behaviour sequence "
            "interact in parallel by self-attention, and obtain contextualised representations of past items and of the target."
        ),
        (
            "Each song in the listening log, with the song to be judged placed at the end, rewrites its own code by looking at "
            "all the other songs and borrowing from those it finds related. Several such looks are taken side by side, and the "
            "rewriting is done once or twice."
        ),
        (
            "A phone case bought after a phone means something other than a phone case alone. We therefore let purchases "
            "exchange information with each other, and with the product on offer, before any prediction: all-pairs "
            "compatibility scores, normalised by row, tell how the purchases' vectors are mixed."
        ),
        (
            "Visited places and the place to be ranked form one list. Every member sends a question and an answer to every "
            "member; matching questions and answers determine who listens to whom, in several subspaces at once. Skip paths and "
            "normalisation surround this step, and a small net refines each member."
        ),
        (
            "The clip log is turned into a matrix, one row per clip plus a row for the clip in question, with learned codes for "
            "recency added. Row-to-row affinities are computed in all directions at cost quadratic in the log's length, so "
            "distant clips influence one another directly, without a chain of states."
        ),
        (
            "Pooling weighs bookings one by one; we first make each booking aware of its company. In a block, each booking "
            "becomes a mixture of all bookings and of the listing under evaluation, mixture proportions being computed by "
            "parallel heads; after the block, a dense network reads all rows."
        ),
        (
            "What a game session signifies depends on the sessions around it. Our encoder, borrowed from language modelling, "
            "regards sessions as words and the advertised game as the final word, and yields for every word a vector coloured "
            "by the entire sentence; place in the sentence is marked by an added vector."
        ),
        (
            "Transactions of the customer and the product proposed are read together as a sequence of tokens. Layers of mutual "
            "lookup between the tokens, each followed by a two-layer net applied to every token separately, give "
            "context-dependent codes, which we flatten and pass on to the scorer."
        ),
        (
            "The history is not reduced to a weighted sum at the outset: each article opened consults all articles opened "
            "earlier or later as well as the headline in question, in multiple representation subspaces, and its vector is "
            "replaced by what it has gathered plus what it was."
        ),
        (
            "Order is kept by tagging each past install with its age, and no recurrence is needed: every install compares "
            "itself with every other install and with the advertised app at once. Multiple comparisons with separate "
            "projections run in parallel, their findings are joined, added back, and normalised."
        ),
        (
            "The page visits of a person are encoded by letting visits look at visits. For visit i and visit j a scaled "
            "agreement of projected codes is taken, softmax over j gives proportions, and i's new code is the blend; the page "
            "being scored takes part as one more position."
        ),
        (
            "The clip to be scored is appended to the list of clips already watched, and every element gets a tag vector for "
            "its place. Then each element asks questions in eight subspaces, and is answered by all elements of the list, the "
            "scored clip among them, in proportion to the exponentiated scaled agreement of the question with what they have to "
            "offer. The joined answers are added back to the element, standardised, and refined by a small network working at "
            "each place alone. We apply two such rounds."
        ),
        (
            "We append the product being scored to the list of past purchases, add a marker for each one's place in time, and "
            "let every element of the list look at every other. Several parallel projections compute the mutual looks, a "
            "position-wise feed-forward layer follows with skip links and normalisation, and the reworked list goes to the "
            "classifier."
        ),
        (
            "Earlier plays mean different things in one another's company. So each play is rewritten as a blend of all plays "
            "and of the song in question, the shares coming from scaled matches between projected versions of them, in several "
            "independent subspaces at once; the rewriting is stacked once or more before the final layers."
        ),
        (
            "Recipe: sequence of visited listings, then the listing on offer at the end; add timing codes. Project each to "
            "asker, answerer and content; match askers with answerers, normalise, mix contents; do so for h sets of projections "
            "and join them. Add the input back, normalise, apply a two-layer map to each place; flatten and predict the click."
        ),
        (
            "Imagine a round table where each watched clip, and the clip under judgement too, consults all the others before "
            "stating its own meaning, with several conversations going on in parallel on different subjects. After the talk "
            "each one ponders alone in a small feed-forward layer. What they say at the end, not what they said at the start, "
            "describes the viewer."
        ),
        (
            "Stepping through a log one event at a time is slow and lets distant events fade. We connect all events directly: "
            "any two transactions exchange information in one hop through query-key matching with many heads, and position "
            "codes keep the chronology. The offer whose acceptance is forecast joins the sequence as one more element."
        ),
        (
            "Let S be the matrix whose rows are codes of past reads plus the proposed article, with place codes added. Replace "
            "S by the concatenation over heads of row-softmax of S Wq times S Wk transposed, applied to S Wv; then residual, "
            "normalisation, pointwise network. The rows are events in time, not columns of the table."
        ),
        (
            "The gamer's past sessions are contextualised mutually rather than merely weighed and added. An encoder block "
            "borrowed from machine translation treats sessions as words of a sentence and the game being advertised as the last "
            "word, so that a session's vector comes to reflect which sessions preceded it. Its outputs are passed to dense "
            "layers along with the other attributes."
        ),
        (
            "What a guest booked in spring may explain what she booked in autumn, and both may bear on the room now displayed. "
            "Our behaviour encoder models such links pairwise among all bookings and the room, with several relation types "
            "learned side by side, and returns one refined vector per position of the chain, computed in parallel and not "
            "recurrently."
        ),
    ),
    arguments=(
        Argument(
            "n_layers",
            1,
            (
                "transformer layers",
                "transformer blocks",
                "self-attention blocks",
                "encoder layers",
                "number of transformer layers",
            ),
            low=1,
            high=24,
        ),
        Argument(
            "n_heads",
            2,
            ("attention heads", "number of heads", "number of attention heads", "heads of the transformer"),
            low=1,
            high=64,
        ),
        Argument(
            "max_length", 200, ("maximum sequence length", "maximum length of the sequence", "sequence length"), low=1, high=8192
        ),
    ),
    example="layer = TransformerHistory(history.shape[2], n_layers=2, n_heads=2)\noutput = layer(target, history, mask)",
)


class TransformerHistory(nn.Module):
    """(target (B, D), history (B, L, D), mask (B, L)) -> (B, D); from the target alone for an empty history.

    Positions are counted back from the target, which is position 0; entries older than `max_length` share the last one.
    """

    def __init__(
        self, embedding_dim: int, n_layers: int = 1, n_heads: int = 2, max_length: int = 200, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(max_length + 1, embedding_dim) * INITIAL_STD)
        self.layers = nn.ModuleList(EncoderLayer(embedding_dim, n_heads, dropout) for _ in range(n_layers))
        self.out_dim = embedding_dim

    def forward(self, target: Tensor, history: Tensor, mask: Tensor) -> Tensor:
        length, oldest = history.shape[1], self.positions.shape[0] - 1
        age = torch.arange(length, -1, -1, device=history.device).clamp(max=oldest)  # (L + 1,)
        tokens = torch.cat([history, target.unsqueeze(1)], 1) + self.positions[age]  # (B, L + 1, D)
        real = functional.pad(mask, (0, 1), value=True)  # (B, L + 1)
        for layer in self.layers:
            tokens = layer(tokens, real)
        return tokens[:, -1]  # (B, D)


class EncoderLayer(nn.Module):
    """(tokens (B, L, D), which of them are real (B, L)) -> (B, L, D). A head has D // H columns, at least one."""

    def __init__(self, width: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads, self.head_dim = n_heads, max(1, width // n_heads)
        inner = self.n_heads * self.head_dim
        self.query, self.key, self.value = (nn.Linear(width, inner, bias=False) for _ in range(3))
        self.mix = nn.Linear(inner, width, bias=False)
        self.feed_forward = nn.Sequential(nn.Linear(width, 4 * width), nn.LeakyReLU(), nn.Linear(4 * width, width))
        self.first_norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, real: Tensor) -> Tensor:
        query, key, value = (self._heads(m(tokens)) for m in (self.query, self.key, self.value))  # each (B, H, L, A)
        heads = functional.scaled_dot_product_attention(query, key, value, attn_mask=real[:, None, None, :])  # (B, H, L, A)
        attended = self.mix(heads.transpose(1, 2).flatten(2))  # (B, L, D)
        tokens = self.first_norm(tokens + self.dropout(attended))
        normed: Tensor = self.second_norm(tokens + self.dropout(self.feed_forward(tokens)))
        return normed

    def _heads(self, projected: Tensor) -> Tensor:
        rows, length, _ = projected.shape
        return projected.view(rows, length, self.n_heads, self.head_dim).transpose(1, 2)  # (B, H, L, A)
