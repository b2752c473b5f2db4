"""Log-probabilities of items under a decoder of code words that may only say words which lead to an item.

At every node the softmax runs over its children alone, so that the probabilities of all items add up to one. Notation: B rows,
I ids of the target item, N nodes, W words of a depth, T words of an item, M memory tokens, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from sandboxes.kit.layers.code_decoder import CodeDecoder, Prefixes
from sandboxes.kit.layers.code_trie import CodeTrie
from sandboxes.kit.schema import FIRST_ID


def path_log_probs(decoder: CodeDecoder, trie: CodeTrie, start: Prefixes, items: Tensor) -> Tensor:
    """Of one item (B,) for each row: (B,), by the nodes of its own path."""
    nodes, words, prefixes = trie.nodes[items], trie.words[items], start  # (B, T + 1), (B, T)
    total = torch.zeros((), device=items.device)
    for depth in range(len(trie.sizes)):
        logits, prefixes = decoder.step(prefixes, depth, words[:, depth - 1 : depth] if depth else None)
        log_probs, children, _ = _children(trie, depth, nodes[:, depth : depth + 1], logits)  # (B, 1, W) each
        own = children == nodes[:, depth + 1, None, None]
        total = total + log_probs.masked_fill(~own, 0.0).sum((1, 2))
    return total


def all_log_probs(decoder: CodeDecoder, trie: CodeTrie, start: Prefixes) -> Tensor:
    """Of all items: (B, I), by every node that leads to more than one. Minus infinity for the two ids that are no items."""
    device = trie.nodes.device
    scores = _zeros(start)  # (B, N) of all nodes of a depth
    forked = torch.zeros(1, dtype=torch.int64, device=device)  # (N',) those of them that are asked about
    prefixes, words = start, None
    for depth in range(len(trie.sizes)):
        if not len(forked):  # each node has one child, and children are numbered as their parents
            break
        logits, prefixes = decoder.step(prefixes, depth, words)
        log_probs, numbers, there = _children(trie, depth, forked.unsqueeze(0), logits)  # (B, N', W), twice (1, N', W)
        places, slots = there[0].nonzero().T
        children = numbers[0, places, slots]
        scores = scores[:, trie.parents(depth)].index_add(1, children, log_probs[:, places, slots])
        leads_to = torch.bincount(trie.nodes[FIRST_ID:, depth + 1], minlength=trie.n_items)[children]
        kept = leads_to > 1
        forked, prefixes = children[kept], prefixes.branched(places[kept].unsqueeze(0))
        words = trie.word_of[depth][forked].unsqueeze(0)
    return functional.pad(scores[:, trie.nodes[FIRST_ID:, -1]], (FIRST_ID, 0), value=-torch.inf)


def beam_log_probs(decoder: CodeDecoder, trie: CodeTrie, start: Prefixes, width: int) -> Tensor:
    """(B, I): of at most `width` items of each row, found by a beam search that keeps so many nodes of a depth; minus infinity
    for all others. Beams of as many as there are items find all."""
    device, rows = trie.nodes.device, len(start.memory[0][0])
    scores, nodes = _zeros(start), torch.zeros(rows, 1, dtype=torch.int64, device=device)
    prefixes, words = start, None
    for depth in range(len(trie.sizes)):
        logits, prefixes = decoder.step(prefixes, depth, words)
        log_probs, children, _ = _children(trie, depth, nodes, logits)  # (B, N, W) each
        reached = (scores.unsqueeze(2) + log_probs).flatten(1)  # (B, N W)
        best = reached.topk(min(width, reached.shape[1]), 1)
        scores, nodes = best.values, children.expand_as(log_probs).flatten(1).gather(1, best.indices)
        words = trie.word_of[depth][nodes]
        prefixes = prefixes.branched(best.indices // trie.sizes[depth])
    found = torch.full((rows, trie.n_items), -torch.inf, dtype=scores.dtype, device=device)
    items = trie.item_of[nodes].masked_fill(torch.isneginf(scores), 0)  # what stands for no item shall hide none
    return found.scatter(1, items, scores)


def _children(trie: CodeTrie, depth: int, nodes: Tensor, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of nodes (B or 1, N) with logits of all words (B, N, W): log-probabilities (B, N, W) of their children, minus infinity
    where there is none; the children's numbers, and which there are (B or 1, N, W)."""
    numbers, words, there = trie.branches(depth, nodes)
    found = logits.to(_exact(logits.dtype)).gather(2, words.expand_as(logits))
    known = found.masked_fill(~there, torch.finfo(found.dtype).min).log_softmax(2)  # of no child at all nothing is NaN so
    return known.masked_fill(~there, -torch.inf), numbers, there


def _zeros(start: Prefixes) -> Tensor:
    """(B, 1), for sums of log-probabilities."""
    keys = start.memory[0][0]
    return torch.zeros(len(keys), 1, dtype=_exact(keys.dtype), device=keys.device)


def _exact(dtype: torch.dtype) -> torch.dtype:
    """Sums of log-probabilities want float32 at least."""
    return torch.promote_types(dtype, torch.float32)
