"""The built-in reading of the shared papers against the labels: scope, blocks, quotes. Skips where they are not there."""

import sys
from pathlib import Path

import pytest
from shared_data import need_shared

sys.path.insert(0, str(Path(__file__).parent))

from scope_table import Read, read_all, table

SCOPE = 0.92  # share of acceptable scopes
RECALL = 0.9  # of the blocks that must be recognised, over papers in scope
PRECISION = 0.72  # of the blocks recognised, over all papers


@pytest.fixture(scope="module")
def reads() -> list[Read]:
    return list(read_all(need_shared("papers")))


def test_scope_is_acceptable(reads: list[Read]) -> None:
    share = sum(r.right for r in reads) / len(reads)
    assert share >= SCOPE, f"{share:.3f}\n{table([r for r in reads if not r.right])}"


def test_blocks_recall_in_scope_and_precision_over_all(reads: list[Read]) -> None:
    inside = [r for r in reads if r.expected.must and "in_scope" in r.expected.kinds]
    recall = sum(len(r.blocks & r.expected.must) for r in inside) / sum(len(r.expected.must) for r in inside)
    precision = sum(len(r.blocks & (r.expected.must | r.expected.may)) for r in reads) / sum(len(r.blocks) for r in reads)
    assert recall >= RECALL and precision >= PRECISION, f"recall {recall:.3f} precision {precision:.3f}\n{table(reads)}"


def test_quotes_are_at_their_offsets(reads: list[Read]) -> None:
    for r in reads:
        quotes = [e for m in r.spec.mechanisms for e in m.evidence] + list(r.spec.unclear) + list(r.spec.scope.evidence)
        for quote in quotes:
            assert quote.start >= 0 and r.paper.text[quote.start : quote.end] == quote.quote, (r.file, quote)
