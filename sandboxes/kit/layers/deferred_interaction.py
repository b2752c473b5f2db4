"""Deferred interaction: fields that say much in few values interact first, those of large vocabularies join layer by layer.

Notation: B rows, F fields, D embedding width, A width of a head, H heads, G groups of fields.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.natural_groups import natural_groups
from sandboxes.kit.layers.self_attention_interaction import FieldAttention
from sandboxes.kit.schema import Schema

CARD = Card(
    name="deferred_interaction",
    block="DeferredInteraction",
    slot="interaction",
    needs=("several_fields",),
    placement="parallel",
    summary="Groups the fields by how sparse they are, in several granularities, and stacks attention layers of which the first "
    "see the densest group alone and deeper ones see more and more groups.",
    equation="groups of fields with alike log vocabulary sizes, G of them by the least within-group variance; in layer l of N "
    "only the first ceil(l G / N) groups, the densest first, attend to each other, h_j = relu(sum_k softmax_k((Q h_j)^T K h_k) "
    "V h_k + R h_j), the others stay as they are; all fields at the end, for every G side by side (natural groups as in Fisher, "
    "JASA 1958, the layer as in Song et al., CIKM 2019, eq. 5-8, under a mask that opens with depth)",
    cues=(
        "deferred interaction",
        "delayed interaction",
        "defers the introduction of features",
        "deferred introduction of features",
        "multi-granularity feature grouping",
        "feature grouping by information density",
        "information density of features",
        "groups with homogeneous information density",
        "low-information features",
        "high-information features",
        "hierarchical masking",
        "masked in the early layers",
        "progressively unmasked",
        "progressively unmasking",
        "group the fields by their cardinality",
        "sparse features join in deeper layers",
    ),
    descriptions=(
        "Sparse features take part in the interaction only in the deeper layers, dense ones from the first layer on.",
        "Fields are grouped by information density, and low-information groups are masked in early interaction layers.",
        "A mask that opens with depth decides which groups of features may interact.",
        "The network first relates informative features to each other and then lets sparser groups in.",
        "Several groupings of different granularity are processed side by side.",
        "Features of huge vocabularies enter late, so that their noise cannot drown the signals of well-trained features.",
        (
            "Features differ vastly in sparsity and information content. We partition them into groups of homogeneous "
            "information density and introduce the groups into the interaction layers one after another, from the most to the "
            "least informative, by a hierarchical mask."
        ),
        (
            "Feeding all features into all interaction layers at once lets low-information features disturb the representation. "
            "Our layers are therefore masked: layer l sees the first groups only, and with every layer another group is unmasked "
            "until all features interact."
        ),
        (
            "To view interactions from diverse perspectives, fields are divided at multiple granularities, for instance into "
            "two, three and four groups. Each granularity has its own stack of masked attention layers, whose outputs are "
            "concatenated before the prediction layer."
        ),
        (
            "A field's information density is estimated by how often a single value of it is seen: numerical features and fields "
            "with few categories come first, identifiers with millions of values last. Interaction of the latter is delayed to "
            "the top layers."
        ),
        (
            "At our table those who know the house speak first. Weekday, price band and country settle among themselves what "
            "kind of evening it is; then the cuisine and the district are asked in; the guest's number and the dish's number, of "
            "which little is known, sit quietly until the last round."
        ),
        (
            "A novice orchestra should not begin with all instruments. Strings play the first movement, woodwind enters in the "
            "second, and the rare instruments, each heard a few times a year, are admitted to the finale. The score tells every "
            "player the movement from which on he may play."
        ),
        (
            "Columns are sorted by the logarithm of the number of their values and cut where the gaps are wide. Block one runs "
            "attention over the leftmost piece; block two over the two leftmost pieces; the last over all. What is not yet "
            "admitted bypasses the block unchanged."
        ),
        (
            "In credit data, age and income are dense while the merchant identifier is almost unique to a row. Letting both meet "
            "at the bottom of the stack means that random vectors mix with good ones from the start. We postpone the meeting to "
            "the depth at which good ones have taken shape."
        ),
        (
            "Visible(l) = first ceil(l G / N) groups. h_visible <- attend(h_visible), h_rest <- h_rest. Do it for l = 1 to N and "
            "for each G in a small set of group counts. No learned gate is involved: who may come in when depends on vocabulary "
            "sizes, which are known before training."
        ),
        (
            "The song identifier carries much in the end but little at first. So the tower for music treats it as a late guest: "
            "tempo, genre and hour build up a joint picture in two self-attention steps, and artist and song are integrated into "
            "the finished picture afterwards."
        ),
        (
            "We build up a row's meaning the way one draws: big shapes first, details later. Big shapes are attributes with a "
            "handful of values, each trained on thousands of rows; details are attributes whose values are seldom seen twice. A "
            "layer of the network never touches details that are not due yet."
        ),
        (
            "Airports enter the discussion after cabin class and season have had theirs, and flight numbers after airports. The "
            "order is by how many observations stand behind an average value. Coarse and fine versions of this queue are run in "
            "parallel, since it is not clear how many steps it should have."
        ),
        (
            "Ordinary stacks of attention over columns are democratic from the bottom. In ours suffrage widens: the bottom layer "
            "is an assembly of few well-documented columns, and each floor above extends the vote to columns that are documented "
            "worse, up to the top, where everyone votes."
        ),
        (
            "The mask over pairs of fields is block-shaped and grows downwards: first a small square of true entries in the "
            "corner of the low-cardinality fields, then a larger one, then the full matrix. Since the corner's vectors have been "
            "refined when the rare fields meet them, they are met on better terms."
        ),
        (
            "Collapse of embeddings is blamed on rare identifiers that interact too early. We stagger the schedule over depth, "
            "not over time: in each forward pass the game's genre and platform go through all layers, the publisher through "
            "most, player and game identifiers through the last one only."
        ),
        (
            "Staged admission is our remedy for noisy columns. They are neither dropped nor scaled down by learned weights; they "
            "merely wait. How long one waits follows from its class of sparsity, and the classes are formed at two resolutions, "
            "each with a stack of its own."
        ),
        (
            "We order the input columns by how many samples support each distinct value and admit them to the attention stack "
            "in that order: the first layer relates only well-supported columns, every further layer adds the next band, and "
            "the topmost layer sees the whole row."
        ),
        (
            "Our model shields robust attributes from poorly trained ones in lower layers. Identifiers with millions of codes "
            "bypass the first blocks untouched and are let in once the robust attributes have formed a stable joint "
            "representation."
        ),
        (
            "The proposed network has several parallel stacks which differ in how finely the columns are split by vocabulary "
            "size. In each stack a fixed, depth-dependent visibility pattern determines which parts take part, beginning with "
            "the small vocabularies."
        ),
        (
            "Before, viewer number and film number were mixed with genre, hour and device in the first block, and their "
            "near-random vectors spoiled the mixture. Now the block order does the waiting: small alphabets talk in block one, "
            "medium ones enter in block two, the huge ones last."
        ),
        (
            "A meeting is chaired by depth. Those who speak for thousands of cases open it, those who speak for dozens join at "
            "half time, and those who speak for one case each are heard at the close, when the common understanding is firm "
            "enough not to be upset."
        ),
        (
            "Reviewer's summary: a static curriculum over layers rather than over epochs. Columns are bucketed by richness of "
            "statistics; lower attention layers are restricted to rich buckets by a mask, the restriction is lifted bucket by "
            "bucket going upward, and several bucketings are combined."
        ),
        (
            "We hypothesise that rare-valued fields are harmful when crossed too soon, since their under-trained "
            "representations contaminate everything they touch. Crossing is therefore scheduled along the depth of the model, "
            "with the entry layer of a field set by its rarity class."
        ),
        (
            "Engineer's note: sort slots by log cardinality, split at natural breaks, build block-lower masks so layer 1 "
            "attends within slots of segment 1, layer 2 within segments 1 and 2, and so on. Untouched slots are copied through. "
            "Repeat with 2 and with 3 segments, concat both."
        ),
        (
            "Read aloud: for depth l, let V be the columns of the first l groups; columns in V become attention over V; columns "
            "outside V stay what they were; at the last depth V is everything. Groups are by sparsity, densest first."
        ),
        (
            "In a bank's table, region and product type repeat endlessly while account and counterparty hardly ever do. The "
            "lower floors of our tower build interactions out of what repeats, and only on the upper floors may accounts and "
            "counterparties interact with the finished structure."
        ),
        (
            "Cooking offers a likeness: stock first, delicate and uncertain spices at the end. Attributes with plenty of data "
            "make the stock in the initial interaction steps, attributes with scant data per value are stirred in at the later "
            "steps, and different stocks with coarser or finer sequences simmer in parallel."
        ),
        (
            "No column is thrown out and none is down-weighted by a learned selector. A column merely has a start layer, early "
            "for those with low entropy vocabularies such as platform or meal type, late for those such as recipe number or "
            "session key, and before it starts it neither sends nor receives messages."
        ),
        (
            "Vacancy ads have fields of all degrees of density, from contract type to employer id. We cut the list of fields at "
            "two or more granularities into consecutive density classes and let attention spread from the dense end to the "
            "sparse end as the layers go up, so that noise arrives when it can do least harm."
        ),
        (
            "Our hierarchical scheme gives high-information inputs a head start: they refine each other over several layers in "
            "isolation, and low-information inputs are introduced step by step into the refined context, which counters the "
            "dimensional collapse that simultaneous mixing brings about."
        ),
    ),
    arguments=(
        Argument(
            "granularities",
            (2, 3),
            ("numbers of groups", "granularities", "number of feature groups", "group numbers"),
            low=1,
            high=32,
        ),
        Argument(
            "n_layers", 3, ("interaction layers", "number of interaction layers", "number of masked layers"), low=1, high=12
        ),
        Argument("n_heads", 2, ("attention heads", "number of heads"), low=1, high=32),
        Argument("head_dim", 16, ("dimension of each head", "attention size"), low=1, high=512),
    ),
    example="layer = DeferredInteraction(schema, fields.shape[1], fields.shape[2], n_layers=2, head_dim=4)\n"
    "output = layer(fields)",
)


class DeferredInteraction(nn.Module):
    """(B, F, D) -> (B, n * F * n_heads * head_dim) for n granularities.

    `fields` are the schema's, or a query's where items are to be scored, with or without the means of its histories. Numeric
    fields and vectors are the densest; a categorical field is the sparser the more values it has. Fields of one density are not
    parted, and the first group has two fields at least, so that groups may be fewer than a granularity says.
    """

    def __init__(
        self,
        schema: Schema,
        n_fields: int,
        embedding_dim: int,
        granularities: Sequence[int] = (2, 3),
        n_layers: int = 3,
        n_heads: int = 2,
        head_dim: int = 16,
    ) -> None:
        super().__init__()
        sparsity = [math.log(size) for size in _vocabularies(schema, n_fields)]
        groupings = [natural_groups(sparsity, n_groups, least_first=2) for n_groups in granularities]
        width = n_heads * head_dim
        self.stacks = nn.ModuleList(_Stack(groups, embedding_dim, n_layers, n_heads, head_dim) for groups in groupings)
        self.out_dim = len(groupings) * n_fields * width

    def forward(self, fields: Tensor) -> Tensor:
        return torch.cat([stack(fields) for stack in self.stacks], 1)


class _Stack(nn.Module):
    """One granularity: (B, F, D) -> (B, F * H * A), fields in the order of `groups`.

    Those that may interact stand in front, so that a mask is a length.
    """

    def __init__(self, groups: Sequence[Sequence[int]], embedding_dim: int, n_layers: int, n_heads: int, head_dim: int) -> None:
        super().__init__()
        self.order = [field for group in groups for field in group]
        admitted = [math.ceil(layer * len(groups) / n_layers) for layer in range(1, n_layers + 1)]  # groups
        self.lengths = [sum(map(len, groups[:n])) for n in admitted]  # fields
        self.widen = nn.Linear(embedding_dim, n_heads * head_dim, bias=False)
        self.layers = nn.ModuleList(FieldAttention(n_heads * head_dim, n_heads, head_dim) for _ in range(n_layers))

    def forward(self, fields: Tensor) -> Tensor:
        hidden = self.widen(fields[:, self.order])  # (B, F, H * A)
        for layer, length in zip(self.layers, self.lengths, strict=True):
            hidden = torch.cat([layer(hidden[:, :length]), hidden[:, length:]], 1)
        flat: Tensor = hidden.flatten(1)
        return flat


def _vocabularies(schema: Schema, n_fields: int) -> list[int]:
    """How many values each of the fields (F,) has; 1 where they are numbers. Means of histories come after the schema's "
    "fields."""
    known = schema.query_fields if schema.scores_items else range(schema.n_fields)
    of_fields = [schema.categorical[i].cardinality if i < len(schema.categorical) else 1 for i in known]
    return (of_fields + [schema.cardinality_of(s) for s in schema.sequences])[:n_fields]
