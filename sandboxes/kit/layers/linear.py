"""First-order weights: every feature value has a weight of its own, as in logistic regression.

Notation: B rows, C categorical fields, N numeric fields, L history length, T tasks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Card
from sandboxes.kit.layers.projected_vectors import ProjectedVectors
from sandboxes.kit.layers.table import Table
from sandboxes.kit.layers.table_rows import own_offsets
from sandboxes.kit.schema import Schema

CARD = Card(
    name="linear",
    block="LinearTerm",
    slot="interaction",
    placement="logit",
    takes=("batch",),
    summary="Adds a learned weight for each feature value to the logit: logistic regression on the raw sparse features.",
    equation="y = b + sum_i w_i x_i, one weight vector a task; takes the batch itself, and averages the weights of a history's"
    " entries (Cheng et al., DLRS 2016, section 3.1; the first-order part of Rendle, ICDM 2010, eq. 1)",
    cues=(
        "linear term",
        "linear part",
        "linear component",
        "linear regression part",
        "first-order term",
        "first-order features",
        "first-order feature importance",
        "first-order weights",
        "order-1 features",
        "order-1 importance",
        "wide component",
        "wide part",
        "wide linear model",
        "generalized linear model",
        "logistic regression over sparse features",
        "addition unit",
        "global bias",
        "weight of the i-th feature",
        "individual feature weights",
    ),
    descriptions=(
        "Each individual feature contributes a scalar weight, and the weights of the active features are summed with a bias.",
        "The wide component is a generalised linear model over the sparse one-hot inputs, trained together with the deep part.",
        "A linear part models the importance of single features and memorises them, while other parts model their interactions.",
        "The first-order term reflects how much every feature by itself moves the prediction.",
        "We add a logistic regression on the raw input features to the output of the network.",
        "The shallow linear model takes the raw categorical features and directly outputs a score that is summed into the logit.",
        (
            "The wide component is a generalised linear model: each sparse feature value has a scalar weight, the weights of "
            "the active features are summed together with a bias, and the sum is added to the logit."
        ),
        (
            "First-order effects are modelled by one learned coefficient per feature value. No interaction between features is "
            "considered; the contribution of each feature to the logit is independent of all the others."
        ),
        (
            "We memorise frequent feature values through a weight vector over the one-hot encoded input, w·x + b, trained "
            "jointly with the rest of the model and followed by a sigmoid."
        ),
        (
            "In addition to the embedding-based parts, every categorical id carries a scalar bias term. The terms of the ids "
            "present in the sample are added directly to the prediction, giving a simple, interpretable and fast first-order "
            "model."
        ),
        (
            "Each possible entry of each column owns one number. To score a request we look up the numbers of the entries that "
            "occur in it and add them. The total shifts the log-odds of an install up or down."
        ),
        (
            "The simplest part of the predictor is a scoreboard: city, hour, device and banner each bring points, positive or "
            "negative, learned from the log. The points are tallied without regard to who stands beside whom."
        ),
        (
            "An artist may simply be popular, whatever the listener. Such main effects are caught by a single trained scalar "
            "for every attribute value, all of which are summed to the output; vectors and hidden layers are not involved."
        ),
        (
            "We fit a logistic model on millions of binary indicators, of which a handful fire in each row. The log-odds are "
            "the sum of the coefficients of the indicators that fire, so scoring costs one addition per column."
        ),
        (
            "The effect of a property on the response is taken to be additive: being a weekend moves the booking log-odds by a "
            "fixed, trained amount, and this amount is the same for all guests and hotels. What depends on combinations is left "
            "to other parts."
        ),
        (
            "Beside the deep tower stands a shallow one without any hidden unit. It holds a table with width one: every token's "
            "row is a lone parameter, and the rows picked by the current impression are added straight into the final score."
        ),
        (
            "The table of latent factors is complemented by a table of intercepts. Each reader, publisher and topic has its own "
            "intercept, and the intercepts concerned are totalled, so that general inclination and general appeal need not be "
            "expressed through the vectors."
        ),
        (
            "For a bank it matters that a score can be read off. This part attaches a weight to each category of each "
            "attribute; a customer's score is the total of the weights that apply, nothing being multiplied with anything else."
        ),
        (
            "Rote knowledge about individual ids is kept in scalar parameters, one for each id, with sparsity encouraged by an "
            "absolute-value penalty. They act on the output directly, bypassing every nonlinear layer, and their sum is the "
            "whole of this term."
        ),
        (
            "The model's baseline answer is obtained as an inner product of the sparse indicator row with a coefficient vector. "
            "It cannot tell that two attributes together mean more than each alone, but it is cheap, convex to fit and hard to "
            "beat on frequent values."
        ),
        (
            "Beside the nonlinear machinery, which is not the topic here, our bidder keeps an enormous table with one number "
            "for each distinct value ever seen: each publisher, each banner size, each publisher-size couple. For an impression "
            "the numbers of its values are looked up and added straight to the log-odds. The table is kept sparse by an "
            "absolute-value penalty, and it remembers the odd exceptions that a smooth model forgets."
        ),
        (
            "Every distinct value in the table owns one adjustable number. For a given row we look up the numbers of the values "
            "that are present and add them, with an offset, straight to the log-odds; no value modifies the effect of another."
        ),
        (
            "The shallow side memorises. Knowing that a certain publisher gets many clicks whatever else holds is stored as a "
            "single scalar tied to that publisher's id, and the final score simply receives the total of all such scalars for "
            "the active ids."
        ),
        (
            "Take the one-hot row, mostly zeros. Multiply each entry with its own coefficient and sum up; the squashed total is "
            "the forecast probability. There are no hidden units, no vectors per value and no products: one parameter per "
            "dictionary entry, which is why it can be trained on billions of rows."
        ),
        (
            "Like a bill made of separate prices, the score of a trip is the sum of a price for its city, a price for its "
            "weekday, a price for the traveller's age band, and a base fee. Prices are fitted to past bookings and never depend "
            "on what else is on the bill."
        ),
        (
            "A first-order part accounts for main effects. It gives each category level an individual bias that goes directly "
            "into the output, bypassing the layers that handle combinations, so these need not waste capacity on popularity "
            "alone."
        ),
        (
            "The score y gains b plus the sum over columns j of w indexed by the value found in column j; the w are scalars "
            "in a sparse "
            "table. The gradient for a row touches just the entries that fired. Interaction between columns is left entirely to "
            "the other branches."
        ),
        (
            "Alongside the deep tower we run a generalised additive scorer over the raw sparse indicators: how much this game "
            "by itself, this device by itself, this hour by itself raises or lowers the install rate. Their independent votes "
            "are totalled and joined with the tower's output before the sigmoid."
        ),
        (
            "The bank's baseline card assigns points to each answer on the form and adds the points. We learn those points by "
            "gradient steps on the log penalty, one per answer, and let the sum enter the final prediction as it is, without "
            "transformation, embedding or crossing."
        ),
    ),
    example="term = LinearTerm(schema, n_tasks=len(schema.tasks))\noutput = term(batch)",
)


class LinearTerm(nn.Module):
    """(batch) -> (B, T): bias plus the weights of the row's categories, its weighted numbers, those of its vectors made elsewhere
    among them, and its histories' mean weights.

    A history has weights of its own: having watched an item and being offered it are different features.
    """

    offsets: Tensor

    def __init__(self, schema: Schema, n_tasks: int) -> None:
        super().__init__()
        self.out_dim = n_tasks
        self.register_buffer("offsets", own_offsets(schema), persistent=False)  # (C,)
        self.table: Table | None = None
        if schema.categorical:
            self.table = Table(sum(f.cardinality for f in schema.categorical), n_tasks)
        tables = {f"of_{s.name}": Table(schema.cardinality_of(s), n_tasks) for s in schema.sequences}
        self.history_tables = nn.ModuleDict(tables)
        self.numeric = nn.Linear(len(schema.numeric), n_tasks, bias=False) if schema.numeric else None
        self.vectors = ProjectedVectors(schema, n_tasks)
        self.bias = nn.Parameter(torch.zeros(n_tasks))

    def forward(self, batch: Batch) -> Tensor:
        logits = self.bias.expand(len(batch), -1)  # (B, T)
        if self.table is not None:
            logits = logits + self.table(batch.ids + self.offsets).sum(1)
        for key, table in self.history_tables.items():
            assert isinstance(table, Table)
            logits = logits + table.pooled(batch.history[key.removeprefix("of_")], 0)
        if self.numeric is not None:
            logits = logits + self.numeric(batch.numeric)
        if self.vectors.weight is not None:
            logits = logits + self.vectors(batch).sum(1)
        return logits
