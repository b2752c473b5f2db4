"""Feature dropout: leaves out whole field embeddings while training. Notation: B rows, F fields, D embedding width."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

CARD = Card(
    name="feature_dropout",
    block="FeatureDropout",
    slot="feature",
    summary="While training, leaves out whole field embeddings at random and scales the rest, so that no single "
    "field is relied upon.",
    equation="v_i = m_i e_i / (1 - rate), m_i ~ Bernoulli(1 - rate) for each row and field; the identity at prediction"
    " (dropout of Srivastava et al., JMLR 2014, section 4, applied to whole embeddings)",
    cues=(
        "feature dropout",
        "field dropout",
        "field-level dropout",
        "embedding-level dropout",
        "randomly drop fields",
        "randomly drop features",
        "randomly drop feature fields",
        "randomly dropping feature embeddings",
        "drop entire feature embeddings",
        "randomly mask feature fields during training",
        "randomly discard feature embeddings",
        "feature bagging",
        "feature subset sampled for each training sample",
        "dropout on feature fields",
        "stochastic feature masking",
    ),
    descriptions=(
        "During training, the embeddings of randomly chosen fields are set to zero, and the remaining ones are scaled up.",
        "Whole features are dropped at random, so the model cannot depend on a few dominant fields.",
        "Dropping complete field embeddings regularises the model as if it were a bag of models on feature subsets.",
        "At inference time all features are kept, and the layer does nothing.",
        "Each training example sees a random subset of its features, which reduces co-adaptation of the fields.",
    ),
    arguments=(
        Argument(
            "rate",
            0.1,
            (
                "feature dropout rate",
                "field dropout rate",
                "drop rate",
                "drop probability",
                "feature drop ratio",
                "dropout probability of features",
            ),
            low=0,
            high=0.95,
        ),
    ),
    example="layer = FeatureDropout(fields.shape[1], fields.shape[2], rate=0.2)\noutput = layer(fields)",
)


class FeatureDropout(nn.Module):
    """(B, F, D) -> (B, F, D)."""

    def __init__(self, n_fields: int, embedding_dim: int, rate: float = 0.1) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f"the share of fields to drop must be at least 0 and below 1, not {rate}")
        self.rate = rate

    def forward(self, fields: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return fields
        kept = torch.rand(fields.shape[:2], device=fields.device) >= self.rate  # (B, F)
        return fields * (kept / (1 - self.rate)).unsqueeze(2).to(fields.dtype)
