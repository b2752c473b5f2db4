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
from sandboxes.kit.layers import event_logs
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.layers.table import INITIAL_STD
from sandboxes.kit.layers.table_rows import TableRows
from sandboxes.kit.schema import EventLog, Schema

# What several cards that hold Gaussians to a prior have in common.
KL_WEIGHT = Argument(
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
)

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
        (
            "Every feature id is represented by a distribution, a mean and a variance vector, rather than by a point. During "
            "training embeddings are drawn with the reparameterisation trick, and a KL term pulls the posterior to a prior; at "
            "inference the mean is used."
        ),
        (
            "To counter overfitting of rare features we place a Gaussian over each embedding. The loss consists of the expected "
            "log loss under sampled embeddings and the divergence between the learned Gaussian and its prior, which regularises "
            "infrequent ids towards the prior."
        ),
        (
            "We adopt a Bayesian treatment of the embedding table: the lookup returns mu and sigma, noise scaled by sigma is "
            "added to mu in each step, and the evidence lower bound is maximised. Cold-start ids with few samples keep a wide "
            "distribution near the prior."
        ),
        (
            "Point estimates of id embeddings are unreliable when data is scarce. Our model learns the uncertainty of each "
            "embedding as a diagonal normal distribution, trains on random draws of it, and penalises its Kullback-Leibler "
            "distance from a standard or field-wise prior."
        ),
        (
            "A new song is not a dot in latent space but a cloud. Each training step picks a random place inside the cloud to "
            "stand for the song, and an extra cost is charged for clouds that drift from the default cloud without evidence."
        ),
        (
            "The table holds two numbers per coordinate for each value: where it probably is and how sure we are. We shake the "
            "code by a random amount proportional to the unsureness, predict the click from the shaken code, and tax departure "
            "from a common starting bell curve."
        ),
        (
            "Ads seen a thousand times earn a narrow bell curve, ads seen twice a broad one staying close to what is believed "
            "of ads in general. This comes from minimising prediction error under random draws together with a measure of how "
            "far beliefs have moved from that general one."
        ),
        (
            "Because a draw has to be differentiable, we write it as centre plus spread times standard noise. Centres and "
            "spreads are stored per attribute value; the objective adds to the response error the information needed to tell "
            "each value's curve from the reference curve."
        ),
        (
            "Hotels opened yesterday make ordinary lookup vectors overfit. We therefore treat the vectors as random quantities, "
            "fit a centre and width for every hotel, sample afresh for each batch, and hold the fit back with a penalty on the "
            "distance between fitted and assumed distribution."
        ),
        (
            "Nothing is switched off and no field vanishes in our scheme; every code is blurred. How much it is blurred is "
            "itself learned per identifier, and a pull toward a reference distribution prevents the blur from shrinking to "
            "nothing on identifiers with little evidence."
        ),
        (
            "For thinly traded funds in a banking app we keep beliefs rather than values. A belief is a normal curve for each "
            "latent factor; training samples from beliefs, scoring takes their centres, and a complexity price stops each "
            "belief from leaving the common belief unless responses justify it."
        ),
        (
            "The usual squared-length penalty on codes is the special case of ours with constant widths. We let widths be "
            "learned too: stochastic codes drawn in each pass, plus a divergence term between a value's fitted normal and the "
            "assumed one, so that scarcity shows as width."
        ),
        (
            "The encoder of a slot value returns centre and log-variance; a noise draw turns them into the vector used in this "
            "step. An information cost, small for values that never stray from the assumed normal curve, is added to the "
            "game-install error, the trade-off set by a coefficient."
        ),
        (
            "How certain is the model of a film nobody has watched? Its latent point is described by a probability density "
            "whose spread remains that of the starting assumption; seen films have tightened densities. Learning balances fit "
            "with random points from the densities against closeness to the assumption."
        ),
        (
            "An identifier is not a point but a cloud: its table row stores a centre and a spread for each coordinate. During "
            "learning we draw a fresh point from the cloud by adding spread times random noise to the centre, and a term in the "
            "objective draws the clouds towards a reference bell curve; for serving we use the centre."
        ),
        (
            "Newcomers with three ratings should be known less precisely than veterans. We therefore keep for every member a "
            "normal distribution over latent factors, whose width shrinks with evidence, and penalise its divergence from a "
            "prior so that rarely seen members stay near the prior instead of memorising noise."
        ),
        (
            "Recipe: look up mu and log-variance for the id; draw epsilon from the unit normal; use mu plus sigma times epsilon "
            "downstream; to the cross-entropy add a small weight times the closed-form distance between this normal and the "
            "prior normal. At test time set epsilon to zero."
        ),
        (
            "Ordinary lookup tables overfit the long tail of ads. Our table is probabilistic: each entry is a diagonal normal "
            "law instead of fixed numbers, sampled anew in every pass with a differentiable trick, and regularised by relative "
            "entropy to a law shared by entries or predicted from the ad's attributes."
        ),
        (
            "As a weather forecaster gives a temperature with a margin, our song codes come with a margin. Training repeatedly "
            "picks a value within the margin at random, so the predictor must be right for the whole range; an information "
            "penalty stops the margins from collapsing to zero or the centres from drifting far from the common default."
        ),
        (
            "From the Bayesian point of view we learn an approximate posterior over the vectors of users and goods. The "
            "evidence lower bound has two parts: expected log-likelihood of clicks under vectors drawn from the posterior, and "
            "minus the discrepancy between posterior and prior, which acts hardest on infrequent ids."
        ),
        (
            "Tersely: e is drawn from N(m_id, diag s_id squared), loss equals logloss(f(e), y) plus beta times KL of that "
            "normal from the prior. The noise has a learned size per id and per coordinate, which sets it apart from zeroing "
            "inputs at random."
        ),
        (
            "For cold shops we need codes with doubt built in. Two tables give location and uncertainty, a random draw combines "
            "them while learning, and deviation of the resulting law from the group's Gaussian is charged in the objective; a "
            "shop seldom seen thus inherits the group's law, one often seen gets its own narrow law."
        ),
        (
            "For each advertiser we learn a centre and a spread, instead of one point in space. While learning, the vector used "
            "is a fresh draw: centre plus spread times standard normal noise. A penalty, the relative entropy between this "
            "cloud and a reference cloud derived from the industry of the advertiser, keeps rarely seen advertisers close to "
            "their peers. When serving, the noise is left out."
        ),
        (
            "An obscure album should not be believed to sit at an exact point. So for every album we store a centre and a width "
            "per coordinate, and each time it appears in learning a fresh point is drawn about the centre with that width. A "
            "penalty keeps this little cloud from straying away from a standard bell shape, measured by the relative entropy of "
            "the two. When serving, just the centre is taken."
        ),
    ),
    arguments=(
        KL_WEIGHT,
        Argument(
            "prior_std",
            1.0,
            ("standard deviation of the prior", "prior standard deviation", "scale of the prior"),
            low=INITIAL_STD,  # a narrower prior leaves the vectors nothing to say
            high=100,
        ),
    ),
    example="layer = VariationalEmbedding(schema, 8, kl_weight=0.01)\noutput = layer(batch)\ndivergence = layer.kl()",
)


