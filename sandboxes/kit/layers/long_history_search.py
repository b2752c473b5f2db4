"""Search in a long history: the few behaviours most similar to the target are kept, and attended to.

Notation: B rows, L history length, D embedding width, R width of the search space, k behaviours kept.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.masked_softmax import masked_softmax
from sandboxes.kit.layers.most_similar import agreement, most_similar

CARD = Card(
    name="long_history_search",
    block="LongHistorySearch",
    slot="history",
    needs=("history", "target_item"),
    summary="Keeps the behaviours that are most similar to the target by inner products in a search space, and attends to these.",
    equation="r_i = (A v)^T (A e_i) / sqrt(R); S = the k largest r_i; [sum_{i in S} softmax_S((Q v)^T (K e_i) / sqrt(D)) e_i, "
    "sum_i softmax(r_i) e_i], the second part to train the search by (Pi et al., CIKM 2020, section 3, soft search and attention,"
    " both in one vector and under one loss)",
    cues=(
        "general search unit",
        "exact search unit",
        "search-based interest",
        "search over behaviors",
        "lifelong behavior search",
        "top-k behaviors",
        "top-k similar behaviors",
        "top-k relevant behaviors",
        "most similar behaviors",
        "retrieve relevant behaviors",
        "behavior retrieval",
        "retrieved behaviors",
        "two-stage cascaded search",
        "hashing of behaviors",
        "the k behaviors most similar to the target",
        "behaviors are selected by inner product with the target",
    ),
    descriptions=(
        (
            "Of a long behaviour sequence, only the k behaviours most similar to the target are kept, and attention is computed "
            "over these."
        ),
        (
            "A search unit scores all behaviours by an inner product with the candidate and passes the top ones to a finer "
            "attention unit."
        ),
        "Hard selection of the most relevant behaviours makes the cost of attention independent of the length of the history.",
        "The full history is searched with the target item as the query, and the rest is discarded.",
        "Two stages are used: a coarse retrieval from the lifelong history, then exact attention over what was retrieved.",
        "The user's thousands of behaviours are cut down to the few that concern the candidate.",
        (
            "A two-stage cascade handles lifelong behaviour sequences. The first unit computes relevance scores between the "
            "candidate and each behaviour by the dot product of their projected embeddings and selects the top-K, which form a "
            "sub-sequence; the second unit models the exact relation of the candidate and this sub-sequence by attention."
        ),
        (
            "Since attention over tens of thousands of behaviours is infeasible online, we retrieve from the sequence the K "
            "behaviours with the largest inner product with the target in a low-dimensional search space, and apply target "
            "attention to the retrieved behaviours only."
        ),
        (
            "Target attention spends most of its effort on irrelevant behaviours. We therefore filter the long sequence by "
            "maximum inner product with the query item, keep a fixed budget of behaviours, and summarise these with weights "
            "from a softmax, trained end to end."
        ),
        (
            "The search stage reduces sequence length from the order of 10,000 to the order of 100. It compares short codes of "
            "the behaviours with the code of the ad, for instance by dot products or Hamming distance of hashed vectors, and "
            "what survives enters multi-head attention."
        ),
        (
            "A librarian does not reread the whole shelf when a reader asks about one book. She runs her finger along the "
            "spines, pulls out the dozen that resemble it most, and only these are opened and weighed against the request."
        ),
        (
            "All plays since the account was opened are ranked by how well they agree with the track in question; everything "
            "below place thirty is cut off. Over the thirty that are left, weights that sum to one are computed anew, and their "
            "weighted mean represents the listener in this respect."
        ),
        (
            "In formulas: r_i = (A v)'(B e_i) for every past booking i; S holds the k largest r_i; output = sum over S of "
            "softmax(r_i + fit_i) e_i. Bookings outside S contribute nothing at all, and receive no gradient either."
        ),
        (
            "The bank keeps each customer's payments of eight years. Scoring an offer, we let it pick its witnesses: the "
            "payments nearest to it in a small comparison space. The others are sent home, and the witnesses are heard in "
            "detail by a second, more expensive comparison."
        ),
        (
            "The event store is scanned with a cheap key, a vector of eight numbers per event. The scan returns identifiers of "
            "the best-matching events for the app to be ranked, up to a fixed number; the costly comparison network is run on "
            "these and on nothing else, so latency does not grow with loyalty."
        ),
        (
            "Most of what a traveller ever looked at has no bearing on the flat on offer, and averaging it in only blurs the "
            "picture. A sharp cut, not a soft weight, removes it: the flat's nearest neighbours among the traveller's past "
            "views stay, the rest vanish."
        ),
        (
            "Like a court that admits only the evidence which concerns the case, the model admits from a player's endless log "
            "the sessions closest to the game at stake, a set number of them, before any deliberation begins."
        ),
        (
            "The list of read articles is sorted by closeness to the candidate article and truncated. Because truncation has no "
            "derivative, the closeness scores of the articles that remain are added to their attention scores, by which the "
            "space of closeness is learnt together with the click loss."
        ),
        (
            "Not the latest fifty purchases, which happen to be recent, but the best-matching fifty out of five thousand are "
            "handed to the attention layer. Which ones match is recomputed for each product under consideration, by products of "
            "compressed vectors."
        ),
        (
            "First a sieve, then a scale. The sieve has a mesh that depends on the restaurant: of all past orders it holds back "
            "the twenty most akin to it. The scale weighs those twenty against the restaurant, and their weighted sum goes to "
            "the final layers."
        ),
        (
            "The memory of a heavy user is treated as a database, the candidate as a query, and a nearest-neighbour lookup as "
            "the first layer of the network. Its answers, always equally many, are what the deeper layers see of the user's "
            "past."
        ),
        (
            "Our latency budget allows attention over sixty-four clips, but viewers have watched thousands. A selection by "
            "similarity to the clip under consideration fills the sixty-four places; a viewer with fewer clips leaves places "
            "empty, and these get no weight."
        ),
        (
            "A sub-sequence specific to the candidate ad is carved out of the lifelong log. Carving means: compute the "
            "agreement of every entry with the ad, keep the highest few in a hard manner, forget about the entries' order, and "
            "attend."
        ),
        (
            "For each place to be recommended the visitor's check-ins of all years compete for a small number of seats. A quick "
            "similarity decides who gets one; those seated are consulted at length about the place."
        ),
    ),
    arguments=(
        Argument(
            "top_k",
            20,
            (
                "number of retrieved behaviors",
                "retrieved behaviors",
                "top-k behaviors",
                "number of behaviors kept",
                "length of the retrieved sub-sequence",
            ),
            low=1,
            high=4096,
        ),
        Argument("search_dim", 8, ("dimension of the search space", "search embedding size"), low=1, high=1024),
    ),
    example="layer = LongHistorySearch(history.shape[2], top_k=3, search_dim=2)\noutput = layer(target, history, mask)",
)


class LongHistorySearch(nn.Module):
    """(target (B, D), history (B, L, D), mask (B, L)) -> (B, 2 D); zeros for an empty history.

    The first half is fine attention over the k behaviours kept, whose cost does not grow with the history. To keep or not has no
    gradient; so the second half is the whole history under the search's own coarse weights, through which the search learns.
    """

    def __init__(self, embedding_dim: int, top_k: int = 20, search_dim: int = 8) -> None:
        super().__init__()
        self.top_k = top_k
        self.search = nn.Linear(embedding_dim, search_dim, bias=False)
        self.query, self.key = (nn.Linear(embedding_dim, embedding_dim, bias=False) for _ in range(2))
        self.out_dim = 2 * embedding_dim

    def forward(self, target: Tensor, history: Tensor, mask: Tensor) -> Tensor:
        found = agreement(self.search(target), self.search(history))  # (B, L)
        coarse = torch.einsum("bl,bld->bd", masked_softmax(found, mask), history)
        kept, real, _ = most_similar(found, history, mask, self.top_k)  # (B, k, D), (B, k)
        shares = masked_softmax(agreement(self.query(target), self.key(kept)), real)  # (B, k)
        return torch.cat([torch.einsum("bk,bkd->bd", shares, kept), coarse], 1)
