"""What a paper asks for: labels of a row, what a learner will know, or which of all items."""

from __future__ import annotations

import pytest

from agents.autotrain.builtin.parse import parse
from agents.autotrain.paper import Paper
from sandboxes.kit.layers import CARDS

PAPERS = {
    "ctr": """Click-through rate prediction decides which advertisement is shown. We propose CrossIt, in which a
factorization machine models pairwise feature interactions and a multi-layer perceptron with ReLU
units models those of higher order.""",
    "items": """Sequential recommendation predicts the next item from a session. We propose NextIt, a gated
recurrent unit over the clicked items of the session whose last hidden state scores every item of
the catalogue; recall@20 improves.""",
    "items, retrieved": """In the retrieval stage a recommender selects hundreds of candidates from millions of items. We
propose FindIt, a two-tower model for embedding-based retrieval that is trained with in-batch
negatives and a sampling bias correction.""",
    "items, by a graph": """Collaborative filtering recommends items by past interactions. We propose SpreadIt, which propagates
embeddings on the user-item interaction graph by light graph convolution and is trained with the BPR
loss.""",
    "items, generated": """Generative recommendation decodes the next item token by token. We propose WordIt. A residual
quantisation of content turns every item into a semantic id, level by level with learned codebooks, and an autoregressive
decoder with beam search generates the semantic id of the next item.""",
    "actions": """Learning from logged bandit feedback improves a recommender's policy off-policy. We propose BothWays, which
adds an inverse propensity correction of the reward model's error on the logged action, a doubly robust estimator of the
policy's value.""",
    "knowledge_tracing": """Knowledge tracing predicts whether a student answers the next exercise correctly. We propose KnowIt,
a recurrent network that reads past exercises together with the correctness of the student's
responses.""",
}
BLOCKS = {
    "ctr": {"fm", "dnn"},
    "items": {"gru_history"},
    "items, retrieved": {"item_tower", "sampled_softmax"},
    "items, by a graph": {"graph_propagation", "pairwise_ranking"},
    "items, generated": {"residual_quantisation", "semantic_id_decoder"},
    "actions": {"doubly_robust"},
    "knowledge_tracing": {"outcome_gru"},
}


@pytest.mark.parametrize("case", PAPERS)
def test_the_task_and_the_blocks_are_read_from_an_abstract(case: str) -> None:
    spec = parse(Paper(title="", source="x", format="text", text=PAPERS[case]), CARDS)
    assert spec.scope.inside, spec.scope.reason
    assert spec.task == case.partition(",")[0]
    assert {m.block for m in spec.mechanisms} >= BLOCKS[case]
