"""An item's own deep tower: the query meets it only at the end, by a product.

Notation: B rows, I ids of the target item, K width of the query's vector, D width of the product.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.dnn import DNN
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.layers.item_fields import ItemFields
from sandboxes.kit.schema import Schema

CARD = Card(
    name="item_tower",
    block="ItemTower",
    slot="item_scores",
    takes=("representation", "embedding"),
    needs=("items",),
    summary="Maps an item's own fields through a deep tower of its own, and scores by the product of unit vectors of query "
    "and item.",
    equation="s(q, i) = <W q / |W q|, v_i / |v_i|> / tau, v_i = V DNN(fields of i) (Yi et al., RecSys 2019, section 4; "
    "Covington et al., RecSys 2016, for the retrieval by a product)",
    cues=(
        "two-tower",
        "two tower",
        "dual-tower",
        "dual encoder",
        "item tower",
        "user tower and item tower",
        "query tower and item tower",
        "embedding-based retrieval",
        "user encoder and an item encoder",
        "encoded separately into the same vector space",
        "separate encoders for users and items",
        "inner product of the user and item embeddings",
        "cosine similarity between the user and item embeddings",
        "approximate nearest neighbor",
        "candidate retrieval",
    ),
    descriptions=(
        "Users and items are encoded by separate networks, whose outputs meet only in an inner product.",
        "An item tower maps the item's features to a vector in the space of the user's vector.",
        "Item vectors are computed offline, indexed, and retrieved by nearest-neighbour search with the user's vector.",
        "The score is the cosine of the query embedding and the item embedding, divided by a temperature.",
        "Late interaction: the two sides do not see each other before the final product.",
        "Query and item towers are multilayer networks with L2-normalised outputs.",
        (
            "For the recall stage we train a dual encoder. The user side takes profile and behaviours, the item side takes "
            "id, category and seller; both end in a normalised embedding, so that retrieval reduces to maximum inner product "
            "search."
        ),
        (
            "Since billions of items have to be searched within milliseconds, the model factorises: f(user) and g(item) are "
            "computed independently and compared by their dot product with an index of approximate nearest neighbours."
        ),
        (
            "The item encoder is an MLP over concatenated item attributes, structurally the twin of the user encoder but with "
            "its own weights."
        ),
        (
            "Candidate generation matches a viewer's embedding against those of all videos, which a second network produces "
            "from their titles, channels and ages."
        ),
        (
            "Two machines work without talking. One reads everything about a traveller and writes down a point; the other "
            "reads everything about a destination and writes down a point in the same room. Near points belong together."
        ),
        (
            "Every song is run once through its network and filed away. At request time only the listener has to be computed, "
            "and the files next to her are pulled."
        ),
        (
            "The left column of layers never sees the product, the right column never sees the shopper. Their last layers "
            "have the same width and length one, and what counts is the angle between them."
        ),
        (
            "Because an article's representation must not depend on who asks, its layers are fed with what is known of the "
            "article alone. The reader's summary is projected next to it and multiplied."
        ),
        (
            "Scoring a whole store of apps for one person is a matrix-vector product: rows are apps after their own hidden "
            "layers, the vector is the person after hers."
        ),
        (
            "A restaurant's cuisine, price level and district pass three dense layers; out comes a direction. The hungry "
            "customer is another direction. Recommended are the smallest angles."
        ),
        (
            "Decoupling was necessary for serving. The network over item attributes runs in a nightly batch, the network over "
            "the request runs live, and the only common operation is a scaled dot product."
        ),
        (
            "Funds on one side, clients on the other, each with a stack of layers of its own, joined by nothing but "
            "similarity of the two outputs."
        ),
        (
            "New games can be found as soon as their attributes are known, since a game's place in the space is a function of "
            "these attributes and not a stored row."
        ),
        (
            "Retrieval asks for a form in which the catalogue can be indexed. So the item is turned to a fixed vector by deep "
            "layers of its side information, and the query is brought to the same length."
        ),
    ),
    arguments=(
        Argument("hidden_units", (128, 64), ("item tower layers", "hidden layers of the item tower"), low=1, high=4096),
        Argument("temperature", 0.1, ("temperature",), low=0.01, high=10.0),
    ),
    example="layer = ItemTower(schema, 8, flat.shape[1], hidden_units=(16,))\n"
    "layer.meet(collection)\noutput = layer(flat, embedding)",
)


class ItemTower(nn.Module):
    """(query (B, K), embedding) -> (B, I): cosines of the query, mapped linearly, and every item's tower, over `temperature`.

    It must `meet` the collection before it knows more of an item than its id.
    """

    def __init__(
        self,
        schema: Schema,
        embedding_dim: int,
        in_dim: int,
        hidden_units: Sequence[int] = (128, 64),
        temperature: float = 0.1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.item_fields = ItemFields(schema)
        self.tower = DNN(len(schema.item_fields) * embedding_dim, hidden_units, dropout)
        self.query, self.item = (nn.Linear(width, 2 * embedding_dim) for width in (in_dim, self.tower.out_dim))
        self.temperature = temperature

    def meet(self, collection: Collection) -> None:
        self.item_fields.meet(collection)

    def forward(self, query: Tensor, embedding: FeatureEmbedding) -> Tensor:
        items = self.item(self.tower(self.item_fields(embedding).flatten(1)))  # (I, 2 D)
        cosines = functional.normalize(self.query(query), dim=1) @ functional.normalize(items, dim=1).T
        return cosines / self.temperature  # (B, I)