def divergence(mean: Tensor, log_std: Tensor, prior_std: float) -> Tensor:
    """Of Gaussians from N(0, `prior_std`^2), summed over a row's elements (B,): of means (B, F, D), and logarithms of deviations
    relative to `INITIAL_STD` (B, F, D)."""
    log_std = log_std + math.log(INITIAL_STD / prior_std)  # (B, F, D), relative to the prior's
    spread = torch.exp(2 * log_std) + (mean / prior_std).square()  # (B, F, D)
    return (0.5 * (spread - 1) - log_std).sum((1, 2))


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
        self._rows = TableRows(schema)
        if self._rows.n_rows:
            self.log_std_table = nn.Embedding(self._rows.n_rows, embedding_dim)
            nn.init.zeros_(self.log_std_table.weight)
        self._last: Tensor | None = None  # (B, C): rows of the tables that the last forward looked up

    def forward(self, batch: Batch) -> Tensor:
        fields: Tensor = self.means(batch)  # (B, F, D)
        self._last = batch.ids + self.means.offsets  # (B, C)
        if not self.training or self.log_std_table is None:
            return fields
        noise = self._noise(self._last)  # (B, C, D)
        return fields + functional.pad(noise, (0, 0, 0, fields.shape[1] - noise.shape[1]))

    def kl(self) -> Tensor:
        """`kl_weight` times the divergence of the last forward's embeddings from the prior, a scalar: summed over the elements
        of a row's categorical fields, averaged over rows."""
        if self._last is None:
            raise RuntimeError("kl() speaks of the last forward, and there was none; call the embedding on a batch first")
        if self.log_std_table is None or self.means.table is None:
            return torch.zeros((), device=self._last.device)
        return self.kl_weight * self._divergence(self.means.table(self._last), self.log_std_table(self._last)).mean()

    def field(self, batch: Batch, name: str) -> Tensor:
        """The vectors (B, D) of the categorical field `name`. Raises `KeyError` when there is none."""
        return self._sampled(self.means.field(batch, name), self._rows.field(batch, name))

    def vectors_of(self, name: str, ids: Tensor, batch: Batch) -> Tensor:
        """As `FeatureEmbedding.vectors_of`."""
        return self._sampled(self.means.vectors_of(name, ids, batch), self._rows.of_values(name, ids))

    def target(self, batch: Batch, name: str) -> Tensor:
        """The vector (B, D) of what the history `name` is asked about."""
        return self._sampled(self.means.target(batch, name), self._rows.target(batch, name))

    def entries(self, batch: Batch, name: str) -> tuple[Tensor, Tensor]:
        """The vectors (B, L, D) of the history's own entries, zeros where padded, and its mask (B, L), True where real."""
        vectors, mask = self.means.entries(batch, name)
        return self._sampled(vectors, self._rows.history(batch, name)) * mask.unsqueeze(-1), mask

    def history(self, batch: Batch, name: str) -> tuple[Tensor, Tensor]:
        """The same, with what came of the events added to each entry, where outcomes are aligned with the history."""
        return event_logs.history(self, batch, name)

    def events(self, batch: Batch, log: EventLog) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Target (B, D), values (B, L, D), mask (B, L) and outcomes (B, L, O) of `log`, as `FeatureEmbedding` gives them."""
        return event_logs.events(self, batch, log)

    def pooled_history(self, batch: Batch, name: str) -> Tensor:
        """The mean vector (B, D) of the history `name` over its real entries; zeros for an empty history."""
        vectors, mask = self.entries(batch, name)
        return vectors.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)

    def with_histories(self, batch: Batch) -> Tensor:
        """All fields, and each history's mean vector as one more: (B, F + S, D) for S histories in schema order."""
        pooled = [self.pooled_history(batch, s.name).unsqueeze(1) for s in self.schema.sequences]  # each (B, 1, D)
        return torch.cat([self(batch), *pooled], 1)

    def _divergence(self, mean: Tensor, log_std: Tensor) -> Tensor:
        """Of each row (B,), from means (B, C, D) and logarithms of deviations relative to `INITIAL_STD` (B, C, D)."""
        return divergence(mean, log_std, self.prior_std)

    def _sampled(self, means: Tensor, rows: Tensor) -> Tensor:
        return means + self._noise(rows) if self.training else means

    def _noise(self, rows: Tensor) -> Tensor:
        """A draw of what is added to the means of `rows`."""
        assert self.log_std_table is not None  # a row is of a categorical field
        std = INITIAL_STD * torch.exp(self.log_std_table(rows))
        return std * torch.randn_like(std)
