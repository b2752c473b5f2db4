"""Scores of items by how near they are to those of the query's history, in the graph of who took what.

Notation: B rows, L history length, I ids of the target item, K neighbours of an item.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.co_occurrence import taken_along
from sandboxes.kit.layers.table import Table
from sandboxes.kit.schema import PADDING_ID, Schema

CARD = Card(
    name="item_neighbours",
    block="ItemNeighbours",
    slot="item_scores",
    takes=("batch",),
    needs=("items", "user", "history"),
    summary="Scores an item by its similarity to the items of the history, counted from who took both with popularity "
    "discounted; recent items weigh more.",
    equation="s(q, i) = exp(c) sum_l r^(steps back of l) w(i, h_l) + b_i, w(i, j) = sum_u a_ui a_uj / d_u^g / (d_i^(1 - p) "
    "d_j^p), the K largest of each j (Zhou et al., PNAS 2010, eq. 3; Deshpande and Karypis, ACM TOIS 2004, section 4)",
    cues=(
        "item-based nearest neighbours",
        "item-based collaborative filtering",
        "item-to-item collaborative filtering",
        "neighborhood-based",
        "neighbourhood-based",
        "item-knn",
        "session-based knn",
        "k-nearest-neighbor approach",
        "nearest neighbors approach",
        "heat conduction",
        "mass diffusion",
        "diffusion-based similarity",
        "similarity between items in the bipartite network",
        "co-occurrence similarity of items",
        "cosine similarity between item columns",
        "resource allocation on the bipartite graph",
    ),
    descriptions=(
        "Candidates are scored by their similarity to the items that the user interacted with.",
        "Two items are similar if the same users or sessions contain both.",
        "Only the k most similar items of each item are kept.",
        "Similarity is corrected for the popularity of both items, with an adjustable exponent.",
        "More recent clicks of the session receive larger weights when neighbours are accumulated.",
        "A resource placed on the items of a user spreads to users and back to other items.",
        (
            "We propose a nearest-neighbour method in which the similarity of two items is computed by a diffusion process on "
            "the session-item bipartite network. A hybrid parameter tunes between heat conduction and mass diffusion and thereby "
            "between diversity and accuracy."
        ),
        (
            "For each item, the cosine between its column of the interaction matrix and all others is precomputed, and the top k "
            "are stored. At recommendation time, the lists of the items in the user's profile are merged by summing."
        ),
        (
            "Simple neighbourhood methods remain strong baselines against recurrent networks. The score of a candidate is the "
            "sum, over items in the current session, of its co-occurrence similarity weighted by a decay of the item's position."
        ),
        (
            "To reduce the influence of very active users and of very popular items, each co-occurrence is divided by a power of "
            "the degrees of the nodes on its path."
        ),
        (
            "Nothing is embedded. We count how often two tracks end up on the same listener's shelf, shrink the count for tracks "
            "everyone owns, and let each track recently heard vote for its companions."
        ),
        (
            "In our shop, whoever views a kettle is shown what other viewers of that kettle viewed. The table behind it lists "
            "fifty companions per product with a strength; a visit adds up the rows of the products viewed, the last one "
            "counting most."
        ),
        (
            "Pour one litre of water on every museum already visited. Each museum divides it among its visitors, each visitor "
            "among the museums of her diary. Where much water arrives, we send the tourist next. Dividing at the receiving end "
            "instead of the sending end favours the little known ones."
        ),
        (
            "The formula has three knobs: how strongly the source's popularity is divided out, how strongly the target's, and "
            "how quickly old visits fade. All else is counting over the log."
        ),
        (
            "An article is relevant if it was opened along with the articles just opened, by people with few openings in "
            "particular. Long reading histories say little about any pair and are damped accordingly."
        ),
        (
            "Instead of training vectors, the retrieval stage of the app store looks up, for every app on the phone, the "
            "apps that share most owners with it, and sums these lists, newest installs first."
        ),
        (
            "The model is memory rather than weights: a sparse matrix of games by games, filled by shared players, and a "
            "vector of the player's own games by which it is multiplied. One temperature is fitted so that scores can act as "
            "logits."
        ),
        ("Terse version: W = normalised A-transpose-A, prune rows to k, score = W times decayed basket."),
        (
            "Customers of the bank who hold a fund also hold others. These joint holdings, relative to how common each fund is, "
            "yield a ranked list per fund, from which recommendations to holders are assembled with an explanation at hand: "
            "because you hold this one."
        ),
        (
            "For an ad session we gather, without any gradient descent, what co-appeared with its clicks in other sessions. A "
            "hub that appears everywhere is pulled down by an exponent, so that niche offers have a chance."
        ),
        (
            "We compute for each couple of products an affinity from the purchase matrix alone: the number of baskets holding "
            "both, divided by powers of how often each is sold. A product is then ranked by the total affinity to what the "
            "customer recently put into the basket, with weights decreasing from the newest backwards."
        ),
        (
            "Our method requires no latent vectors. On the two-mode network of listeners and tracks, one unit of a substance "
            "is released at the tracks played, flows to their listeners in equal parts and back to tracks; an exponent "
            "interpolates between conserving the substance and averaging it, trading accuracy for novelty."
        ),
        (
            "The proposed scorer stores for every article a truncated list of kindred articles with strengths, obtained by "
            "counting common readers. Scores of unseen articles result from adding up the lists of articles in the present "
            "session, discounted by how many steps ago each was opened."
        ),
        (
            "We revisit a memory-based technique and show that, with a suitable normalisation of co-visits for busy visitors "
            "and for blockbusters, it competes with deep sequence encoders. Its ingredients are a sparse product-to-product "
            "matrix, a cut to the strongest entries in each row, and a geometric fading over the session."
        ),
        (
            "Since users with huge logs link practically everything with everything, the contribution of each user to a "
            "couple of films is divided by a power of that user's degree. The popularity of the first and the second film is "
            "divided out with exponents that sum to one, tuned on validation data."
        ),
        (
            "In our pipeline, candidate generation multiplies the sparse vector of a person's past choices by a sparse "
            "affinity matrix. The matrix is the normalised Gram matrix of the interaction table, sparsified per row; neither "
            "factorisation nor backpropagation is carried out, except for one overall scale."
        ),
        (
            "We explain every recommendation by the items that caused it: the score of a course decomposes additively into "
            "contributions of courses taken before, each contribution being the share of students who took both, corrected "
            "for how general either course is."
        ),
        (
            "People who went to this concert also went to: that list, computed for all concerts from ticket sales, is the "
            "whole model. For a buyer we merge the lists of the concerts attended, giving last month's a bigger say than last "
            "year's."
        ),
        (
            "Deep rival: learns a vector per place and compares by dot product. Ours: looks in the log, how many persons "
            "checked in at both places, tones it down for railway stations where everyone checks in, and adds such numbers "
            "over the recent check-ins. Counting replaces training."
        ),
        (
            "Word of mouth in a village: each shop you visit asks its other customers where else they go, talkative customers "
            "are listened to less, and the shops named are ranked by how often they were named, famous shops being marked "
            "down. The shops you visited today ask loudest."
        ),
        (
            "Reviewer's summary: a classical collocation-based baseline with two-step random-walk normalisation. Similarities "
            "are between columns of the user-item table, the profile is the query, top-K pruning keeps it fast, and recency "
            "weighting adapts it to sessions."
        ),
        (
            "Score of j equals the sum, over events h in the log, of rho to the age of h times S(h, j); S(h, j) equals the "
            "sum over persons holding both of one over the person's count, divided by count(h) to the p times count(j) to the "
            "one minus p; small S are set to zero."
        ),
        (
            "For job ads we use the overlap of their applicants. Two ads with sixty common applicants out of a hundred are "
            "close, two with sixty out of ten thousand are not. An applicant's own last few applications point, through this "
            "closeness, to further ads; no text and no gradient is needed."
        ),
        (
            "The recommender of our game shop can be rebuilt with a single join and group-by: ownership table with itself on "
            "owner, count by game pair, divide by popularity, keep the best hundred per game. At request time the player's "
            "library is joined with the result and summed up."
        ),
    ),
    arguments=(
        Argument(
            "n_neighbours",
            100,
            ("number of neighbors", "number of neighbours", "neighborhood size", "neighbourhood size", "k nearest neighbors"),
            low=1,
            high=10000,
        ),
        Argument(
            "spread",
            0.5,
            ("hybridisation parameter", "hybridization parameter", "hybrid parameter", "heat conduction parameter"),
            low=0.0,
            high=1.0,
        ),
        Argument("damping", 1.0, ("exponent of the user degree", "damping of active users"), low=0.0, high=2.0),
        Argument("recency", 0.9, ("recency decay", "decay factor of positions", "time decay factor"), low=0.01, high=1.0),
    ),
    example="layer = ItemNeighbours(schema, n_neighbours=5)\nlayer.meet(collection)\noutput = layer(batch)",
)


class ItemNeighbours(nn.Module):
    """(batch) -> (B, I): the sum over the histories' items of their similarity to each item, times a learned factor, plus a
    learned number of the item's own, which is all there is where a history is empty or shares nothing.

    An item of a history weighs `recency` to the power of its steps back from the last. `spread` and `damping` are those of
    `taken_along`. Only histories of the target item are read. Similarities are counted when the block meets the collection, and
    are served as they are; a training row's own event is among what was counted, which makes the factor somewhat too bold.
    """

    neighbours: Tensor  # (I, K) of every item
    similarity: Tensor  # (I, K), where the nearest ones' are 1 on the average

    def __init__(
        self, schema: Schema, n_neighbours: int = 100, spread: float = 0.5, damping: float = 1.0, recency: float = 0.9
    ) -> None:
        super().__init__()
        assert schema.user is not None
        self.n_users = schema.categorical[schema.index_of(schema.user)].cardinality
        self.names = [s.name for s in schema.sequences if s.of == schema.target_item]
        self.spread, self.damping, self.recency = spread, damping, recency
        shape = schema.n_items, min(n_neighbours, schema.n_items)
        self.register_buffer("neighbours", torch.zeros(shape, dtype=torch.int64))
        self.register_buffer("similarity", torch.zeros(shape))
        self.log_factor = nn.Parameter(torch.zeros(1)) if self.names else None
        self.bias_table = Table(schema.n_items, 1)

    def meet(self, collection: Collection) -> None:
        n_items, n_neighbours = self.neighbours.shape
        ids, similarity = taken_along(collection.events, self.n_users, n_items, n_neighbours, self.spread, self.damping)
        nearest = similarity[:, 0]
        self.neighbours.copy_(ids)
        self.similarity.copy_(similarity / nearest[nearest > 0].mean().nan_to_num(nan=1.0))

    def forward(self, batch: Batch) -> Tensor:
        every = torch.arange(len(self.neighbours), device=batch.device)
        scores: Tensor = self.bias_table(every).T.expand(len(batch), -1)  # (B, I)
        if self.log_factor is None:
            return scores
        near = torch.stack([self._near(batch.history[name]) for name in self.names]).sum(0)
        return scores + self.log_factor.exp() * near

    def _near(self, history: Tensor) -> Tensor:
        """(B, L) -> (B, I)"""
        back = torch.arange(history.shape[1] - 1, -1, -1, device=history.device)
        weight = self.recency**back * (history != PADDING_ID)  # (B, L)
        told = weight[:, :, None].to(self.similarity.dtype) * self.similarity[history]  # (B, L, K)
        none = told.new_zeros(len(history), len(self.neighbours))
        return none.scatter_add(1, self.neighbours[history].flatten(1), told.flatten(1))
