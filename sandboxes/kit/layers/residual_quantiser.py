"""Residual quantisation: a vector as a few code words, each of which says what the ones before it have left open.

Notation: N vectors, W their width, D latent width, Q levels, K codes of a level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.layers.dnn import DNN
from sandboxes.kit.layers.k_means import k_means

AT_ONCE = 1 << 16  # vectors


@dataclass(frozen=True)
class Quantised:
    """`codes` (N, Q) int64; `chosen` (N, Q, D), the code vectors; `residuals` (N, Q, D), what each level was asked to say."""

    codes: Tensor
    chosen: Tensor
    residuals: Tensor


class ResidualQuantiser(nn.Module):
    """(vectors (N, W)) -> their reconstruction (N, W), by an autoencoder whose latent vector is the sum of one code vector of
    each level: the nearest to the encoder's output, then the nearest to what is left of it, and so on (Zeghidour et al.,
    IEEE/ACM TASLP 2021, algorithm 1; Lee et al., CVPR 2022, section 3.1; of items Rajput et al., NeurIPS 2023, section 3.1).

    Gradients pass the choice as if it were not there. It must `start` on some vectors, whose residuals' k-means the code vectors
    begin as (Zeghidour et al., section III-C): codes drawn at random would mostly be nobody's nearest.
    """

    def __init__(
        self,
        in_dim: int,
        latent_dim: int = 16,
        levels: int = 3,
        codes: int = 32,
        hidden_units: Sequence[int] = (64,),
        commitment: float = 0.25,
    ) -> None:
        super().__init__()
        if levels < 1 or codes < 1:
            raise ValueError(f"a quantiser has at least one level of one code, not {levels} of {codes}")
        self.commitment = commitment
        hidden = tuple(hidden_units)
        self.encoder = nn.Sequential(DNN(in_dim, hidden), nn.Linear(hidden[-1] if hidden else in_dim, latent_dim))
        self.decoder = nn.Sequential(DNN(latent_dim, hidden[::-1]), nn.Linear(hidden[0] if hidden else latent_dim, in_dim))
        self.codebooks = nn.Parameter(torch.randn(levels, codes, latent_dim))  # (Q, K, D)

    @torch.no_grad()
    def start(self, vectors: Tensor) -> None:
        """Puts each level's code vectors where the residuals of `vectors` (N, W) lie."""
        residual = torch.cat([self.encoder(some) for some in torch.split(vectors, AT_ONCE)])
        for book in self.codebooks:
            book.copy_(k_means(residual, len(book)))
            residual = residual - book[torch.cdist(residual, book).argmin(1)]

    def forward(self, vectors: Tensor) -> Tensor:
        latent = self.encoder(vectors)
        reconstruction: Tensor = self.decoder(straight_through(latent, self.quantise(latent).chosen.sum(1)))
        return reconstruction

    def loss(self, vectors: Tensor) -> Tensor:
        """A scalar: the squared error of the reconstruction, that of the code vectors as they follow the residuals, and, by
        `commitment`, that of the residuals as they follow the code vectors, each summed over levels (Rajput et al.,
        section 3.1) and averaged over vectors and elements."""
        latent = self.encoder(vectors)
        quantised = self.quantise(latent)
        reconstruction = self.decoder(straight_through(latent, quantised.chosen.sum(1)))
        levels = quantised.chosen.shape[1]
        codebook = functional.mse_loss(quantised.chosen, quantised.residuals.detach()) * levels
        commitment = functional.mse_loss(quantised.residuals, quantised.chosen.detach()) * levels
        return functional.mse_loss(reconstruction, vectors) + codebook + self.commitment * commitment

    def quantise(self, latent: Tensor) -> Quantised:
        """Of latent vectors (N, D). What a level leaves open is a constant to gradients of code vectors before it."""
        residual, codes, chosen, residuals = latent, list[Tensor](), list[Tensor](), list[Tensor]()
        for book in self.codebooks:
            code = torch.cdist(residual.detach(), book.detach()).argmin(1)  # (N,)
            vector = book[code]  # (N, D)
            codes, chosen, residuals = [*codes, code], [*chosen, vector], [*residuals, residual]
            residual = residual - vector.detach()
        return Quantised(torch.stack(codes, 1), torch.stack(chosen, 1), torch.stack(residuals, 1))

    @torch.no_grad()
    def tokens(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Codes (N, Q) int64 of `vectors` (N, W), and the distances (N, K) of the last level's residual to its code vectors."""
        codes, distances = list[Tensor](), list[Tensor]()
        for some in torch.split(vectors, AT_ONCE):
            quantised = self.quantise(self.encoder(some))
            codes.append(quantised.codes)
            distances.append(torch.cdist(quantised.residuals[:, -1], self.codebooks[-1]))
        return torch.cat(codes), torch.cat(distances)


def straight_through(latent: Tensor, quantised: Tensor) -> Tensor:
    """`quantised` in value, `latent` in gradient (Bengio et al., 2013)."""
    return latent + (quantised - latent).detach()
