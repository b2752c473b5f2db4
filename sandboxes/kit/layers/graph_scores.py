"""Scores of items by vectors of users and items that were smoothed over the graph of who took what.

Notation: B rows, U ids of the user field, I ids of the target item, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.graph_propagation import GraphPropagation
from sandboxes.kit.layers.table import Table
from sandboxes.kit.schema import Schema

INITIAL_STD = 0.1  # the mean over layers shrinks vectors, and products of two of them even more

CARD = Card(
    name="graph_propagation",
    block="GraphScores",
    slot="item_scores",
    takes=("batch",),
    needs=("items", "user"),
    summary="Averages the vectors of users and items over their neighbours in the graph of interactions, layer by layer, and "
    "scores by their product.",
    equation="e_u^(k+1) = sum_i e_i^(k) / sqrt(d_u d_i) over what u took, e_i likewise; the mean over layers 0..K; s(u, i) = "
    "e_u . e_i (He et al., SIGIR 2020, eq. 3, 4, 7)",
    cues=(
        "light graph convolution",
        "graph convolution on the user-item graph",
        "graph convolution network",
        "graph convolutional network",
        "graph neural network",
        "user-item bipartite graph",
        "user-item interaction graph",
        "bipartite graph of users and items",
        "propagates embeddings on the graph",
        "embedding propagation",
        "neighborhood aggregation",
        "neighbourhood aggregation",
        "message passing between users and items",
        "high-order connectivity",
        "aggregates the embeddings of neighbors",
        "symmetrically normalised adjacency",
        "graph collaborative filtering",
        "gnn encoder",
    ),
    descriptions=(
        "Embeddings of users and items are propagated over the bipartite graph of their interactions.",
        "A node's vector at the next layer is the normalised sum of its neighbours' vectors at this layer.",
        "The final embedding averages what all propagation layers gave.",
        "Neither feature transformations nor nonlinearities are used in the graph convolution.",
        "High-order neighbours inform the representation of a user through stacked aggregation layers.",
        "A user is described by the items interacted with, and these by the users who interacted with them.",
        (
            "We build a user-item interaction graph from the training data and perform K layers of neighbourhood aggregation "
            "with symmetric normalisation. The embeddings of all layers are combined by a weighted sum, and the preference "
            "score is the inner product of the user's and the item's final embeddings."
        ),
        (
            "Graph neural networks capture collaborative signals of higher order. Our encoder passes messages between users "
            "and items along observed edges and reads out node representations after three rounds."
        ),
        (
            "Multiplying the embedding matrix by the normalised adjacency matrix several times smooths it over the graph; "
            "nothing but the embeddings at the bottom layer is trained."
        ),
        (
            "The graph encoder is a simplified convolution: messages from adjacent nodes, each divided by the root of both "
            "degrees, are summed, without weight matrices in between."
        ),
        (
            "Who listens to the same songs becomes alike. In every round a listener takes over a share of the vectors of her "
            "songs and each song a share of those of its listeners; popular songs share out less to each."
        ),
        (
            "Think of readers and books as knots of a net. A pull at one knot is felt at the next, weaker at the one after. "
            "We let three such waves run before we compare a reader with a book."
        ),
        (
            "Let A be the table of purchases, rows scaled and columns scaled by the inverse root of their sums. New customer "
            "vectors are A times product vectors, new product vectors are the transpose of A times customer vectors; the "
            "outcome is the average of the sequence of such vectors."
        ),
        (
            "A guest with two stays has little to tell. Hotels she stayed in have many guests, who stayed elsewhere too; by "
            "walking there and back along the bookings, her description is filled up by that of others."
        ),
        (
            "Each app collects the descriptions of the people that installed it, divides by how sociable they are, and adds "
            "up. Then people collect from apps. Repeat. Only the descriptions before the first round are parameters."
        ),
        (
            "Collaborative information lies in paths: from a player to a game, from it to another player, and on to what she "
            "plays. Vectors that travel along these paths bring it home, with weights that depend on how many links each "
            "station has."
        ),
        (
            "The encoder for tracks and accounts has no layers in the usual sense. What happens between one depth and the "
            "next is a sparse matrix product with the links of the log, and the depths are averaged at the end."
        ),
        (
            "Cold restaurants borrow from warm ones that share customers. The borrowing goes over one hop, two hops and three "
            "hops of the order network and is the same linear smoothing at each."
        ),
        (
            "Places visited by one traveller are tied together through him. We spread every place's embedding to its visitors "
            "and every visitor's to the places, normalised by the number of ties at both ends."
        ),
        (
            "A client's representation is thus a blend of herself, of the funds she holds, of the holders of these funds, and "
            "so on, obtained by repeatedly averaging along holdings."
        ),
    ),
    arguments=(
        Argument(
            "n_layers",
            3,
            ("propagation layers", "graph convolution layers", "number of gnn layers", "aggregation layers", "number of hops"),
            low=1,
            high=8,
        ),
    ),
    example="layer = GraphScores(schema, 8, n_layers=2)\nlayer.meet(collection)\noutput = layer(batch)",
)


class GraphScores(nn.Module):
    """(batch) -> (B, I): a user's propagated vector times every item's. The schema names the user.

    It must `meet` the collection before there is a graph; a served one has the vectors that were last propagated.
    """

    final_users: Tensor  # (U, D), as last propagated
    final_items: Tensor  # (I, D)

    def __init__(self, schema: Schema, embedding_dim: int, n_layers: int = 3) -> None:
        super().__init__()
        assert schema.user is not None
        self.user_column = schema.index_of(schema.user)
        n_users, n_items = schema.categorical[self.user_column].cardinality, schema.n_items
        self.user_table, self.item_table = (Table(n, embedding_dim, INITIAL_STD) for n in (n_users, n_items))
        self.propagation = GraphPropagation(n_layers)
        self.register_buffer("final_users", torch.zeros(n_users, embedding_dim))
        self.register_buffer("final_items", torch.zeros(n_items, embedding_dim))

    def meet(self, collection: Collection) -> None:
        self.propagation.connect(collection.events, len(self.final_users), len(self.final_items))
        self._keep(*self.nodes())

    def forward(self, batch: Batch) -> Tensor:
        users, items = self.vectors(batch)
        return users @ items.T  # (B, I)

    def vectors(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Of the batch's users (B, D) and of all items (I, D)."""
        if not self.propagation.connected:
            return self.final_users[batch.ids[:, self.user_column]], self.final_items
        users, items = self.nodes()
        if not self.training:
            self._keep(users, items)
        return users[batch.ids[:, self.user_column]], items

    def nodes(self) -> tuple[Tensor, Tensor]:
        """Of all users (U, D) and all items (I, D), propagated over the graph, which there must be."""
        users, items = self.propagation(self.user_table.weight, self.item_table.weight)
        return users, items

    @torch.no_grad()
    def _keep(self, users: Tensor, items: Tensor) -> None:
        """For a served model, which has no graph."""
        self.final_users.copy_(users)
        self.final_items.copy_(items)
