"""Two deep networks, each on embeddings selected from the user's or the item's point of view, fused bilinearly."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import DNN, FeatureEmbedding
from sandboxes.kit.layers.bilinear_fusion import BilinearFusion
from sandboxes.kit.layers.feature_selection_gate import FeatureSelectionGate
from sandboxes.kit.schema import Schema, Side


class FinalMLP(nn.Module):
    """(batch) -> (B, T): Mao et al., AAAI 2023, the two-stream model with feature selection and multi-head bilinear fusion.

    The first stream's gate is asked of the user's fields, the second's of the item's; where the schema names no such fields,
    the gate is the same for all rows. `second_units` are the second stream's hidden units, `hidden_units` where it is ().
    """

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        hidden_units: Sequence[int] = (400, 400),
        second_units: Sequence[int] = (),
        gate_units: Sequence[int] = (64,),
        fusion_heads: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        width = (schema.n_fields + len(schema.sequences)) * embedding_dim
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.contexts = [_of_side(schema, "user"), _of_side(schema, "item")]  # columns of the fields
        self.gates = nn.ModuleList(FeatureSelectionGate(width, len(c) * embedding_dim, gate_units) for c in self.contexts)
        first = DNN(width, hidden_units, dropout)
        second = DNN(width, second_units or hidden_units, dropout)
        self.streams = nn.ModuleList([first, second])
        self.fusion = BilinearFusion(first.out_dim, second.out_dim, len(schema.tasks), fusion_heads)

    def forward(self, batch: Batch) -> Tensor:
        fields = self.embedding.with_histories(batch)  # (B, F, D)
        flat = fields.flatten(1)  # (B, F * D)
        outputs = []
        for context, gate, stream in zip(self.contexts, self.gates, self.streams, strict=True):
            outputs.append(stream(gate(flat, fields[:, context].flatten(1))))
        logits: Tensor = self.fusion(*outputs)  # (B, T)
        return logits


def _of_side(schema: Schema, side: Side) -> list[int]:
    """The columns of that side's fields among all fields."""
    return [i for i, own in enumerate(schema.sides) if own == side]
