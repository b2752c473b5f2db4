"""Shared embeddings for rare ids: a field's infrequent ids are mixtures of a few shared vectors, frequent ones keep their own.

Notation: B rows, C categorical fields, F fields, D embedding width.
"""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.layers.shared_rows_table import SharedRowsTable
from sandboxes.kit.layers.table_rows import field_starts, rows_of_fields
from sandboxes.kit.schema import Schema

CARD = Card(
    name="shared_rare_embedding",
    block="SharedRareEmbedding",
    slot="embedding",
    summary="Represents rare ids by soft mixtures of a few vectors shared in their field, and frequent ids by their own.",
    equation="e_i = g_i w_i + (1 - g_i) sum_k softmax(a_i)_k u_fk, g_i = n_i / (n_i + m), n_i occurrences so far, u_f1 .. u_fK "
    "of field f (anchors of Liang et al., ICLR 2021, section 3; own vectors for frequent ids alone as Zhang et al., RecSys 2020, "
    "section 3; the share of n as in shrinkage, Robbins, 1956)",
    cues=(
        "shared embeddings for low-frequency ids",
        "shared embeddings for rare ids",
        "small set of shared embeddings",
        "shared embedding assignment",
        "low-frequency ids share",
        "infrequent ids share embeddings",
        "representing low-frequency ids",
        "frequency-based embedding sharing",
        "frequency-based hashing",
        "anchor embeddings",
        "mixture of shared embeddings",
        "new ids are initialised from shared embeddings",
        "long-tail ids share a small number of embeddings",
        "embedding sharing among infrequent features",
    ),
    descriptions=(
        "Ids with few occurrences are represented by a small number of embeddings that they share within their field.",
        "Only frequent ids have embeddings of their own; the others are combinations of shared ones.",
        "A new id starts from the shared embeddings and moves to its own as interactions come in.",
        "How much of the individual and how much of the shared embedding is used depends on the id's frequency.",
        "Each field has a set of anchors, and an infrequent id is a soft assignment to them.",
        "Random initial vectors of unseen ids are replaced by what the rare ids of the field have in common.",
        (
            "In streaming recommendation new ids appear all the time, and random initialisation serves them badly. We represent "
            "low-frequency ids field-wise by a small set of shared embeddings with learned assignment, which improves "
            "cold-start prediction."
        ),
        (
            "Embedding rows of tail features are hardly trained. Our table therefore separates head from tail by counts: head "
            "features own a row, tail features look up a weighted sum of K common rows."
        ),
        (
            "The final embedding interpolates between an id-specific vector and a group vector; the interpolation coefficient "
            "grows with the number of observations and approaches one for popular ids."
        ),
        (
            "We learn a set of anchor vectors per field together with a transformation from ids to anchors. Statistical strength "
            "is thus shared among long-tail values, while the memory grows with the number of anchors only."
        ),
        (
            "Songs heard once wear school uniform, of which the genre column has eight cuts; songs heard a thousand times wear "
            "what they like. In between, the uniform shows the less, the more often the song was heard."
        ),
        (
            "A hotel's row in the lookup table is trusted in proportion to its visits. What trust is missing is filled up from a "
            "handful of stock rows, blended in proportions that the hotel may still choose for itself."
        ),
        ("Tersely: e = n/(n+m) w + m/(n+m) softmax(a)U, one U per column. At n = 0 only U speaks, at n far above m only w."),
        (
            "Eight ready-made profiles stand in for everyone the bank has hardly met. A teller's tally replaces them step by "
            "step with the customer's own profile, and the tally is nothing but the count of visits."
        ),
        (
            "Tail advertisers borrow. Their code comes out of a common purse that belongs to the advertiser slot alone, and each"
            " of their impressions pays back a little, until they live on their own code."
        ),
        (
            "Games released today have no history, so the model speaks of them as of the typical newcomer, or of one of several "
            "types of newcomer. Everything that any newcomer teaches goes into these types and helps the next one."
        ),
        (
            "No distributions, no noise: a plain count decides. Values on which there is evidence are looked up as always, the "
            "rest are routed through a bottleneck of a few vectors, with a smooth passage from one regime to the other."
        ),
        (
            "In our news system most keys die young. A key's private vector would be random until it dies; with public vectors "
            "per attribute, mixed by a short softmax, it is sensible from its first impression."
        ),
        (
            "Engineering view: the table has a counter column and a K-wide logits column beside the vector. Reads compute gate "
            "and blend; the K public vectors of the slot receive gradient from all reads of weakly counted keys."
        ),
        (
            "Unvisited places are drawn with a stamp and visited ones by hand. There are few stamps for each kind of attribute, "
            "they may be overlaid in any proportion, and the hand takes over gradually."
        ),
        (
            "We tie the representation of seldom seen keys to a small per-column dictionary. A key's vector is a count-dependent "
            "blend of a private row and a softmax-weighted sum over the dictionary, the private part gaining weight as "
            "occurrences accumulate, so that newborn keys start from what their likes have taught."
        ),
        (
            "The proposed lookup treats head and tail of each categorical attribute unequally. Popular values enjoy a row to "
            "themselves; the many values with a handful of records are expressed through K prototype rows trained by all of them "
            "jointly, with the proportions learned for every value."
        ),
        (
            "Our model estimates a vector for a value by shrinkage. With n observations the individual estimate gets the share n "
            "over n plus m, and the pooled estimate, a soft choice among few common vectors belonging to the same attribute, "
            "gets what is left."
        ),
        (
            "Engineer's note: gate = count / (count + 20). out = gate * own[id] + (1 - gate) * softmax(assign[id]) @ "
            "public[field]. Counts are incremented in training only, one per row. An id that never occurred gives pure public, "
            "so no more random vectors for fresh listings."
        ),
        (
            "Reviewer's summary: random rows for unseen ads hurt online learning. The authors let scarce ids of a slot draw on a "
            "tiny pool of jointly trained vectors and fade in an id-specific one by its frequency. It is not hashing, because "
            "the assignment is soft and learned, and popular ids are exempt from collisions."
        ),
        (
            "At the library, bestsellers have a shelf of their own. Titles lent twice a year stand in a few mixed cases, one set "
            "of cases per subject heading, and a title may have a foot in several of these; with each loan it moves a little "
            "further toward a shelf bearing its name."
        ),
        (
            "Plain tables hold a separate row for a song played three times, and three updates are hardly more than noise. In "
            "our table that song speaks mostly with a borrowed voice, compounded from a few voices that thousands of such songs "
            "train together; only with fame does it find its own."
        ),
        (
            "Read aloud: e of i equals g times w of i plus one minus g times the sum over k of the k-th softmax share of i times "
            "the k-th common vector of the column; g is the number of times i has turned up over that number plus a constant."
        ),
        (
            "Job postings live for two weeks. By the time a posting's identifier has an informative vector it has expired. We "
            "therefore let brief identifiers share parameters inside their attribute, through soft membership in a few stock "
            "types, and hand over to individual parameters smoothly and by tally."
        ),
        (
            "The cold start of new users on the dating site is handled in the table and not by a meta-learner, a generator from "
            "content or a warm-up network. The table's rows for scarce members are convex combinations of archetypes, the "
            "archetypes get gradient from every scarce member, and abundance dissolves the combination."
        ),
        (
            "Think of clothes for a growing child: at first hand-me-downs from a common chest, worn in layers, then, as the "
            "number of birthdays rises, more and more things bought for this child alone. Each family, which is to say each "
            "attribute, has its chest and does not lend outside."
        ),
        (
            "We mitigate overfitting of infrequent identifiers in a point-of-interest recommender by limiting the degrees of "
            "freedom that such an identifier has: a point on the simplex spanned by a few learnable vertices for its attribute. "
            "The restriction is lifted gradually according to how often the place has been visited so far."
        ),
        (
            "Evidence decides who may have an opinion of her own. A ticket buyer's code with five purchases behind it is nine "
            "tenths collective; with five hundred it is collective by a hair. The collective codes are few, kept per attribute, "
            "and owned by no one in particular."
        ),
        (
            "Before the change, ids below a cutoff were all mapped to one unknown token, which lost what little was known about "
            "them. Now they are mapped to mixtures over a few tokens of the field, mixtures that they can tune, and there is no "
            "cutoff but a gradual transfer of weight to the id's row."
        ),
    ),
    arguments=(
        Argument(
            "n_shared",
            8,
            ("number of shared embeddings", "number of anchors", "shared embeddings per field", "size of the shared set"),
            low=1,
            high=1000,
        ),
        Argument(
            "half_at",
            20.0,
            ("frequency threshold", "low-frequency threshold", "threshold of the frequency"),
            low=0.01,
            high=1e6,
        ),
    ),
    example="layer = SharedRareEmbedding(schema, 8, n_shared=3)\noutput = layer(batch)",
)


class SharedRareEmbedding(FeatureEmbedding):
    """A `FeatureEmbedding` over a `SharedRowsTable`: (batch) -> (B, F, D). Numeric fields, past outcomes and first-order weights
    stay as they are.

    An occurrence is a row of a forward pass in training that has the id in its field; entries of histories look ids up and are
    not counted. Frequencies are those of the training so far, so that an id never seen, the unknown one among them, is what the
    rare ids of its field have in common. No memory is saved: every id has a row and K logits, used or not.
    """

    def __init__(
        self,
        schema: Schema,
        embedding_dim: int,
        numeric: nn.Module | None = None,
        n_shared: int = 8,
        half_at: float = 20.0,
    ) -> None:
        starts, of_fields = field_starts(schema) or [0], rows_of_fields(schema)
        table = partial(SharedRowsTable, starts=starts, n_shared=n_shared, half_at=half_at, always_own=of_fields)
        super().__init__(schema, embedding_dim, numeric, table)

    def forward(self, batch: Batch) -> Tensor:
        if self.training and isinstance(self.table, SharedRowsTable):
            self.table.count(batch.ids + self.offsets)
        return super().forward(batch)
