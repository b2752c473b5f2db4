"""A graph of users and items that keeps its structure while training goes from one stage to the next.

Notation: B rows, U ids of the user field, I ids of the target item, D width, A anchors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.graph_propagation import compressed, sparse_product
from sandboxes.kit.layers.graph_scores import GraphScores
from sandboxes.kit.layers.k_means import k_means
from sandboxes.kit.schema import Schema

CARD = Card(
    name="structure_preservation",
    block="StructurePreservation",
    slot="item_scores",
    takes=("batch",),
    needs=("items", "user"),
    summary="Scores by a graph of users and items, and in later windows of training keeps what the model before them knew: each "
    "node's nearness to its neighbours, its place among anchors, and its own vector.",
    equation="L = a mean_n (e_n . c_N(n) - e'_n . c'_N(n))^2 + b mean_n KL(softmax(e'_n A' / tau) || softmax(e_n A / tau)) + g "
    "mean_n |e_n - e'_n|^2, primes for the model before, c the mean of neighbours, A means of clusters (Xu et al., CIKM 2020, "
    "section 4)",
    cues=(
        "graph structure preservation",
        "structure preservation strategy",
        "preserves the local structure",
        "local structure distillation",
        "global structure distillation",
        "self-information",
        "self embedding distillation",
        "incremental learning for graph-based recommenders",
        "incremental graph learning",
        "incremental training of graph neural networks",
        "continual graph learning",
        "distillation from the previous model's embeddings",
        "knowledge distillation to avoid catastrophic forgetting",
        "alleviates catastrophic forgetting by distillation",
        "anchor embeddings from clustering",
    ),
    descriptions=(
        "When the model is updated on new data, the structure of its earlier embedding space is preserved by distillation.",
        "A node keeps its similarity to the average of its neighbours from one update to the next.",
        "The distribution of a node over cluster centres before the update teaches the updated one.",
        "Each user's and item's embedding is held near its value before the increment.",
        "Local, global and self knowledge of the previous graph model are transferred to the present one.",
        "Forgetting is countered in the embeddings of a graph rather than in its predictions.",
        (
            "We update graph-based recommenders incrementally. To counter catastrophic forgetting, the loss on new interactions "
            "is accompanied by three distillation terms, which maintain the local structure, the global structure and the "
            "self-information of every node as the previous model had them."
        ),
        (
            "For global structure, K-means clusters users and items by the previous embeddings; the probability distribution of "
            "a node over these anchors under the old model is matched by that under the new model through a KL divergence."
        ),
        (
            "Local structure is measured by the dot product between a node and its aggregated neighbourhood. The squared "
            "difference of this number in the teacher, i.e. the model of the last time segment, and in the student is penalised."
        ),
        (
            "Fine-tuning a graph network on recent edges alone shifts all nodes. We regularise with respect to the last "
            "snapshot: relations to neighbours, relations to prototypes, and position."
        ),
        (
            "Each morning the music map is redrawn from yesterday's plays. To keep old friendships on the map, every listener "
            "must stay as close to the centre of her songs as she was, see the same far landmarks under the same angles, and not "
            "wander off from her place."
        ),
        (
            "Think of moving a spider's web to a new window. Threads to next-door knots must keep their tension, the view of the "
            "main pillars must be the same, and no knot may travel too far; within these limits, it adapts to the new frame."
        ),
        (
            "Three penalties, all against yesterday's weights: one on scalars (node times mean neighbour), one on distributions "
            "(node against cluster means), one on vectors (the node itself)."
        ),
        (
            "The app store's graph model starts each week from last week's weights. A copy of these stays aside and is asked, "
            "for the nodes of a batch, how they related to what surrounds them; the live model may not contradict it at will."
        ),
        (
            "Customers of the bank who made no transaction this month should keep their standing. A frozen twin from the month "
            "before supplies the standing: to products held, to groups of customers, and in absolute terms."
        ),
        (
            "Replay would require storing old visits. Our update stores the old vectors instead and asks that certain relations "
            "among them survive: with adjacent places, with centroids, with themselves."
        ),
        (
            "Not the old predictions are imitated but the old geometry. For each shop item: how far from its buyers' average, "
            "how it divides its affinity over the groups, where it was."
        ),
        (
            "Long-term taste lives in the arrangement of the news graph. After every window the arrangement is photographed, and "
            "while the next window is learned, departures from the photograph cost something, near and far."
        ),
        (
            "The student begins as its teacher's equal and sees only fresh edges. What it owes the teacher is agreement about "
            "neighbourhoods and about a few dozen reference points computed by clustering."
        ),
        (
            "Games come and go in hourly increments; retraining on everything takes too long. The increments are learned with a "
            "memory term by node, made of its tie to the mean of adjacent nodes, its soft cluster memberships and its "
            "coordinates."
        ),
        (
            "We refresh a collaborative-filtering network on bipartite interactions period by period, and guard against drift of "
            "the learned space. Relative to the preceding checkpoint we penalise changes of a node's affinity to its averaged "
            "neighbours, of its soft assignment to prototypes, and of the coordinates themselves."
        ),
        (
            "The proposed update rule for neighbourhood-aggregating recommenders transfers three sorts of memory from the "
            "snapshot to its successor: how near a listener sits to the mean of the tracks she plays, how she relates to a set "
            "of centroids covering the whole space, and where she sits."
        ),
        (
            "Our model continues from last month's weights and sees only the new links. So that nodes without new links are not "
            "displaced by the movement of others, the inner product with their surroundings is matched to its former value, and "
            "a relative-entropy term keeps their profile over centroids found by clustering."
        ),
        (
            "Engineer's note: old = frozen vectors of all users and items. near = (e . mean_nbr - old_e . old_mean_nbr)^2. far = "
            "KL(softmax(old_e @ old_C.T / tau), softmax(e @ C.T / tau)), C cluster means with fixed membership. stay = |e - "
            "old_e|^2. Sum with three coefficients over the batch's nodes; nothing in the first window."
        ),
        (
            "Reviewer's summary: the paper is about continual learning for message-passing recommenders. What is distilled are "
            "relations within the vector space, at close range, at long range and at range nought, and not the click "
            "probabilities of the former model, nor is any old interaction replayed."
        ),
        (
            "When a city is rebuilt street by street, people still want their corner shop next door, the cathedral in the same "
            "direction, and their own house not too far from the old plot. Each of the three wishes has a price here, and the "
            "new roads are laid out under these prices."
        ),
        (
            "Plain finetuning on the newest purchases adapts quickly and forgets quickly. In our variant the newest purchases "
            "tug at the vectors, but elastic bands tie each vector to three things its predecessor knew: the bond with its "
            "circle, its standing among the big groups, its location."
        ),
        (
            "Read aloud: to the ranking loss add the mean over nodes of the squared change in node-dot-neighbour-average; add "
            "the divergence of the new from the old distribution over anchors; add the squared length of the displacement. Old "
            "means: as the network from the segment before had it."
        ),
        (
            "Dating networks change every hour. A full retraining on all likes ever given is out of the question. We train on "
            "the last hour's likes while a still image of the member space reminds every member of whom she resembled, which "
            "circles she belonged to, and who she was."
        ),
        (
            "The local term acts on edges, the global term acts on a coarse partition by K-means, and the third term acts on "
            "single nodes. We show that omitting any of them lets a different kind of distortion creep in as the "
            "places-and-visitors graph is extended week after week."
        ),
        (
            "An old map and a new map of the heavens are compared. Within a constellation the distances should be as before; "
            "every star should see the few brightest beacons at the former bearings; and no star should leap. Fresh observations "
            "move the stars as far as these three courtesies allow."
        ),
        (
            "In the bank's client-product graph, long-standing tastes are encoded in the geometry of the vectors. We make "
            "geometry the thing to be conserved between quarterly trainings, through a teacher that is simply the model of the "
            "past quarter, interrogated about neighbourhoods, cluster memberships and positions."
        ),
        (
            "We contend that imitating a predecessor's scores on fresh course enrolments says little about learners who did not "
            "enrol. Hence conservation is imposed on node vectors directly: agreement with adjacent nodes, relation to reference "
            "centroids, and identity are all carried over to the network fitted on the fresh links."
        ),
        (
            "Where others limit forgetting by buffers of past edges or by freezing parameters, the game recommender here limits "
            "it by invariants of the graph's layout. The optimiser may rotate and stretch as fresh sessions require, as long as "
            "neighbour ties, views on the landmark clusters and node coordinates change little from one stage to the next."
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
        Argument("n_anchors", 10, ("number of anchors", "number of clusters", "anchor embeddings"), low=1, high=1000),
        Argument("temperature", 1.0, ("temperature of the anchor distribution", "temperature"), low=0.01, high=100.0),
        Argument("local_weight", 1.0, ("weight of the local structure", "local structure coefficient"), low=0.0, high=1e6),
        Argument("global_weight", 1.0, ("weight of the global structure", "global structure coefficient"), low=0.0, high=1e6),
        Argument("self_weight", 1.0, ("weight of self-information", "self-information coefficient"), low=0.0, high=1e6),
    ),
    example="layer = StructurePreservation(schema, 8, n_anchors=2)\nlayer.meet(collection)\noutput = layer(batch)",
)


@dataclass(frozen=True)
class Structure:
    """What is known of the nodes of one side, n of them: vectors (n, D), their products with the mean of their neighbours (n,),
    and logits over the anchors of both sides (n, A) each."""

    vectors: Tensor
    nearness: Tensor
    places: Sequence[Tensor]

    def __getitem__(self, nodes: Tensor) -> Structure:
        return Structure(self.vectors[nodes], self.nearness[nodes], [p[nodes] for p in self.places])


class StructurePreservation(nn.Module):
    """(batch) -> (B, I): as `GraphScores`; `kl()` is what the last forward pass adds to the loss, a scalar.

    When a stage of training begins after another, the vectors of the moment are kept. From then on the users and the answers of
    each batch are held to them: by the squared difference of a node's product with the mean of its neighbours, by the divergence
    of its softmax over `n_anchors` clusters of users, and over as many of items, and by its vector's squared distance (Xu et al.,
    CIKM 2020, section 4; clusters are those of the kept vectors, anchors the means of their members). Windows of rows come from
    another block. The graph is that of all training events, so that no neighbour is new in any window, and nodes are held alike.
    """

    def __init__(
        self,
        schema: Schema,
        embedding_dim: int,
        n_layers: int = 3,
        n_anchors: int = 10,
        temperature: float = 1.0,
        local_weight: float = 1.0,
        global_weight: float = 1.0,
        self_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.graph = GraphScores(schema, embedding_dim, n_layers)
        self.n_anchors, self.temperature = n_anchors, temperature
        self.local_weight, self.global_weight, self.self_weight = local_weight, global_weight, self_weight
        for name in ("of_users", "of_items", "to_users", "to_items"):
            self.register_buffer(name, torch.zeros(0), persistent=False)
        self._before: tuple[Structure, Structure] | None = None  # of users and items
        self._clusters: tuple[Tensor, Tensor] | None = None  # (U,), (I,)
        self._progress = -1.0
        self._last: Tensor | None = None

    def meet(self, collection: Collection) -> None:
        self.graph.meet(collection)
        users, items = pairs = torch.unique(collection.events, dim=0).T
        shape = len(self.graph.final_users), len(self.graph.final_items)
        of_users, of_items = (
            torch.sparse_coo_tensor(pairs, 1 / torch.bincount(nodes)[nodes].to(torch.float32), shape, check_invariants=True)
            for nodes in (users, items)
        )
        self.of_users, self.to_items = compressed(of_users), compressed(of_users.t())
        self.to_users, self.of_items = compressed(of_items), compressed(of_items.t())

    def set_progress(self, progress: float) -> None:
        if progress <= self._progress and self.graph.propagation.connected:
            self._keep()
        self._progress = progress

    def forward(self, batch: Batch) -> Tensor:
        if not (self.training and self.graph.propagation.connected):
            self._last = torch.zeros((), device=batch.device)
            scores: Tensor = self.graph(batch)  # (B, I)
            return scores
        users, items = self.graph.nodes()
        asking = batch.ids[:, self.graph.user_column]
        self._last = self._loss(users, items, asking, batch.answer)
        return users[asking] @ items.T

    def kl(self) -> Tensor:
        if self._last is None:
            raise RuntimeError("kl() speaks of the last forward, and there was none; call the block on a batch first")
        return self._last

    @torch.no_grad()
    def _keep(self) -> None:
        users, items = self.graph.nodes()
        of_users, of_items = (torch.cdist(v, k_means(v, self.n_anchors)).argmin(1) for v in (users, items))
        self._clusters = of_users, of_items
        self._before = self._structures(users, items, self._clusters)

    def _loss(self, users: Tensor, items: Tensor, asking: Tensor, answers: Tensor | None) -> Tensor:
        if self._before is None or self._clusters is None:
            return users.new_zeros(())
        now = self._structures(users, items, self._clusters)
        sides = [(now[0][asking], self._before[0][asking])]
        sides += [] if answers is None else [(now[1][answers], self._before[1][answers])]
        return torch.stack([self._apart(*side) for side in sides]).sum()

    def _structures(self, users: Tensor, items: Tensor, clusters: tuple[Tensor, Tensor]) -> tuple[Structure, Structure]:
        around = sparse_product(self.of_users, self.to_items, items), sparse_product(self.of_items, self.to_users, users)
        anchors = [_means(v, of, self.n_anchors) for v, of in zip((users, items), clusters, strict=True)]  # each (A, D)
        of_users, of_items = (
            Structure(v, (v * mean).sum(1), [v @ some.T for some in anchors])
            for v, mean in zip((users, items), around, strict=True)
        )
        return of_users, of_items

    def _apart(self, now: Structure, before: Structure) -> Tensor:
        near = functional.mse_loss(now.nearness, before.nearness)
        logs = [[functional.log_softmax(p / self.temperature, 1) for p in s.places] for s in (now, before)]
        far = sum(functional.kl_div(n, b, reduction="batchmean", log_target=True) for n, b in zip(*logs, strict=True))
        moved = (now.vectors - before.vectors).square().sum(1).mean()
        return self.local_weight * near + self.global_weight * far + self.self_weight * moved


def _means(vectors: Tensor, clusters: Tensor, n_clusters: int) -> Tensor:
    """Of the members of each cluster (A, D); zeros of one without any."""
    sums = vectors.new_zeros(n_clusters, vectors.shape[1]).index_add(0, clusters, vectors)
    return sums / torch.bincount(clusters, minlength=n_clusters).clamp(min=1).unsqueeze(1)
