"""Graph of fields: each field's vector is a node that hears from all others, for a few rounds, before the fields are combined.

Notation: B rows, F fields, D embedding width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.masked_softmax import masked_softmax

CARD = Card(
    name="feature_graph",
    block="FeatureGraph",
    slot="feature",
    needs=("several_fields",),
    summary="Passes messages for a few rounds between the fields of a row, the nodes of a fully connected graph whose edges "
    "attention weighs, and updates each by a gated recurrent unit.",
    equation="w_ij = softmax_{j != i} leaky_relu(v^T [e_i, e_j]); a_i = sum_{j != i} w_ij A_i B_j h_j + b; h_i' = GRU(a_i, "
    "h_i) + e_i, from h = e, for each round, all rounds with the same weights (Li et al., CIKM 2019, sections 3.4 "
    "and 3.5; without the self-attention before them and the attentional scoring after them, which are blocks of "
    "their own or left to the model)",
    cues=(
        "feature graph",
        "fields as nodes",
        "field as a node",
        "feature fields as nodes",
        "each node corresponds to a feature field",
        "graph of feature fields",
        "fully connected graph of fields",
        "graph neural network over feature fields",
        "message passing between feature fields",
        "message passing among fields",
        "node interactions on the graph",
        "edge weights between feature fields",
        "attentional edge weights",
        "state of each field node",
        "nodes interact with their neighbors and update their states",
        "feature interactions as node interactions",
    ),
    descriptions=(
        "The fields of a row are the nodes of a complete graph, and interactions are modelled by nodes exchanging messages.",
        (
            "Each field node aggregates the transformed states of all other nodes, weighted by learned edges, and updates its "
            "own state."
        ),
        "A gated recurrent unit combines what a field receives from its neighbours with what it was before.",
        "After T rounds of propagation over the field graph, the node states have seen interactions of higher order.",
        (
            "The weight of an edge between two fields comes from attention over their two embeddings, so that it differs from "
            "row to row."
        ),
        "A residual connection adds the initial embedding of a field to its state after every step of the graph network.",
        (
            "We represent the multi-field features of an instance as a graph in which a node stands for a field and any two "
            "nodes are linked. Complex interactions among fields then become interactions among nodes, computed by a graph "
            "neural network whose node states are updated recurrently."
        ),
        (
            "At each step a node gathers state information from its neighbours, multiplied by edge weights that an attention "
            "mechanism assigns to the pair, and by transformations of the sending and the receiving field. The gathered vector "
            "and the old state enter a GRU, and the initial state is added."
        ),
        (
            "Concatenating embeddings gives an unstructured input. We instead arrange the fields in a fully connected graph "
            "and let their representations propagate along weighted edges for several layers, such that the state of each "
            "field after layer t depends on combinations of up to t + 1 fields."
        ),
        (
            "Interactions are made flexible by the edges: for the present instance, the importance of the relation between two "
            "fields is a normalised score of their embeddings. Messages along the edges refine the fields' vectors, which are "
            "handed to the prediction layer."
        ),
        (
            "The columns of an impression hold a conversation. In each round every column listens to all the others, pays more "
            "heed to some, and revises its opinion without forgetting the first thing it said. After a few rounds the revised "
            "opinions are what the click model works with."
        ),
        (
            "A hotel, a city, a season and a guest sit around a table. Each passes a note to each other one; how closely a "
            "note is read depends on who wrote it and who reads it. Everyone then partly rewrites his own card. This happens "
            "three times."
        ),
        (
            "We let h be the matrix of column vectors. Repeat: for each i, a is the weighted sum of the other rows of h, after "
            "linear maps for sender and receiver; row i becomes a gated mix of itself and a, plus the original row. The matrix "
            "keeps its shape."
        ),
        (
            "News fields influence each other in ways that change with the article. Our network computes an adjacency matrix "
            "for each impression from the fields' vectors, sends the vectors across it and merges what arrives by update and "
            "reset gates; the refined vectors replace the raw ones."
        ),
        (
            "Any two attributes of a bank customer may modify each other's meaning. A vertex is put for each attribute, edges "
            "are scored by a small attention function, and vertex states are revised by a recurrent cell fed with the "
            "neighbourhood's weighted total. The diagonal is excluded: no vertex writes to itself."
        ),
        (
            "Rather than multiplying vectors pairwise, we diffuse them. A game's genre vector leaks into the player's age "
            "vector and the other way round, at rates that the two vectors settle themselves. Gates keep the diffusion from "
            "washing everything out."
        ),
        (
            "The refinement takes F vectors in and gives F vectors out. Inside, F recurrent cells with common weights run for "
            "as many ticks as wished, and the input of a cell at a tick is a convex combination of the projected states of the "
            "other cells."
        ),
        (
            "Like rumours in a village where everybody knows everybody, facts about track, artist and listener spread from "
            "house to house. Each house believes some neighbours more than others, keeps its own first story at hand, and "
            "after a few evenings knows how its story fits with the rest."
        ),
        (
            "Higher orders come from iteration: after one exchange a slot's vector knows of pairs, after two of triples. The "
            "exchange runs on a dense graph over the slots of one request, not on a graph of users and items, and its link "
            "strengths are recomputed for every request."
        ),
        (
            "An app's category means something else to a teenager than to a commuter. By letting the two columns send each "
            "other learned signals, we obtain vectors in which each column has absorbed its surroundings. A memory cell with "
            "gates decides how much is absorbed per round."
        ),
        (
            "Engineering view: one attention matrix per row (F by F, zero on the diagonal), one batched product per round for "
            "what neighbours send, one GRU cell applied to all row-column states at once, one skip connection from the "
            "embeddings. Cost is quadratic in the number of columns."
        ),
        (
            "Sender and receiver matter separately: the signal of column j is first encoded by j's matrix and then decoded by "
            "i's before it is scaled by the strength of the tie. Summed signals drive the recurrent revision of column i's "
            "state."
        ),
        (
            "For the shop's search ads we treat a request as a tiny social network of its properties. The ties are soft and "
            "directed. Properties update their profile from the profiles of those they are tied to, and the profiles of the "
            "last iteration enter the predictor."
        ),
        (
            "Places, times and visitors form a clique whose members are adjusted jointly. One adjustment replaces the member's "
            "vector by a gated blend of the old vector and the attention-weighted news from all other members, and re-adds the "
            "vector it started from."
        ),
    ),
    arguments=(
        Argument(
            "n_rounds",
            3,
            ("propagation steps", "message passing steps", "interaction steps", "rounds of message passing", "graph layers"),
            low=1,
            high=12,
        ),
    ),
    example="layer = FeatureGraph(fields.shape[1], fields.shape[2], n_rounds=2)\noutput = layer(fields)",
)


class FeatureGraph(nn.Module):
    """(B, F, D) -> (B, F, D). Each field has a matrix for what it sends and one for what it receives."""

    others: Tensor

    def __init__(self, n_fields: int, embedding_dim: int, n_rounds: int = 3) -> None:
        super().__init__()
        self.n_rounds = n_rounds
        self.register_buffer("others", ~torch.eye(n_fields, dtype=torch.bool), persistent=False)  # (F, F)
        self.of_receiver, self.of_sender = (nn.Linear(embedding_dim, 1, bias=False) for _ in range(2))  # the halves of v
        scale = embedding_dim**-0.5
        self.send, self.receive = (nn.Parameter(torch.randn(n_fields, embedding_dim, embedding_dim) * scale) for _ in range(2))
        self.bias = nn.Parameter(torch.zeros(embedding_dim))
        self.update = nn.GRUCell(embedding_dim, embedding_dim)

    def forward(self, fields: Tensor) -> Tensor:
        edges = self.edges(fields)  # (B, F, F)
        state = fields
        for _ in range(self.n_rounds):
            sent = torch.einsum("bfd,fde->bfe", state, self.send)  # (B, F, D)
            received = torch.einsum("bfd,fde->bfe", edges @ sent, self.receive) + self.bias  # (B, F, D)
            state = self.update(received.flatten(0, 1), state.flatten(0, 1)).view_as(fields) + fields
        return state

    def edges(self, fields: Tensor) -> Tensor:
        """How much each field (row) heeds each other one (column): (B, F, F), rows sum to 1, zeros on the diagonal."""
        scores = functional.leaky_relu(self.of_receiver(fields) + self.of_sender(fields).transpose(1, 2))  # (B, F, F)
        return masked_softmax(scores, self.others)
