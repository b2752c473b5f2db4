"""What is left out of recorded exchanges can be put back to the letter, and nothing of a paper is left in them."""

from __future__ import annotations

import json
import re

from elided import SHORTEST, elide, restore
from hypothesis import given
from hypothesis import strategies as st

PAPER = 'We propose a gate on "pairs" of fields.\nIt is learned\twith the rest; the loss is \\sum_i l(y_i, p_i), as usual.'
piece = st.one_of(
    st.text(alphabet='ab"\\\n⟦', max_size=6),
    st.tuples(st.integers(0, len(PAPER)), st.integers(0, len(PAPER))).map(lambda ends: PAPER[min(ends) : max(ends)]),
)


@given(st.lists(piece, max_size=6), st.booleans())
def test_what_was_left_out_is_put_back(pieces: list[str], as_json: bool) -> None:
    text = "".join(pieces)
    text = json.dumps({"quote": text}, ensure_ascii=False) if as_json else text
    left = elide(text, PAPER)
    assert restore(left, PAPER) == text
    for start in range(len(PAPER) - 2 * SHORTEST):
        assert PAPER[start : start + 2 * SHORTEST] not in left


def test_passages_become_places() -> None:
    text = f"<paper>\n{PAPER}\n</paper>\n" + json.dumps({"quote": PAPER})
    left = elide(text, PAPER)
    assert left.startswith(f"<paper>\n⟦0:{len(PAPER)}⟧\n</paper>\n")
    assert re.fullmatch(r'{"quote": "(⟦"?\d+:\d+⟧){1,4}"}', left.splitlines()[-1])
