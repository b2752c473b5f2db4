"""One network for several scenarios: normalised by each, with shared weights times each one's own, and a small network beside."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import DNN, FeatureEmbedding, ScenarioNormalisation
from sandboxes.kit.layers.star_topology import StarLayer
from sandboxes.kit.schema import Schema


class STAR(nn.Module):
    """(batch) -> (B, T): Sheng et al., CIKM 2021. The auxiliary network sees all fields, the scenario's among them, and adds to
    the logits. Data without scenarios has a single one.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        hidden_units: Sequence[int] = (256, 128),
        auxiliary_units: Sequence[int] = (32,),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.column = None if schema.scenario is None else schema.index_of(schema.scenario)
        n_scenarios = 1 if self.column is None else schema.categorical[self.column].cardinality
        n_tasks, width = len(schema.tasks), (schema.n_fields + len(schema.sequences)) * embedding_dim
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.norm = ScenarioNormalisation(width, n_scenarios)
        self.layers = nn.ModuleList(StarLayer(k, n, n_scenarios) for k, n in pairwise((width, *hidden_units, n_tasks)))
        self.dropout = nn.Dropout(dropout)
        self.auxiliary = DNN(width, auxiliary_units, dropout)
        self.auxiliary_output = nn.Linear(self.auxiliary.out_dim, n_tasks)

    def forward(self, batch: Batch) -> Tensor:
        scenario = batch.ids.new_zeros(len(batch)) if self.column is None else batch.ids[:, self.column]  # (B,)
        flat = self.embedding.with_histories(batch).flatten(1)  # (B, K)
        *hidden, last = self.layers
        x = self.norm(flat, scenario)
        for layer in hidden:
            x = self.dropout(layer(x, scenario).relu())
        logits: Tensor = last(x, scenario) + self.auxiliary_output(self.auxiliary(flat))  # (B, T)
        return logits
