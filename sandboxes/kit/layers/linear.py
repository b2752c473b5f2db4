"""First-order weights: every feature value has a weight of its own, as in logistic regression.

Notation: B rows, C categorical fields, N numeric fields, L history length, T tasks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Card
from sandboxes.kit.layers.feature_embedding import table_offsets
from sandboxes.kit.layers.table import Table
from sandboxes.kit.schema import Schema

CARD = Card(
    name="linear",
    block="LinearTerm",
    slot="interaction",
    placement="logit",
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
    ),
    example="term = LinearTerm(schema, n_tasks=len(schema.tasks))\noutput = term(batch)",
)


class LinearTerm(nn.Module):
    """(batch) -> (B, T): bias plus the weights of the row's categories, its weighted numbers and its histories' mean weights.

    A history has weights of its own: having watched an item and being offered it are different features.
    """

    offsets: Tensor

    def __init__(self, schema: Schema, n_tasks: int) -> None:
        super().__init__()
        self.out_dim = n_tasks
        self.register_buffer("offsets", table_offsets(schema), persistent=False)  # (C,)
        self.table: Table | None = None
        if schema.categorical:
            self.table = Table(sum(f.cardinality for f in schema.categorical), n_tasks)
        sizes = {f.name: f.cardinality for f in schema.categorical}
        self.history_tables = nn.ModuleDict({f"of_{s.name}": Table(sizes[s.of], n_tasks) for s in schema.sequences})
        self.numeric = nn.Linear(len(schema.numeric), n_tasks, bias=False) if schema.numeric else None
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
        return logits
