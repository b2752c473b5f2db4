"""Scores of items by vectors smoothed over two kinds of edges: who took what, and which items are alike.

Notation: B rows, I ids of the target item, K neighbours of an item by content.
"""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.content_neighbours import alike
from sandboxes.kit.layers.graph_scores import GraphScores
from sandboxes.kit.schema import Schema

CARD = Card(
    name="content_graph",
    block="ContentGraph",
    slot="item_scores",
    takes=("batch",),
    needs=("items", "user"),
    summary="Propagates vectors over the graph of interactions enriched with edges between items of similar content, and scores "
    "by their product.",
    equation="e_i^(k+1) = (1 - w) sum_u e_u^(k) / sqrt(d_u d_i) + w sum_j c_ij e_j^(k) / sqrt(c_i c_j) over the K items j "
    "nearest in content, users as without them; the mean over layers (He et al., SIGIR 2020, eq. 3; item graph of content: Zhang "
    "et al., MM 2021, section 3)",
    cues=(
        "content-enriched graph",
        "content filtering enriched",
        "content-based edges",
        "edges between items with similar content",
        "content similarity graph",
        "item-item semantic graph",
        "item-item content graph",
        "item-item structures from content",
        "latent item-item structure",
        "k-nearest-neighbor item graph",
        "knn graph of item features",
        "collaborative and content filtering information",
        "content filtering in the graph",
        "semantic neighbors of items",
        "modality-aware item graph",
        "augments the interaction graph with content similarity",
    ),
    descriptions=(
        "The interaction graph is enriched with edges between items whose content is similar.",
        "Messages flow along interactions and along content similarity alike.",
        "Each item is connected to its k nearest neighbours in feature space before graph convolution.",
        "Items that nobody has taken yet receive messages from items that resemble them.",
        "Propagation mixes collaborative neighbours with semantic neighbours.",
        "An item-item graph mined from images and texts complements the user-item graph.",
        (
            "Graph-based recommenders capture collaborative signals only. To include content filtering, we link news articles "
            "whose text representations are close and run the graph neural network over both kinds of links, which alleviates "
            "the sparsity of interactions."
        ),
        (
            "We build a k-nearest-neighbour graph over items from the cosine similarity of their multimodal features, normalise "
            "it symmetrically, and perform light convolutions on it in addition to those on the user-item graph."
        ),
        (
            "Besides edges given by clicks, two products share an edge when they agree on brand or category. The neighbourhood "
            "aggregation of a product thus averages the vectors of its buyers and those of products with equal attributes, "
            "balanced by a coefficient."
        ),
        (
            "The latent structure among items is fixed before training: only the strongest similarities of raw features are "
            "retained. Aggregation along it makes representations of semantically related items close, even for long-tail ones."
        ),
        (
            "A song without listeners is an island in most networks of taste. Here it has bridges to songs of similar sound, "
            "so that what is known of them reaches it, in as many hops as there are layers."
        ),
        (
            "Picture a town with two sorts of streets, one built by visitors' feet, one by the architect between buildings of "
            "the same style. Every evening each building repaints itself in the average colour of where its streets lead."
        ),
        (
            "Engineering: two sparse matrices are multiplied in each layer, users by apps from the install log and apps by apps "
            "from store descriptions; the second product is weighted by one half and added to the first."
        ),
        (
            "Popular stories dominate what clicks alone can propagate. Links between stories on the same topic carry part of "
            "each story's message sideways, past the readers, and give niche stories a voice."
        ),
        (
            "In words: the next vector of a hotel is a weighted mean of two sums, one over its guests, one over hotels with the "
            "most similar photographs. Guests are updated from hotels only."
        ),
        (
            "For funds held by few customers we let the prospectus help. Funds with neighbouring prospectuses are wired together "
            "in the same network that wires customers to holdings, and smoothing runs through all wires at once."
        ),
        (
            "We do not feed attributes into the vectors. Attributes decide who is next to whom: sharing a rare attribute draws a "
            "line between two games, and along these lines as well as along purchases vectors are averaged."
        ),
        (
            "The adjacency has a block that is usually zero, that of items by items. We fill it with truncated similarities of "
            "their embeddings from a frozen encoder and leave the rest of the recipe, linear averaging and a final mean, as it "
            "is."
        ),
        (
            "What an ad shows and who reacted to it are two views of kinship. Joining both into one web before diffusion lets a "
            "fresh ad inherit its audience from ads with like creatives."
        ),
        (
            "A place is known by its visitors, and, failing visitors, by places of its kind. Both are neighbours to our layers, "
            "the former through check-ins, the latter through shared tags and nearby text vectors."
        ),
        (
            "We extend the bipartite network of listeners and tracks by track-to-track links, each track being wired to those "
            "with the closest audio encodings, and smooth embeddings linearly over both link types; the dot product of the "
            "smoothed listener and track gives the score."
        ),
        (
            "Our model lets information travel from a video to its semantic nearest neighbours as well as to its viewers. In "
            "each hop a video's new vector is a convex combination of the normalised sum over viewers and the normalised sum "
            "over lookalikes."
        ),
        (
            "The proposed message passing operates on a heterogeneous adjacency: one block holds purchases, another a "
            "sparsified cosine matrix of product descriptions. Goods without sales thereby obtain meaningful representations "
            "from described kin."
        ),
        (
            "Before, a freshly posted vacancy had degree nought in the application network and kept its random vector. Now text "
            "similarity gives it k links to older vacancies, through which what applicants taught the older ones flows in."
        ),
        (
            "Think of gossip. Courses hear about themselves from the learners who took them, and in addition from courses with "
            "a similar syllabus; after three rounds of passing on, everyone's opinion is averaged over rounds and learners are "
            "matched to courses by product."
        ),
        (
            "Reviewer's summary: a light graph recommender without weight matrices, to which the authors add precomputed item "
            "relations found in feature space, mixed in with a fixed proportion. Features themselves never enter as inputs; "
            "they only define who exchanges messages with whom."
        ),
        (
            "We address the sparsity of tickets sold by densifying the network: each show gains links to its ten most alike "
            "shows according to genre, venue and a frozen text vector, weighted by the likeness and degree-normalised, and "
            "propagation over sales and likeness proceeds simultaneously."
        ),
        (
            "Read aloud: e of item at hop k plus one is one minus omega times what its takers send, plus omega times what its "
            "content neighbours send; takers listen to items only; all hops are averaged; score is user times item."
        ),
        (
            "Co-consumption says that two recipes please the same people, ingredients say that they are the same sort of dish. "
            "By drawing lines for both in one diagram and letting embeddings diffuse along all lines, our recommender gets the "
            "hybrid effect without any feature tower."
        ),
        (
            "Homophily among items is put in by hand. We search, once, for every restaurant's nearest restaurants by menu and "
            "photos, freeze the resulting links, and let convolution run over diners' visits and these links together."
        ),
        (
            "Dating profiles with few admirers borrow from profiles of like wording. The borrowing is structural: an additional "
            "relation between profiles takes part in neighbourhood aggregation on the liker-liked network, alongside the likes."
        ),
        (
            "Engineer's note: build the item affinity matrix with faiss top-10 over concatenated brand one-hots and sentence "
            "vectors, row-scale, keep it constant; at each layer compute R^T U and S I, blend half and half; no nonlinearities; "
            "average layers; rank by inner product."
        ),
        (
            "Collaborative wires reach only apps that somebody installed. We lay a second set of wires from each app to the "
            "ones whose store page reads most like its own, so that the signal can make detours around missing installs."
        ),
        (
            "Our approach injects side information as topology. Maps of a city's shops are joined where categories and "
            "descriptions coincide, visitors are joined to shops where they went, and one parameter says what share of a shop's "
            "incoming signal stems from its peers rather than from its visitors."
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
        Argument(
            "n_similar",
            10,
            ("number of nearest items", "neighbors in the knn graph", "content neighbors per item", "top-k similar items"),
            low=1,
            high=1000,
        ),
        Argument(
            "content_share",
            0.5,
            ("weight of content edges", "weight of the item-item graph", "share of content neighbors"),
            low=0.0,
            high=1.0,
        ),
    ),
    example="layer = ContentGraph(schema, 8, n_layers=2, n_similar=3)\nlayer.meet(collection)\noutput = layer(batch)",
)


class ContentGraph(nn.Module):
    """(batch) -> (B, I): as `GraphScores`, on a graph that also joins each item to the `n_similar` that are most `alike` by its
    fields and its vectors made elsewhere. Of what an item with such neighbours hears, `content_share` comes from them."""

    def __init__(
        self, schema: Schema, embedding_dim: int, n_layers: int = 3, n_similar: int = 10, content_share: float = 0.5
    ) -> None:
        super().__init__()
        self.schema, self.n_similar, self.content_share = schema, n_similar, content_share
        self.graph = GraphScores(schema, embedding_dim, n_layers)

    def meet(self, collection: Collection) -> None:
        neighbours, similarity = alike(self.schema, collection, self.n_similar)
        self.graph.propagation.join_items(neighbours, similarity, self.content_share)
        self.graph.meet(collection)

    def forward(self, batch: Batch) -> Tensor:
        scores: Tensor = self.graph(batch)  # (B, I)
        return scores
