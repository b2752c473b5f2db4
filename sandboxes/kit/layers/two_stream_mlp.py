"""Two deep networks over embeddings that are selected for each, and their bilinear fusion.

Notation: B rows, F fields, D embedding width, H heads.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.bilinear_fusion import BilinearFusion
from sandboxes.kit.layers.dnn import DNN
from sandboxes.kit.layers.feature_selection_gate import FeatureSelectionGate

CARD = Card(
    name="two_stream_mlp",
    block="TwoStreamMLP",
    slot="interaction",
    placement="logit",
    summary="Feeds two deep networks with embeddings that a gate selects for each of them, and fuses their outputs bilinearly.",
    equation="h_s = 2 sigmoid(g_s) * e; o_s = MLP_s(h_s) for the streams s = 1, 2;"
    " y = b + w_1 o_1 + w_2 o_2 + sum_h o_1h^T W_h o_2h over H heads, parts of the vectors"
    " (Mao et al., AAAI 2023, two-stream model; the gates' contexts are learned vectors)",
    cues=(
        "two-stream mlp",
        "two-stream interaction model",
        "two-stream ctr model",
        "two mlp streams",
        "two mlp networks in parallel",
        "combining two mlp networks",
        "stream-specific feature selection",
        "feature gating layer for each stream",
        "stream-level interaction aggregation",
        "stream-level fusion",
        "multi-head bilinear fusion",
        "bilinear fusion of two streams",
        "bilinear interaction aggregation layer",
        "fuse the outputs of the two streams",
        "fusing two mlp networks",
    ),
    descriptions=(
        "Two independent networks of the same kind run in parallel as streams and their outputs are fused into the prediction.",
        "Each stream gets differentiated inputs by its own feature selection gate, so that the two streams do not learn alike.",
        "The outputs of the two streams are fused by a bilinear form in place of summation or concatenation.",
        "The bilinear fusion splits both stream outputs into heads and sums the second-order fusion of each pair of heads.",
        "A two-stream model of two plain MLPs with gating and a fusion layer captures interactions between the streams.",
    ),
    arguments=(
        Argument("hidden_units", (400, 400), ("hidden units of each stream", "mlp size of each stream"), low=1, high=8192),
        Argument("gate_units", (64,), ("hidden units of the gate", "feature gating hidden units"), low=1, high=2048),
        Argument("fusion_heads", 1, ("heads of the bilinear fusion", "number of fusion heads", "fusion heads"), low=1, high=64),
    ),
    example="layer = TwoStreamMLP(fields.shape[1], fields.shape[2], hidden_units=(16, 8))\noutput = layer(fields)",
)


class TwoStreamMLP(nn.Module):
    """(B, F, D) -> (B, 1)."""

    def __init__(
        self,
        n_fields: int,
        embedding_dim: int,
        hidden_units: Sequence[int] = (400, 400),
        gate_units: Sequence[int] = (64,),
        fusion_heads: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        width = n_fields * embedding_dim
        self.gates = nn.ModuleList(FeatureSelectionGate(width, 0, gate_units) for _ in range(2))
        first, second = (DNN(width, hidden_units, dropout) for _ in range(2))
        self.streams = nn.ModuleList([first, second])
        self.fusion = BilinearFusion(first.out_dim, second.out_dim, n_heads=fusion_heads)
        self.out_dim = 1

    def forward(self, fields: Tensor) -> Tensor:
        flat = fields.flatten(1)  # (B, F * D)
        outputs = [stream(gate(flat)) for gate, stream in zip(self.gates, self.streams, strict=True)]
        fused: Tensor = self.fusion(*outputs)  # (B, 1)
        return fused
