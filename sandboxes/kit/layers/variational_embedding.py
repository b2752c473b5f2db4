"""Variational embedding: every id is a Gaussian, sampled while training and held at its mean at prediction.

Notation: B rows, C categorical fields, N numeric fields, F = C + N, D embedding width, L history length.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.layers.table import INITIAL_STD
from sandboxes.kit.schema import Schema

CARD = Card(
    name="variational_embedding",
    block="VariationalEmbedding",
    slot="embedding",
    summary="Learns a Gaussian for each id's embedding, samples from it in training and adds the divergence from "
    "a prior to the loss.",
    equation="z = mu_i + sigma_i * eps, eps ~ N(0, I); KL(N(mu, sigma^2) || N(0, s^2)) = sum_d [ln(s / sigma_d) + (sigma_d^2 +"
    " mu_d^2) / (2 s^2) - 1/2], summed over fields, averaged over rows (Kingma and Welling, ICLR 2014, eq. 10 "
    "and appendix B, with a"
    " prior of any width)",
    cues=(
        "variational embedding",
        "variational inference",
        "gaussian embeddings",
        "distributional embeddings",
        "embedding as a distribution",
        "embeddings as random variables",
        "probabilistic embedding",
        "reparameterization trick",
        "reparameterisation trick",
        "kl divergence between the posterior and the prior",
        "kullback-leibler divergence to the prior",
        "posterior distribution of the embedding",
        "prior distribution over embeddings",
        "mean and variance of the embedding",
        "evidence lower bound",
        "uncertainty of embeddings",
        "sampled from a gaussian distribution",
    ),
    descriptions=(
        "Each id's embedding is a normal distribution with a learned mean and variance instead of a point.",
        "During training the embedding is sampled by the reparameterisation trick, and at serving time its mean is used.",
        "A Kullback-Leibler term keeps the posterior of the embeddings close to a prior, which helps ids with few samples.",
        "Cold-start users and ads have uncertain embeddings, and the uncertainty is modelled by distribution estimates.",
        "The training objective is the evidence lower bound: the prediction loss plus a regularisation by the divergence.",
        "Noise in proportion to the learned variance is added to the embedding vectors, as in variational autoencoders.",
    ),
    arguments=(
        Argument(
            "kl_weight",
            1e-4,
            (
                "weight of the kl term",
                "kl weight",
                "weight of the kl divergence",
                "coefficient of the kl divergence",
                "kl coefficient",
            ),
            low=0,
            high=10,
        ),
        Argument(
            "prior_std",
            1.0,
            ("standard deviation of the prior", "prior standard deviation", "scale of the prior"),
            low=1e-4,
            high=100,
        ),
    ),
    example="layer = VariationalEmbedding(schema, 8, kl_weight=0.01)\noutput = layer(batch)\ndivergence = layer.kl()",
)


class VariationalEmbedding(nn.Module):
    """Looks up the fields of a batch like `FeatureEmbedding`: (batch) -> (B, F, D); numeric fields are not random.

    `log_std_table` holds the logarithm of each element's deviation relative to `INITIAL_STD`, so that a penalty on tables pulls
    it there. Each method draws noise of its own in training, and none in evaluation.
    """

    def __init__(
        self,
        schema: Schema,
        embedding_dim: int,
        numeric: nn.Module | None = None,
        kl_weight: float = 1e-4,
        prior_std: float = 1.0,
    ) -> None:
        super().__init__()
        self.schema, self.kl_weight, self.prior_std = schema, kl_weight, prior_std
        self.means = FeatureEmbedding(schema, embedding_dim, numeric)
        self.log_std_table: nn.Embedding | None = None
        if schema.categorical:
            self.log_std_table = nn.Embedding(sum(f.cardinality for f in schema.categorical), embedding_dim)
            nn.init.zeros_(self.log_std_table.weight)
        self._rows: Tensor | None = None  # (B, C): rows of the tables that the last forward looked up

    def forward(self, batch: Batch) -> Tensor:
        fields: Tensor = self.means(batch)  # (B, F, D)
        self._rows = batch.ids + self.means.offsets  # (B, C)
        if not self.training or self.log_std_table is None:
            return fields
        noise = self._noise(self._rows)  # (B, C, D)
        return fields + functional.pad(noise, (0, 0, 0, fields.shape[1] - noise.shape[1]))

    def kl(self) -> Tensor:
        """`kl_weight` times the divergence of the last forward's embeddings from the prior, a scalar: summed over the elements
        of a row's categorical fields, averaged over rows."""
        if self._rows is None:
            raise RuntimeError("kl() speaks of the last forward, and there was none; call the embedding on a batch first")
        if self.log_std_table is None or self.means.table is None:
            return torch.zeros((), device=self._rows.device)
        mean = self.means.table(self._rows)  # (B, C, D)
        log_std = self.log_std_table(self._rows) + math.log(INITIAL_STD / self.prior_std)  # (B, C, D), relative to the prior's
        spread = torch.exp(2 * log_std) + (mean / self.prior_std).square()  # (B, C, D)
        divergence: Tensor = (0.5 * (spread - 1) - log_std).sum((1, 2)).mean()
        return self.kl_weight * divergence

    def field(self, batch: Batch, name: str) -> Tensor:
        """The vectors (B, D) of the categorical field `name`. Raises `KeyError` when there is none."""
        column = self.schema.index_of(name)
        return self._sampled(self.means.field(batch, name), batch.ids[:, column] + self.means.offsets[column])

    def history(self, batch: Batch, name: str) -> tuple[Tensor, Tensor]:
        """The vectors (B, L, D) of the history `name`, zeros where padded, and its mask (B, L), True where real."""
        vectors, mask = self.means.history(batch, name)
        of = next(s.of for s in self.schema.sequences if s.name == name)
        rows = batch.history[name] + self.means.offsets[self.schema.index_of(of)]  # (B, L)
        return self._sampled(vectors, rows) * mask.unsqueeze(-1), mask

    def pooled_history(self, batch: Batch, name: str) -> Tensor:
        """The mean vector (B, D) of the history `name` over its real entries; zeros for an empty history."""
        vectors, mask = self.history(batch, name)
        return vectors.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)

    def with_histories(self, batch: Batch) -> Tensor:
        """All fields, and each history's mean vector as one more: (B, F + S, D) for S histories in schema order."""
        pooled = [self.pooled_history(batch, s.name).unsqueeze(1) for s in self.schema.sequences]  # each (B, 1, D)
        return torch.cat([self(batch), *pooled], 1)

    def _sampled(self, means: Tensor, rows: Tensor) -> Tensor:
        return means + self._noise(rows) if self.training else means

    def _noise(self, rows: Tensor) -> Tensor:
        """A draw of what is added to the means of `rows`."""
        assert self.log_std_table is not None  # a row is of a categorical field
        std = INITIAL_STD * torch.exp(self.log_std_table(rows))
        return std * torch.randn_like(std)
