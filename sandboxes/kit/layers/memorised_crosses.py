"""Memorised crosses: two values that come together are a feature of their own, with a weight of its own, found by a hash.

Notation: B rows, C categorical fields, P pairs of them, T tasks.
"""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.cross_rows import CrossRows
from sandboxes.kit.layers.pairs import field_pairs
from sandboxes.kit.layers.table import Table
from sandboxes.kit.schema import Schema

CARD = Card(
    name="memorised_crosses",
    block="MemorisedCrosses",
    slot="interaction",
    placement="logit",
    needs=("category_pairs",),
    takes=("batch",),
    summary="Gives every combination of values of two categorical fields a learned weight of its own, looked up by a hash of "
    "both ids, and adds it to the logit.",
    equation="y = sum_{i<j} w_ij[h(x_i, x_j)], w_ij a table of its own for each pair of categorical fields, one weight a "
    "task, and h the pair's number, or its hash where there are more combinations than buckets (the cross-product "
    "transformations of Cheng et al., DLRS 2016, eq. 1, over all pairs; memorised rather than factorised in the "
    "words of Lyu et al., ICDE 2022)",
    cues=(
        "cross-product transformation",
        "cross-product transformations",
        "cross-product features",
        "memorized interaction",
        "memorized feature interactions",
        "memorized method",
        "memorize feature interactions",
        "cross feature as a new feature",
        "crossed features are hashed",
        "hashing of crossed features",
        "hash of both feature values",
        "embedding for each cross feature",
        "cross feature embedding table",
        "conjunction features",
        "conjunctions of two categorical features",
        "second-order polynomial weight for each feature pair",
    ),
    descriptions=(
        "Every pair of values that occurs together is treated as a new feature and has a weight of its own.",
        "The two ids are hashed together into a bucket, and the bucket's weight is added to the logit.",
        "Interactions are memorised in a table instead of being computed from the vectors of the two features.",
        "Cross-product transformations of the categorical fields are fed to the wide part of the model.",
        "A degree-two polynomial has a separate, unfactorised coefficient for each combination of two feature values.",
        "The combination of installed app and impression app is one sparse input with a learned weight.",
        (
            "Factorised interactions generalise, but they cannot remember exceptions. For each pair of fields we therefore "
            "form the Cartesian product of their values and assign to every element of it a trainable parameter, looked up "
            "directly in the row at hand and summed into the output."
        ),
        (
            "The cross feature (x_i, x_j) is regarded as an id of a new field. Since the number of such ids is large, they are "
            "mapped to a fixed number of buckets by a hash function, one table for each pair of fields; weights of crosses "
            "seen often become reliable memories."
        ),
        (
            "In contrast to products of embeddings, memorised interactions do not assume any low-rank structure: the effect of "
            "user group with category is stored as it was observed in training, independently of what either does in other "
            "combinations."
        ),
        (
            "We augment the linear model with binary features that are one if and only if both constituent features are one. "
            "These second-order crosses are memorised by individual weights, which are trained jointly with the deep component."
        ),
        (
            "The model keeps a ledger. For this very city with this very device there is a line in it, and the line's number "
            "goes straight into the score. Nothing is multiplied, nothing is shared with other lines."
        ),
        (
            "Some things have to be learned by heart. That readers in one town hate one columnist follows from no general "
            "taste; it is simply so. A slot of memory is set aside for the duo, addressed by scrambling both identifiers, and "
            "holds how much to add or take away."
        ),
        (
            "Implementation: key = scramble(a, b) mod M; out += table[key]. Run it for each couple of columns with separate "
            "tables, M being a hundred thousand or so. Two couples of values that fall on the same key share a number, which "
            "seldom hurts."
        ),
        (
            "For each two categorical columns we make a third, whose values are the couples. It gets no dense network, only a "
            "coefficient per value. The coefficients of all made-up columns are totalled with the output of the neural part."
        ),
        (
            "Does the song please at this hour? The deep side reasons by similarity of songs and hours. The shallow side just "
            "looks up what happened before with precisely this song at precisely this hour, in a big table of learned "
            "corrections."
        ),
        (
            "Rote learning complements understanding. A wide array stores a bias for every co-occurrence of merchant type and "
            "card type, of card type and country, and so on; at scoring, the biases of the present co-occurrences are fetched "
            "and added."
        ),
        (
            "The parameter count of this term does not depend on any embedding width. It is the number of hash slots times the "
            "number of column couples, and each impression touches just one slot per couple."
        ),
        (
            "A hotel chain may do well with one agency for no reason visible in either's other dealings. Such idiosyncrasies "
            "need a parameter that belongs to the chain-agency combination alone; we index it with a mixed hash code."
        ),
        (
            "Unlike latent factor models, where the tie between two values is inferred from their positions, here the tie is "
            "an explicit entry. The entry is zero until the combination has been met, and grows with evidence."
        ),
        (
            "Joint ids are formed on the fly: the id of the player's level and the id of the item on offer are glued and "
            "hashed. The glued id is one-hot input for a logistic unit that runs in parallel with the tower."
        ),
        (
            "Think of sticky notes on a map: wherever two roads cross, a note tells what travellers did there. Our term reads "
            "the notes at all crossings of the present request and adds up what they say."
        ),
        (
            "Statisticians would call it a full set of two-way interaction effects between factors, each cell of each two-way "
            "table with a free coefficient. As cells are many, the tables are folded by modular hashing, and ridge penalties "
            "hold rare cells down."
        ),
        (
            "In the ad system, manual crosses of slot with creative and of user segment with campaign used to be the strongest "
            "inputs. We build all of them automatically, with every couple of id columns as a key into its own weight table."
        ),
        (
            "Exceptions to the rule are kept apart from the rule. The rule is a smooth function of vectors; the exceptions are "
            "a sparse additive table whose address is made of two raw ids, and whose content is trained by the same gradient."
        ),
    ),
    arguments=(
        Argument(
            "buckets",
            1 << 16,
            ("hash buckets", "number of hash buckets", "hash bucket size", "size of the hash space", "hash table size"),
            low=2,
            high=1 << 24,
        ),
    ),
    example="term = MemorisedCrosses(schema, n_tasks=len(schema.tasks), buckets=50)\noutput = term(batch)",
)


class MemorisedCrosses(nn.Module):
    """(batch) -> (B, T): the weights of all combinations of two categories that the row shows, added up.

    A pair of fields has as many weights as there are combinations, or `buckets` where there are more: some of these then share
    one. Raises `ValueError` where the schema has fewer than two categorical fields.
    """

    def __init__(self, schema: Schema, n_tasks: int, buckets: int = 1 << 16) -> None:
        super().__init__()
        first, second = field_pairs(len(schema.categorical))
        self.rows = CrossRows(schema, first, second, buckets)
        self.table = Table(self.rows.n_rows, n_tasks)
        self.out_dim = n_tasks

    def forward(self, batch: Batch) -> Tensor:
        weights: Tensor = self.table(self.rows(batch.ids))  # (B, P, T)
        return weights.sum(1)
