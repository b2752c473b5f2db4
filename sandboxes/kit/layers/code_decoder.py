"""A transformer decoder that says one code word after the other, for many prefixes of each row at once.

Notation: B rows, M memory tokens, N prefixes of a row, P words read so far, D width, H heads, A width of a head, K codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

Pair = tuple[Tensor, Tensor]  # keys and values


@dataclass(frozen=True)
class Prefixes:
    """What the decoder remembers: of each layer the memory's keys and values (B, H, M, A), and those of the tokens read so far
    (B, N, P, H, A)."""

    memory: tuple[Pair, ...]
    real: Tensor | None  # (B, 1, 1, M), which memory tokens are
    read: tuple[Pair, ...]

    def branched(self, parents: Tensor) -> Prefixes:
        """Prefixes that go on from those of number `parents` (B or 1, N)."""
        rows = torch.arange(len(self.memory[0][0]), device=parents.device).unsqueeze(1)  # (B, 1)
        return Prefixes(self.memory, self.real, tuple((k[rows, parents], v[rows, parents]) for k, v in self.read))


class CodeDecoder(nn.Module):
    """`begin` on a memory, then `step` depth by depth (Vaswani et al., NeurIPS 2017, section 3.1, layers normed after their sums;
    code words have embeddings of their own at each depth, which serve as input and output alike)."""

    def __init__(self, sizes: Sequence[int], width: int, n_layers: int = 1, n_heads: int = 2, dropout: float = 0.0) -> None:
        super().__init__()
        self.nothing = nn.Parameter(torch.randn(width) * width**-0.5)  # a memory token that is always there to attend to
        self.first = nn.Parameter(torch.randn(width) * width**-0.5)
        self.sizes = list(sizes)
        # Those of all depths in one: where the word of a depth is never in question, it would have no gradient.
        self.words = nn.Parameter(torch.randn(sum(sizes), width) * width**-0.5)
        self.biases = nn.Parameter(torch.zeros(sum(sizes)))
        self.layers = nn.ModuleList(DecoderLayer(width, n_heads, dropout) for _ in range(n_layers))

    def begin(self, memory: Tensor, real: Tensor | None = None) -> Prefixes:
        """One prefix without words for each row of memory (B, M, D); `real` (B, M) tells its tokens from padding."""
        memory = torch.cat([self.nothing.expand(len(memory), 1, -1), memory], 1)
        real = None if real is None else functional.pad(real, (1, 0), value=True)
        keys = tuple(cast(DecoderLayer, layer).memory_pair(memory) for layer in self.layers)
        nothing = tuple((k.new_zeros(len(memory), 1, 0, *k.shape[1::2]),) * 2 for k, _ in keys)
        return Prefixes(keys, None if real is None else real[:, None, None, :], nothing)

    def step(self, prefixes: Prefixes, depth: int, words: Tensor | None = None) -> tuple[Tensor, Prefixes]:
        """Logits (B, N, K) of the word at `depth`, and the prefixes with the `words` (B or 1, N) of the depth before read; at
        depth 0 there are none."""
        rows = len(prefixes.memory[0][0])
        tokens = self.first.expand(rows, 1, -1) if words is None else self._words(depth - 1)[words].expand(rows, -1, -1)
        read = []
        for layer, memory, before in zip(self.layers, prefixes.memory, prefixes.read, strict=True):
            tokens, pair = layer(tokens, before, memory, prefixes.real)  # (B, N, D)
            read.append(pair)
        logits = functional.linear(tokens, self._words(depth), torch.split(self.biases, self.sizes)[depth])
        return logits, Prefixes(prefixes.memory, prefixes.real, tuple(read))

    def _words(self, depth: int) -> Tensor:
        return torch.split(self.words, self.sizes)[depth]  # (K, D)


class DecoderLayer(nn.Module):
    """(newest tokens (B, N, D), keys and values of those before, of memory, which of it is real) -> the same tokens refined, and
    the keys and values with theirs."""

    def __init__(self, width: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads, self.head_dim = n_heads, max(1, width // n_heads)
        inner = self.n_heads * self.head_dim
        self.query, self.key, self.value = (nn.Linear(width, inner, bias=False) for _ in range(3))
        self.memory_query, self.memory_key, self.memory_value = (nn.Linear(width, inner, bias=False) for _ in range(3))
        self.mix, self.memory_mix = (nn.Linear(inner, width, bias=False) for _ in range(2))
        self.feed_forward = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.dropout = nn.Dropout(dropout)

    def memory_pair(self, memory: Tensor) -> Pair:
        """Keys and values (B, H, M, A)."""
        key, value = (self._heads(m(memory)).transpose(1, 2) for m in (self.memory_key, self.memory_value))
        return key, value

    def forward(self, tokens: Tensor, before: Pair, memory: Pair, real: Tensor | None) -> tuple[Tensor, Pair]:
        key, value = (
            torch.cat([old, self._heads(m(tokens)).unsqueeze(2)], 2)  # (B, N, P, H, A)
            for m, old in zip((self.key, self.value), before, strict=True)
        )
        tokens = self._add(0, tokens, self.mix(self._over_words(tokens, key, value)))
        asked = self._heads(self.memory_query(tokens)).transpose(1, 2)  # (B, H, N, A)
        seen = functional.scaled_dot_product_attention(asked, *memory, attn_mask=real)
        tokens = self._add(1, tokens, self.memory_mix(seen.transpose(1, 2).flatten(2)))
        return self._add(2, tokens, self.feed_forward(tokens)), (key, value)

    def _over_words(self, tokens: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Each prefix attends to its own words alone, the newest among them."""
        asked = self._heads(self.query(tokens))  # (B, N, H, A)
        fit = torch.einsum("bnha,bnpha->bnhp", asked, key) * self.head_dim**-0.5
        return torch.einsum("bnhp,bnpha->bnha", fit.softmax(-1), value.to(fit.dtype)).flatten(2)  # (B, N, H A)

    def _add(self, number: int, tokens: Tensor, change: Tensor) -> Tensor:
        normed: Tensor = self.norms[number](tokens + self.dropout(change))
        return normed

    def _heads(self, projected: Tensor) -> Tensor:
        return projected.view(*projected.shape[:-1], self.n_heads, self.head_dim)  # (..., H, A)
