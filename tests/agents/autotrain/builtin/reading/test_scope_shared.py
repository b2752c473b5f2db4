"""The built-in reading of the shared papers against the labels: scope, blocks, quotes. Skips where they are not there."""

import sys
from pathlib import Path

import pytest
from shared_data import need_shared

sys.path.insert(0, str(Path(__file__).parent))

from scope_table import Read, read_all, table

from sandboxes.kit.layers import CARDS

SCOPE = 0.92  # share of acceptable scopes
RECALL = 0.7  # of the stated mechanisms that a block carries
PRECISION = 0.8  # of the blocks recognised, over papers of the field


@pytest.fixture(scope="module")
def reads() -> list[Read]:
    return list(read_all(need_shared("papers")))


def test_scope_is_acceptable(reads: list[Read]) -> None:
    share = sum(r.right for r in reads) / len(reads)
    assert share >= SCOPE, f"{share:.3f}\n{table([r for r in reads if not r.right])}"


def test_stated_mechanisms_are_recognised_and_others_are_not(reads: list[Read]) -> None:
    carried = [(r, s) for r in reads for s in r.label.states if s.by]
    recall = sum(bool(s.by & r.blocks) for r, s in carried) / len(carried)
    field = [r for r in reads if r.label.states]
    precision = sum(len(r.blocks & r.label.right) for r in field) / sum(len(r.blocks) for r in field)
    assert recall >= RECALL and precision >= PRECISION, f"recall {recall:.3f} precision {precision:.3f}\n{table(reads)}"


def test_labels_name_blocks(reads: list[Read]) -> None:
    assert {b for r in reads for b in r.label.right} <= {c.name for c in CARDS}


def test_quotes_are_at_their_offsets(reads: list[Read]) -> None:
    for r in reads:
        quotes = [e for m in r.spec.mechanisms for e in m.evidence] + list(r.spec.unclear) + list(r.spec.scope.evidence)
        for quote in quotes:
            assert quote.start >= 0 and r.paper.text[quote.start : quote.end] == quote.quote, (r.file, quote)
