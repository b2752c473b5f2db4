"""Multi-head self-attention over fields. Notation: B rows, F fields, D input width, H heads, A width of a head."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

CARD = Card(
    name="self_attention_interaction",
    block="SelfAttentionInteraction",
    slot="interaction",
    needs=("several_fields",),
    placement="parallel",
    summary="Lets each field attend to all others in several heads and layers, with residual connections: "
    "explicit high-order interactions.",
    equation="a_mk = softmax_k <W_Q e_m, W_K e_k>; e~_m = sum_k a_mk W_V e_k; heads concatenated; e'_m = relu(e~_m + W_R e_m),"
    " repeated for each layer and flattened; no scaling by the root of the width (Song et al., CIKM 2019, section 4.4)",
    cues=(
        "multi-head self-attention over fields",
        "self-attentive neural network with residual connections",
        "interacting layer",
        "interacting layers",
        "self-attention mechanism to model feature interactions",
        "self-attention between feature fields",
        "self-attention over feature embeddings",
        "attention between feature fields",
        "self-attentive feature interaction",
        "multi-head attention for feature interactions",
        "feature interaction via self-attention",
        "field-wise self-attention",
        "query key and value of each feature",
        "key-value attention to determine which feature combinations are meaningful",
        "correlation between feature m and feature k under attention head",
        "transformer over feature fields",
        "attend to other features",
    ),
    descriptions=(
        (
            "Each feature field attends to all other fields through multi-head self-attention, so that relevant "
            "features are combined."
        ),
        "In several attention heads, features are projected to queries, keys and values, and combined by their similarity.",
        "Stacking attention layers over the field embeddings models feature combinations of higher and higher order.",
        "A residual connection keeps the original features, including single ones, next to the combinations found by attention.",
        "The attention weights say which pairs of features form a meaningful combination.",
        "The self-attentive layers take the embeddings of all fields as tokens, map them to one space and let them interact.",
        (
            "Each feature field is projected to query, key and value; the similarity of its query with the keys of all other "
            "fields, normalised by softmax, weighs their values into a new representation. Several heads capture different "
            "kinds of combinations, and a residual keeps the original field."
        ),
        (
            "High-order feature combinations are learned by stacking layers in which every field embedding is updated with a "
            "weighted sum of all field embeddings in the row. The weights are scaled dot products under multiple subspaces, and "
            "the outputs of all fields are concatenated for prediction."
        ),
        (
            "We cast feature interaction as message passing among the fields of one instance. In each of several subspaces, "
            "correlation between two fields is determined by their projected embeddings, and each field gathers the relevant "
            "others; layers with residual connections increase the order."
        ),
        (
            "The fields of a sample, numeric and categorical alike, are mapped into the same space and then interact in a "
            "multi-head layer where softmax coefficients show which fields combine meaningfully. This makes the learned "
            "combinations explainable, as coefficients can be inspected per sample."
        ),
        (
            "Every column of the row asks all the columns which of them concern it. The answers are turned into shares that add "
            "up to one, and the column's vector is refreshed with the others' contents mixed in those shares. This is done in "
            "parallel under several views."
        ),
        (
            "Gender, genre and hour of a movie impression look at one another. For each of them we score its partners by "
            "agreement of two projected vectors, make the scores proportions, and take the proportional mixture of a third "
            "projection, adding the original slot vector afterwards."
        ),
        (
            "No sequence and no past purchases are involved: the elements that attend are the attributes of a single record. "
            "Each attribute becomes a context-aware version of itself by borrowing from related attributes, with two or four "
            "independent relevance patterns set side by side."
        ),
        (
            "We let properties choose their partners by themselves. A property's code is compared with that of each other "
            "property through learned projections, and the strongest matches dominate the blend which replaces it. A second "
            "such round blends blends and therefore reaches triples and beyond."
        ),
        (
            "For a bank's loan offers we wanted to see which attributes are combined. The model gives for each row a square "
            "table of shares, attribute by attribute and per view, by which the vectors are mixed anew; one may read off that "
            "income joined with age."
        ),
        (
            "The set of slot vectors goes through a few identical blocks. Within a block, three linear maps turn a slot into "
            "what it seeks, what it offers for matching and what it passes on; matching degrees, exponentiated and normalised "
            "over all slots, govern the passing."
        ),
        (
            "Unlike fixed products of every couple, which treat each couple alike, our weights between two columns depend on "
            "the values they have in this very row. A column sums up the transformed codes of all columns according to these "
            "weights, in several subspaces whose results are joined."
        ),
        (
            "Conjunctions are formed by relevance: the advertiser slot collects mostly from the site slot if their projected "
            "vectors point the same way, little from the weekday slot. Every slot collects at once, several times with "
            "different projections, and shortcuts save what it was."
        ),
        (
            "The neural part starts from a matrix with a row for each attribute. It computes the table of scaled agreements "
            "between all rows, applies softmax on each line, multiplies with the mapped matrix, joins the parallel copies, and "
            "adds the input; finally all rows are strung out to a logit."
        ),
        (
            "Each attribute's updated vector is an average of all attributes' mapped vectors, where the averaging weights come "
            "from the attributes themselves and not from a learned constant. Having multiple such averages at once permits an "
            "attribute to take part in different conjunctions."
        ),
        (
            "Each slot of the record is turned into three short codes: one for asking, one for being asked, one for what it "
            "hands over. A slot asks every other slot of the same record, the matching scores are squashed so that they sum to "
            "one, and the slot is rewritten as the correspondingly weighted blend of the handed-over codes. Several such rounds "
            "of asking run side by side and their answers are joined."
        ),
        (
            "To find which characteristics of a loan request belong together, we let city, income band, device and product look "
            "at one another in parallel subspaces. Every characteristic is replaced by a normalised mixture of all of them plus "
            "a copy of itself, and stacking this step yields combinations of three, four or more characteristics."
        ),
        (
            "Think of the columns of a single row sitting around a table: every column listens to all the others, decides how "
            "much each remark concerns it, and updates its own opinion by the share-weighted sum. We hold several independent "
            "conversations at the same table, concatenate what each column took away, and repeat. No past behaviour and no "
            "order of seats is involved."
        ),
        (
            "Recipe: stack the attribute vectors of the example as rows of a matrix; multiply it by three learned matrices per "
            "head; take all row-against-row products of the first two, exponentiate and normalise each line; multiply by the "
            "third. Glue the heads together, add the projected originals, apply a rectifier, and flatten for the final logit."
        ),
        (
            "Which pairs of properties matter differs from example to example, so fixed pair strengths are inadequate. Our "
            "layer computes, for every property of the hotel query, relevance shares over the remaining properties from "
            "projected similarities and gathers their transformed codes accordingly; separate projection sets capture different "
            "senses of relevance. The shares can be printed to explain a prediction."
        ),
        (
            "The input is an unordered set of about forty attribute codes, not a timeline. A layer maps this set onto an "
            "equally large set in which each code has absorbed the others in proportion to its learned affinity with them, with "
            "a skip path keeping the original. Depth of the stack governs the order of the combinations."
        ),
        (
            "In words: new part i equals the rectified sum of its own linear image and, over all parts j, share(i,j) times the "
            "value image of j. The share is the exponential of query i times key j, divided by the total over j, and the whole "
            "is done for H independent sets of matrices whose results are put end to end."
        ),
        (
            "We avoid enumerating products of column values by hand. Instead every column vector of the advertisement request "
            "consults all column vectors, itself included, through several parallel matching functions, and the consulted "
            "content is added to it according to softmaxed match values; three passes of this, then one linear unit over "
            "everything, give the probability."
        ),
        (
            "Within one job impression every column consults all the others. The vector of a column is projected in three ways; "
            "its first projection is matched with the second projections of all columns, matches are exponentiated and "
            "normalised, and the third projections are averaged accordingly. This happens in four subspaces at once, whose "
            "outcomes are joined, added to a projected copy of the original and rectified. After three rounds, columns that "
            "have nothing to do with history or time have become combinations of high degree."
        ),
        (
            "The columns of one record, e.g. device, city, hour, and merchant, are treated as members of a round table with no "
            "order. Each member poses a question, and it is matched with the key of all members; the matches, made to total "
            "one, decide the recipe by which its vector is rebuilt from the vectors of everyone. This is carried out in four "
            "separate subspaces, joined, and the old vector is added. The rebuilt members give the fraud-offer score."
        ),
    ),
    arguments=(
        Argument(
            "n_layers",
            3,
            (
                "attention layers",
                "interacting layers",
                "number of interacting layers",
                "number of attention layers",
                "self-attention layers",
            ),
            low=1,
            high=12,
        ),
        Argument("n_heads", 2, ("attention heads", "number of heads", "number of attention heads", "heads"), low=1, high=32),
        Argument(
            "head_dim",
            16,
            (
                "attention dimension",
                "dimension of each head",
                "attention size",
                "hidden units of the attention layer",
                "attention factor",
            ),
            low=1,
            high=512,
        ),
    ),
    example="layer = SelfAttentionInteraction(fields.shape[1], fields.shape[2], n_layers=2, n_heads=2, head_dim=8)\n"
    "output = layer(fields)",
)


class SelfAttentionInteraction(nn.Module):
    """(B, F, D) -> (B, F * n_heads * head_dim)."""

    def __init__(self, n_fields: int, embedding_dim: int, n_layers: int = 3, n_heads: int = 2, head_dim: int = 16) -> None:
        super().__init__()
        width = n_heads * head_dim
        widths = [embedding_dim, *[width] * (n_layers - 1)]
        self.layers = nn.ModuleList(FieldAttention(in_dim, n_heads, head_dim) for in_dim in widths)
        self.out_dim = n_fields * width

    def forward(self, fields: Tensor) -> Tensor:
        for layer in self.layers:
            fields = layer(fields)  # (B, F, H * A)
        return fields.flatten(1)  # (B, F * H * A)


class FieldAttention(nn.Module):
    """One layer: (B, F, D) -> (B, F, n_heads * head_dim)."""

    def __init__(self, in_dim: int, n_heads: int, head_dim: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.query, self.key, self.value, self.residual = (nn.Linear(in_dim, n_heads * head_dim, bias=False) for _ in range(4))

    def forward(self, fields: Tensor) -> Tensor:
        query, key, value = (self._heads(m(fields)) for m in (self.query, self.key, self.value))  # each (B, H, F, A)
        attention = torch.softmax(query @ key.transpose(-1, -2), -1)  # (B, H, F, F)
        mixed = (attention @ value).transpose(1, 2).flatten(2)  # (B, F, H * A)
        return torch.relu(mixed + self.residual(fields))

    def _heads(self, projected: Tensor) -> Tensor:
        rows, n_fields, width = projected.shape
        return projected.view(rows, n_fields, self.n_heads, width // self.n_heads).transpose(1, 2)  # (B, H, F, A)
