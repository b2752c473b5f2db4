"""Automatic soft discretisation of numeric fields: a value's vector is a mixture of learned vectors.

Notation: B rows, N numeric fields, D embedding width, H meta-embeddings (soft buckets) a field.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card

LEAK = 0.01

CARD = Card(
    name="numeric_discretisation",
    block="NumericDiscretisation",
    slot="embedding",
    needs=("numeric",),
    summary="Embeds a number as a softmax mixture of the field's learned bucket vectors; the bucketing is trained end to end.",
    equation="h = leaky_relu(w_j x_j); s = W_j h + alpha h; p = softmax(s / tau); e_j = sum_h p_h M_jh"
    " (Guo et al., KDD 2021, section 3.2; one temperature for all fields)",
    cues=(
        "automatic discretization",
        "automatic discretisation",
        "meta-embeddings",
        "meta embeddings of numerical features",
        "soft discretization",
        "soft discretisation",
        "soft bucket",
        "soft buckets",
        "learnable discretization",
        "differentiable discretization",
        "numerical feature embedding",
        "embedding learning for numerical features",
        "discretize numerical features end-to-end",
        "weighted aggregation of bucket embeddings",
        "softly assigned to several buckets",
        "correlation between the feature value and each meta-embedding",
        "bucket embeddings weighted by probabilities",
    ),
    descriptions=(
        "Each numerical field has a set of meta-embeddings, and a value's embedding is their weighted average.",
        "A differentiable soft discretisation assigns a continuous value to several buckets with probabilities.",
        "The buckets of continuous features are learned together with the prediction model and not fixed beforehand.",
        (
            "A small network with a skip connection maps the scalar to logits over buckets, followed by a softmax "
            "with a temperature."
        ),
        "Every continuous value gets a representation of its own while close values share the field's embeddings.",
    ),
    arguments=(
        Argument(
            "n_buckets",
            20,
            ("number of meta-embeddings", "meta-embeddings", "number of buckets", "soft buckets", "buckets"),
            low=2,
            high=1000,
        ),
        Argument("temperature", 1.0, ("temperature coefficient", "softmax temperature", "temperature"), low=1e-5, high=100),
        Argument(
            "skip",
            0.1,
            ("skip-connection control factor", "control factor of skip-connection", "skip connection factor"),
            low=0,
            high=10,
        ),
    ),
    example="layer = NumericDiscretisation(batch.numeric.shape[1], 8, n_buckets=5)\noutput = layer(batch.numeric)",
)


class NumericDiscretisation(nn.Module):
    """(B, N) -> (B, N, D); used as `FeatureEmbedding(schema, embedding_dim, numeric=...)`."""

    def __init__(
        self, n_numeric: int, embedding_dim: int, n_buckets: int = 20, temperature: float = 1.0, skip: float = 0.1
    ) -> None:
        super().__init__()
        self.temperature, self.skip = temperature, skip
        self.project = nn.Parameter(torch.randn(n_numeric, n_buckets))  # (N, H)
        self.mix = nn.Parameter(torch.randn(n_numeric, n_buckets, n_buckets) * n_buckets**-0.5)  # (N, H, H)
        self.meta = nn.Parameter(torch.randn(n_numeric, n_buckets, embedding_dim) * n_buckets**-0.5)  # (N, H, D)

    def forward(self, values: Tensor) -> Tensor:
        hidden = functional.leaky_relu(values.unsqueeze(2) * self.project, LEAK)  # (B, N, H)
        scores = torch.einsum("bnh,nhk->bnk", hidden, self.mix) + self.skip * hidden  # (B, N, H)
        shares = torch.softmax(scores / self.temperature, 2)  # (B, N, H)
        return torch.einsum("bnh,nhd->bnd", shares, self.meta)  # (B, N, D)
