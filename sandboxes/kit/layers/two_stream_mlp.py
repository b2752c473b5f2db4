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
        (
            "Two parallel MLPs are joined in one model. Each receives its own version of the embeddings, soft-selected by a "
            "gate conditioned on different features, such as user or item fields, and their outputs are combined by a "
            "multi-head bilinear form to obtain the logit."
        ),
        (
            "Instead of pairing a DNN with explicit crossing, we use plain networks in both branches. Stream-specific gating "
            "makes their inputs differ, and a bilinear aggregation layer, split into heads, models second-order interaction "
            "between the two final hidden representations."
        ),
        (
            "A well-tuned pair of feed-forward towers suffices: feature selection gates weigh the embedding layer once from the "
            "user's view and once from the item's view, each tower processes its view, and the stream-level fusion computes "
            "o1^T W o2 besides linear terms."
        ),
        (
            "The dual-branch architecture feeds differentiated inputs, produced by sigmoid gates doubled in magnitude, to two "
            "independent multilayer perceptrons. Fusion is not by addition or concatenation but with a learned matrix between "
            "the two output vectors, computed in blocks to save parameters."
        ),
        (
            "The row is shown to two ordinary networks, each through its own tinted glass. One glass is tinted by the viewer's "
            "attributes, the other by the clip's. At the end a trained matrix stands between the two networks' results and lets "
            "each factor of one multiply each of the other."
        ),
        (
            "We run two dense towers next to each other on the same columns, but every tower gets its columns weighed by a "
            "private gate, so they learn different things. The final score is left result times weight matrix times right "
            "result, plus a linear part of both."
        ),
        (
            "Neither of our branches crosses attributes by construction; both are simple stacks of ReLU layers. The crossing "
            "arises where they meet: the last hidden vectors are cut in pieces, corresponding pieces multiplied through square "
            "weight tables, and the numbers added to the score."
        ),
        (
            "Why combine a special crossing module with a tower if two towers do as well? Ours differ by what they are allowed "
            "to notice, since gates fed with different context attributes scale the common input, and they talk in a "
            "matrix-mediated product at the top."
        ),
        (
            "In our hotel model, the first tower concentrates on what the guest's slots deem important and the second on what "
            "the property's slots deem important. A common click target trains both, through a product form which joins their "
            "summaries, both-sided linear in each."
        ),
        (
            "Gate A rescales the joined codes for tower A, gate B for tower B. Each gate is a small net on a chosen subset of "
            "slots, or on a learned constant. Tower summaries are merged in several heads by x transposed, matrix, y, to yield "
            "a single logit."
        ),
        (
            "Two experts on the same banking record read it with different emphasis and write each a short vector of "
            "conclusions. The verdict is not the sum of their opinions but a weighted total of all products of a conclusion of "
            "one with a conclusion of the other, single target only."
        ),
        (
            "Differences between the twin dense stacks are forced at the entrance, by multiplying the shared input with two "
            "unlike selection vectors, and are exploited at the exit, where an interaction matrix, block-diagonal for economy, "
            "joins their last activations."
        ),
        (
            "For news ranking we found the old pairing of a shallow crossing part with a tower wasteful. A left and a right "
            "perceptron, each given a softly filtered copy of all properties, replace it; the output unit sees the left vector, "
            "the right vector and every learned left-right coordinate product."
        ),
        (
            "The cost is that of two small networks: no products of columns, no attention. Their inputs are the same codes "
            "weighed by separate context-driven selectors, and a multi-part matrix product between both end vectors supplies "
            "the multiplicative term in the prediction."
        ),
        (
            "Two plain feed-forward networks work next to each other on differently filtered copies of the same input. One "
            "filter is driven by who the customer is and the other by what is offered, and the two final hidden vectors are "
            "merged by multiplying them through a learned matrix, in chunks, plus a linear term for each, to give the logit."
        ),
        (
            "Imagine two reviewers who receive the same dossier with different passages highlighted. Each reads through an "
            "ordinary stack of dense layers and writes a summary; the verdict multiplies every entry of the first summary with "
            "every entry of the second under learned coefficients and adds each summary's own weighted sum."
        ),
        (
            "Step by step: compute a gate from visitor attributes and another from article attributes, each with a small net "
            "ending in a sigmoid; scale all inputs by gate one for the left tower and by gate two for the right tower; run both "
            "towers. Then split their outputs in heads and add up left-transposed times matrix times right for the heads."
        ),
        (
            "Explicit crossing layers are not required if a pair of simple perceptrons is well separated. We make their inputs "
            "different by soft selection and make their outputs meet multiplicatively, so that second-order terms between the "
            "two hidden states enter the score, instead of simply adding the two or joining them."
        ),
        (
            "The left branch and the right branch are both vanilla dense towers and serve one and the same target. What counts "
            "is at the ends: before them, context-conditioned doubled sigmoids pick which parts of the joint code each branch "
            "perceives; after them, a grouped second-order form of the two branch outputs yields the prediction."
        ),
        (
            "Tersely: h1 is net1 of (g1 times x), h2 is net2 of (g2 times x), where g1 and g2 come from separate conditioning "
            "columns. Score equals b plus w1 dot h1 plus w2 dot h2 plus the sum over k heads of h1k, W k, h2k; then squash."
        ),
        (
            "For app installs we replaced the heavy interaction part by a duplicate of the deep part. Since two identical "
            "networks would learn the same thing, each is fed a reweighted view of the features, weights being produced from "
            "separate subsets, and their last layers are coupled by a headwise matrix product, cheap because the matrix is cut "
            "into blocks."
        ),
        (
            "Our game recommender has a twin body: one half concentrates on player-side signals, the other on game-side "
            "signals, because learned sieves in front let through different inputs. The halves never talk until the top, where "
            "coordinates of one are multiplied with coordinates of the other by trained interaction coefficients and summed to "
            "one number."
        ),
        (
            "Two plain stacks of rectified layers run side by side on the same row, but each looks through a sieve of its own: "
            "multipliers between zero and two, computed from the viewer columns for the left stack and from the clip columns "
            "for the right one, are applied to the input. To join them, the top vector of the left is multiplied through a "
            "trained matrix with the top vector of the right, and a weighted sum of either is added. This is done in chunks to "
            "save parameters."
        ),
        (
            "Two layered networks of unequal depth work without talking to each other. Each has in front its own set of soft "
            "switches, which let more of some columns in and less of others, so the two see the record from different sides. "
            "When both are finished, the last vector of the one is multiplied through a trained table with the last vector of "
            "the other, and to this number a weighted sum of each is added."
        ),
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
