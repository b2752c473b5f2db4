"""Whatever a file holds, reading it with the built-in engine gives a spec."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.autotrain.builtin import BuiltinEngine
from agents.autotrain.paper import Paper, Section

ENGINE = BuiltinEngine()
WORDS = st.sampled_from(
    """we propose a the factorization machine attention Deep X-Net (XN) et al. [3] , . ; $x_i$ \\cite{a} 0.001 400-400 AUC of
    learning rate is set to unlike existing methods which our model Table 1: Figure click Abstract""".split()
)
TEXTS = st.one_of(st.text(max_size=400), st.lists(WORDS, max_size=120).map(" ".join))


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.text(max_size=40), st.lists(st.integers(0, 400), max_size=4))
def test_reading_raises_on_no_text_and_quotes_what_stands_there(text: str, title: str, cuts: list[int]) -> None:
    places = sorted(min(c, len(text)) for c in cuts)
    sections = tuple(Section(title=title, level=1, start=a, end=b) for a, b in pairwise(places))
    paper = Paper(title=title, source="x", format="text", text=text, sections=sections)
    spec = ENGINE.parse(paper)
    assert spec == ENGINE.parse(paper)
    for mechanism in spec.mechanisms:
        for evidence in mechanism.evidence:
            assert text[evidence.start : evidence.end] == evidence.quote
