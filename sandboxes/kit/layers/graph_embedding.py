"""Graph embedding: vectors of ids smoothed over graphs of what occurs together in train, before anything else sees them.

Notation: B rows, F fields, D embedding width, L history length.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.layers.neighbour_table import NeighbourTable
from sandboxes.kit.layers.occurrence_graph import attribute_pairs, companion_pairs, most_frequent
from sandboxes.kit.schema import Schema

CARD = Card(
    name="graph_embedding",
    block="GraphEmbedding",
    slot="embedding",
    needs=("history",),
    summary="Smooths the embeddings of a click model over graphs built from the training log: first between ids and their "
    "attribute values, then between items that follow one another in histories.",
    equation="x_v = (e_v + mean_{a in A(v)} e_a) / 2, h^0 = x, h_v^(k+1) = (h_v^k + mean_{c in N(v)} h_c^k) / 2, A the attribute "
    "values of an id and N its most frequent companions (a mean over neighbours of fixed number: Hamilton et al., NeurIPS 2017, "
    "algorithm 1, without weights and nonlinearities, as He et al., SIGIR 2020, section 3.1)",
    cues=(
        "graph-enhanced embedding",
        "graph enhanced embedding",
        "graph-enhanced embeddings",
        "attribute graph",
        "attribute graphs",
        "collaborative graph",
        "co-occurrence graph of items",
        "co-occurrence graph of features",
        "item-item graph",
        "item graph built from click sequences",
        "item transition graph",
        "graph built from user behaviors",
        "neighbors of the clicked items in the graph",
        "sampled neighbors in the graph",
        "feature sparsity and behavior sparsity",
        "refine the embeddings with graph",
    ),
    descriptions=(
        "The embedding of an id is averaged with those of its neighbours in a graph built from the training log.",
        "Items that are clicked one after the other are linked, and linked items lend each other their vectors.",
        "Sparse ids borrow from their attribute values, which occur far more often.",
        "Graph learning refines the embedding table, and any click model can stand on top of it.",
        "First a graph of ids and attributes is used, then a graph of ids that users bring together.",
        "Each behaviour of a short history is enriched by items that often accompany it.",
        (
            "To alleviate feature sparsity and behaviour sparsity in CTR prediction, we construct graphs over users, items and "
            "their attributes and perform a light convolution on them; the resulting embeddings replace the raw ones at the "
            "input of the feature interaction and the interest modules."
        ),
        (
            "A commodity graph is built from the click sequences of all users, where an edge counts how often two items are "
            "clicked consecutively. For each item a fixed number of neighbours is taken and their embeddings are aggregated "
            "with its own, end to end with the click model."
        ),
        (
            "Attribute relations and collaborative relations are handled by separate graphs: information passes from attributes "
            "to ids in the former and among similar ids in the latter. Following a curriculum, the easier attribute graph is "
            "learned first and the collaborative one is introduced afterwards."
        ),
        (
            "The aggregated neighbour embeddings serve as enhanced representations in a downstream ranking network trained with "
            "cross-entropy; the graph is constructed offline from training logs and involves no additional parameters."
        ),
        (
            "A song played twice has learnt nothing yet. But it stands in playlists between others, has a label and a genre, "
            "and these know plenty. We let every song's numbers be half its own, half those of its company, and hand the "
            "blend to the predictor of skips."
        ),
        (
            "Tell me who you go with and I tell you who you are: before the scorer sees a place, the place's vector is pulled "
            "to the mean of places visited directly before or after it by anybody."
        ),
        (
            "Preprocessing counts adjacent pairs in all reading logs and keeps four partners for each article. In the model, a "
            "lookup fetches the article's row and its partners' rows, averages the partners, and returns the midpoint. Topic "
            "and author rows are mixed in beforehand in the same manner."
        ),
        (
            "Not a graph over the slots of a single request, and not a recommender that multiplies user and item nodes: the "
            "graph here only prepares lookup vectors, whose consumers are the usual crosses, towers and attention over the log."
        ),
        (
            "For an app without installs the category and the developer speak; for one with some installs, the apps installed "
            "next to it speak as well. Both voices are added to the app's own entry by plain averaging over links drawn from "
            "the past."
        ),
        (
            "Write N(v) for the four nodes most often adjacent to v in the sessions of the training period. The table returns "
            "one half of z_v plus one eighth of the sum of z_u over N(v), with z formed likewise over descriptors of v."
        ),
        (
            "Customers of our bank have thin records. Merchants that follow each other in anyone's record are connected, and so "
            "a record of three merchants, read through these connections, tells as much as one of a dozen."
        ),
        (
            "Learning is organised from simple to hard. In its early part only ties between a game and its tags are in force; "
            "ties between games that the same people play come in once the former have settled."
        ),
        (
            "Like a photograph developed in two baths: the first soaks each advertisement in its campaign's and advertiser's "
            "colours, the second in the colours of advertisements seen around it. The developed prints go to the click network."
        ),
        (
            "Travellers' itineraries give an adjacency between hotels, the catalogue gives one between hotels and their towns "
            "and chains. Smoothing the parameter rows along both before use makes rarely booked hotels resemble where they "
            "belong."
        ),
        (
            "We build an undirected network whose vertices are products and whose links join products that stand next to one "
            "another in anybody's browsing log, and pass each vertex's lookup vector through one round of averaging with its "
            "strongest links. The outcome takes the place of the plain lookup in an arbitrary click-through predictor."
        ),
        (
            "Our method addresses two shortages: rare identifiers with hardly any training signal, and visitors with short "
            "logs. For the former, vectors of brand, shop and category are blended into that of the product; for the latter, "
            "each logged product brings along the products that usually come with it."
        ),
        (
            "The proposed representation module operates before any crossing or attention. It takes the raw parameter row of "
            "an identifier, propagates to it the rows of its descriptors over a descriptor network, and then the rows of "
            "co-visited identifiers over a behavioural network, both extracted from the training period."
        ),
        (
            "Two relational structures are exploited in our framework. In one, a film is tied to its director, studio and "
            "genre; in the other, to films watched shortly before or after it. Message passing along these ties yields "
            "smoothed inputs, which the existing prediction head consumes without modification."
        ),
        (
            "We restrict every node to a constant number of links, chosen by how frequently both ends were observed side by "
            "side, and replace learned aggregation matrices with an arithmetic mean. Hence the enhancement adds no weights "
            "and may be trained jointly with the downstream click estimator at the cost of a few extra lookups."
        ),
        (
            "In the training schedule we begin with reliable relations, those between an identifier and its own properties, "
            "and enable noisier behavioural relations only after a fraction of the steps, because links from co-visits help "
            "little while the vectors they carry are still random."
        ),
        (
            "Plug-in for advertising rankers: swap the lookup table for one that answers with a neighbourhood average. Who is "
            "whose neighbour comes from the log (what was viewed in succession) and from the catalogue (what shares a "
            "campaign). Everything downstream, be it factorised crosses or attention on the log, stays as it was."
        ),
        (
            "Plain model: a grocery with five sales owns sixteen nearly random numbers. With smoothing: it owns those "
            "numbers, diluted with the numbers of its aisle and maker and of whatever lies beside it in baskets. The ranker "
            "sees the diluted ones."
        ),
        (
            "Data job, nightly: slide over all watch histories, increment a counter for each consecutive pair, keep the top "
            "few partners per clip. Model side: gather partners' rows, take their mean, add the clip's own row, halve. That "
            "is the whole trick; the deep ranker then reads these rows for target and history alike."
        ),
        (
            "It is like seasoning a newcomer's reputation with that of his street and his guild. A course nobody has taken "
            "sounds like its lecturer and subject; one taken by a few sounds also like the courses those few took just before "
            "or after. Whoever judges the pair of student and course hears the seasoned reputation."
        ),
        (
            "Reviewer's summary: nodes are feature values, edges are of kinds 'has property' and 'follows in a session'. One "
            "or two rounds of parameter-free propagation denoise the input layer of a click predictor. There is no dot "
            "product of final node states as in collaborative-filtering graphs; nodes only feed the usual network."
        ),
        (
            "In words: the new row of v is the half-sum of its old row and the average old row of the nodes it was most often "
            "adjacent to in sequences; the old row, in turn, had been averaged with rows for the node's type, brand and price "
            "band."
        ),
        (
            "Job postings live for a week, too short for their own rows to learn. By diffusing parameters across the employer "
            "and occupation links, and across links between postings that the same applicants opened one after another, a "
            "posting inherits sensible numbers on its first day."
        ),
        (
            "A short trail of three map places says little. If each place on the trail is represented together with the "
            "places people go to right before and right after it, the trail widens into a neighbourhood, and the interest "
            "extractor of the visit predictor has more to work on."
        ),
    ),
    arguments=(
        Argument(
            "n_neighbours",
            4,
            ("number of sampled neighbors", "neighbors per node", "neighborhood size", "number of neighbors"),
            low=1,
            high=64,
        ),
        Argument(
            "n_layers", 1, ("graph propagation layers", "graph layers", "depth of the graph", "number of hops"), low=1, high=3
        ),
        Argument(
            "attributes_first",
            0.0,
            ("share of training on the attribute graph", "attribute graph first"),
            low=0,
            high=0.9,  # what is served has companions, and must have been trained with them
        ),
    ),
    example="layer = GraphEmbedding(schema, 8, n_neighbours=4)\nlayer.survey(batch)\noutput = layer(batch)",
)


class GraphEmbedding(FeatureEmbedding):
    """A `FeatureEmbedding` with a table that is smoothed over two graphs, for fields, targets and entries of histories alike:
    (batch) -> (B, F, D). Without histories of values there are no companions, without several fields of an item or a user no
    attributes.

    It must `survey` training rows, which become the graphs: of each row of the table, the `n_neighbours` that occur with it most
    often. Where items are predicted, rows say nothing of items' attributes.
    """

    def __init__(
        self,
        schema: Schema,
        embedding_dim: int,
        numeric: nn.Module | None = None,
        n_neighbours: int = 4,
        n_layers: int = 1,
        attributes_first: float = 0.0,
    ) -> None:
        table = partial(NeighbourTable, n_neighbours=n_neighbours, n_layers=n_layers, attributes_first=attributes_first)
        super().__init__(schema, embedding_dim, numeric, table)

    @torch.no_grad()
    def survey(self, rows: Batch) -> None:
        table = self.table
        if isinstance(table, NeighbourTable):
            n_rows, n_neighbours = table.attributes.shape
            table.attributes.copy_(most_frequent(attribute_pairs(self.schema, rows), n_rows, n_neighbours))
            table.companions.copy_(most_frequent(companion_pairs(self.schema, rows), n_rows, n_neighbours))
