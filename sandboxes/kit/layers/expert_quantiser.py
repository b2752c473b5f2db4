"""Quantisation by several experts: some look at all modalities of a thing, some at one alone, and each says a code word.

Notation: N things, M modalities of widths W_m, W their sum, E experts, D latent width, K codes of an expert.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.layers.dnn import DNN
from sandboxes.kit.layers.k_means import k_means
from sandboxes.kit.layers.residual_quantiser import AT_ONCE, straight_through

HIDDEN = 64  # units between a modality and a latent vector
LEAST_NORM = 1e-6


class ExpertQuantiser(nn.Module):
    """(vectors (N, W), the modalities side by side) -> their reconstruction (N, W). First come `shared` experts over all
    modalities, then `specific` ones of each; an expert's code word is the nearest of its own code vectors to what it makes of
    what it sees (van den Oord et al., NeurIPS 2017, eq. 1). A modality is rebuilt from the code vectors of the shared experts and
    its own (Bousmalis et al., NeurIPS 2016, section 3.1, with code vectors for private and shared representations).

    It must `start` on some vectors, whose k-means the code vectors begin as.
    """

    def __init__(
        self,
        widths: Sequence[int],
        shared: int = 1,
        specific: int = 1,
        codes: int = 32,
        orthogonality: float = 0.1,
        latent_dim: int = 16,
        commitment: float = 0.25,
    ) -> None:
        super().__init__()
        if shared + specific < 1 or shared < 0 or specific < 0:
            raise ValueError(f"a modality needs an expert that looks at it, not {shared} shared and {specific} of its own")
        self.widths, self.orthogonality, self.commitment = list(widths), orthogonality, commitment
        n = shared + specific * len(self.widths)
        # Which modalities each expert sees; those of one modality make up a run.
        self.sees = [range(len(self.widths))] * shared + [
            range(m, m + 1) for m in range(len(self.widths)) for _ in range(specific)
        ]
        self.heard = [[*range(shared), *(e for e in range(shared, n) if m in self.sees[e])] for m in range(len(self.widths))]
        self.encoders = nn.ModuleList(_network(sum(self.widths[m] for m in sees), latent_dim) for sees in self.sees)
        self.decoders = nn.ModuleList(
            _network(len(heard) * latent_dim, w) for heard, w in zip(self.heard, self.widths, strict=True)
        )
        self.codebooks = nn.Parameter(torch.randn(n, codes, latent_dim))  # (E, K, D)

    @torch.no_grad()
    def start(self, vectors: Tensor) -> None:
        """Puts each expert's code vectors where what it makes of `vectors` (N, W) lies."""
        latent = torch.cat([self.latent(some) for some in torch.split(vectors, AT_ONCE)])
        for book, own in zip(self.codebooks, latent.unbind(1), strict=True):
            book.copy_(k_means(own, book.shape[0]))

    def latent(self, vectors: Tensor) -> Tensor:
        """What each expert makes of `vectors` (N, W): (N, E, D)."""
        parts = torch.split(vectors, self.widths, 1)
        seen = (torch.cat([parts[m] for m in sees], 1) for sees in self.sees)
        return torch.stack([encoder(part) for encoder, part in zip(self.encoders, seen, strict=True)], 1)

    def quantise(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Of latent vectors (N, E, D): codes (N, E) int64, and their code vectors (N, E, D)."""
        codes = torch.cdist(latent.detach().transpose(0, 1), self.codebooks.detach()).argmin(2).T
        return codes, self.codebooks[torch.arange(len(self.codebooks), device=codes.device), codes]

    def forward(self, vectors: Tensor) -> Tensor:
        latent = self.latent(vectors)
        return self._rebuilt(straight_through(latent, self.quantise(latent)[1]))

    def loss(self, vectors: Tensor) -> Tensor:
        """A scalar: the mean squared errors of the modalities' reconstructions, added up; those of code vectors as they follow
        the experts and, by `commitment`, of experts as they follow them, each summed over experts; and, by `orthogonality`, the
        mean likeness of two experts."""
        latent = self.latent(vectors)
        chosen, n = self.quantise(latent)[1], latent.shape[1]
        rebuilt = torch.split(self._rebuilt(straight_through(latent, chosen)), self.widths, 1)
        parts = torch.split(vectors, self.widths, 1)
        loss = torch.stack([functional.mse_loss(a, b) for a, b in zip(rebuilt, parts, strict=True)]).sum()
        loss = loss + n * functional.mse_loss(chosen, latent.detach())
        loss = loss + self.commitment * n * functional.mse_loss(latent, chosen.detach())
        return loss + self.orthogonality * likeness(latent)

    @torch.no_grad()
    def tokens(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Codes (N, E) int64 of `vectors` (N, W), and the distances (N, K) of the last expert's vectors to its code vectors."""
        latent = torch.cat([self.latent(some) for some in torch.split(vectors, AT_ONCE)])
        return self.quantise(latent)[0], torch.cdist(latent[:, -1], self.codebooks[-1])

    def _rebuilt(self, chosen: Tensor) -> Tensor:
        """Modalities (N, W) from code vectors (N, E, D)."""
        pairs = zip(self.decoders, self.heard, strict=True)
        return torch.cat([decoder(chosen[:, heard].flatten(1)) for decoder, heard in pairs], 1)


def likeness(latent: Tensor) -> Tensor:
    """Of the experts' vectors (N, E, D), a scalar: |Z_a^T Z_b|^2 / N^2, the mean over pairs of experts, where rows of Z are an
    expert's vectors about their mean at unit length (Bousmalis et al., section 3.1, eq. 5). 0 where there is one expert."""
    centred = functional.normalize(latent - latent.mean(0), dim=2, eps=LEAST_NORM)  # (N, E, D)
    pairs = list(combinations(range(latent.shape[1]), 2))
    products = [(centred[:, a].T @ centred[:, b] / len(latent)).square().sum() for a, b in pairs]
    return torch.stack(products).mean() if products else latent.new_zeros(())


def _network(in_dim: int, out_dim: int) -> nn.Sequential:
    return nn.Sequential(DNN(in_dim, (HIDDEN,)), nn.Linear(HIDDEN, out_dim))
